/**
 * What the core knows. `task`, `processes` and `runs` follow from the records of checkpoint.log alone; `live` is what
 * the host says now, and what only this supervisor has done. Nothing that matters lives in `live` only.
 */
import type { BodyOf } from '../checkpoint/record.ts';
import type { ProbeRole, TaskPlan } from './plan.ts';
import { emptyTable, type Table, tableOf } from './table.ts';
import type { Asks, Hello, RunSnapshot } from './vocabulary.ts';

export type Outcome = BodyOf<'outcome'>['outcome'];
export type OutcomeCause = BodyOf<'outcome'>['cause'];
export type StopCause = BodyOf<'stop-requested'>['cause'];
export type TaskState = BodyOf<'task-state'>['state'];
export type Health = BodyOf<'health-changed'>['health'];
export type By = BodyOf<'stop-requested'>['by'];

/** Run states of DESIGN.md 4, `backoff` among them. */
export type RunState =
  | 'waiting'
  | 'backoff'
  | 'forked'
  | 'running'
  | 'ready'
  | 'stopping'
  | 'killing'
  | Outcome;

/** As far as the log tells: `running` is a fact of the host. */
export type Phase = Exclude<RunState, 'running' | 'ready'>;

export interface State {
  readonly plan: TaskPlan;
  readonly task: Task;
  readonly processes: Table<Process>;
  /** By name. Hooks are runs too; only the last run of a process is kept. */
  readonly runs: Table<Run>;
  readonly live: Live;
}

export interface Task {
  /** Its `task` record is in the log. */
  readonly begun: boolean;
  readonly state: TaskState;
  readonly exitCode: number | null;
  readonly stop: Stop | null;
  /** Stop signals that have been acted on. */
  readonly asks: number;
  /** When everything must be over. */
  readonly budget: { readonly budgetMs: number; readonly deadlineNs: bigint } | null;
  /** Only final processes are left to begin, when what belongs to no run has gone. */
  readonly clearing: boolean;
  /** When the final processes must be done; null: they have not begun, or may take for ever. */
  readonly finalsEndNs: bigint | null;
  /** What stops the final processes: whatever stopped the others does not concern them. */
  readonly finalsStop: Stop | null;
  /** Stop signals that came while they ran. */
  readonly finalsAsks: number;
  /** What ended last was stopped by a client, which ends no task: it waits for what is asked for next. */
  readonly held: boolean;
  /** Signals to read the config again that have been acted on. */
  readonly reloads: number;
}

export interface Stop {
  /** `run`: what its leader has left behind. */
  readonly scope: 'run' | 'process' | 'task';
  readonly cause: StopCause;
  /** What `received` stands for in a ladder. */
  readonly signal: number;
  readonly by: By;
  /** A drain: the first rung, and no further. */
  readonly firstOnly: boolean;
}

export interface Process {
  readonly want: 'up' | 'down';
  /** Number of the last run that was forked; 0: none yet. */
  readonly runs: number;
  readonly failures: number;
  /** Somebody wants another run as soon as the last one is gone, however that ends. */
  readonly again: boolean;
  /** Its run is to make way for a new one, when it is its turn. */
  readonly renewal: Renewal | null;
  readonly last: Result | null;
}

export interface Renewal {
  readonly cause: 'api' | 'reload';
  readonly by: By;
}

export interface Result {
  readonly run: string;
  readonly outcome: Outcome;
  readonly cause: OutcomeCause;
  readonly code: number | null;
  /** Name of the signal that the leader died of. */
  readonly signal: string | null;
  readonly forced: boolean;
  /** Its start has failed for want of something that can be there again. */
  readonly transient: boolean;
  readonly forkedNs: bigint;
  readonly endedNs: bigint;
}

export interface Run {
  readonly name: string;
  readonly process: string;
  readonly phase: Phase;
  readonly ready: boolean;
  /** null: nobody asks, or nothing is known yet. */
  readonly health: Health | null;
  /** Backoff: when it may start. Hook: its time-out. */
  readonly dueNs: bigint | null;
  /** This run serves another one. */
  readonly serves: { readonly run: string; readonly kind: HookKind; readonly index: number | null } | null;
  /** A stop covers it; it climbs when its level's turn has come. */
  readonly stop: Stop | null;
  readonly rung: Standing | null;
  /** What a repeated ask demands of it and has not been done yet. */
  readonly owed: 'escalate' | 'kill' | null;
  readonly hook: HookOf | null;
  /** How many hooks were begun on its way down. */
  readonly hooks: number;
  /** Number of the last of its probes that was a command. */
  readonly probes: number;
  readonly drained: boolean;
  readonly cutMs: number;
  /** SIGKILL came because somebody asked again, not because a wait was over. */
  readonly hurried: boolean;
  /** Its coordinator is to have another order: the config has changed. */
  readonly reorder: boolean;
}

