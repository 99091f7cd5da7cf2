/** Each record of the log as a line of JSON, with the cursor from which a client that was cut off goes on. */
import type { Writable } from 'node:stream';
import { escapeControls } from '../checkpoint/codec.ts';
import type { CheckpointRecord } from '../checkpoint/record.ts';
import { type HttpAnswer, problem } from './answer.ts';
import { BEGIN, type Entry, type Feed, type Position } from './feed.ts';
import { CURSOR_HEADER, STREAM_BATCH } from './limits.ts';
import { drained } from './stream.ts';

export interface EventQuery {
  /** As it came with an event; `now`: only what comes. null: from the beginning. */
  readonly cursor: string | null;
  /** false: what there is, and no more. */
  readonly follow: boolean;
}

/** `task`: tells one start of a task from another, for a cursor means nothing elsewhere. */
export function streamEvents(
  feed: Feed,
  task: string,
  { cursor, follow }: EventQuery,
  closing: AbortSignal,
): HttpAnswer {
  const start =
    cursor === null ? BEGIN : cursor === 'now' ? feed.end() : parseCursor(task, cursor, feed.end());
  if (start === null) {
    const message = `cannot go on from cursor ${JSON.stringify(cursor)}: it is none of this start of the task`;
    return problem(410, 'cursor-unknown', message, 'leave it out to begin with what the log has');
  }
  const write = async (to: Writable, gone: AbortSignal): Promise<void> => {
    let position = start;
    for (;;) {
      const grown = growth(feed, [gone, closing]);
      for (;;) {
        const entries = feed.after(position, STREAM_BATCH);
        if (entries.length === 0 || gone.aborted) break;
        const lines = entries.map((entry) => {
          position = moved(position, entry);
          return `${toLine(eventOf(entry, formatCursor(task, position)))}\n`;
        });
        if (!to.write(lines.join('')) && !(await drained(to, gone))) return;
      }
      if (!follow || gone.aborted || closing.aborted) return;
      await grown;
    }
  };
  const headers = { [CURSOR_HEADER]: formatCursor(task, start) };
  return { status: 200, type: 'application/x-ndjson', headers, write };
}

/** Resolves when there may be more, or when there is no use in waiting. Listens from the call on, so that nothing is missed. */
function growth(feed: Feed, over: readonly AbortSignal[]): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      ignore();
      for (const signal of over) signal.removeEventListener('abort', end);
      resolve();
    };
    const ignore = feed.onGrowth(end);
    for (const signal of over) signal.addEventListener('abort', end);
    if (over.some(({ aborted }) => aborted)) end();
  });
}

function moved(position: Position, { log, record }: Entry): Position {
  return { ...position, [log]: record.seq };
}

export function formatCursor(task: string, { checkpoint, init }: Position): string {
  return `${task}-${checkpoint.toString(36)}-${init.toString(36)}`;
}

function parseCursor(task: string, cursor: string, end: Position): Position | null {
  const [, of, checkpoint, init] = /^([\w.]+)-([0-9a-z]{1,10})-([0-9a-z]{1,10})$/.exec(cursor) ?? [];
  if (of !== task || checkpoint === undefined || init === undefined) return null;
  const position = { checkpoint: Number.parseInt(checkpoint, 36), init: Number.parseInt(init, 36) };
  return position.checkpoint <= end.checkpoint && position.init <= end.init ? position : null;
}

function eventOf({ log, record }: Entry, cursor: string): Record<string, unknown> {
  return { cursor, log, record: asWritten(record) };
}

/** What this version does not understand is passed on as it stands in the log. */
function asWritten(record: CheckpointRecord): Record<string, unknown> {
  if (record.type !== 'unknown') return { ...record };
  const { was, reason: _, fields, ...envelope } = record;
  return { ...envelope, type: was, ...fields };
}

/** As in the log: times are decimal strings, and what could move a cursor is an escape of JSON. */
function toLine(event: Record<string, unknown>): string {
  return escapeControls(
    JSON.stringify(event, (_, value) => (typeof value === 'bigint' ? String(value) : value)),
  );
}
