// What of a log can be trusted. Bytes in, records out, and the place where they stop being good. Pure; never throws.
//
// Only one thing is repaired: the tail that an interrupted append leaves. Whatever stands before the last line was once
// read back or written over a good end, so a fault there is damage, and is refused with its place (etcd's WAL has the
// same rule: guessing at the middle would replay a history that never was).
import { decodeLine, isCrcMember, maxLineBytes } from './codec.ts';
import { crc32c } from './crc32c.ts';
import type { CheckpointRecord } from './record.ts';
import { isMark } from './rewrite.ts';

/** A record and where its line stands: bytes [offset, offset + length), newline included. */
export type LogEntry = { record: CheckpointRecord; offset: number; length: number };
/** `line` counts from 1; `seq` is the number that was expected there. */
export type Damage = { line: number; offset: number; seq: number; reason: string };
export type RepairedLog = {
  entries: LogEntry[];
  /** Seq of the last good record; 0 when there is none. */
  lastSeq: number;
  /** Where the next line belongs. */
  goodEnd: number;
  /** Bytes behind goodEnd that an interrupted append left: to be cut off. */
  torn?: number;
  damage?: Damage;
  /** Behind goodEnd stands a compaction that has not come to its end: not part of the log, to be cut off. */
  unfinished?: true;
  /** Written by a later gsup: neither to be read on nor to be written to. */
  newer?: { version: number; line: number; offset: number };
};

/** Takes a log piece by piece, so that no file has to be in memory at once. */
export type LogScanner = {
  /** Returns false as soon as reading on is of no use. Keeps no reference to `chunk`. */
  push(chunk: Uint8Array): boolean;
  end(): RepairedLog;
};

const newline = 0x0a;

export function repairLog(bytes: Uint8Array): RepairedLog {
  const scanner = createLogScanner();
  scanner.push(bytes);
  return scanner.end();
}

export function createLogScanner(): LogScanner {
  const log: RepairedLog = { entries: [], lastSeq: 0, goodEnd: 0 };
  /** What has come since the last newline, or a bad line together with all that follows it: is it the last? */
  let held = new Uint8Array(0);
  let stopped = false;

  const damageAt = (offset: number, reason: string): void => {
    log.damage = { line: log.entries.length + 1, offset, seq: log.lastSeq + 1, reason };
    stopped = true;
  };

  /** Takes one whole line; returns false when it has to wait for what follows. */
  const takeLine = (bytes: Uint8Array, from: number, to: number): boolean => {
    const decoded = decodeLine(bytes, from, to);
    if (decoded.kind === 'crc') return false;
    if (decoded.kind === 'newer') {
      log.newer = { version: decoded.version, line: log.entries.length + 1, offset: log.goodEnd };
      stopped = true;
    } else if (decoded.kind !== 'record') {
      damageAt(log.goodEnd, decoded.reason);
    } else {
      const fault = findSeqFault(decoded.record, log.lastSeq);
      if (fault !== undefined) damageAt(log.goodEnd, fault);
      else if (isMark(decoded.record)) {
        log.unfinished = true;
        stopped = true;
      } else addEntry(log, decoded.record, to + 1 - from);
    }
    return true;
  };

  const push = (chunk: Uint8Array): boolean => {
    if (stopped) return false;
    const bytes = held.length > 0 ? join(held, chunk) : chunk;
    let from = 0;
    while (!stopped) {
      const to = bytes.indexOf(newline, from);
      if (to < 0) break;
      if (takeLine(bytes, from, to)) {
        from = to + 1;
      } else {
        if (to + 1 < bytes.length) damageAt(log.goodEnd, 'checksum missing or wrong');
        break;
      }
    }
    if (stopped) return false;
    if (bytes.length - from > maxLineBytes) damageAt(log.goodEnd, `line longer than ${maxLineBytes} bytes`);
    else held = bytes.slice(from);
    return !stopped;
  };

  const end = (): RepairedLog => {
    if (stopped || held.length === 0) return log;
    if (holdsWholeRecord(held)) damageAt(log.goodEnd, 'a whole record stands in a broken line');
    else log.torn = held.length;
    return log;
  };

  return { push, end };
}

function addEntry(log: RepairedLog, record: CheckpointRecord, length: number): void {
  log.entries.push({ record, offset: log.goodEnd, length });
  log.goodEnd += length;
  log.lastSeq = record.seq;
}

/**
 * Numbers are consecutive from 1, except that a gap record may jump over the records that it says are missing. Only the
 * supervisor's have numbers (it had asked init for something under them); init gives none to what it cannot write.
 */
function findSeqFault(record: CheckpointRecord, lastSeq: number): string | undefined {
  const missing = record.type === 'gap' ? Math.max(record.missing, 0) : 0;
  const expected = lastSeq + 1;
  if (record.seq >= expected && record.seq <= expected + missing) return undefined;
  return `seq ${record.seq} where ${expected} is due`;
}

/**
 * An interrupted append leaves a piece of one line. When a whole record stands at the start or at the end of the last
 * line, its newline was changed, or somebody appended to a torn tail: cutting would drop a record that was acted on.
 */
function holdsWholeRecord(tail: Uint8Array): boolean {
  return startsWithRecord(tail) || endsWithRecord(tail);
}

const crcMemberStart = Uint8Array.from(',"crc":"', (c) => c.charCodeAt(0));
const lineStart = Uint8Array.from('{"v":', (c) => c.charCodeAt(0));
const closing = Uint8Array.of(0x7d);

/** The CRC runs along, so that a tail full of crc members costs no more than one pass. */
function startsWithRecord(tail: Uint8Array): boolean {
  let crc = 0;
  let done = 0;
  for (let at = find(tail, crcMemberStart, 1); at >= 0; at = find(tail, crcMemberStart, at + 1)) {
    crc = crc32c(tail, crc, done, at);
    done = at;
    const end = at + crcMemberStart.length + '01234567"}'.length;
    // A record that only lost its newline is an ordinary torn tail: its append never returned.
    if (end < tail.length && isCrcMember(tail, at, crc32c(closing, crc))) return true;
  }
  return false;
}

function endsWithRecord(tail: Uint8Array): boolean {
  if (tail[tail.length - 1] !== newline) return false;
  const isRecordFrom = (from: number): boolean =>
    from > 0 && decodeLine(tail, from, tail.length - 1).kind === 'record';
  return isRecordFrom(find(tail, lineStart, 1)) || isRecordFrom(findLast(tail, lineStart));
}

function find(bytes: Uint8Array, wanted: Uint8Array, from: number): number {
  for (
    let at = bytes.indexOf(wanted[0] as number, from);
    at >= 0;
    at = bytes.indexOf(wanted[0] as number, at + 1)
  ) {
    if (standsAt(bytes, wanted, at)) return at;
  }
  return -1;
}

function findLast(bytes: Uint8Array, wanted: Uint8Array): number {
  for (let at = bytes.length - wanted.length; at >= 0; at--) if (standsAt(bytes, wanted, at)) return at;
  return -1;
}

function standsAt(bytes: Uint8Array, wanted: Uint8Array, at: number): boolean {
  for (let i = 0; i < wanted.length; i++) if (bytes[at + i] !== wanted[i]) return false;
  return true;
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}
