// When a journal's log has grown, it is compacted: while nothing is written, and without waiting for a disk.
import { lengthOf, type Needed, planCompaction } from './compaction.ts';
import type { JournalDisk } from './disk.ts';
import { codeOf, type FoundLog, type JournalNews } from './journal-open.ts';
import { maxLogBytes, readLogFrom } from './read-log.ts';
import { encodeRewrite, finishRewrite, readPieces } from './rewrite.ts';

/** Some 4,000 records, which a new supervisor reads in less time than Node takes to start. */
export const compactAtBytes = 1024 * 1024;
/** What stays whatever a replay needs: the last thousand records, for people. */
export const keepBytes = 256 * 1024;
/** So many times a record may come between a compaction and the disk; then the disk is not waited for. */
const patience = 3;

export type Compaction = {
  needed: Needed;
  /** Not now: somebody waits for what comes next. */
  mayBegin?(): boolean;
  /** Does it when nothing else is to be done. Default: `setImmediate`. */
  later?(act: () => void): void;
  atBytes?: number;
  keepBytes?: number;
};

/** Where the log ends, and how that is changed. */
export type LogEnd = { get(): number; set(end: number): void };

export type Compactor = {
  /** After a record: is the log too long? */
  grown(): void;
  /** Before a record: nothing may stand behind the log. Throws what the disk throws. */
  settle(): void;
  close(): void;
};

/** The compacted log stands behind the long one. `begun`: perhaps in its place already, and there is no way back. */
type Pending = { compacted: Uint8Array; fd: number; begun: boolean };

export function createCompactor(
  compaction: Compaction,
  log: FoundLog,
  goodEnd: LogEnd,
  disk: JournalDisk,
  report: (news: JournalNews) => void,
): Compactor {
  const bound = compaction.atBytes ?? compactAtBytes;
  const later = compaction.later ?? ((act) => void setImmediate(act));
  let compactAt = bound;
  let scheduled = false;
  let closed = false;
  let pending: Pending | null = null;
  let interrupted = 0;

  const release = (): void => {
    const fd = pending?.fd;
    pending = null;
    if (fd !== undefined) quietly(() => disk.close(fd));
  };

  const begin = (): void => {
    const { fd } = log;
    const end = goodEnd.get();
    if (fd === undefined) return;
    const read = readLogFrom(fd, maxLogBytes, disk);
    const pieces = planCompaction(read.entries, compaction.needed, compaction.keepBytes ?? keepBytes);
    const last = read.entries.at(-1)?.record;
    // What is needed may be long itself: then the log may be twice as long as that.
    if (last === undefined || read.goodEnd !== end || lengthOf(pieces) > end / 2) {
      compactAt = 2 * end;
      return;
    }
    const compacted = readPieces(pieces, fd, disk);
    const work: Pending = { compacted, fd: disk.reopen(fd, log.path), begun: false };
    pending = work;
    const bytes = encodeRewrite(compacted, read.lastSeq, { at: last.at, mono_ns: last.mono_ns });
    const count = disk.write(fd, bytes, end);
    if (count < bytes.length) throw Object.assign(new Error('short write'), { code: 'ENOSPC' });
    if (interrupted >= patience) finish(work);
    else disk.sync(work.fd, () => pending === work && attempt(() => finish(work)));
  };

  const finish = (work: Pending): void => {
    work.begun = true;
    finishRewrite(work.compacted, work.fd, disk);
    goodEnd.set(work.compacted.length);
    compactAt = Math.max(bound, 2 * work.compacted.length);
    interrupted = 0;
    release();
  };

  const settle = (): void => {
    if (pending === null) return;
    if (pending.begun) {
      finish(pending);
      return;
    }
    interrupted++;
    disk.truncate(pending.fd, goodEnd.get());
    release();
  };

  /** Nothing is lost by a failure: the file holds the same log, and the next record settles how. */
  const attempt = (act: () => void): void => {
    try {
      act();
    } catch (error) {
      // Whatever has failed will fail again, so not at the next record.
      compactAt = 2 * goodEnd.get();
      report({ kind: 'uncompacted', code: codeOf(error) });
      if (pending?.begun === false) quietly(settle);
    }
  };

  return {
    grown() {
      if (goodEnd.get() < compactAt || scheduled || closed || pending !== null) return;
      if (compaction.mayBegin?.() === false) return;
      scheduled = true;
      later(() => {
        scheduled = false;
        if (!closed) attempt(begin);
      });
    },
    settle,
    close() {
      closed = true;
      const work = pending;
      if (work !== null) quietly(() => finish(work));
      release();
    },
  };
}

/** Said already, or nobody is left to whom it could be said. */
function quietly(act: () => void): void {
  try {
    act();
  } catch {}
}
