// A log without what nobody needs any more, as the bytes of a log: what stays is as it was written, with its number, and
// `gap` records say what is missing between. So every reader of a log reads it. Pure.
import { encodeBody } from './codec.ts';
import type { CheckpointRecord } from './record.ts';
import type { LogEntry } from './repair.ts';

/** Which records a replay needs: one answer for each. */
export type Needed = (records: readonly CheckpointRecord[]) => readonly boolean[];

/** A compacted log, in pieces: lines that stay, from where they stand, and new ones. */
export type Piece = { kind: 'old'; offset: number; length: number } | { kind: 'new'; line: Uint8Array };

/**
 * The last `keepBytes` stay whole: the story of the last runs is worth more than its place. So does the last record. `lastSeq`: of
 * what stands before them.
 */
export function planCompaction(
  entries: readonly LogEntry[],
  needed: Needed,
  keepBytes: number,
  lastSeq = 0,
): Piece[] {
  const isNeeded = needed(entries.map(({ record }) => record));
  const end = endOf(entries.at(-1));
  const stays = entries.map(
    (entry, at) => isNeeded[at] === true || at === entries.length - 1 || entry.offset >= end - keepBytes,
  );
  const pieces: Piece[] = [];
  let before = lastSeq;
  for (const [at, entry] of entries.entries()) {
    if (stays[at] !== true) continue;
    const dropped = entries[at - 1];
    if (dropped !== undefined && stays[at - 1] !== true) pieces.push(gapFor(dropped, before));
    addOld(pieces, entry);
    before = entry.record.seq;
  }
  return pieces;
}

/** How long the log made of these pieces is. */
export function lengthOf(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, piece) => sum + (piece.kind === 'old' ? piece.length : piece.line.length), 0);
}

function endOf(entry: LogEntry | undefined): number {
  return entry === undefined ? 0 : entry.offset + entry.length;
}

/**
 * It takes the number and the time of the last one that is dropped, so that order and merging stay what they were. One record
 * is shorter than this; it goes all the same, because what it began may have ended in a record that goes too.
 */
function gapFor({ record: { seq, at, mono_ns } }: LogEntry, lastSeq: number): Piece {
  const body = { type: 'gap', missing: seq - lastSeq, cause: 'compacted' } as const;
  return { kind: 'new', line: encodeBody(body, seq, { at, mono_ns }) };
}

/** What stands side by side is copied at once. */
function addOld(pieces: Piece[], { offset, length }: LogEntry): void {
  const before = pieces.at(-1);
  if (before?.kind === 'old' && before.offset + before.length === offset) before.length += length;
  else pieces.push({ kind: 'old', offset, length });
}
