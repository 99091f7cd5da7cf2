/** The story of a task, told from its records alone. Pure. */
import type { LogName, Merged } from '../checkpoint/merge.ts';
import type { BodyOf, CheckpointRecord, Envelope } from '../checkpoint/record.ts';
import { processName } from '../supervisor/names.ts';
import { tellRecord } from './history-words.ts';
import { isOfTask, taskAsks } from './task-stop.ts';

/** One happening, as one sentence. */
export interface HistoryLine {
  /** RFC 3339. */
  readonly at: string;
  readonly monoNs: bigint;
  /** Since the task began. */
  readonly sinceMs: number;
  /** A run, a process, or nothing: the task as a whole. */
  readonly about: string | null;
  /** `bad`: it was not graceful. */
  readonly weight: Weight;
  readonly text: string;
  /** Type of the record that tells it. */
  readonly type: string;
}

export type Weight = 'plain' | 'good' | 'warn' | 'bad';

export interface HistoryTask {
  readonly name: string | null;
  readonly version: string | null;
  readonly beganAt: string | null;
  /** null: as far as the log knows it lives. */
  readonly endedAt: string | null;
  readonly lastedMs: number;
  readonly state: BodyOf<'task-state'>['state'] | null;
  readonly exitCode: number | null;
  readonly stop: HistoryStop | null;
  readonly runs: number;
  /** Runs that needed SIGKILL. */
  readonly forced: readonly string[];
  /** What the stop budget took from all waits. */
  readonly cutMs: number;
  /** Supervisors after the first. */
  readonly supervisorRestarts: number;
  /** Records that the log itself says are missing. */
  readonly missing: number;
}

export interface HistoryStop {
  readonly at: string;
  readonly cause: BodyOf<'stop-requested'>['cause'];
  readonly signal: string | null;
  readonly by: BodyOf<'stop-requested'>['by'];
  readonly asks: number;
  /** null: it is not over. */
  readonly tookMs: number | null;
}

export interface History {
  readonly task: HistoryTask;
  readonly lines: readonly HistoryLine[];
}

/** What is to be told. Names: of runs (`web#3`), of replicas (`web.2`) or of processes (`web`); none: everything. */
export interface HistoryFilter {
  readonly names: readonly string[];
  readonly sinceMs: number | null;
  readonly untilMs: number | null;
}

export type Entry = Merged<{ readonly record: CheckpointRecord }>;
type Known = Exclude<CheckpointRecord, { type: 'unknown' }>;

/** `entries`: of one gsup, in their order. Filters choose lines; the task is always told whole. */
export function tellHistory(entries: readonly Entry[], filter: HistoryFilter): History {
  const told = newTold(entries);
  const lines = entries.flatMap(({ log, item: { record } }): HistoryLine[] => {
    const sentence = tellRecord(told, record, log);
    if (sentence === null) return [];
    const { at, mono_ns: monoNs } = record;
    return [{ at, monoNs, sinceMs: msBetween(told.beganNs, monoNs), ...sentence, type: typeOf(record) }];
  });
  return { task: summarize(entries), lines: lines.filter((line) => isAskedFor(line, filter)) };
}

/** What was told so far, and what is known of what comes: a sentence can then say all that belongs together. */
export interface Told {
  readonly beganNs: bigint;
  readonly runs: Map<string, ToldRun>;
  readonly outcomes: ReadonlyMap<string, BodyOf<'outcome'>>;
  /** Their leader ended before their tree. */
  readonly straggling: ReadonlySet<string>;
  /** Runs that were to be started; others can have failed before. */
  readonly forked: Set<string>;
  /** Signals received that a request to stop tells of, and how many of each. */
  readonly stopSignals: Map<string, number>;
  began: boolean;
  supervisors: number;
  /** All that there will be; and how many of them were told. */
  readonly taskAsks: ReadonlySet<CheckpointRecord>;
  asks: number;
}

export interface ToldRun {
  startedNs: bigint | null;
  stopNs: bigint | null;
  rung: {
    readonly index: number;
    readonly enteredNs: bigint;
    readonly waitMs: number | null;
    readonly log: LogName;
  } | null;
  killed: boolean;
}

