/**
 * Which records of a log a replay can do without. What they say of runs that others have followed is over; the state
 * (state.ts) that the rest folds to is the same. Pure.
 */
import type { CheckpointRecord, RecordBody } from '../checkpoint/record.ts';
import { hookKind, hookNumber, isProbe, processName, runNumber } from './names.ts';

type Known = Exclude<CheckpointRecord, { type: 'unknown' }>;

/**
 * One answer for each record. `carriedOut`: the highest number that the host is known to have carried out; what was asked for
 * after it may have to be asked for again (perform.ts), so it stays, and so does what says under which key.
 *
 * What stays: of each process everything from the begin of its last run, or of its wait for the next; from before that
 * its highest number, its last count of failures, its last outcome. Of the task all that was asked for, and the last of what
 * takes the place of what was before. What this gsup does not understand. A log that is not as this gsup writes it stays whole.
 */
export function neededRecords(records: readonly CheckpointRecord[], carriedOut: number): boolean[] {
  const known = records.filter((record): record is Known => record.type !== 'unknown');
  if (known.some(isOdd) || areOutOfOrder(known)) return records.map(() => true);
  const marks = markLast(known);
  const asked = namesAfter(known, carriedOut);
  return records.map((record) => {
    if (record.type === 'unknown' || marks.single.has(record)) return true;
    if (record.seq > carriedOut && mayAsk(record)) return true;
    if (asked.has(createdBy(record) ?? '')) return true;
    return isNeeded(record, marks);
  });
}

interface Marks {
  /** By process: the number of the record with which its last run, or its wait for the next, begins. */
  readonly begun: ReadonlyMap<string, number>;
  /** By run: the last of its probes that was a command. */
  readonly probes: ReadonlyMap<string, string>;
  /** By run: the last that was said of its health. */
  readonly healths: ReadonlyMap<string, Known>;
  /** Questions whether a run is busy that were followed by the next one, and their answers. */
  readonly asked: ReadonlySet<Known>;
  /** Needed whatever comes later. */
  readonly single: ReadonlySet<Known>;
}

/** Closed, as evolve is: whoever adds a type says here how long it is needed. */
function isNeeded(record: Known, { begun, probes, healths, asked }: Marks): boolean {
  switch (record.type) {
    // Few in the life of a task, and some change what those after them mean.
    case 'task':
    case 'task-state':
    case 'clearing':
      return true;
    case 'order':
      return isOfLastRun(record.run, record.seq, begun);
    case 'config':
    case 'start-requested':
    case 'restart-requested':
    case 'stop-requested': {
      const named = processesOf(record);
      if (named === null) return true;
      return named.some((process) => record.seq >= (begun.get(process) ?? 0));
    }
    case 'run-forked':
    case 'run-ready':
    case 'rung':
    case 'outcome':
      return isOfLastRun(record.run, record.seq, begun);
    case 'hook':
      // A run can be asked for its health for ever; the last question has the number that the next one follows on.
      if (isProbe(hookKind(record.hook)) && probes.get(record.run) !== record.hook) return false;
      return !asked.has(record) && isOfLastRun(record.run, record.seq, begun);
    case 'health-changed':
      return healths.get(record.run) === record && isOfLastRun(record.run, record.seq, begun);
    case 'kill':
      return record.run !== undefined && isOfLastRun(record.run, record.seq, begun);
    case 'backoff':
      return record.seq >= (begun.get(record.process) ?? 0);
    // The last one counts (markLast), or none does.
    case 'budget':
    case 'reload':
    case 'upgrade':
    case 'supervisor-started':
    case 'signal-requested':
    case 'gap':
    case 'run-started':
    case 'signal':
    case 'leader-exited':
    case 'stragglers':
    case 'run-ended':
    case 'stranger':
    case 'stuck':
    case 'oom':
    case 'unkept':
    case 'undelivered':
      return false;
  }
}

/** Whom a request of a client, or the stop of a run, is about; null: the whole task. */
function processesOf(record: Known): readonly string[] | null {
  if (record.type === 'start-requested' || record.type === 'restart-requested') return record.processes;
  if (record.type === 'config')
    return [record.added, record.removed, record.renewed].flatMap((names) => names ?? []);
  if (record.type !== 'stop-requested') return null;
  if (record.run !== undefined) return [processName(record.run)];
  return record.processes ?? (record.process === undefined ? null : [record.process]);
}

/** It says whether its processes are wanted; of those that do only the last one counts. */
function isWant(record: Known): boolean {
  return !(record.type === 'stop-requested' && record.run !== undefined);
}

function isOfLastRun(run: string, seq: number, begun: Marks['begun']): boolean {
  return seq >= (begun.get(processName(run)) ?? 0);
}

const REPLACED: readonly string[] = ['budget', 'config', 'upgrade', 'reload'] satisfies Known['type'][];

