/** A task as a picture's data: a lane for each run, times in milliseconds since the task began. Pure. */
import type { BodyOf, CheckpointRecord, Envelope, Rusage } from '../../checkpoint/record.ts';
import { processName } from '../../supervisor/names.ts';

export interface Timeline {
  readonly task: string;
  readonly state: string;
  readonly exitCode: number | null;
  readonly version: string;
  /** Wall time of 0, RFC 3339. */
  readonly beganAt: string;
  readonly lengthMs: number;
  readonly stop: { readonly atMs: number; readonly why: string } | null;
  readonly budget: { readonly fromMs: number; readonly untilMs: number } | null;
  /** When supervisors after the first one began. */
  readonly supervisorMs: readonly number[];
  readonly lanes: readonly Lane[];
}

export interface Lane {
  readonly run: string;
  readonly process: string;
  /** Commands that serve another run. */
  readonly hook: boolean;
  readonly pid: number | null;
  readonly startMs: number;
  readonly readyMs: number | null;
  /** Its command has ended and its tree has not: from here on it is the stragglers'. */
  readonly leaderEndMs: number | null;
  /** null: it lives, as far as the log tells. */
  readonly endMs: number | null;
  readonly rungs: readonly RungWindow[];
  readonly signals: readonly { readonly atMs: number; readonly name: string }[];
  readonly killMs: number | null;
  readonly end: LaneEnd | null;
}

export interface RungWindow {
  readonly label: string;
  readonly fromMs: number;
  /** How long it was allowed to last; null: for ever. */
  readonly untilMs: number | null;
  /** When it was left: how much of it was used. */
  readonly leftMs: number;
  readonly cutMs: number;
}

export interface LaneEnd {
  readonly code: number | null;
  readonly signal: string | null;
  readonly outcome: BodyOf<'outcome'>['outcome'] | null;
  readonly cause: BodyOf<'outcome'>['cause'] | null;
  readonly forced: boolean;
  readonly rusage: Rusage;
}

type Known = Envelope & Exclude<CheckpointRecord, { type: 'unknown' }>;

interface Draft {
  readonly run: string;
  pid: number | null;
  startMs: number;
  readyMs: number | null;
  leaderEndMs: number | null;
  endMs: number | null;
  readonly rungs: {
    index: number;
    label: string;
    fromMs: number;
    untilMs: number | null;
    leftMs: number | null;
    cutMs: number;
  }[];
  readonly signals: { atMs: number; name: string }[];
  killMs: number | null;
  end: LaneEnd | null;
}

/** `records`: of one gsup, in their order; at least one. */
export function buildTimeline(records: readonly CheckpointRecord[]): Timeline {
  const began = records[0];
  const beganNs = began?.mono_ns ?? 0n;
  const msOf = (ns: bigint) => Number((ns - beganNs) / 1000n) / 1000;
  const drafts = new Map<string, Draft>();
  for (const record of records) if (record.type !== 'unknown') learn(drafts, record, msOf);
  const lengthMs = Math.max(1, ...records.map((record) => msOf(record.mono_ns)));
  const task = records.find((record) => record.type === 'task');
  const state = records.findLast((record) => record.type === 'task-state');
  const budget = records.find((record) => record.type === 'budget');
  const started = records.filter((record) => record.type === 'supervisor-started');
  return {
    task: task?.task ?? 'task',
    state: state?.state ?? 'active',
    exitCode: state?.exit_code ?? null,
    version: task?.version ?? '',
    beganAt: began?.at ?? '',
    lengthMs,
    stop: stopOf(records, msOf),
    budget: budget === undefined ? null : { fromMs: msOf(budget.mono_ns), untilMs: msOf(budget.deadline_ns) },
    supervisorMs: started.slice(1).map((record) => msOf(record.mono_ns)),
    lanes: [...drafts.values()].map((draft) => laneOf(draft, lengthMs)),
  };
}

