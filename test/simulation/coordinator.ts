/** A simulated run: its processes, and the coordinator that carries out orders for them. */
import { blankRun } from '../../src/host/blank-run.ts';
import {
  type Action,
  beginClimb,
  type Climb,
  type Climbed,
  isOver,
  killClimb,
  newClimb,
  nextClimb,
  tickClimb,
} from '../../src/signals/order.ts';
import type { Order, RunSnapshot, Target } from '../../src/supervisor/vocabulary.ts';
import { type Behaviour, CONT, KILL } from './behaviour.ts';
import { MS, type Scheduler } from './scheduler.ts';
import type { Step } from './trace.ts';

/** As src/init/run.c has them. */
const PATIENCE = 250n * MS;
const STUCK_AFTER_MS = 5000;
/** From fork to exec, and from a deadly signal to the end: nobody may count on it being nothing. */
const START_MS = 1;
const DIE_MS = 1;

interface Member {
  readonly pid: number;
  readonly behaviour: Behaviour;
  readonly outside: boolean;
  alive: boolean;
  stopped: boolean;
  /** What came while it was stopped. */
  readonly held: number[];
  /** The last rung whose signal it has had. */
  told: number | null;
}

/** A signal asked for, and the request that asked for it; null: nobody did. */
interface Told {
  readonly signal: number;
  readonly target: Target;
  readonly rung: number | null;
  readonly number: number | null;
}

export interface Coordinator {
  snapshot(): RunSnapshot;
  /** Level of its order. */
  level(): number;
  enter(order: Order, number: number): void;
  signal(signal: number, target: Target, number: number): void;
  /** A stop that nobody took care of. */
  begin(signal: number): void;
  escalate(): void;
  kill(): void;
  isEmpty(): boolean;
  /** When a supervisor last said what to do. */
  enteredNs(): bigint;
  /** A deadline of its order is still to come. */
  isArmed(): boolean;
  /** Whether there is somebody for hooks has changed. */
  hooksChanged(): void;
}

export interface Surroundings {
  readonly scheduler: Scheduler;
  /** A supervisor lives or is being started: hooks are waited for. */
  hooks(): boolean;
  changed(): void;
  trace(step: Step): void;
}

