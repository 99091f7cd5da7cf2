// Reading a log from a descriptor, in pieces: however long it is, no more than its records and one line are in memory.
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { type JournalDisk, realDisk } from './disk.ts';
import { createLogScanner, type RepairedLog } from './repair.ts';

const chunkBytes = 256 * 1024;
/** Some 800,000 records. A log beyond it is refused as damaged: a bound on the time and the memory of a start. */
export const maxLogBytes = 256 * 1024 * 1024;

/** `size`: how many bytes there were, up to where reading stopped being of use. */
export type ReadLog = RepairedLog & { size: number };

/** Throws what the disk throws. */
export function readLogFrom(
  fd: number,
  limit = maxLogBytes,
  disk: Pick<JournalDisk, 'read' | 'size'> = realDisk,
): ReadLog {
  const scanner = createLogScanner();
  const chunk = new Uint8Array(chunkBytes);
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

/** Throws what fs throws. */
export function readLogFile(path: string): ReadLog {
  const fd = openLogForReading(path);
  try {
    return readLogFrom(fd);
  } finally {
    closeSync(fd);
  }
}
