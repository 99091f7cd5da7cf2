/** The parts of the boundary as values, and what is on its way between them. Times are CLOCK_MONOTONIC ns; null: never. */
import type { RecordBody } from '../../src/checkpoint/record.ts';
import type { HostNews } from '../../src/host/host.ts';
import type { Climb } from '../../src/signals/order.ts';
import type { HostRequest } from '../../src/supervisor/effect.ts';
import type { TaskPlan } from '../../src/supervisor/plan.ts';
import type { State } from '../../src/supervisor/state.ts';
import type { Order, RunSnapshot } from '../../src/supervisor/vocabulary.ts';

export const MS = 1_000_000n;
export const SECOND = 1000n * MS;
export const TERM = 15;
export const KILL = 9;
export const CONT = 18;

/** What may happen at most; each bound makes the space finite. */
export interface Bounds {
  readonly plan: TaskPlan;
  /** Stop signals. */
  readonly asks: number;
  /** Supervisors that are killed, stopped, or too slow for init. */
  readonly faults: number;
  /** From so many deaths on every supervisor dies before it has said anything; null: the last one works. */
  readonly hopelessFrom: number | null;
  /** Kinds of fault that are tried. */
  readonly kinds: readonly Fault[];
  /** How a leader may end by itself. */
  readonly exits: readonly number[];
  /** It has a child in its group, which may outlive it. */
  readonly straggler: boolean;
  /** Its command cannot be executed. */
  readonly startFails: boolean;
  /** Not even SIGKILL ends the leader. */
  readonly immortal: boolean;
  /** Between fork and exec anything else may happen; otherwise exec is at once. */
  readonly lateExec: boolean;
  /** A supervisor that lives has at most so many batches unread; one that is frozen may be as late as it likes. */
  readonly lag: number;
  /** How often time passes while a supervisor has something to do; null: as often as it likes. */
  readonly late: number | null;
  /** Time passes also while init or a coordinator has something to do. */
  readonly slow: boolean;
  /** Requests for another installation. */
  readonly upgrades: number;
  /** What is asked for. */
  readonly installations: readonly Installation[];
  /** How long a supervisor stays that has nothing to decide; null: it does not leave. */
  readonly stayMs: number | null;
  /** Clients that connect, ask nothing, and go. */
  readonly calls: number;
}

/** By its folder. '': init's own. `/good` works; the others do not come up, each in its way. */
export type Installation = '' | '/good' | '/ends' | '/wrong-usage' | '/other-protocol' | '/silent';

/** crash: killed within a chunk of acts; half: within a write to init; stop: SIGSTOP; freeze: not even SIGKILL ends it. */
export type Fault = 'kill' | 'crash' | 'half' | 'stop' | 'freeze' | 'thaw';

export interface Boundary {
  readonly nowNs: bigint;
  readonly init: Init;
  /** By slot of init. */
  readonly coordinators: readonly (Coordinator | null)[];
  readonly supervisor: Supervisor | null;
  /** Written by the supervisor, and not read by init. `half`: then a piece of a frame. */
  readonly toInit: readonly FromSupervisor[];
  readonly half: boolean;
  readonly log: Log;
  readonly asked: number;
  readonly faults: number;
  readonly upgrades: number;
  readonly calls: number;
  readonly late: number;
  /** A client has connected, and nobody has accepted it. */
  readonly waits: boolean;
  /** A promise that was broken, in words. */
  readonly broken: string | null;
  readonly watch: Watch;
}

/** checkpoint.log, as far as the future depends on it. */
export interface Log {
  readonly lastSeq: number;
  /** What its records come to. */
  readonly state: State;
  /** All of them, the last one first. */
  readonly records: Written | null;
  readonly keys: Readonly<Record<string, number>>;
}
export interface Written {
  readonly seq: number;
  readonly nowNs: bigint;
  readonly body: RecordBody;
  readonly before: Written | null;
}