export function createCoordinator(
  key: number,
  name: string,
  behaviour: Behaviour,
  order: Order,
  world: Surroundings,
): Coordinator {
  const { scheduler } = world;
  const now = scheduler.nowNs();
  let climb: Climb = newClimb({ ...order, index: null, deadlineNs: null });
  let disarm: (() => void) | null = null;
  let enteredNs = 0n;
  /** The request that said where it stands; null: nobody did. */
  let standsBy: number | null = null;
  let state: RunSnapshot = { ...blankRun(key, name), pid: key * 100, forkedNs: now };
  /** Kept until the command is there to have it. */
  const early: Told[] = [];
  const members: Member[] = [behaviour, ...(behaviour.others ?? [])].map((each, at) => ({
    pid: key * 100 + at,
    behaviour: each,
    outside: at > 0 && (each as { outside?: true }).outside === true,
    alive: true,
    stopped: each.stopped === true,
    held: [],
    told: null,
  }));

  const change = (news: Partial<RunSnapshot>): void => {
    state = { ...state, ...news };
    world.changed();
  };
  const living = (): Member[] => members.filter((member) => member.alive);

  const start = (): void => {
    if (living().length === 0) return;
    if (behaviour.fails) {
      for (const member of members) member.alive = false;
      change({ startFailure: behaviour.fails });
      over();
      return;
    }
    const { phase, rung } = state;
    const next = phase === 'killing' ? phase : rung === null ? 'running' : 'stopping';
    change({ phase: next, startedNs: scheduler.nowNs() });
    const { ready } = behaviour;
    if (ready !== undefined)
      scheduler.after(ready, () => {
        if (members[0]?.alive) change({ ready: true, notifyCount: state.notifyCount + 1 });
      });
    for (const member of members) {
      const { lives, exit, by } = member.behaviour;
      if (lives !== undefined)
        scheduler.after(lives, () => end(member, by === undefined ? (exit ?? 0) : null, by ?? null));
    }
    for (const told of early.splice(0)) sendTo(told);
  };

  const over = (): void => {
    disarm?.();
    disarm = null;
    world.trace({ atNs: scheduler.nowNs(), kind: 'ended', run: name, key });
    change({ phase: 'ended', endedNs: scheduler.nowNs(), stuck: false });
  };

  const end = (member: Member, code: number | null, signal: number | null): void => {
    if (!member.alive) return;
    member.alive = false;
    const left = living();
    const stragglers = { stragglers: left.length, stragglerPids: left.map((each) => each.pid) };
    const leader = member === members[0];
    if (leader) change({ leaderExited: true, leaderExitedNs: scheduler.nowNs(), code, signal });
    change(stragglers);
    if (left.length === 0) over();
    else if (leader) tellStragglers();
  };

  const deliver = (member: Member, signal: number, number: number | null): void => {
    if (!member.alive) return;
    const leader = member === members[0];
    const sent = { run: name, pid: member.pid, leader, signal, number };
    world.trace({ atNs: scheduler.nowNs(), kind: 'sent', ...sent });
    if (member.stopped && signal !== KILL) member.held.push(signal);
    else react(member, signal);
  };

  const react = (member: Member, signal: number): void => {
    const reaction = member.behaviour.on?.[signal];
    const { extends: extension } = member.behaviour;
    if (extension?.signal === signal) {
      scheduler.after(extension.after, () =>
        change({
          extendUs: extension.ms * 1000,
          extendNs: scheduler.nowNs(),
          notifyCount: state.notifyCount + 1,
        }),
      );
    }
    if (signal === KILL) {
      if (member.behaviour.stuck !== true) scheduler.after(DIE_MS, () => end(member, null, KILL));
    } else if (reaction === undefined) scheduler.after(DIE_MS, () => end(member, null, signal));
    else if (reaction !== 'ignore')
      scheduler.after(reaction.after, () => end(member, reaction.exit ?? 0, null));
  };

  /** SIGCONT, which follows each signal of a rung. */
  const resume = (member: Member): void => {
    if (!member.stopped) return;
    member.stopped = false;
    for (const signal of member.held.splice(0)) react(member, signal);
  };

  const sendTo = (told: Told): void => {
    if (state.phase === 'starting') {
      early.push(told);
      return;
    }
    const { signal, target, rung, number } = told;
    const gone = members[0]?.alive !== true;
    for (const member of living()) {
      const meant =
        target === 'tree' || gone || (target === 'group' ? !member.outside : member === members[0]);
      if (!meant || (rung !== null && member.told === rung)) continue;
      if (rung !== null) member.told = rung;
      deliver(member, signal, number);
      if (rung !== null || signal === CONT) resume(member);
    }
  };

  /** Whom this rung was not for while the leader lived. */
  const tellStragglers = (): void => {
    const { index, rungs } = climb.order;
    const rung = index === null ? undefined : rungs[index];
    if (rung === undefined || rung.signal === 0) return;
    const signal = rung.signal === 'received' ? climb.received : rung.signal;
    sendTo({ signal, target: 'tree', rung: index, number: standsBy });
  };

  const killAll = (): void => {
    early.length = 0;
    if (living().length > 0) change({ forced: true });
    change({ phase: 'killing', rung: climb.order.rungs.length, deadlineNs: null });
    for (const member of living()) deliver(member, KILL, standsBy);
    scheduler.after(STUCK_AFTER_MS, () => {
      if (living().length > 0) change({ stuck: true });
    });
  };

  /** A supervisor has a moment more than the order says, for as long as there is one. */
  const arm = (): void => {
    disarm?.();
    disarm = null;
    if (climb.dueNs === null || isOver(climb) || living().length === 0) return;
    disarm = scheduler.at(climb.dueNs + (world.hooks() ? PATIENCE : 0n), () => {
      disarm = null;
      perform(tickClimb(climb, scheduler.nowNs(), world.hooks()));
    });
  };

  /** A rung with no wait is followed by the next at once. */
  const perform = (first: Climbed): void => {
    if (living().length === 0) return;
    for (let next = first; ; next = tickClimb(climb, scheduler.nowNs(), world.hooks())) {
      climb = next.climb;
      if (next.action.act === 'none') break;
      standsBy = null;
      world.trace({ atNs: scheduler.nowNs(), kind: 'alone', run: name, order: climb.order });
      act(next.action, true);
    }
    arm();
  };

  const act = (action: Action, alone: boolean): void => {
    const stopNs = state.stopNs > 0n ? state.stopNs : scheduler.nowNs();
    change({ stopNs, alone, rung: climb.order.index, deadlineNs: climb.order.deadlineNs });
    if (action.act !== 'kill' && state.phase !== 'starting') change({ phase: 'stopping' });
    if (action.act === 'kill') killAll();
    if (action.act === 'signal')
      sendTo({
        signal: action.signal,
        target: action.target,
        rung: climb.order.index,
        number: standsBy,
      });
  };

  scheduler.after(START_MS, start);
  return {
    snapshot: () => state,
    level: () => climb.order.level,
    isEmpty: () => living().length === 0,
    enteredNs: () => enteredNs,
    isArmed: () => disarm !== null,
    hooksChanged: () => {
      if (!world.hooks()) perform(tickClimb(climb, scheduler.nowNs(), false));
      arm();
    },
    enter(next, number) {
      if (living().length === 0 || state.phase === 'killing') return;
      const before = climb.order.index;
      if (before !== null && (next.index ?? -1) < before) return;
      enteredNs = scheduler.nowNs();
      standsBy = number;
      const beganNs = before === null ? scheduler.nowNs() : climb.beganNs;
      climb = { ...climb, order: next, beganNs, dueNs: next.deadlineNs };
      if (next.index === null) return;
      const rung = next.rungs[next.index];
      if (rung === undefined) act({ act: 'kill', signal: KILL, target: 'tree' }, false);
      else if (before !== next.index && rung.signal !== 0) {
        act({ act: 'signal', signal: Number(rung.signal), target: rung.target }, false);
      } else act({ act: 'wait' }, false);
      arm();
    },
    signal: (signal, target, number) => sendTo({ signal, target, rung: null, number }),
    begin(signal) {
      if ((climb.order.index === null || climb.order.firstOnly) && living().length > 0) {
        perform(beginClimb(climb, signal, scheduler.nowNs(), world.hooks()));
      }
    },
    escalate: () => perform(nextClimb(climb, scheduler.nowNs(), world.hooks())),
    kill: () => perform(killClimb(climb)),
  };
}
