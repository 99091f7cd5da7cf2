/** What a task is doing, or how it ended, from its records: one builder for what lives and for what has ended. Pure. */
import type { BodyOf, CheckpointRecord, Envelope } from '../checkpoint/record.ts';
import { hookKind, processName, runNumber } from '../supervisor/names.ts';
import type { RunState } from '../supervisor/state.ts';
import { isOfTask } from './task-stop.ts';

/** SPEC.md 9, "Status JSON". Names as in the records. */
export interface Status {
  readonly version: 1;
  readonly task: TaskStatus;
  readonly processes: readonly ProcessStatus[];
}

export interface TaskStatus {
  readonly name: string | null;
  readonly state: BodyOf<'task-state'>['state'] | null;
  readonly exit_code: number | null;
  /** Of init, in its own pid namespace. */
  readonly pid: number | null;
  readonly started_at: string | null;
  readonly config_digest: string | null;
  readonly stop: {
    readonly requested_at: string;
    readonly cause: BodyOf<'stop-requested'>['cause'];
    /** Where a stop budget bounds it. */
    readonly deadline_at: string | null;
  } | null;
}

export interface ProcessStatus {
  readonly name: string;
  readonly replica: number | null;
  readonly want: 'up' | 'down';
  readonly state: RunState;
  readonly run: string | null;
  readonly pid: number | null;
  readonly ready: boolean;
  readonly health: BodyOf<'health-changed'>['health'] | null;
  /** Why it is as it is, where that is not obvious. */
  readonly reason: string | null;
  readonly uptime_ms: number | null;
  readonly restarts: number;
  readonly failures: number;
  readonly next_start_at: string | null;
  readonly last: LastRun | null;
  readonly stop: StopStatus | null;
  readonly cpu_pct: number | null;
  readonly rss_bytes: number | null;
}

export interface LastRun {
  readonly run: string;
  readonly code: number | null;
  readonly signal: string | null;
  readonly outcome: BodyOf<'outcome'>['outcome'];
  readonly forced: boolean;
  readonly cause: BodyOf<'outcome'>['cause'] | null;
}

export interface StopStatus {
  /** Place in the ladder, from 0; null: SIGKILL. */
  readonly rung: number | null;
  readonly signal: string | null;
  /** null: for ever. */
  readonly left_ms: number | null;
  readonly waiting_for: readonly { readonly pid: number; readonly name: string }[];
}

/** What the log cannot tell. */
export interface Look {
  /** CLOCK_MONOTONIC, of the boot in which the task lives. */
  readonly nowNs: bigint;
  /** Its gsup lives. */
  readonly live: boolean;
  /** The tree of a run by its leader. */
  readonly treeOf: (leaderPid: number) => Tree | null;
  /** What is supervised, in its order; the log does not know who still waits, or was never started. */
  readonly declared?: readonly { readonly name: string; readonly want: 'up' | 'down' }[];
}

export interface Tree {
  readonly members: readonly { readonly pid: number; readonly name: string }[];
  readonly cpuPct: number | null;
  readonly rssBytes: number | null;
}

interface Draft {
  readonly name: string;
  want: 'up' | 'down';
  state: RunState;
  run: string | null;
  pid: number | null;
  startedNs: bigint | null;
  ready: boolean;
  health: ProcessStatus['health'];
  reason: string | null;
  failures: number;
  nextStart: { readonly at: string } | null;
  last: LastRun | null;
  rung: {
    readonly index: number | null;
    readonly signal: string | null;
    readonly deadlineNs: bigint | null;
  } | null;
}

type Drafts = Map<string, Draft>;
type Known = Exclude<CheckpointRecord, { type: 'unknown' }>;
type Of<T extends Known['type']> = Envelope & BodyOf<T>;

/** A status that is kept up to date: records go in one by one, and it can be asked at any time. */
export interface StatusBook {
  learn(record: CheckpointRecord): void;
  status(look: Look): Status;
}

export function createStatusBook(): StatusBook {
  const drafts: Drafts = new Map();
  const told: Told = {};
  return {
    learn(record) {
      told.startedAt ??= record.at;
      if (record.type === 'unknown') return;
      learnTask(told, record);
      learn(drafts, record);
    },
    status: (look) => ({
      version: 1,
      task: taskStatus(told, look),
      processes: inOrder(drafts, look.declared ?? []).map((draft) => finish(draft, look)),
    }),
  };
}

/** `records`: of one gsup, in their order. */
export function buildStatus(records: readonly CheckpointRecord[], look: Look): Status {
  const book = createStatusBook();
  for (const record of records) book.learn(record);
  return book.status(look);
}

