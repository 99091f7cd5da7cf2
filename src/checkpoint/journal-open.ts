// How a journal begins: get the log, read it, repair the torn tail, put a damaged log aside.
import type { JournalDisk } from './disk.ts';
import { optimizeFor } from './optimizer.ts';
import { maxLogBytes, type ReadLog, readLogFrom } from './read-log.ts';
import type { CheckpointRecord } from './record.ts';
import type { Damage } from './repair.ts';
import { finishRewrite, type Rewrite, readWhole } from './rewrite.ts';

/**
 * `fd`: inherited from init (O_RDWR; a file with O_APPEND, or a memfd), stays open and stays the same file: the next
 * supervisor inherits it too. `path`: opened, and created, here. With both, the path is where the copies are kept.
 */
export type JournalSource = { fd?: number; path?: string };

export type JournalNews =
  /** The tail was cut off; `copy`: where the file as it was is kept, null when it is not. */
  | { kind: 'torn'; bytes: number; copy: string | null }
  | { kind: 'damaged'; damage: Damage; copy: string | null }
  /** There is no log on a disk: numbers only, until the supervisor ends. */
  | { kind: 'memory'; code: string }
  | { kind: 'failing'; code: string }
  | { kind: 'recovered'; missing: number }
  | { kind: 'sync-failed'; code: string }
  | { kind: 'deleted' }
  /** It has grown, and cannot be made shorter. */
  | { kind: 'uncompacted'; code: string };

export type FoundLog = {
  /** What was in it, in order; nothing when it was damaged: half a history would be a wrong one. */
  records: CheckpointRecord[];
  /** undefined: in memory. */
  fd: number | undefined;
  path: string | undefined;
  /** The file has a name, so it can lose it. */
  linked: boolean;
  goodEnd: number;
  /** Something behind goodEnd could not be cut off yet. */
  dirty: boolean;
  /** The last number in the file, and the last one that is taken: those between are missing. */
  writtenSeq: number;
  lastSeq: number;
  gapCause: string;
  closeOwn(): void;
};
type Opened = { kind: 'open'; log: FoundLog } | { kind: 'newer'; version: number };
type Handle = { disk: JournalDisk; fd: number; path: string | undefined; own: boolean };
type Report = (news: JournalNews) => void;

/** No line is shorter: so many numbers at most are in a stretch of bytes that cannot be read. */
const leastLineBytes = 80;
/** A disk on which gsup crashes again and again must not fill with copies. */
const maxCopies = 9;

export function openLog(source: JournalSource, disk: JournalDisk, report: Report): Opened {
  let handle: Handle | undefined;
  try {
    handle = openHandle(source, disk);
    optimizeFor(disk.size(handle.fd));
    const read = readLogFrom(handle.fd, maxLogBytes, disk);
    if (read.newer) {
      if (handle.own) disk.close(handle.fd);
      return { kind: 'newer', version: read.newer.version };
    }
    const log = read.damage ? beginAnew(handle, read, read.damage, report) : cutTail(handle, read, report);
    return { kind: 'open', log };
  } catch (error) {
    if (handle?.own) tryTo(() => disk.close(handle?.fd as number));
    report({ kind: 'memory', code: codeOf(error) });
    return { kind: 'open', log: foundLog(undefined, [], 0, 0) };
  }
}

function openHandle({ fd, path }: JournalSource, disk: JournalDisk): Handle {
  if (fd !== undefined) return { disk, fd, path: path ?? tryTo(() => disk.nameOf(fd)), own: false };
  if (path === undefined) throw Object.assign(new Error('no log given'), { code: 'ENOENT' });
  return { disk, fd: disk.open(path), path, own: true };
}

