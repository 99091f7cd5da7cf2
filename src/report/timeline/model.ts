/** A task as a picture's data: a lane for each run, times in milliseconds since the task began. Pure. */
import type { BodyOf, CheckpointRecord, Envelope, Rusage } from '../../checkpoint/record.ts';
import { processName } from '../../supervisor/names.ts';
import { isOfTask } from '../task-stop.ts';
import { type LevelMap, type Levels, levelsIn, NO_LEVELS, UNTOLD } from './levels.ts';

export interface Timeline {
  readonly task: string;
  readonly state: string;
  readonly exitCode: number | null;
  readonly version: string;
  /** Wall time of 0, RFC 3339. */
  readonly beganAt: string;
  readonly lengthMs: number;
  /** Runs that had ended before those of `lanes`, and are not drawn. */
  readonly leftOut: number;
  readonly stop: { readonly atMs: number; readonly why: string } | null;
  readonly budget: { readonly fromMs: number; readonly untilMs: number } | null;
  /** When supervisors after the first one began. */
  readonly supervisorMs: readonly number[];
  readonly levels: Levels;
  readonly lanes: readonly Lane[];
}

export interface Lane {
  readonly run: string;
  readonly process: string;
  /** Commands that serve another run. */
  readonly hook: boolean;
  /** That of its process in the config in force: see levels.ts. */
  readonly level: number | null;
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
  /** When it was left: how much of it was used. null: it is not over. */
  readonly leftMs: number | null;
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
  readonly rungs: (Omit<RungWindow, 'leftMs'> & { index: number; leftMs: number | null })[];
  readonly signals: { atMs: number; name: string }[];
  killMs: number | null;
  end: LaneEnd | null;
  /** As it was drawn last; null: something is new. */
  lane: Lane | null;
}

/** A timeline that grows. What has not changed is the same object in the next one. */
export interface TimelineBook {
  learn(record: CheckpointRecord): void;
  timeline(): Timeline;
  /** CLOCK_MONOTONIC at 0; null: nothing is known yet. */
  beganNs(): bigint | null;
}

/** `records`: of one gsup, in their order; at least one. */
export function buildTimeline(records: readonly CheckpointRecord[]): Timeline {
  const book = createTimelineBook();
  for (const record of records) book.learn(record);
  return book.timeline();
}

/** `lanesMax`: when there are more, those that ended first are left out. */
export function createTimelineBook(lanesMax = Number.POSITIVE_INFINITY): TimelineBook {
  const drafts = new Map<string, Draft>();
  const supervisorMs: number[] = [];
  let beganNs: bigint | null = null;
  let supervisors = 0;
  let told: Omit<Timeline, 'lanes' | 'supervisorMs'> = NOTHING;
  let levels = UNTOLD;

  const msOf = (ns: bigint) => Number((ns - (beganNs ?? ns)) / 1000n) / 1000;
  return {
    learn(record) {
      if (beganNs === null) told = { ...told, beganAt: record.at };
      beganNs ??= record.mono_ns;
      const atMs = msOf(record.mono_ns);
      told = { ...told, ...learnTask(told, record, msOf), lengthMs: Math.max(told.lengthMs, atMs) };
      if (record.type === 'supervisor-started' && ++supervisors > 1) supervisorMs.push(atMs);
      if (record.type !== 'unknown') learn(drafts, record, msOf);
      const next = record.type === 'task' || record.type === 'config' ? levelsIn(record) : null;
      if (next === null) return;
      levels = next;
      told = { ...told, levels: levels.levels };
      for (const draft of drafts.values())
        if (draft.lane?.level !== levels.of(draft.lane?.process ?? '')) draft.lane = null;
    },
    timeline() {
      told = { ...told, leftOut: told.leftOut + leaveOut(drafts, lanesMax) };
      const lanes = [...drafts.values()].map((draft) => {
        draft.lane ??= laneOf(draft, levels);
        return draft.lane;
      });
      return { ...told, supervisorMs: [...supervisorMs], lanes };
    },
    beganNs: () => beganNs,
  };
}

/** Of a task that no record has told of yet. */
export const NOTHING = {
  task: 'task',
  state: 'active',
  exitCode: null,
  version: '',
  beganAt: '',
  lengthMs: 1,
  leftOut: 0,
  stop: null,
  budget: null,
  levels: NO_LEVELS,
} as const;

/** What a record says of the task as a whole. */
function learnTask(
  told: Omit<Timeline, 'lanes' | 'supervisorMs'>,
  record: CheckpointRecord,
  msOf: (ns: bigint) => number,
): Partial<Timeline> {
  const atMs = msOf(record.mono_ns);
  switch (record.type) {
    case 'task':
      return told.version === '' ? { task: record.task, version: record.version } : {};
    case 'task-state':
      return { state: record.state, exitCode: record.exit_code };
    case 'budget':
      return told.budget === null ? { budget: budgetOf(record, msOf) } : {};
    case 'stop-requested':
      return told.stop === null && isOfTask(record)
        ? { stop: { atMs, why: record.signal ?? record.cause } }
        : {};
    default:
      return {};
  }
}

/** It counts from the request to stop, which was a little before its record. */
function budgetOf(record: BodyOf<'budget'>, msOf: (ns: bigint) => number): Timeline['budget'] {
  const untilMs = msOf(record.deadline_ns);
  return { fromMs: untilMs - record.budget_ms, untilMs };
}

/** Their count. */
function leaveOut(drafts: Map<string, Draft>, lanesMax: number): number {
  let more = drafts.size - lanesMax;
  const before = drafts.size;
  for (const [run, { endMs }] of drafts) {
    if (more <= 0) break;
    if (endMs === null) continue;
    drafts.delete(run);
    more--;
  }
  return before - drafts.size;
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
      if (draft?.end) {
        draft.end = { ...draft.end, outcome: record.outcome, cause: record.cause };
        draft.lane = null;
      }
      break;
    }
  }
}

/** To be written to: what was drawn of it is no longer so. */
function draftOf(drafts: Map<string, Draft>, run: string, atMs: number): Draft {
  const found = drafts.get(run);
  if (found !== undefined) {
    found.lane = null;
    return found;
  }
  const blank = { pid: null, readyMs: null, leaderEndMs: null, endMs: null, killMs: null, end: null };
  const draft: Draft = { run, startMs: atMs, rungs: [], signals: [], ...blank, lane: null };
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

function laneOf(draft: Draft, levels: LevelMap): Lane {
  const { run, leaderEndMs, endMs, rungs, signals, lane: _, ...rest } = draft;
  const owner = run.split('/')[0] ?? run;
  const process = processName(owner) || owner;
  return {
    ...rest,
    run,
    process,
    hook: run.includes('/'),
    level: levels.of(process),
    endMs,
    signals: [...signals],
    // The end of both at once is no phase of its own.
    leaderEndMs: leaderEndMs !== null && (endMs === null || endMs - leaderEndMs > 1) ? leaderEndMs : null,
    rungs: rungs.map(({ index: _, leftMs, ...rung }) => ({ ...rung, leftMs: leftMs ?? endMs })),
  };
}
