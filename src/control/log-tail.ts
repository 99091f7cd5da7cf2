/** What a log has got since somebody looked last: only that is read, also when the log is compacted or put aside meanwhile. */
import { closeSync, fstatSync, readSync, statSync } from 'node:fs';
import { decodeLine } from '../checkpoint/codec.ts';
import { openLogForReading, readLogFrom } from '../checkpoint/read-log.ts';
import type { CheckpointRecord } from '../checkpoint/record.ts';
import { isMark } from '../checkpoint/rewrite.ts';

export interface LogTail {
  /** Records that were not there the last time; all of them, the first time. Never throws. */
  read(): CheckpointRecord[];
  close(): void;
}

/** More than that at once is read as the whole log is, in pieces. */
const STEP_MAX_BYTES = 256 * 1024;
const NEWLINE = 0x0a;

interface Place {
  fd: number;
  /** Behind the last whole line; -1: not known, so the whole log is read, and what is known already passed over. */
  offset: number;
  lastSeq: number;
}

/** A log that stays the same file, as checkpoint.log does. `fd` remains its owner's. */
export function tailDescriptor(fd: number): LogTail {
  const place: Place = { fd, offset: -1, lastSeq: 0 };
  return { read: () => attempt(() => step(place)), close: () => {} };
}

/**
 * A log that begins a new file now and then, as init.log does, whose older part is then to be had at `olderPath`. `fd` is
 * read where there is no such path (any more), and remains its owner's.
 */
export function tailPath(path: string, olderPath: string, fd: number): LogTail {
  const place: Place = { fd: -1, offset: -1, lastSeq: 0 };
  const letGo = () => {
    if (place.fd >= 0 && place.fd !== fd) closeSync(place.fd);
    place.fd = -1;
  };
  const turnTo = (next: number) => {
    letGo();
    Object.assign(place, { fd: next, offset: -1 });
  };
  return {
    read() {
      const first = place.fd < 0;
      const before = first ? readOnce(olderPath, place) : attempt(() => step(place));
      const next = nextFile(path, place.fd);
      if (next !== null) turnTo(next);
      else if (first) turnTo(fd);
      else return before;
      return [...before, ...attempt(() => step(place))];
    },
    close: letGo,
  };
}

/** The file that is there now, when it is another one than `fd`. */
function nextFile(path: string, fd: number): number | null {
  try {
    if (fd >= 0 && fstatSync(fd).ino === statSync(path).ino) return null;
    return openLogForReading(path);
  } catch {
    return null;
  }
}

function readOnce(path: string, place: Place): CheckpointRecord[] {
  return attempt(() => {
    const fd = openLogForReading(path);
    try {
      return whole({ ...place, fd }, place);
    } finally {
      closeSync(fd);
    }
  });
}

function step(place: Place): CheckpointRecord[] {
  const size = fstatSync(place.fd).size;
  if (size === place.offset) return [];
  if (place.offset < 0 || size < place.offset || size - place.offset > STEP_MAX_BYTES)
    return whole(place, place);
  return further(place, size) ?? whole(place, place);
}

/** null: what stands there does not go on from what is known. */
function further(place: Place, size: number): CheckpointRecord[] | null {
  const bytes = Buffer.alloc(size - place.offset);
  const got = bytes.subarray(0, readSync(place.fd, bytes, 0, bytes.length, place.offset));
  const records: CheckpointRecord[] = [];
  let { lastSeq } = place;
  let from = 0;
  for (let to = got.indexOf(NEWLINE); to >= 0; to = got.indexOf(NEWLINE, from)) {
    const decoded = decodeLine(got, from, to);
    if (decoded.kind !== 'record' || isMark(decoded.record)) return null;
    const { record } = decoded;
    const passed = record.type === 'gap' ? Math.max(record.missing, 0) : 0;
    if (record.seq <= lastSeq || record.seq > lastSeq + 1 + passed) return null;
    records.push(record);
    lastSeq = record.seq;
    from = to + 1;
  }
  Object.assign(place, { offset: place.offset + from, lastSeq });
  return records;
}

function whole(file: Place, known: Place): CheckpointRecord[] {
  const log = readLogFrom(file.fd);
  const records = log.entries.map(({ record }) => record).filter(({ seq }) => seq > known.lastSeq);
  // A compacted log that stands behind the old one will be moved to the front.
  known.offset = log.rewrite === undefined && !log.unfinished ? log.goodEnd : -1;
  known.lastSeq = Math.max(known.lastSeq, log.lastSeq);
  return records;
}

/** A log that cannot be read says nothing new; the task goes on. */
function attempt(read: () => CheckpointRecord[]): CheckpointRecord[] {
  try {
    return read();
  } catch {
    return [];
  }
}