/** As they are declared; then, as they were met, what is declared no more. */
function inOrder(drafts: Drafts, declared: NonNullable<Look['declared']>): Draft[] {
  const first = declared.map(({ name, want }) => drafts.get(name) ?? { ...newDraft(name), want });
  const names = new Set(first.map(({ name }) => name));
  return [...first, ...[...drafts.values()].filter(({ name }) => !names.has(name))];
}

function learn(drafts: Drafts, record: Known): void {
  switch (record.type) {
    case 'run-forked':
      forked(draftOf(drafts, record.process), record.run);
      break;
    case 'run-started':
      if (!isHookRun(record.run)) started(draftOf(drafts, processName(record.run)), record);
      break;
    case 'run-ready':
      Object.assign(draftOf(drafts, record.process), { ready: true, state: 'ready' });
      break;
    case 'hook':
      if (hookKind(record.hook) === 'pre-start') prepares(draftOf(drafts, record.process), record);
      break;
    case 'health-changed':
      Object.assign(draftOf(drafts, record.process), { health: record.health, reason: record.reason });
      break;
    case 'restart-requested':
    case 'start-requested':
      for (const process of record.processes)
        Object.assign(draftOf(drafts, process), { want: 'up', failures: 0 });
      break;
    case 'stop-requested':
      wantDown(drafts, record);
      break;
    case 'rung':
      if (!isHookRun(record.run)) entered(draftOf(drafts, processName(record.run)), record);
      break;
    case 'kill':
      if (record.run !== undefined && !isHookRun(record.run))
        killing(draftOf(drafts, processName(record.run)));
      break;
    case 'run-ended':
      if (!isHookRun(record.run)) ended(draftOf(drafts, processName(record.run)), record);
      break;
    case 'outcome':
      judged(draftOf(drafts, record.process), record);
      break;
    case 'backoff': {
      const at = new Date(Date.parse(record.at) + record.wait_ms).toISOString();
      Object.assign(draftOf(drafts, record.process), {
        state: 'backoff',
        failures: record.failures,
        nextStart: { at },
      });
      break;
    }
    case 'stuck':
      if (record.run !== undefined && !isHookRun(record.run))
        draftOf(drafts, processName(record.run)).reason = 'stuck: something in it cannot be killed';
      break;
  }
}

function isHookRun(run: string): boolean {
  return run.includes('/');
}

function draftOf(drafts: Drafts, name: string): Draft {
  const found = drafts.get(name);
  if (found !== undefined) return found;
  const draft = newDraft(name);
  drafts.set(name, draft);
  return draft;
}

function newDraft(name: string): Draft {
  return { name, want: 'up', failures: 0, last: null, ...NO_RUN, state: 'waiting', run: null };
}

const NO_RUN = {
  pid: null,
  startedNs: null,
  ready: false,
  health: null,
  reason: null,
  nextStart: null,
  rung: null,
} as const;

function begin(draft: Draft, run: string): void {
  Object.assign(draft, { ...NO_RUN, state: 'forked', run });
}

/** Where a supervisor came later than its run, it says so of one that has been started. */
function forked(draft: Draft, run: string): void {
  if (draft.run !== run || draft.startedNs === null) begin(draft, run);
}

const PREPARING = 'pre_start runs';

/** It is not forked yet, and what must succeed before runs. */
function prepares(draft: Draft, { run, state }: BodyOf<'hook'>): void {
  if (state === 'started') Object.assign(draft, { run, nextStart: null, reason: PREPARING });
  else if (draft.reason === PREPARING) draft.reason = null;
}

/** Without a supervisor nobody has written that it was to be started. */
function started(draft: Draft, { run, pid, mono_ns }: Of<'run-started'>): void {
  if (draft.run !== run) begin(draft, run);
  const state = draft.state === 'forked' ? 'running' : draft.state;
  Object.assign(draft, { state, pid, startedNs: mono_ns });
}

/** Where one run is meant (what its leader has left behind, or for another run) the process is wanted as before. */
function wantDown(drafts: Drafts, { process, processes, run, cause }: Of<'stop-requested'>): void {
  if (run !== undefined && (process !== undefined || cause === 'main-ended')) return;
  const named = processes ?? (process === undefined ? null : [process]);
  const meant = named === null ? [...drafts.values()] : named.map((name) => draftOf(drafts, name));
  for (const draft of meant) {
    draft.want = 'down';
    // What would have run again does not any more: its last run was the last.
    if (draft.state === 'backoff')
      Object.assign(draft, { state: draft.last?.outcome ?? 'waiting', nextStart: null });
  }
}

function entered(draft: Draft, { index, signal, deadline_ns }: Of<'rung'>): void {
  Object.assign(draft, { state: 'stopping', rung: { index, signal, deadlineNs: deadline_ns } });
}

