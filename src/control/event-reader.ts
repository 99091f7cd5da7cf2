/** The stream of events at its other end. */
import type { IncomingMessage } from 'node:http';
import { type ControlError, call } from './connection.ts';
import { CURSOR_HEADER } from './limits.ts';

export interface TaskEvent {
  /** Opaque: from here a reader can go on. */
  readonly cursor: string;
  /** Who has written it. */
  readonly log: 'checkpoint' | 'init';
  /** As in the log: docs/reference/records.md. */
  readonly record: { readonly type: string; readonly at: string; readonly [member: string]: unknown };
}

export interface ReadEventsOptions {
  readonly cursor?: string;
  readonly follow?: boolean;
  readonly signal?: AbortSignal;
  readonly onOpen?: () => void;
  readonly onCut?: () => void;
}

/** Goes on when the supervisor is replaced; ends when the task has, or where the log ends. */
export async function* readEvents(
  folder: string,
  { cursor, follow = true, signal, onOpen, onCut }: ReadEventsOptions,
): AsyncGenerator<TaskEvent> {
  let from = cursor;
  let begun = false;
  for (;;) {
    const query = `follow=${follow}${from === undefined ? '' : `&cursor=${encodeURIComponent(from)}`}`;
    const answer = await call(folder, {
      method: 'GET',
      path: `/v1/events?${query}`,
      ...(signal && { signal }),
    }).catch((error: ControlError) => {
      if (begun && error.code === 'ended') return null;
      throw error;
    });
    if (answer === null) return;
    begun = true;
    from = (answer.headers[CURSOR_HEADER] as string | undefined) ?? from;
    onOpen?.();
    const whole = { yet: false };
    for await (const line of linesOf(answer, whole)) {
      const event = JSON.parse(line) as TaskEvent;
      from = event.cursor;
      yield event;
    }
    if (signal?.aborted || (whole.yet && !follow)) return;
    onCut?.();
  }
}

/** Whole lines; what a connection that was cut left of one is dropped. */
export async function* linesOf(answer: IncomingMessage, whole: { yet: boolean }): AsyncGenerator<string> {
  let rest = '';
  answer.setEncoding('utf8');
  try {
    for await (const part of answer) {
      const lines = (rest + part).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
    whole.yet = true;
  } catch {
    // Cut off: the caller asks again.
  } finally {
    answer.destroy();
  }
}
