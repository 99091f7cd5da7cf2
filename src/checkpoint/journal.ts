// The writer of checkpoint.log. It never throws and never waits for a disk: what cannot be written is counted, and a
// `gap` record says so as soon as something can be written again.
import { encodeBody } from './codec.ts';
import { type Compaction, createCompactor } from './compactor.ts';
import { type JournalDisk, realDisk } from './disk.ts';
import { codeOf, type FoundLog, type JournalNews, type JournalSource, openLog } from './journal-open.ts';
import type { RecordBody, Stamp } from './record.ts';

export type { FoundLog, JournalNews } from './journal-open.ts';

export type JournalClock = { nowNs(): bigint; wallMs(): number };
export type JournalOptions = JournalSource & {
  clock: JournalClock;
  /** Called once per trouble, and again when it is over; not for each record. */
  report(news: JournalNews): void;
  disk?: JournalDisk;
  /** Without: the log grows. */
  compaction?: Compaction;
};

export type Journal = {
  /** Numbers, dates and writes a record with one write(2). Returns its seq, also when the disk failed. */
  append(body: RecordBody, stamp?: Stamp): number;
  /** What was appended last is in the log, and no crash of this process takes it away. */
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

function createJournal(options: JournalOptions, log: FoundLog): Journal {
  const { clock, report } = options;
  const disk = options.disk ?? realDisk;
  const syncer = createSyncer(log, disk, report);
  let { goodEnd } = log;
  /** The last number in the file, and the last one given away: records between them are missing. */
  let writtenSeq = log.writtenSeq;
  let lastSeq = log.lastSeq;
  let gapCause = log.gapCause;
  /** A write failed: behind goodEnd may be a piece of a line. */
  let failing = log.dirty;
  /** undefined: in memory, or closed: the number may be somebody else's descriptor by then. */
  let { fd } = log;
  const end = {
    get: () => goodEnd,
    set: (to: number) => {
      goodEnd = to;
    },
  };
  const compactor = options.compaction && createCompactor(options.compaction, log, end, disk, report);

  const now = (): Stamp => ({ at: new Date(clock.wallMs()).toISOString(), mono_ns: clock.nowNs() });
  const missing = (): number => lastSeq - writtenSeq;
  const nextSeq = (): number => lastSeq + (fd !== undefined && missing() > 0 ? 2 : 1);

  const encodeWithGap = (body: RecordBody, seq: number, stamp: Stamp): Uint8Array => {
    const line = encodeBody(body, seq, stamp);
    if (missing() === 0) return line;
    const gap = encodeBody({ type: 'gap', missing: missing(), cause: gapCause }, lastSeq + 1, stamp);
    return Buffer.concat([gap, line]);
  };

  const write = (to: number, bytes: Uint8Array): void => {
    compactor?.settle();
    if (failing) disk.truncate(to, goodEnd);
    const count = disk.write(to, bytes, goodEnd);
    // The kernel says why only when nothing could be written at all; a full disk is what gives short writes.
    if (count < bytes.length) throw Object.assign(new Error('short write'), { code: 'ENOSPC' });
    goodEnd += bytes.length;
  };

  const append = (body: RecordBody, stamp: Stamp = now()): number => {
    const seq = nextSeq();
    if (fd !== undefined) {
      try {
        write(fd, encodeWithGap(body, seq, stamp));
        if (failing) report({ kind: 'recovered', missing: missing() });
        failing = false;
        writtenSeq = seq;
        syncer.request();
        compactor?.grown();
      } catch (error) {
        gapCause = codeOf(error);
        if (!failing) report({ kind: 'failing', code: gapCause });
        failing = true;
      }
    }
    lastSeq = seq;
    return seq;
  };

  const skipTo = (seq: number): void => {
    if (!Number.isSafeInteger(seq) || seq <= lastSeq) return;
    if (missing() === 0) gapCause = 'lost';
    lastSeq = seq;
  };

  const close = (): void => {
    compactor?.close();
    fd = undefined;
    syncer.close();
  };

  const isKept = (): boolean => fd !== undefined && missing() === 0;

  return { append, isKept, nextSeq, skipTo, now, settled: syncer.settled, close };
}

type Syncer = { request(): void; settled(): Promise<void>; close(): void };

/** At most one fdatasync under way; what is appended meanwhile shares the next one. */
function createSyncer(log: FoundLog, disk: JournalDisk, report: (news: JournalNews) => void): Syncer {
  const said = new Set<JournalNews['kind']>();
  const waiting: (() => void)[] = [];
  let running = false;
  let dirty = false;
  let closed = false;

  const sayOnce = (news: JournalNews): void => {
    if (!said.has(news.kind)) report(news);
    said.add(news.kind);
  };
  const finish = (): void => {
    running = false;
    if (dirty && !closed) {
      start();
      return;
    }
    if (closed) log.closeOwn();
    for (const resolve of waiting.splice(0)) resolve();
  };
  const start = (): void => {
    const { fd } = log;
    if (fd === undefined) return;
    running = true;
    dirty = false;
    disk.sync(fd, (error) => {
      if (error) sayOnce({ kind: 'sync-failed', code: codeOf(error) });
      if (!log.linked) return finish();
      disk.linksLater(fd, (links) => {
        if (links === 0) sayOnce({ kind: 'deleted' });
        finish();
      });
    });
  };

  return {
    request: () => {
      dirty = true;
      if (!running && !closed) start();
    },
    settled: () => (running ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve()),
    close: () => {
      if (closed) return;
      closed = true;
      if (!running) log.closeOwn();
    },
  };
}