function killing(draft: Draft): void {
  Object.assign(draft, { state: 'killing', rung: { index: null, signal: 'SIGKILL', deadlineNs: null } });
}

/** A supervisor judges; until it has, or where there is none, the facts must do. */
function ended(draft: Draft, record: Of<'run-ended'>): void {
  if (draft.run !== record.run) begin(draft, record.run);
  const { run, code, signal, forced } = record;
  const outcome = record.outcome ?? (draft.want === 'down' ? 'killed' : code === 0 ? 'success' : 'failed');
  Object.assign(draft, { ...NO_RUN, state: outcome, reason: draft.reason });
  draft.last = { run, code, signal, forced, outcome, cause: null };
}

function judged(draft: Draft, { run, code, signal, forced, outcome, cause, failures }: Of<'outcome'>): void {
  Object.assign(draft, { ...NO_RUN, state: outcome, failures });
  draft.last = { run, code, signal, forced, outcome, cause };
}

const OVER: readonly RunState[] = ['waiting', 'success', 'failed', 'killed', 'lost'];

function finish(draft: Draft, look: Look): ProcessStatus {
  const { name, want, run, ready, health, failures, last, rung } = draft;
  // Nobody is there who could know what has become of it.
  const isLost = !look.live && !OVER.includes(draft.state);
  const pid = isLost || !look.live ? null : draft.pid;
  const tree = pid === null ? null : look.treeOf(pid);
  return {
    name,
    replica: replicaOf(name),
    want,
    state: isLost ? 'lost' : draft.state,
    run,
    pid,
    ready: ready && !isLost,
    health,
    reason: isLost ? 'its gsup has gone without a word' : draft.reason,
    uptime_ms: pid === null || draft.startedNs === null ? null : msUntil(draft.startedNs, look.nowNs),
    restarts: run === null ? 0 : Math.max(0, runNumber(run) - 1),
    failures,
    next_start_at: draft.nextStart?.at ?? null,
    last,
    stop: rung === null || isLost ? null : stopStatus(rung, tree, look.nowNs),
    cpu_pct: tree?.cpuPct ?? null,
    rss_bytes: tree?.rssBytes ?? null,
  };
}

function stopStatus(
  { index, signal, deadlineNs }: NonNullable<Draft['rung']>,
  tree: Tree | null,
  nowNs: bigint,
): StopStatus {
  const left = deadlineNs === null ? null : msUntil(nowNs, deadlineNs);
  return { rung: index, signal, left_ms: left, waiting_for: tree?.members ?? [] };
}

function msUntil(fromNs: bigint, toNs: bigint): number {
  return toNs > fromNs ? Number((toNs - fromNs) / 1_000_000n) : 0;
}

/** `web.2`: 2. A name may have a point of its own, so only what follows the last one counts. */
function replicaOf(name: string): number | null {
  const [, number] = /\.([1-9]\d{0,5})$/.exec(name) ?? [];
  return number === undefined ? null : Number(number);
}

/** Of the task as a whole, what the records have told so far. */
interface Told {
  startedAt?: string;
  task?: BodyOf<'task'>;
  state?: BodyOf<'task-state'>;
  asked?: Of<'stop-requested'>;
  budget?: Of<'budget'>;
}

function learnTask(told: Told, record: Known): void {
  if (record.type === 'task') told.task ??= record;
  if (record.type === 'task-state') told.state = record;
  if (record.type === 'stop-requested' && isOfTask(record)) told.asked ??= record;
  if (record.type === 'budget') told.budget ??= record;
}

function taskStatus(told: Told, { live }: Look): TaskStatus {
  const { task, state } = told;
  const isOver = state?.exit_code != null;
  const stop = stopOf(told);
  return {
    name: task?.task ?? null,
    state: live || isOver ? stateOf(state?.state ?? 'active', stop !== null) : 'lost',
    exit_code: state?.exit_code ?? null,
    pid: live ? (task?.pid ?? null) : null,
    started_at: told.startedAt ?? null,
    config_digest: task?.config_digest ?? null,
    stop,
  };
}

/** Without a supervisor nobody writes down that a stop has begun to clean up. */
function stateOf(state: BodyOf<'task-state'>['state'], stopping: boolean): BodyOf<'task-state'>['state'] {
  return state === 'active' && stopping ? 'cleaning' : state;
}

function stopOf({ asked, budget }: Told): TaskStatus['stop'] {
  if (asked === undefined) return null;
  const deadline =
    budget === undefined ? null : new Date(Date.parse(budget.at) + budget.budget_ms).toISOString();
  return { requested_at: asked.at, cause: asked.cause, deadline_at: deadline };
}
