// The writer of checkpoint.log. It never throws and never waits for a disk: what cannot be written is kept, and written as it
// would have been as soon as something can be written again.
import { createBacklog } from './backlog.ts';
import { encodeBody } from './codec.ts';
import { type Compaction, compactAtBytes, createCompactor, keepBytes } from './compactor.ts';
import { type JournalDisk, realDisk } from './disk.ts';
import { codeOf, type FoundLog, type JournalNews, type JournalSource, openLog } from './journal-open.ts';
import { readLogUpTo } from './read-log.ts';
import type { CheckpointRecord, RecordBody, Stamp } from './record.ts';
import { type After, afterTimeout, createRetry } from './retry.ts';
import { createSyncer } from './syncer.ts';

export type { FoundLog, JournalNews } from './journal-open.ts';

export type JournalClock = { nowNs(): bigint; wallMs(): number };
export type JournalOptions = JournalSource & {
  clock: JournalClock;
  /** Called once per trouble, and again when it is over; not for each record. */
  report(news: JournalNews): void;
  disk?: JournalDisk;
  /** Without: the log grows, and what has waited for a disk for too long is given up. */
  compaction?: Compaction;
  /** Default: `setTimeout`. */
  after?: After;
};

export type Journal = {
  /** Numbers, dates and writes a record with one write(2). Returns its seq, also when the disk failed. */
  append(body: RecordBody, stamp?: Stamp): number;
  /** All that was appended is in the log, and no crash of this process takes it away. */
  isKept(): boolean;
  /** The number that the next append will return. */
  nextSeq(): number;
  /** Numbers up to `seq` are taken, whatever the log says: init has seen them from a supervisor that could not write. */
  skipTo(seq: number): void;
  now(): Stamp;
  /** For the very end, and for tests: resolves when nothing is left to be synced. Nobody who has to act awaits it. */
  settled(): Promise<void>;
  /** Closes only what it opened itself. */
  close(): void;
};

export type OpenedJournal =
  | { kind: 'open'; journal: Journal; log: FoundLog }
  /** The log was written by a later gsup: exit 65, nothing was touched. */
  | { kind: 'newer'; version: number };

/** Opens, repairs and returns what is in the log. A log that cannot be had is replaced by numbers in memory. */
export function openJournal(options: JournalOptions): OpenedJournal {
  const opened = openLog(options, options.disk ?? realDisk, options.report);
  if (opened.kind === 'newer') return opened;
  return { kind: 'open', journal: createJournal(options, opened.log), log: opened.log };
}

/** No longer log is read to find out what of the records that wait for a disk is still needed: it would take seconds. */
const longestRead = 8 * compactAtBytes;

function createJournal(options: JournalOptions, log: FoundLog): Journal {
  const { clock, report, compaction } = options;
  const disk = options.disk ?? realDisk;
  const bound = compaction?.atBytes ?? compactAtBytes;
  const syncer = createSyncer(log, disk, report);
  /** What is to stand behind goodEnd. */
  const backlog = createBacklog();
  let { goodEnd, gapCause, lastSeq, writtenSeq } = log;
  /** The last number that has a line, in the log or in the backlog; those up to `lastSeq` will never have one. */
  let linedSeq = writtenSeq;
  /** A write failed: behind goodEnd may be a piece of a line. */
  let failing = log.dirty;
  let shortenAt = bound;
  /** Numbers that a gap record stands for, of what is still to be said to be missing. */
  let gone = 0;
  /** Records that may be needed were given up. */
  let isLossy = false;
  /** undefined: in memory, or closed: the number may be somebody else's descriptor by then. */
  let { fd } = log;
  const end = {
    get: () => goodEnd,
    set: (to: number) => {
      goodEnd = to;
    },
  };
  const compactor = compaction && createCompactor(compaction, log, end, disk, report);

  const now = (): Stamp => ({ at: new Date(clock.wallMs()).toISOString(), mono_ns: clock.nowNs() });
  const missing = (): number => lastSeq - linedSeq;
  const nextSeq = (): number => lastSeq + (fd !== undefined && missing() > 0 ? 2 : 1);

  const addLine = (body: RecordBody, seq: number, stamp: Stamp): void => {
    if (missing() > 0) {
      gone += missing();
      const gap = { type: 'gap', missing: missing(), cause: gapCause } as const;
      backlog.add(lastSeq + 1, encodeBody(gap, lastSeq + 1, stamp));
    }
    backlog.add(seq, encodeBody(body, seq, stamp));
    linedSeq = seq;
  };

  const write = (to: number): void => {
    compactor?.settle();
    if (failing) disk.truncate(to, goodEnd);
    while (!backlog.isEmpty()) {
      const head = backlog.head();
      const taken = backlog.take(disk.write(to, head, goodEnd));
      goodEnd += taken.bytes;
      writtenSeq = taken.seq ?? writtenSeq;
      // The kernel says why only when nothing could be written at all; a full disk is what gives short writes.
      if (taken.bytes < head.length) throw Object.assign(new Error('short write'), { code: 'ENOSPC' });
    }
  };

  const flush = (): void => {
    if (fd === undefined || backlog.isEmpty()) return;
    try {
      write(fd);
    } catch (error) {
      fail(fd, codeOf(error));
      return;
    }
    retry.disarm();
    if (failing) report({ kind: 'recovered', missing: gone });
    failing = false;
    gone = 0;
    shortenAt = bound;
    syncer.request();
    compactor?.grown();
  };

  const fail = (to: number, code: string): void => {
    gapCause = code;
    if (!failing) report({ kind: 'failing', code });
    failing = true;
    retry.arm();
    if (backlog.bytes() > shortenAt) shorten(to);
  };

  /** A disk can stay full for weeks. */
  const shorten = (from: number): void => {
    const before = knownBefore(from);
    if (compaction === undefined || before === null) {
      backlog.clear();
      linedSeq = writtenSeq;
      gone = 0;
      isLossy = true;
      return;
    }
    backlog.shorten(before, compaction.needed, compaction.keepBytes ?? keepBytes);
    // What is needed may be long itself.
    shortenAt = Math.max(bound, 2 * backlog.bytes());
  };

  const knownBefore = (from: number): CheckpointRecord[] | null => {
    if (goodEnd > longestRead) return null;
    try {
      const read = readLogUpTo(from, goodEnd, disk);
      return read.goodEnd === goodEnd ? read.entries.map(({ record }) => record) : null;
    } catch {
      return null;
    }
  };

  const retry = createRetry(options.after ?? afterTimeout, flush);

  const append = (body: RecordBody, stamp: Stamp = now()): number => {
    const seq = nextSeq();
    if (fd !== undefined) addLine(body, seq, stamp);
    lastSeq = seq;
    flush();
    return seq;
  };

  const skipTo = (seq: number): void => {
    if (!Number.isSafeInteger(seq) || seq <= lastSeq) return;
    if (missing() === 0) gapCause = 'lost';
    lastSeq = seq;
  };

  const close = (): void => {
    flush();
    retry.disarm();
    compactor?.close();
    fd = undefined;
    syncer.close();
  };

  const isKept = (): boolean => fd !== undefined && backlog.isEmpty() && missing() === 0 && !isLossy;

  return { append, isKept, nextSeq, skipTo, now, settled: syncer.settled, close };
}
