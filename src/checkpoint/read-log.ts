// Reading a log from a descriptor, in pieces: however long it is, no more than its records and one line are in memory.
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { type JournalDisk, realDisk } from './disk.ts';
import { createLogScanner, type RepairedLog } from './repair.ts';
import { findRewrite, type Rewrite } from './rewrite.ts';

const chunkBytes = 256 * 1024;
/** Some 800,000 records. A log beyond it is refused as damaged: a bound on the time and the memory of a start. */
export const maxLogBytes = 256 * 1024 * 1024;

/**
 * `size`: how many bytes there were, up to where reading stopped being of use. `rewrite`: a compacted log stands at the end
 * of the file and has still to be moved to its front; entries are where they stand now, goodEnd is where they will end.
 */
export type ReadLog = RepairedLog & { size: number; rewrite?: Rewrite };

type Reading = Pick<JournalDisk, 'read' | 'size'>;

/** Throws what the disk throws. */
export function readLogFrom(fd: number, limit = maxLogBytes, disk: Reading = realDisk): ReadLog {
  const rewrite = findRewrite(fd, disk);
  const compacted = rewrite && readCompacted(fd, rewrite, disk);
  return compacted ?? scan(fd, limit, disk);
}

function readCompacted(fd: number, rewrite: Rewrite, disk: Reading): ReadLog | undefined {
  const log = scan(fd, rewrite.length, partOf(disk, rewrite.at, rewrite.length));
  if (log.goodEnd < rewrite.length) return undefined;
  const entries = log.entries.map((entry) => ({ ...entry, offset: entry.offset + rewrite.at }));
  return { ...log, entries, rewrite };
}

/** What stands before `end`, whatever stands behind it. Throws what the disk throws. */
export function readLogUpTo(fd: number, end: number, disk: Reading): ReadLog {
  return scan(fd, end, partOf(disk, 0, end));
}

function partOf(disk: Reading, offset: number, length: number): Reading {
  return {
    size: () => length,
    read: (fd, into, at) => {
      const piece = into.subarray(0, Math.min(into.length, length - at));
      return piece.length === 0 ? 0 : disk.read(fd, piece, offset + at);
    },
  };
}

function scan(fd: number, limit: number, disk: Reading): ReadLog {
  const scanner = createLogScanner();
  const chunk = new Uint8Array(Math.min(chunkBytes, disk.size(fd) + 1));
  let at = 0;
  while (at <= limit) {
    const count = disk.read(fd, chunk, at);
    at += count;
    if (count === 0 || !scanner.push(chunk.subarray(0, count))) break;
  }
  const log = scanner.end();
  const size = Math.max(at, disk.size(fd));
  if (at <= limit || log.damage || log.newer) return { ...log, size };
  const { torn: _, ...rest } = log;
  const damage = {
    line: log.entries.length + 1,
    offset: log.goodEnd,
    seq: log.lastSeq + 1,
    reason: `log longer than ${limit} bytes`,
  };
  return { ...rest, damage, size };
}

/** For files of others too: never follows a link, never waits for the writer of a fifo, takes only regular files. */
export function openLogForReading(path: string): number {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  if (fstatSync(fd).isFile()) return fd;
  closeSync(fd);
  throw Object.assign(new Error('not a regular file'), { code: 'EINVAL' });
}

/** Often enough: a compaction takes some milliseconds, and the next one is a mebibyte away. */
const attempts = 5;

/** For readers that do not own the file: a log that is compacted while it is read, is read again. Throws what fs throws. */
export function readSettledLog(fd: number): ReadLog {
  for (let attempt = 1; ; attempt++) {
    const before = fstatSync(fd);
    const log = readLogFrom(fd);
    const after = fstatSync(fd);
    const faulty = log.damage !== undefined || log.torn !== undefined || log.unfinished || log.rewrite;
    const changed = before.size !== after.size || before.mtimeMs !== after.mtimeMs;
    if (attempt === attempts || !changed || (!faulty && after.size >= before.size)) return log;
  }
}

/** Throws what fs throws. */
export function readLogFile(path: string): ReadLog {
  const fd = openLogForReading(path);
  try {
    return readSettledLog(fd);
  } finally {
    closeSync(fd);
  }
}
