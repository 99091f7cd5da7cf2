/** What is to be supervised: made from options or a config; another one takes its place when that is read again, or scaled. Plain data. */
import { memo } from './memo.ts';
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
  /** Failed processes until the task has failed; 0: it never fails. */
  readonly maxFailures: number;
  /** Runs of processes at a time; 0: no limit. */
  readonly maxConcurrency: number;
  /** For all final processes together. */
  readonly finalizationWaitMs: number;
  readonly exitWhen: ExitWhen;
  /** Which of the configs of this task it is: 0 is the one that it began with. */
  readonly revision: number;
  /** What the processes are replicas of. None for `run`. */
  readonly entries: readonly EntryPlan[];
  /** Runs that go on as they were planned, though the config has changed since: whoever is on the way down, or is to make way. */
  readonly former: readonly FormerPlan[];
  /** The command was given its input and output for good, so that there can be no second run of it. */
  readonly isHandedOver?: true;
}

/** An entry of `processes`; on entries it depends. */
export interface EntryPlan extends Omit<ProcessPlan, 'entry' | 'replica'> {
  /** null: there is one, which is called as the entry. */
  readonly replicas: number | null;
  /** What the config says, whatever clients have asked for since. */
  readonly declared: number | null;
}

export interface FormerPlan {
  readonly run: string;
  readonly plan: ProcessPlan;
}

/** When a task ends by itself: SPEC.md 9, "End of a task". */
export type ExitWhen = 'any' | 'failure' | 'all';

