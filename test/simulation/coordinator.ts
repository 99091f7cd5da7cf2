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
import { type Behaviour, KILL } from './behaviour.ts';
import { MS, type Scheduler } from './scheduler.ts';

/** As src/init/run.c has them. */
const PATIENCE = 250n * MS;
const STUCK_AFTER_MS = 5000;

interface Member {
  readonly pid: number;
  readonly behaviour: Behaviour;
  readonly outside: boolean;
  alive: boolean;
  /** The last rung whose signal it has had. */
  told: number | null;
}

export interface Sent {
  readonly atNs: bigint;
  readonly run: string;
  readonly pid: number;
  readonly leader: boolean;
  readonly signal: number;
}

export interface Coordinator {
  snapshot(): RunSnapshot;
  enter(order: Order): void;
  signal(signal: number, target: Target): void;
  /** A stop that nobody took care of. */
  begin(signal: number): void;
  escalate(): void;
  kill(): void;
  isEmpty(): boolean;
  /** When a supervisor last said what to do. */
  enteredNs(): bigint;
}

export interface Surroundings {
  readonly scheduler: Scheduler;
  /** A supervisor lives or is being started: hooks are waited for. */
  hooks(): boolean;
  changed(): void;
  sent(sent: Sent): void;
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
  let disarm = (): void => {};
  let enteredNs = 0n;
  let state: RunSnapshot = { ...blankRun(key, name), pid: key * 100, forkedNs: now };
  const members: Member[] = [
    { pid: key * 100, behaviour, outside: false, alive: true, told: null },
    ...(behaviour.others ?? []).map((other, at) => ({
      pid: key * 100 + at + 1,
      behaviour: other,
      outside: other.outside === true,
      alive: true,
      told: null,
    })),
  ];

  const change = (news: Partial<RunSnapshot>): void => {
    state = { ...state, ...news };
    world.changed();
  };
  const living = (): Member[] => members.filter((member) => member.alive);

  const start = (): void => {
    if (behaviour.fails) {
      for (const member of members) member.alive = false;
      change({ startFailure: behaviour.fails, phase: 'ended', endedNs: scheduler.nowNs() });
      return;
    }
    change({ phase: state.rung === null ? 'running' : 'stopping', startedNs: scheduler.nowNs() });
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
  };

  const end = (member: Member, code: number | null, signal: number | null): void => {
    if (!member.alive) return;
    member.alive = false;
    const at = scheduler.nowNs();
    const left = living();
    const stragglers = { stragglers: left.length, stragglerPids: left.map((each) => each.pid) };
    const leader = member === members[0];
    if (leader) change({ leaderExited: true, leaderExitedNs: at, code, signal });
    change(stragglers);
    if (left.length === 0) {
      disarm();
      change({ phase: 'ended', endedNs: at, stuck: false });
    } else if (leader) tellStragglers();
  };

  const deliver = (member: Member, signal: number): void => {
    if (!member.alive) return;
    const leader = member === members[0];
    world.sent({ atNs: scheduler.nowNs(), run: name, pid: member.pid, leader, signal });
    const reaction = member.behaviour.on?.[signal];
    const { extends: extension } = member.behaviour;
    if (extension?.signal === signal) {
      scheduler.after(extension.after, () =>
        change({ extendUs: extension.ms * 1000, notifyCount: state.notifyCount + 1 }),
      );
    }
    if (signal === KILL) {
      // The kernel needs a moment; nobody may count on it being none.
      if (member.behaviour.stuck !== true) scheduler.after(1, () => end(member, null, KILL));
    } else if (reaction === undefined) scheduler.after(1, () => end(member, null, signal));
    else if (reaction !== 'ignore')
      scheduler.after(reaction.after, () => end(member, reaction.exit ?? 0, null));
  };

  const sendTo = (signal: number, target: Target, rung: number | null): void => {
    const gone = members[0]?.alive !== true;
    for (const member of living()) {
      const meant =
        target === 'tree' || gone || (target === 'group' ? !member.outside : member === members[0]);
      if (!meant || (rung !== null && member.told === rung)) continue;
      if (rung !== null) member.told = rung;
      deliver(member, signal);
    }
  };

  /** Whom this rung was not for while the leader lived. */
  const tellStragglers = (): void => {
    const { index, rungs } = climb.order;
    const rung = index === null ? undefined : rungs[index];
    if (rung === undefined || rung.signal === 0) return;
    sendTo(rung.signal === 'received' ? climb.received : rung.signal, 'tree', index);
  };

  const killAll = (): void => {
    if (living().length > 0) change({ forced: true });
    change({ phase: 'killing', rung: climb.order.rungs.length, deadlineNs: null });
    for (const member of living()) deliver(member, KILL);
    scheduler.after(STUCK_AFTER_MS, () => {
      if (living().length > 0) change({ stuck: true });
    });
  };

  const arm = (): void => {
    disarm();
    if (climb.dueNs === null || isOver(climb)) return;
    disarm = scheduler.at(climb.dueNs, () =>
      perform(tickClimb(climb, scheduler.nowNs(), world.hooks()), true),
    );
  };

  const perform = (climbed: Climbed, alone: boolean): void => {
    if (living().length === 0) return;
    climb = climbed.climb;
    if (climbed.action.act !== 'none') act(climbed.action, alone);
    arm();
  };

  const act = (action: Action, alone: boolean): void => {
    const stopNs = state.stopNs > 0n ? state.stopNs : scheduler.nowNs();
    change({ stopNs, alone, rung: climb.order.index, deadlineNs: climb.order.deadlineNs });
    if (action.act !== 'kill') change({ phase: 'stopping' });
    if (action.act === 'kill') killAll();
    if (action.act === 'signal') sendTo(action.signal, action.target, climb.order.index);
  };

  scheduler.after(1, start);
  return {
    snapshot: () => state,
    isEmpty: () => living().length === 0,
    enteredNs: () => enteredNs,
    enter(next) {
      if (living().length === 0) return;
      const before = climb.order.index;
      if (before !== null && (next.index ?? -1) < before) return;
      enteredNs = scheduler.nowNs();
      const over = isOver(climb);
      const beganNs = before === null ? scheduler.nowNs() : climb.beganNs;
      const dueNs = next.deadlineNs === null ? null : next.deadlineNs + PATIENCE;
      climb = { ...climb, order: next, beganNs, dueNs };
      if (next.index === null) return;
      const rung = next.rungs[next.index];
      if (rung === undefined) {
        if (!over) act({ act: 'kill', signal: KILL, target: 'tree' }, false);
      } else if (before !== next.index && rung.signal !== 0) {
        act({ act: 'signal', signal: Number(rung.signal), target: rung.target }, false);
      } else act({ act: 'wait' }, false);
      arm();
    },
    signal: (signal, target) => sendTo(signal, target, null),
    begin(signal) {
      if (climb.order.index === null && living().length > 0) {
        perform(beginClimb(climb, signal, scheduler.nowNs(), world.hooks()), true);
      }
    },
    escalate: () => perform(nextClimb(climb, scheduler.nowNs(), world.hooks()), true),
    kill: () => perform(killClimb(climb), true),
  };
}