/** What the promises are about. By run. */
export interface Watch {
  readonly runs: Readonly<Record<string, Watched>>;
  readonly upgrades: WatchedUpgrades;
}
/** Requests: in the log, taken by init, and told the result of. `good`: the last installation that worked. */
export interface WatchedUpgrades {
  readonly recorded: number;
  readonly taken: number;
  readonly told: number;
  readonly good: Installation;
}
export interface Watched {
  readonly forks: number;
  /** Rungs that were entered, and for how many of them it was too early by the clock. */
  readonly rung: number | null;
  readonly deadlineNs: bigint | null;
  readonly early: number;
  readonly kills: number;
  readonly ends: number;
  readonly outcomes: number;
}

export type FromSupervisor =
  | { readonly kind: 'request'; readonly number: number; readonly key: number; readonly request: HostRequest }
  | Seen
  /** Of another protocol. */
  | { readonly kind: 'foreign' };

export interface Act {
  readonly record: RecordBody | null;
  readonly request: HostRequest | null;
  /** Of a request that is made again: its record is in the log. */
  readonly number: number | null;
  /** What it says when it has dealt with something, or leaves. */
  readonly seen: Seen | null;
}

interface UpTo {
  readonly event: number;
  readonly wakeNs: bigint | null;
}
export type Seen =
  | ({ readonly kind: 'seen' } & UpTo)
  | ({ readonly kind: 'leave'; readonly ordersSuffice: boolean } & UpTo);

export interface Supervisor {
  /** frozen: in uninterruptible sleep. dead: not reaped yet. */
  readonly life: 'alive' | 'stopped' | 'frozen' | 'dead';
  readonly generation: number;
  /** It does nothing, and will not. */
  readonly silent: boolean;
  /** SIGKILL is on its way. */
  readonly doomed: boolean;
  /** What its end will look like, or looks like. */
  readonly code: number | null;
  /** init has yet to be told: SIGCHLD. */
  readonly told: 'nothing' | 'stopped' | 'ended';
  /** init has closed the connection. */
  readonly cut: boolean;
  readonly inbox: readonly HostNews[];
  readonly core: State;
  readonly lastSync: number;
  readonly armedNs: bigint | null;
  /** The deadline that init was told of last. */
  readonly toldNs: bigint | null;
  /** When it leaves, if nothing comes before. */
  readonly restNs: bigint | null;
  /** It has said so, or is about to, and hears nothing any more. */
  readonly left: boolean;
  readonly acts: readonly Act[];
  /** Records that it found; looked through once. */
  readonly found: Written | null;
  readonly keys: Readonly<Record<string, number>>;
}

export interface Init {
  readonly sup: {
    readonly state: 'gone' | 'starting' | 'present' | 'absent';
    readonly socket: boolean;
    readonly process: boolean;
    readonly startedNs: bigint;
    readonly retryNs: bigint | null;
    readonly delayNs: bigint;
    readonly event: number;
    readonly seen: number;
    readonly unseenNs: bigint | null;
    readonly wakeNs: bigint | null;
    readonly lastNumber: number;
    readonly restarts: number;
    readonly failed: number;
    readonly tellHello: boolean;
    readonly tellAsks: boolean;
    readonly spawned: boolean;
    readonly partial: boolean;
    readonly reapByNs: bigint | null;
    readonly yields: boolean;
    /** Into an absence; `woken`: from one; `called`: a client waits. */
    readonly leaves: boolean;
    readonly woken: boolean;
    readonly called: boolean;
    /** What it leaves for; from when on its absence was no short one; how long the next one is to stay. null: as the plan says. */
    readonly nextNs: bigint | null;
    readonly worthNs: bigint | null;
    readonly stayNs: bigint | null;
    /** A stop needs no supervisor; there is such a stop. */
    readonly ordersSuffice: boolean;
    readonly stopsAlone: boolean;
  };
  readonly installation: {
    readonly now: Installation;
    readonly before: Installation;
    /** Requests for the one on trial. */
    readonly waiting: number;
    readonly asked: boolean;
  };
  readonly asks: {
    readonly count: number;
    readonly firstNs: bigint;
    readonly event: number;
    readonly dueNs: bigint | null;
    readonly alone: number;
  };
  readonly leave: {
    readonly asked: boolean;
    readonly code: number;
    readonly byeNs: bigint | null;
    readonly killed: boolean;
    readonly alone: boolean;
  };
  readonly present: boolean;
  /** Signals that were received before anything was started. Absent: none. */
  readonly early?: Readonly<Record<number, number>>;
  readonly slots: readonly Slot[];
  /** The last main run that was forgotten. */
  readonly judged: { readonly key: number; readonly snapshot: RunSnapshot } | null;
  readonly exited: number | null;
}