/** The last of each kind, where a later one takes the place of those before it. */
function markLast(records: readonly Known[]): Marks {
  const begun = new Map<string, number>();
  const last = new Map<string, Known>();
  const highest = new Map<string, number>();
  const probes = new Map<string, string>();
  const healths = new Map<string, Known>();
  for (const record of records) {
    const before = 'process' in record ? (highest.get(record.process ?? '') ?? 0) : 0;
    // Of a run whose fork no log tells of (adopt.ts) the outcome is where it begins.
    const isForked =
      record.type === 'run-forked' || (record.type === 'outcome' && runNumber(record.run) > before);
    if (isForked || record.type === 'backoff') begun.set(record.process, record.seq);
    if ((isForked || isPreStart(record)) && runNumber(record.run) >= before) {
      highest.set(record.process, runNumber(record.run));
      last.set(`runs of ${record.process}`, record);
    }
    // The run that waits has the number after those that were before it.
    if (isForked) last.delete(`runs before ${record.process}`);
    const numbered = record.type === 'backoff' ? last.get(`runs of ${record.process}`) : undefined;
    if (record.type === 'backoff' && numbered !== undefined)
      last.set(`runs before ${record.process}`, numbered);
    if (record.type === 'hook' && record.state === 'started' && isProbe(hookKind(record.hook)))
      probes.set(record.run, record.hook);
    if (record.type === 'start-requested' || record.type === 'restart-requested' || record.type === 'config')
      for (const process of processesOf(record) ?? []) last.set(`failures of ${process}`, record);
    if (isWant(record))
      for (const process of processesOf(record) ?? []) last.set(`want of ${process}`, record);
    if (record.type === 'outcome') last.set(`outcome of ${record.process}`, record);
    if (record.type === 'outcome' || record.type === 'backoff')
      last.set(`failures of ${record.process}`, record);
    if (record.type === 'health-changed') healths.set(record.run, record);
    if (REPLACED.includes(record.type)) last.set(record.type, record);
  }
  return { begun, probes, healths, asked: markAsked(records), single: new Set(last.values()) };
}

type HookRecord = Extract<Known, { type: 'hook' }>;

/** A run can be busy for days. Of its questions that follow one another, with nothing about it between them, the last one counts. */
function markAsked(records: readonly Known[]): Set<Known> {
  const asked = new Set<Known>();
  const open = new Map<string, readonly HookRecord[]>();
  for (const record of records) {
    if (!('run' in record) || record.run === undefined) continue;
    const before = open.get(record.run) ?? [];
    open.delete(record.run);
    if (record.type !== 'hook' || hookKind(record.hook) !== 'busy') continue;
    const [question] = before;
    if (record.state === 'started') {
      const isNext = before.length === 2 && isLater(record, question);
      if (isNext) for (const each of before) asked.add(each);
      open.set(record.run, [record]);
    } else if (before.length === 1 && question?.hook === record.hook && record.code === 0) {
      open.set(record.run, [question, record]);
    }
  }
  return asked;
}

function isLater(record: HookRecord, before: HookRecord | undefined): boolean {
  return before !== undefined && hookNumber(record.hook) > hookNumber(before.hook);
}

/** It takes the number of a run that is not forked yet. */
function isPreStart(record: Known): record is Extract<Known, { type: 'hook' }> {
  return record.type === 'hook' && record.state === 'started' && hookKind(record.hook) === 'pre-start';
}

/** Runs of which something may still have to be asked. */
function namesAfter(records: readonly Known[], carriedOut: number): Set<string> {
  const later = records.filter((record) => record.seq > carriedOut && mayAsk(record));
  return new Set(
    later.flatMap((record) => [
      ...('run' in record && record.run !== undefined ? [record.run] : []),
      ...(record.type === 'hook' ? [record.hook] : []),
    ]),
  );
}

/** What `requestOf` makes a request of. */
function mayAsk({ type }: Known): boolean {
  const asking: readonly string[] = [
    'run-forked',
    'hook',
    'rung',
    'kill',
    'outcome',
    'signal-requested',
    'order',
    'upgrade',
    'clearing',
    'task-state',
  ];
  return asking.includes(type);
}

function createdBy(record: RecordBody): string | undefined {
  if (record.type === 'run-forked') return record.run;
  return record.type === 'hook' && record.state === 'started' ? record.hook : undefined;
}

/** A run that is not of the process that it is said to be of: the rules above go by names. */
function isOdd(record: Known): boolean {
  // What a record of its type has no use for may be anything.
  if (!('run' in record) || typeof record.run !== 'string') return false;
  const process = 'process' in record ? record.process : undefined;
  const of = processName(record.run);
  const hookOf = record.type === 'hook' ? processName(record.hook) : of;
  return (process !== undefined && process !== of) || hookOf !== of;
}

/** Runs of a process begin by their number, each once, and what must succeed before one does so before it is forked. */
function areOutOfOrder(records: readonly Known[]): boolean {
  const begun = new Map<string, number>();
  const prepared = new Map<string, number>();
  return records.some((record) => {
    if (record.type !== 'run-forked' && record.type !== 'outcome' && !isPreStart(record)) return false;
    const number = runNumber(record.run);
    const [before, least] = [begun.get(record.process) ?? 0, prepared.get(record.process) ?? 0];
    const highest = record.type === 'hook' ? prepared : begun;
    highest.set(record.process, Math.max(number, highest.get(record.process) ?? 0));
    return record.type !== 'outcome' && (number <= before || number < least);
  });
}