function newTold(entries: readonly Entry[]): Told {
  const records = entries.map(({ item }) => item.record);
  const of = <T extends Known['type']>(type: T) =>
    records.filter((record): record is Envelope & BodyOf<T> => record.type === type);
  const stopSignals = new Map<string, number>();
  const asks = new Set(taskAsks(records));
  for (const request of of('stop-requested')) {
    if (isOfTask(request) && !asks.has(request)) continue;
    const key = signalKey(request.signal ?? '', request.by?.pid);
    stopSignals.set(key, (stopSignals.get(key) ?? 0) + 1);
  }
  return {
    beganNs: records[0]?.mono_ns ?? 0n,
    runs: new Map(),
    outcomes: new Map(of('outcome').map((record) => [record.run, record])),
    straggling: new Set(of('stragglers').map((record) => record.run)),
    forked: new Set(),
    stopSignals,
    began: false,
    supervisors: 0,
    taskAsks: asks,
    asks: 0,
  };
}

export function signalKey(signal: string, pid: number | undefined): string {
  return `${signal} ${pid}`;
}

export function runTold(told: Told, name: string): ToldRun {
  const known = told.runs.get(name) ?? { startedNs: null, stopNs: null, rung: null, killed: false };
  told.runs.set(name, known);
  return known;
}

export function msBetween(fromNs: bigint, toNs: bigint): number {
  return toNs > fromNs ? Number((toNs - fromNs) / 1_000_000n) : 0;
}

function typeOf(record: CheckpointRecord): string {
  return record.type === 'unknown' ? record.was : record.type;
}

function isAskedFor({ about, at }: HistoryLine, { names, sinceMs, untilMs }: HistoryFilter): boolean {
  const atMs = Date.parse(at);
  if (sinceMs !== null && atMs < sinceMs) return false;
  if (untilMs !== null && atMs > untilMs) return false;
  return names.length === 0 || (about !== null && names.some((name) => isNamed(about, name)));
}

/** `web` names web#1, web.2#1 and their hooks; `web#1` that run and its hooks. */
function isNamed(about: string, name: string): boolean {
  const process = about.includes('#') ? processName(about) : about;
  return (
    about === name ||
    about.startsWith(`${name}/`) ||
    process === name ||
    process.replace(/\.\d+$/, '') === name
  );
}

function summarize(entries: readonly Entry[]): HistoryTask {
  const records = entries.map(({ item }) => item.record);
  const first = records[0];
  const last = records.at(-1);
  const task = records.find((record) => record.type === 'task');
  const state = records.findLast((record) => record.type === 'task-state');
  const isOver = state !== undefined && state.exit_code !== null;
  const end = isOver ? state : last;
  return {
    name: task?.task ?? null,
    version: task?.version ?? null,
    beganAt: first?.at ?? null,
    endedAt: isOver ? state.at : null,
    lastedMs: first === undefined || end === undefined ? 0 : msBetween(first.mono_ns, end.mono_ns),
    state: state?.state ?? null,
    exitCode: state?.exit_code ?? null,
    stop: stopOf(records, isOver ? state.mono_ns : null),
    runs: new Set(records.flatMap((record) => (record.type === 'run-started' ? [record.run] : []))).size,
    forced: records.flatMap((record) => (record.type === 'run-ended' && record.forced ? [record.run] : [])),
    cutMs: records.reduce((sum, record) => sum + (record.type === 'rung' ? record.cut_ms : 0), 0),
    supervisorRestarts: Math.max(
      0,
      records.filter((record) => record.type === 'supervisor-started').length - 1,
    ),
    missing: records.reduce((sum, record) => sum + (record.type === 'gap' ? record.missing : 0), 0),
  };
}

/** Of the task as a whole: what one process or the rest of a tree is stopped for is in the lines. */
function stopOf(records: readonly CheckpointRecord[], endedNs: bigint | null): HistoryStop | null {
  const asked = taskAsks(records);
  const [first] = asked;
  if (first === undefined) return null;
  const { at, cause, signal = null, by, mono_ns: askedNs } = first;
  return {
    at,
    cause,
    signal,
    by,
    asks: asked.length,
    tookMs: endedNs === null ? null : msBetween(askedNs, endedNs),
  };
}
