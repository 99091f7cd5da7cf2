// A compacted log takes the place of the long one in the same file, because init hands that file to each supervisor, and it
// may have no name. A kill at any moment leaves one of the two logs, whole.
//
//   1. Behind the log OLD are appended: a mark `begun`, the log NEW, a mark `done` with its length and checksum.
//      Until the last byte of it is written, the file is OLD: what begins with `begun` does not count.
//   2. NEW is written over the front of the file. From `done` on the file is NEW: whatever stands in front of it.
//   3. The file is cut behind that.
import { decodeLine, encodeRecord, formatCrc } from './codec.ts';
import { lengthOf, type Piece } from './compaction.ts';
import { crc32c } from './crc32c.ts';
import type { JournalDisk } from './disk.ts';
import { type CheckpointRecord, formatVersion, type Stamp, type UnknownRecord } from './record.ts';

type Reading = Pick<JournalDisk, 'read' | 'size'>;

/** The type of the marks. They are no records of the story, and no file at rest has one. */
const markType = 'compaction';
/** No mark is longer. */
const maxMarkBytes = 512;

/** `at`: where NEW stands in the file. */
export type Rewrite = { at: number; length: number };

export function isMark(record: CheckpointRecord): boolean {
  return record.type === 'unknown' && record.was === markType;
}

/** Step 1, as one piece of bytes, to be written where OLD ends. `seq`: the last number of OLD. */
export function encodeRewrite(compacted: Uint8Array, seq: number, stamp: Stamp): Uint8Array {
  const digest = formatCrc(crc32c(compacted));
  const mark = (state: 'begun' | 'done'): Uint8Array => {
    const fields = { state, bytes: compacted.length, digest };
    const record: UnknownRecord = {
      v: formatVersion,
      seq: seq + 1,
      ...stamp,
      type: 'unknown',
      was: markType,
      reason: '',
      fields,
    };
    return encodeRecord(record);
  };
  return Buffer.concat([mark('begun'), compacted, mark('done')]);
}

/** Reads the pieces together. Throws what the disk throws. */
export function readPieces(pieces: readonly Piece[], fd: number, disk: Reading): Uint8Array {
  const bytes = new Uint8Array(lengthOf(pieces));
  let to = 0;
  for (const piece of pieces) {
    const length = piece.kind === 'old' ? piece.length : piece.line.length;
    const into = bytes.subarray(to, to + length);
    if (piece.kind === 'new') into.set(piece.line);
    else readWhole(fd, into, piece.offset, disk);
    to += length;
  }
  return bytes;
}

/**
 * Steps 2 and 3. `fd`: without O_APPEND, see `JournalDisk.reopen`. Throws what the disk throws; what is in the file is then the
 * same log as before, and it may be tried again.
 */
export function finishRewrite(compacted: Uint8Array, fd: number, disk: JournalDisk): void {
  const count = disk.write(fd, compacted, 0);
  if (count < compacted.length) throw Object.assign(new Error('short write'), { code: 'ENOSPC' });
  disk.truncate(fd, compacted.length);
}

/** Does the file end with a NEW that is whole? Throws what the disk throws. */
export function findRewrite(fd: number, disk: Reading): Rewrite | undefined {
  const size = disk.size(fd);
  const mark = readMark(fd, size, disk);
  if (mark === undefined) return undefined;
  const at = size - mark.lineBytes - mark.bytes;
  if (at < 0) return undefined;
  const compacted = new Uint8Array(mark.bytes);
  readWhole(fd, compacted, at, disk);
  return formatCrc(crc32c(compacted)) === mark.digest ? { at, length: mark.bytes } : undefined;
}

function readMark(
  fd: number,
  size: number,
  disk: Reading,
): { bytes: number; digest: string; lineBytes: number } | undefined {
  const tail = new Uint8Array(Math.min(size, maxMarkBytes));
  readWhole(fd, tail, size - tail.length, disk);
  const newline = 0x0a;
  if (tail.at(-1) !== newline) return undefined;
  const from = tail.lastIndexOf(newline, -2) + 1;
  const decoded = decodeLine(tail, from, tail.length - 1);
  if (decoded.kind !== 'record' || decoded.record.type !== 'unknown' || !isMark(decoded.record))
    return undefined;
  const { state, bytes, digest } = decoded.record.fields;
  if (state !== 'done' || !Number.isSafeInteger(bytes) || typeof digest !== 'string') return undefined;
  return (bytes as number) < 0 || (bytes as number) > size
    ? undefined
    : { bytes: bytes as number, digest, lineBytes: tail.length - from };
}

/** A file that has become shorter meanwhile fills with nothing, which no checksum takes for a record. */
export function readWhole(fd: number, into: Uint8Array, at: number, disk: Reading): void {
  let done = 0;
  while (done < into.length) {
    const count = disk.read(fd, into.subarray(done), at + done);
    if (count === 0) break;
    done += count;
  }
}