export interface ProcessPlan {
  /** `web`, or `web.2` where there are replicas. */
  readonly name: string;
  /** Its entry in the config: `web` for `web.2`. */
  readonly entry: string;
  /** From 1; null: it has no replicas. */
  readonly replica: number | null;
  /** `ephemeral`: does not count for the end of the task. `final`: runs after all others have ended. */
  readonly role: 'ordinary' | 'ephemeral' | 'final';
  /** Exit 0 does not finish it. */
  readonly daemon: boolean;
  /** false: declared, and started on request. */
  readonly autostart: boolean;
  readonly dependsOn: readonly Dependency[];
  /** Must succeed before each run. */
  readonly preStart: PreStartPlan | null;
  /** null: ready as soon as it has been started. */
  readonly ready: ReadyPlan | null;
  readonly health: HealthPlan | null;
  /** WATCHDOG=1 must come at least this often; null: it need not. */
  readonly watchdogMs: number | null;
  /** A tree above it for MEMORY_LOOKS looks in a row is restarted. */
  readonly memoryLimitBytes: number | null;
  /** Signal numbers; to 0: dropped. */
  readonly onSignal: ReadonlyArray<readonly [from: number, to: number]>;
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

export interface PreStartPlan {
  readonly command: Command;
  /** Not done by then: it is ended, and the run has failed before it began. null: forever. */
  readonly timeoutMs: WaitMs;
}

export interface Dependency {
  /** Name of a process; whoever depends on an entry with replicas depends on each of them. */
  readonly on: string;
  readonly condition: 'started' | 'ready' | 'healthy' | 'completed_successfully';
}

/** `notify`, `fd` and `log` come from the run itself; the others are asked for. */
export type ReadyProbe =
  | Probe
  | { readonly kind: 'notify' }
  | { readonly kind: 'fd'; readonly fd: number }
  | LogProbe;

/** What a probe is asked for. */
export type ProbeRole = 'ready' | 'health';

/** What a run is asked, or looked at, for. */
export type AskRole = ProbeRole | 'memory';

/** Passes when the tree of a leader holds no more than that. */
export interface MemoryProbe {
  readonly kind: 'memory';
  readonly pid: number;
  readonly limitBytes: number;
}

/** Between two looks at the memory of a tree: a leak is slow, and a look reads /proc. */
export const MEMORY_INTERVAL_MS = 5000;
/** So many looks in a row: what is above for a moment, while it starts or collects its garbage, is left alone. */
export const MEMORY_LOOKS = 3;

export interface LogProbe {
  readonly kind: 'log';
  /** Source of a regular expression that a line of its output matches. */
  readonly pattern: string;
}

/** A question to a process, each time with an end. */
export type Probe =
  | { readonly kind: 'exec'; readonly command: Command }
  | { readonly kind: 'http'; readonly url: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

export interface ReadyPlan {
  readonly probe: ReadyProbe;
  /** Not ready by then: the run has failed. null: forever. */
  readonly timeoutMs: WaitMs;
}

export interface HealthPlan {
  readonly probe: Probe;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Failures in a row until it is unhealthy. */
  readonly retries: number;
  /** Failures before it has passed do not count. */
  readonly startPeriodMs: number;
  /** Between two probes of the start period. */
  readonly startIntervalMs: number;
  readonly onUnhealthy: 'restart' | 'stop' | 'ignore';
}

/** What a process has that nothing else was said of; as the one process of `run`. */
export const ORDINARY = {
  replica: null,
  role: 'ordinary',
  daemon: false,
  autostart: true,
  dependsOn: [],
  preStart: null,
  ready: null,
  health: null,
  watchdogMs: null,
  memoryLimitBytes: null,
  onSignal: [],
} as const satisfies Partial<ProcessPlan>;

/** Thermos's defaults (SPEC.md 4). A task with one process fails when that has. */
export const ORDINARY_TASK = {
  maxFailures: 1,
  maxConcurrency: 0,
  finalizationWaitMs: 30_000,
  exitWhen: 'failure',
  revision: 0,
  entries: [],
  former: [],
} as const satisfies Partial<TaskPlan>;

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

/** Until it must be ready: what takes longer is rarely going to be ready at all. */
export const DEFAULT_READY_MS = 60_000;

/** Docker's, but for the last two: who waits for it should not wait for Docker's 5 s, and a probe that changes nothing is a metric. */
export const DEFAULT_HEALTH = {
  intervalMs: 30_000,
  timeoutMs: 30_000,
  retries: 3,
  startPeriodMs: 0,
  startIntervalMs: 1000,
  onUnhealthy: 'restart',
} as const satisfies Partial<HealthPlan>;

/** As long as a process may take to become ready, where nothing else is said. */
export const DEFAULT_PRE_START_MS = 60_000;

/** Whoever drains slowly should not be asked more often than this. */
export const DEFAULT_DRAIN_RETRY_MS = 30_000;

/** Between an answer that it is busy and the next question: a stop need not be faster than that, and the log not longer. */
export const BUSY_INTERVAL_MS = 5000;
/** What does not answer is not busy. */
export const BUSY_ANSWER_MS = 10_000;

/** A hook cannot hold up the end for ever, and neither can a hook that ignores the end of its time. */
export const POST_STOP_MS = 10_000;
export const HOOK_GRACE_MS = 2000;

export const HOOK_LADDER: Ladder = [{ action: 'signal', signal: 15, target: 'group', waitMs: HOOK_GRACE_MS }];

/** init has room for 2,047 runs (RUNS_MAX in runs.h), and a process can have a hook or a probe beside its own. */
export const MOST_PROCESSES = 1000;

const byName = memo(
  (processes: readonly ProcessPlan[]) => new Map(processes.map((process) => [process.name, process])),
);

const formerRuns = memo(
  (former: readonly FormerPlan[]) => new Map(former.map(({ run, plan }) => [run, plan])),
);
const formerByName = memo(
  (former: readonly FormerPlan[]) => new Map(former.map(({ plan }) => [plan.name, plan])),
);

/** Also of what the config has no more, as long as something of it is left. */
export function findProcess(plan: TaskPlan, name: string): ProcessPlan | undefined {
  return byName(plan.processes).get(name) ?? formerByName(plan.former).get(name);
}

export function processOf(plan: TaskPlan, name: string): ProcessPlan {
  const found = findProcess(plan, name);
  if (found === undefined) throw new Error(`no process "${name}" in the plan`);
  return found;
}

/** How a run was planned, where that is not as its process is planned now. */
export function formerPlan(plan: TaskPlan, run: string): ProcessPlan | undefined {
  return plan.former.length === 0 ? undefined : formerRuns(plan.former).get(run);
}

export function isInPlan(plan: TaskPlan, name: string): boolean {
  return byName(plan.processes).has(name);
}

/** Of what was stopped and forgotten a log can still tell. */
export function isKnownRun(
  plan: TaskPlan,
  run: { readonly name: string; readonly process: string; readonly serves: { readonly run: string } | null },
): boolean {
  return isInPlan(plan, run.process) || formerPlan(plan, run.serves?.run ?? run.name) !== undefined;
}

export function isFinal(plan: TaskPlan, name: string): boolean {
  return findProcess(plan, name)?.role === 'final';
}

export interface StopLevels {
  /** Of all but the final processes. */
  readonly highest: number;
  readonly lowest: number;
  readonly finals: boolean;
}

const stopLevels = memo((processes: readonly ProcessPlan[]): StopLevels => {
  const levels = processes.filter(({ role }) => role !== 'final').map(({ level }) => level);
  return {
    highest: Math.max(0, ...levels),
    lowest: levels.length === 0 ? 0 : Math.min(...levels),
    finals: levels.length < processes.length,
  };
});

const stopLevelsBefore = memo((former: readonly FormerPlan[]) => stopLevels(former.map(({ plan }) => plan)));

/** Those count that the config has no more, and of which something is left. */
export function stopLevelsOf({ processes, former }: TaskPlan): StopLevels {
  const levels = stopLevels(processes);
  if (former.length === 0) return levels;
  const { highest, lowest } = stopLevelsBefore(former);
  return {
    ...levels,
    highest: Math.max(highest, levels.highest),
    lowest: Math.min(lowest, levels.lowest),
  };
}

export function waitsOf(ladder: Ladder): WaitMs[] {
  return ladder.map((rung) => rung.waitMs);
}