export interface Standing {
  readonly index: number;
  readonly waitMs: number | null;
  readonly deadlineNs: bigint | null;
  readonly notifyCount: number;
  /** In a drain, which ends it only when a stop comes. */
  readonly firstOnly: boolean;
}

export type HookKind = 'pre-start' | 'busy' | 'pre-stop' | 'http-post' | 'post-stop' | ProbeRole;

/** The last hook of a run. */
export interface HookOf {
  readonly name: string;
  readonly kind: HookKind;
  /** The rung it belongs to; null: before the start, or after the end. */
  readonly index: number | null;
  readonly result: 'ok' | 'failed' | null;
  /** When it is tried again, where it must succeed. */
  readonly retryNs: bigint | null;
}

export interface Live {
  readonly hello: Hello | null;
  readonly supervisorPid: number;
  readonly asks: Asks | null;
  /** The picture of what is there is complete. */
  readonly synced: boolean;
  /** A batch of news has begun, and its end is still to come: what of it is known is no picture of any moment. */
  readonly partial: boolean;
  readonly seen: Table<RunSnapshot>;
  /** In the log, but not at the host. */
  readonly missing: Readonly<Record<string, true>>;
  /** By run and role: what it was asked last, and what its answers come to. A next supervisor counts anew. */
  readonly probes: Table<Asked>;
  /** Since when this supervisor knows that a run is ready. */
  readonly readyNs: Table<bigint>;
  /** What has been said, or posted, by this supervisor. */
  readonly done: Table<true>;
  /** The config is being read, for these; and has to be once more for those who came later. */
  readonly reload: { readonly reading: readonly Reader[]; readonly waiting: readonly Reader[] } | null;
}

/** Who wants the config read again. id null: init has told of a signal, the `count`th. */
export interface Reader {
  readonly id: number | null;
  readonly by: By;
  readonly count: number;
}

const NEW_TASK: Task = {
  begun: false,
  state: 'active',
  exitCode: null,
  stop: null,
  asks: 0,
  budget: null,
  clearing: false,
  finalsEndNs: null,
  finalsStop: null,
  finalsAsks: 0,
  held: false,
  reloads: 0,
};

export interface Asked {
  /** null: the answer is still to come. */
  readonly answeredNs: bigint | null;
  /** In a row. */
  readonly failures: number;
  readonly verdict: Health | null;
  readonly reason: string | null;
}

export function initialState(plan: TaskPlan): State {
  const started = plan.processes.filter((process) => process.autostart);
  return {
    plan,
    task: { ...NEW_TASK, held: isForClients(plan) },
    processes: tableOf(
      plan.processes.map(({ name, autostart }) => [name, newProcess(autostart ? 'up' : 'down')]),
    ),
    runs: tableOf(started.map(({ name }) => [`${name}#1`, newRun(`${name}#1`, name, { phase: 'waiting' })])),
    live: {
      hello: null,
      supervisorPid: 0,
      asks: null,
      synced: false,
      partial: false,
      seen: emptyTable(),
      missing: {},
      probes: emptyTable(),
      readyNs: emptyTable(),
      done: emptyTable(),
      reload: null,
    },
  };
}

export function newProcess(want: Process['want']): Process {
  return { want, runs: 0, failures: 0, again: false, renewal: null, last: null };
}

/** All that counts for its end is declared only. */
function isForClients({ processes }: TaskPlan): boolean {
  return processes.every(({ role, autostart }) => role !== 'ordinary' || !autostart);
}

export function newRun(name: string, process: string, known: Partial<Run>): Run {
  return {
    name,
    process,
    phase: 'forked',
    ready: false,
    health: null,
    dueNs: null,
    serves: null,
    stop: null,
    rung: null,
    owed: null,
    hook: null,
    hooks: 0,
    probes: 0,
    drained: false,
    cutMs: 0,
    hurried: false,
    reorder: false,
    ...known,
  };
}