function learn(drafts: Map<string, Draft>, record: Known, msOf: (ns: bigint) => number): void {
  const atMs = msOf(record.mono_ns);
  switch (record.type) {
    case 'run-started':
      Object.assign(draftOf(drafts, record.run, atMs), { pid: record.pid, startMs: atMs });
      break;
    case 'run-ready':
      draftOf(drafts, record.run, atMs).readyMs = atMs;
      break;
    case 'rung':
      enter(draftOf(drafts, record.run, atMs), record, atMs, msOf);
      break;
    case 'signal':
      if (record.run !== undefined)
        draftOf(drafts, record.run, atMs).signals.push({ atMs, name: record.signal });
      break;
    case 'leader-exited':
      draftOf(drafts, record.run, atMs).leaderEndMs = atMs;
      break;
    case 'kill':
      if (record.run !== undefined) kill(draftOf(drafts, record.run, atMs), atMs);
      break;
    case 'run-ended': {
      const { run, code, signal, forced, rusage, outcome = null } = record;
      const end = { code, signal, forced, rusage, outcome, cause: null };
      Object.assign(draftOf(drafts, run, atMs), { endMs: atMs, end });
      break;
    }
    case 'outcome': {
      const draft = drafts.get(record.run);
      if (draft?.end) draft.end = { ...draft.end, outcome: record.outcome, cause: record.cause };
      break;
    }
  }
}

function draftOf(drafts: Map<string, Draft>, run: string, atMs: number): Draft {
  const found = drafts.get(run);
  if (found !== undefined) return found;
  const blank = { pid: null, readyMs: null, leaderEndMs: null, endMs: null, killMs: null, end: null };
  const draft: Draft = { run, startMs: atMs, rungs: [], signals: [], ...blank };
  drafts.set(run, draft);
  return draft;
}

/** A rung that both writers have recorded is one. */
function enter(draft: Draft, record: BodyOf<'rung'>, atMs: number, msOf: (ns: bigint) => number): void {
  const before = draft.rungs.at(-1);
  const { index, action, signal, target, deadline_ns: deadlineNs, cut_ms: cutMs } = record;
  if (before?.index === index) return;
  if (before !== undefined) before.leftMs ??= atMs;
  const label = action === 'signal' ? `${signal} to the ${target}` : WORDS[action];
  const untilMs = deadlineNs === null ? null : msOf(deadlineNs);
  draft.rungs.push({ index, label, fromMs: atMs, untilMs, leftMs: null, cutMs });
}

const WORDS = {
  wait: 'left to end by itself',
  busy: 'left alone while it is busy',
  exec: 'hook',
  http_post: 'asked over HTTP',
} as const;

function kill(draft: Draft, atMs: number): void {
  draft.killMs ??= atMs;
  const last = draft.rungs.at(-1);
  if (last !== undefined) last.leftMs ??= atMs;
}

function laneOf(draft: Draft, lengthMs: number): Lane {
  const { run, leaderEndMs, endMs, rungs, ...rest } = draft;
  const owner = run.split('/')[0] ?? run;
  return {
    ...rest,
    run,
    process: processName(owner) || owner,
    hook: run.includes('/'),
    endMs,
    // The end of both at once is no phase of its own.
    leaderEndMs: leaderEndMs !== null && (endMs ?? lengthMs) - leaderEndMs > 1 ? leaderEndMs : null,
    rungs: rungs.map(({ index: _, leftMs, ...rung }) => ({ ...rung, leftMs: leftMs ?? endMs ?? lengthMs })),
  };
}

function stopOf(records: readonly CheckpointRecord[], msOf: (ns: bigint) => number): Timeline['stop'] {
  for (const record of records) {
    if (record.type !== 'stop-requested' || record.process !== undefined || record.processes !== undefined)
      continue;
    if (record.run !== undefined && record.cause !== 'signal') continue;
    return { atMs: msOf(record.mono_ns), why: record.signal ?? record.cause };
  }
  return null;
}
