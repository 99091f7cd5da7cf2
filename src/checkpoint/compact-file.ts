// `gsup checkpoint compact [FILE]`: the log of a task that has ended, made as short as it can be.
import { closeSync, constants, fdatasyncSync, fstatSync, openSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { lengthOf, type Needed, type Piece, planCompaction } from './compaction.ts';
import { realDisk } from './disk.ts';
import { faultOf, type LocatedLogs, logNames } from './files.ts';
import { codeOf } from './journal-open.ts';
import { type ReadLog, readLogFrom } from './read-log.ts';
import { recordTable } from './record-table.ts';
import { encodeRewrite, finishRewrite, readPieces } from './rewrite.ts';
import { isTaskLive } from './task-folders.ts';

type Size = { bytes: number; records: number };
export type Compacted =
  | { kind: 'done'; name: string; before: Size; after: Size }
  /** Its supervisor writes to it. */
  | { kind: 'live'; path: string }
  /** Damaged, or of a later gsup. */
  | { kind: 'unsound'; path: string; fault: string }
  | { kind: 'refused'; path: string; cause: string };

/** In place and atomically, as a supervisor does it: a kill leaves the log as it was, or compacted. A torn tail is dropped. */
export function compactFile(located: Extract<LocatedLogs, { path: string }>, needed: Needed): Compacted {
  const path = located.kind === 'folder' ? join(located.path, logNames.checkpoint) : located.path;
  if (basename(path) === logNames.checkpoint && isTaskLive(dirname(path))) return { kind: 'live', path };
  let fd: number | undefined;
  try {
    fd = openSync(path, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    if (!fstatSync(fd).isFile()) return { kind: 'refused', path, cause: 'not a regular file' };
    return compactOpened(fd, path, needed);
  } catch (error) {
    return { kind: 'refused', path, cause: codeOf(error) };
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function compactOpened(fd: number, path: string, needed: Needed): Compacted {
  const log = readLogFrom(fd);
  const fault = faultOf(log);
  if (fault !== undefined) return { kind: 'unsound', path, fault };
  if (
    log.entries.some(({ record }) => record.type !== 'unknown' && recordTable[record.type].writer === 'init')
  )
    return { kind: 'refused', path, cause: 'it holds facts, and init bounds it by itself' };
  if (log.rewrite !== undefined) {
    // One that was interrupted first: two cannot be under way.
    const { at, length } = log.rewrite;
    finishRewrite(readPieces([{ kind: 'old', offset: at, length }], fd, realDisk), fd, realDisk);
    return compactOpened(fd, path, needed);
  }
  return replace(fd, basename(path), log, planCompaction(log.entries, needed, 0));
}

function replace(fd: number, name: string, log: ReadLog, pieces: readonly Piece[]): Compacted {
  const before = { bytes: log.size, records: log.entries.length };
  const last = log.entries.at(-1)?.record;
  if (last === undefined || lengthOf(pieces) >= log.size)
    return { kind: 'done', name, before, after: before };
  const compacted = readPieces(pieces, fd, realDisk);
  realDisk.truncate(fd, log.goodEnd);
  const bytes = encodeRewrite(compacted, log.lastSeq, { at: last.at, mono_ns: last.mono_ns });
  if (realDisk.write(fd, bytes, log.goodEnd) < bytes.length) {
    realDisk.truncate(fd, log.goodEnd);
    throw Object.assign(new Error('short write'), { code: 'ENOSPC' });
  }
  fdatasyncSync(fd);
  finishRewrite(compacted, fd, realDisk);
  const { entries } = readLogFrom(fd);
  return { kind: 'done', name, before, after: { bytes: compacted.length, records: entries.length } };
}