/** A disk that does not let go of the tail is no reason not to know what stands before it. */
function cutTail(handle: Handle, read: ReadLog, report: Report): FoundLog {
  const records = read.entries.map((entry) => entry.record);
  const log = foundLog(handle, records, read.goodEnd, read.lastSeq);
  if (read.rewrite) return finishCompaction(handle, read.rewrite, log, report);
  if (read.torn === undefined && !read.unfinished) return log;
  if (read.torn !== undefined) {
    const copy = keepCopy(handle, 'torn');
    report({ kind: 'torn', bytes: read.torn, copy });
  }
  try {
    handle.disk.truncate(handle.fd, read.goodEnd);
    return log;
  } catch (error) {
    report({ kind: 'failing', code: codeOf(error) });
    return { ...log, dirty: true };
  }
}

/** A log that is not at its place can be read, but not be appended to. */
function finishCompaction(handle: Handle, rewrite: Rewrite, log: FoundLog, report: Report): FoundLog {
  const { disk, fd, path } = handle;
  try {
    const compacted = new Uint8Array(rewrite.length);
    readWhole(fd, compacted, rewrite.at, disk);
    const anywhere = disk.reopen(fd, path);
    try {
      finishRewrite(compacted, anywhere, disk);
    } finally {
      tryTo(() => disk.close(anywhere));
    }
    return log;
  } catch (error) {
    if (handle.own) tryTo(() => disk.close(fd));
    report({ kind: 'memory', code: codeOf(error) });
    return foundLog(undefined, log.records, 0, log.lastSeq);
  }
}

/**
 * The numbers of the new log go on behind those of the damaged one, because init carries out no number twice; a gap
 * record says how many are missing. An inherited file cannot be exchanged, since init hands it to the next supervisor:
 * its content is copied aside and cut off. When there is no room for the copy, the evidence counts more than a log.
 */
function beginAnew(handle: Handle, read: ReadLog, damage: Damage, report: Report): FoundLog {
  const lastSeq = read.lastSeq + Math.ceil((read.size - read.goodEnd) / leastLineBytes);
  let copy: string | null = null;
  let begun: Begun;
  try {
    begun = handle.own ? exchangeFile(handle) : emptyFile(handle);
    copy = begun.copy;
  } finally {
    report({ kind: 'damaged', damage, copy });
  }
  return { ...foundLog(begun.handle, [], 0, 0), lastSeq, gapCause: 'damaged' };
}

type Begun = { handle: Handle; copy: string | null };

function exchangeFile(handle: Handle): Begun {
  const { disk } = handle;
  const path = handle.path as string;
  const copy = freeName(disk, path, 'damaged');
  disk.rename(path, copy);
  const fd = disk.open(path);
  disk.close(handle.fd);
  return { handle: { ...handle, fd }, copy };
}

function emptyFile(handle: Handle): Begun {
  const copy = keepCopy(handle, 'damaged');
  if (copy === null && handle.path !== undefined) {
    throw Object.assign(new Error('damaged log cannot be copied'), { code: 'ENOSPC' });
  }
  handle.disk.truncate(handle.fd, 0);
  return { handle, copy };
}

/** Returns where the copy is; null when there is nothing to copy from or no room to copy to. */
function keepCopy({ disk, path }: Handle, kind: 'torn' | 'damaged'): string | null {
  if (path === undefined) return null;
  const copy = freeName(disk, path, kind);
  const kept = tryTo(() => {
    disk.copy(path, copy);
    return copy;
  });
  return kept ?? null;
}

function freeName(disk: JournalDisk, path: string, kind: 'torn' | 'damaged'): string {
  let n = 1;
  while (n < maxCopies && disk.exists(`${path}.${kind}-${n}`)) n++;
  return `${path}.${kind}-${n}`;
}

function foundLog(
  handle: Handle | undefined,
  records: CheckpointRecord[],
  goodEnd: number,
  lastSeq: number,
): FoundLog {
  return {
    records,
    fd: handle?.fd,
    path: handle?.path,
    linked: handle !== undefined && (tryTo(() => handle.disk.links(handle.fd)) ?? 0) > 0,
    goodEnd,
    dirty: false,
    writtenSeq: lastSeq,
    lastSeq,
    gapCause: 'lost',
    closeOwn: () => {
      if (handle?.own) tryTo(() => handle.disk.close(handle.fd));
    },
  };
}

export function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : 'EIO';
}

function tryTo<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}
