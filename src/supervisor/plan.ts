/** What is to be supervised: made once from options or a config, never changed by what happens. Plain data. */
import type { Command, Ladder, Launch, WaitMs } from './vocabulary.ts';

export interface TaskPlan {
  readonly name: string;
  /** Decides the exit code: that of the one command, or that of the task. */
  readonly command: 'run' | 'up';
  readonly version: string;
  readonly configDigest: string;
  readonly processes: readonly ProcessPlan[];
  /** The process whose final end ends the task, and whose code is the task's. */
  readonly main: string | null;
  readonly stopBudgetMs: number | null;
}

export interface ProcessPlan {
  readonly name: string;
  readonly launch: Launch;
  readonly ladder: Ladder;
  /** What a user would change to change a wait of it. */
  readonly waits: WaitSetting;
  /** Higher levels stop first. */
  readonly level: number;
  /** Not signalled before the first hook of the ladder has succeeded. */
  readonly mustDrain: { readonly retryMs: number } | null;
  readonly postStop: Command | null;
  readonly restart: RestartPlan;
  readonly exitMap: ReadonlyArray<readonly [from: number, to: number]>;
  readonly successCodes: readonly number[];
}

/** One wait, or one for each rung. */
export type WaitSetting = 'grace' | 'rung';

export interface RestartPlan {
  readonly policy: 'no' | 'on-failure' | 'always';
  /** 0: no limit. */
  readonly maxFailures: number;
  /** Least time between the starts of two runs. */
  readonly minDurationMs: number;
  readonly backoff: Backoff;
}

export interface Backoff {
  readonly initialMs: number;
  readonly factor: number;
  readonly maxMs: number;
  /** A share of the wait, 0.1 for ten per cent either way. */
  readonly jitter: number;
  /** So long a run clears the back-off and the count of failures. */
  readonly resetAfterMs: number;
}

/** pebble's, which nobody complains of. */
export const DEFAULT_BACKOFF: Backoff = {
  initialMs: 500,
  factor: 2,
  maxMs: 30_000,
  jitter: 0.1,
  resetAfterMs: 30_000,
};

/** Whoever drains slowly should not be asked more often than this. */
export const DEFAULT_DRAIN_RETRY_MS = 30_000;

/** A hook cannot hold up the end for ever, and neither can a hook that ignores the end of its time. */
export const POST_STOP_MS = 10_000;
export const HOOK_GRACE_MS = 2000;

export const HOOK_LADDER: Ladder = [{ action: 'signal', signal: 15, target: 'group', waitMs: HOOK_GRACE_MS }];

export function processOf(plan: TaskPlan, name: string): ProcessPlan {
  const found = plan.processes.find((process) => process.name === name);
  if (found === undefined) throw new Error(`no process "${name}" in the plan`);
  return found;
}

export function waitsOf(ladder: Ladder): WaitMs[] {
  return ladder.map((rung) => rung.waitMs);
}
