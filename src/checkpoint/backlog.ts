// What could not be written yet: lines as they will stand in the log, one behind the other, for when the disk is well again. Pure.
import { decodeLine } from './codec.ts';
import { type Needed, planCompaction } from './compaction.ts';
import type { CheckpointRecord } from './record.ts';
import type { LogEntry } from './repair.ts';

/** `seq`: of the last record that left, null when none did. */
export type Taken = { bytes: number; seq: number | null };

export type Backlog = {
  bytes(): number;
  isEmpty(): boolean;
  add(seq: number, line: Uint8Array): void;
  /** What is to be written first: some whole lines. So a disk that is full is not offered a mebibyte for each record. */
  head(): Uint8Array;
  /** So many bytes from its begin are in the log: whole lines leave. */
  take(bytes: number): Taken;
  /** Without what nobody needs any more, as a compaction has it. `before`: what is in the log. */
  shorten(before: readonly CheckpointRecord[], needed: Needed, keepBytes: number): void;
  clear(): void;
};

type Line = { seq: number; line: Uint8Array };

const headBytes = 64 * 1024;

export function createBacklog(): Backlog {
  let lines: Line[] = [];
  let length = 0;

  const set = (to: Line[]): void => {
    lines = to;
    length = to.reduce((sum, { line }) => sum + line.length, 0);
  };

  return {
    bytes: () => length,
    isEmpty: () => lines.length === 0,
    add(seq, line) {
      lines.push({ seq, line });
      length += line.length;
    },
    head() {
      let [count, bytes] = [0, 0];
      for (const { line } of lines) {
        bytes += line.length;
        if (count > 0 && bytes > headBytes) break;
        count++;
      }
      return joined(lines.slice(0, count));
    },
    take(count) {
      let [whole, bytes] = [0, 0];
      for (const { line } of lines) {
        if (bytes + line.length > count) break;
        bytes += line.length;
        whole++;
      }
      const seq = lines[whole - 1]?.seq ?? null;
      set(lines.slice(whole));
      return { bytes, seq };
    },
    shorten(before, needed, keepBytes) {
      const entries = entriesOf(lines);
      const isNeeded: Needed = (records) => needed([...before, ...records]).slice(before.length);
      const lastSeq = before.at(-1)?.seq ?? 0;
      const all = joined(lines);
      const pieces = planCompaction(entries, isNeeded, keepBytes, lastSeq);
      const bytes = pieces.map((piece) =>
        piece.kind === 'new' ? piece.line : all.subarray(piece.offset, piece.offset + piece.length),
      );
      set(linesOf(Buffer.concat(bytes)));
    },
    clear: () => set([]),
  };
}

function joined(lines: readonly Line[]): Uint8Array {
  return lines.length === 1 && lines[0] ? lines[0].line : Buffer.concat(lines.map(({ line }) => line));
}

function entriesOf(lines: readonly Line[]): LogEntry[] {
  let offset = 0;
  return lines.map(({ line }) => {
    const entry = { record: recordOf(line), offset, length: line.length };
    offset += line.length;
    return entry;
  });
}

function linesOf(bytes: Uint8Array): Line[] {
  const newline = 0x0a;
  const lines: Line[] = [];
  for (let from = 0; from < bytes.length; ) {
    const to = bytes.indexOf(newline, from) + 1;
    const line = bytes.slice(from, to);
    lines.push({ seq: recordOf(line).seq, line });
    from = to;
  }
  return lines;
}

/** Written by the codec a moment ago. */
function recordOf(line: Uint8Array): CheckpointRecord {
  const decoded = decodeLine(line, 0, line.length - 1);
  if (decoded.kind !== 'record') throw new Error(`no record: ${decoded.kind}`);
  return decoded.record;
}