export interface Slot {
  readonly used: boolean;
  readonly name: string;
  readonly key: number;
  readonly snapshot: RunSnapshot;
  readonly dirty: boolean;
  readonly socket: boolean;
  /** Its coordinator has not been reaped. */
  readonly process: boolean;
  readonly stopAsked: boolean;
  /** How many rungs it had taken when the second ask came, and has when that is answered. */
  readonly stood: number;
  readonly answer: number;
  readonly order: Order;
  readonly forwards?: Forwards | undefined;
}

/** Signals that init has received and the coordinator has not been told of: by number, how often. Absent: none ever. */
export interface Forwards {
  readonly waiting: Readonly<Record<number, number>>;
  /** More than a quarter of its socket is taken. */
  readonly full: boolean;
  /** init has noticed, and is told when there is room. */
  readonly crowded: boolean;
}

export type ToCoordinator =
  | { readonly kind: 'rung'; readonly number: number; readonly key: number; readonly order: Order }
  | { readonly kind: 'link'; readonly present: boolean }
  | { readonly kind: 'alone'; readonly asks: number };

export type FromCoordinator =
  | { readonly kind: 'run'; readonly run: RunSnapshot }
  | { readonly kind: 'record'; readonly type: string };

export interface Coordinator {
  readonly name: string;
  /** Frames from init. */
  readonly inbox: readonly ToCoordinator[];
  /** Frames to init that it has not read. */
  readonly outbox: readonly FromCoordinator[];
  /** Its process has ended. */
  readonly over: boolean;
  readonly leader: 'starting' | 'alive' | 'dying' | 'zombie' | 'reaped';
  readonly other: 'none' | 'alive' | 'dying';
  /** What the leader's end will say. */
  readonly code: number | null;
  readonly signal: number | null;
  readonly pipe: 'open' | 'ready' | 'failed' | 'closed';
  readonly sigchld: boolean;
  readonly s: RunSnapshot;
  readonly climb: Climb;
  readonly hooks: boolean;
  readonly held: boolean;
  readonly left: number;
  readonly early: readonly number[];
  readonly startDueNs: bigint | null;
  readonly killDueNs: bigint | null;
  readonly stuckDueNs: bigint | null;
  readonly killedNs: bigint;
  readonly dirty: boolean;
  readonly fresh: boolean;
}

export type InitOutput =
  | { readonly kind: 'news'; readonly news: HostNews }
  | { readonly kind: 'pass'; readonly slot: number; readonly frame: ToCoordinator }
  | {
      readonly kind: 'forward';
      readonly slot: number;
      readonly signal: number;
      readonly times: number;
    }
  | { readonly kind: 'fork-supervisor'; readonly installation: Installation }
  | { readonly kind: 'fork-run'; readonly slot: number }
  | { readonly kind: 'kill-supervisor' }
  /** Its coordinator is left, with what cannot be killed. */
  | { readonly kind: 'hang-up'; readonly slot: number }
  | { readonly kind: 'drop' }
  | { readonly kind: 'record'; readonly type: string }
  | { readonly kind: 'exit'; readonly code: number };

export type RunOutput =
  | { readonly kind: 'run'; readonly run: RunSnapshot }
  | { readonly kind: 'record'; readonly type: string }
  | { readonly kind: 'sent'; readonly to: 'group' | 'leader' | 'tree'; readonly signal: number }
  | { readonly kind: 'over' };

export function isDue(atNs: bigint | null, nowNs: bigint): boolean {
  return atNs !== null && nowNs >= atNs;
}

export function sooner(one: bigint | null, other: bigint | null): bigint | null {
  if (one === null) return other;
  return other === null || one < other ? one : other;
}

export function plus(atNs: bigint | null, ns: bigint): bigint | null {
  return atNs === null ? null : atNs + ns;
}
