import { spawn } from 'node:child_process';
import { signalNumber } from '../signals/names.ts';
import { type Action, type Climb, isOver, newClimb, tickClimb } from '../signals/order.ts';
import type { Launch, Order, Phase, RunSnapshot, Target } from '../supervisor/vocabulary.ts';
import { blankRun } from './blank-run.ts';
import type { Clock } from './host.ts';
import { portableSpawnOptions, startFailureOf } from './portable-launch.ts';
import { createPortableTree, type PortableTree } from './portable-tree.ts';
import { readProcess } from './process-table.ts';

/** A rung that is due is not left lying longer than this when its supervisor does not take the next one. */
const SUPERVISOR_LATE_NS = 250_000_000n;
/** How often a tree without its leader is looked at: nothing tells when processes end that are not one's own. */
const LOOK_NS = 50_000_000n;
/** What SIGKILL does not end in this time is stuck. */
const STUCK_NS = 5_000_000_000n;
const PIDS_MAX = 16;
const SIGCONT = 18;
const SIGKILL = 9;

export interface PortableRun {
  readonly snapshot: RunSnapshot;
  enter(order: Order): void;
  signal(signal: number, target: Target): void;
  /** Timers end; processes do not. */
  abandon(): void;
}

/**
 * One run: its leader as a child of this process, and the order that is carried out for it. `received` says which
 * signal asked for the stop; `changed` is called whenever the snapshot is another.
 */
export function startPortableRun(
  key: number,
  name: string,
  launch: Launch,
  firstOrder: Order,
  clock: Clock,
  received: () => number,
  changed: () => void,
): PortableRun {
  let snapshot: RunSnapshot = { ...blankRun(key, name), forkedNs: clock.nowNs() };
  let climb: Climb = newClimb(firstOrder);
  let tree: PortableTree | null = null;
  let killNs = 0n;
  let disarmWait = (): void => {};
  let disarmLook = (): void => {};

  const set = (change: Partial<RunSnapshot>): void => {
    snapshot = { ...snapshot, ...change };
    changed();
  };
  const leaderLives = (): boolean => snapshot.phase !== 'starting' && !snapshot.leaderExited;
  const send = (signal: number, target: Target, escaped?: 'escaped'): void => {
    tree?.signal(signal, target, escaped);
    // A stopped process sees no signal but this one and SIGKILL.
    if (signal !== SIGKILL && signal !== SIGCONT) tree?.signal(SIGCONT, target, escaped);
  };

  startChild(launch, started, failed, exited);

  function started(pid: number): void {
    const startTicks = readProcess(pid)?.startTicks ?? 0n;
    snapshot = { ...snapshot, phase: 'running', pid, startTicks, startedNs: clock.nowNs() };
    tree = createPortableTree(pid, leaderLives);
  }

  function failed(error: NodeJS.ErrnoException): void {
    set({ phase: 'ended', startFailure: startFailureOf(error, launch), endedNs: clock.nowNs() });
  }

  function exited(code: number | null, signalName: string | null): void {
    const signal = signalName === null ? null : (signalNumber(signalName) ?? null);
    snapshot = { ...snapshot, leaderExited: true, leaderExitedNs: clock.nowNs(), code, signal };
    const left = tree?.look() ?? [];
    set({ stragglers: left.length, stragglerPids: left.slice(0, PIDS_MAX) });
    if (left.length > 0) tellStragglers();
    look();
  }

  /** The rung's signal is for all that outlives the leader: those get it whom its target did not cover. Once. */
  function tellStragglers(): void {
    const action = climb.order.index === null ? null : actionOf(climb);
    if (action?.act !== 'signal' || action.target === 'tree') return;
    send(action.signal, 'tree', action.target === 'group' ? 'escaped' : undefined);
  }

  function look(): void {
    disarmLook();
    const left = tree?.look() ?? [];
    if (snapshot.leaderExited && left.length === 0) {
      end();
      return;
    }
    if (isOver(climb)) kill(left);
    if (`${left.slice(0, PIDS_MAX)}` !== `${snapshot.stragglerPids}` && snapshot.leaderExited) {
      set({ stragglerPids: left.slice(0, PIDS_MAX) });
    }
    disarmLook = clock.at(clock.nowNs() + LOOK_NS, look);
  }

  function kill(left: readonly number[]): void {
    send(SIGKILL, 'tree');
    if (snapshot.stuck || clock.nowNs() < killNs + STUCK_NS) return;
    set({ stuck: true, stragglerPids: left.slice(0, PIDS_MAX) });
  }

  function end(): void {
    disarmWait();
    set({ phase: 'ended', endedNs: clock.nowNs(), stragglerPids: [] });
  }

  function act(action: Action): void {
    if (action.act === 'kill') {
      killNs = clock.nowNs();
      stand('killing', true);
      look();
      return;
    }
    stand('stopping', snapshot.forced);
    if (action.act === 'signal') send(action.signal, action.target);
    if (snapshot.leaderExited) look();
  }

  function stand(phase: Phase, forced: boolean): void {
    const { index, deadlineNs } = climb.order;
    set({ phase, forced, rung: index, deadlineNs, stopNs: climb.beganNs });
    disarmWait();
    if (climb.dueNs !== null) disarmWait = clock.at(climb.dueNs, goOnAlone);
  }

  function goOnAlone(): void {
    const next = tickClimb(climb, clock.nowNs(), true);
    climb = next.climb;
    if (next.action.act === 'none') return;
    snapshot = { ...snapshot, alone: true };
    act(next.action);
  }

  return {
    get snapshot() {
      return snapshot;
    },
    enter(order) {
      if (snapshot.phase === 'ended') return;
      const beganNs = climb.beganNs === 0n ? clock.nowNs() : climb.beganNs;
      const dueNs = order.deadlineNs === null ? null : order.deadlineNs + SUPERVISOR_LATE_NS;
      climb = { order, received: received(), beganNs, dueNs, cutNs: 0n };
      snapshot = { ...snapshot, alone: false };
      act(actionOf(climb));
    },
    signal: (signal, target) => tree?.signal(signal, target),
    abandon() {
      disarmWait();
      disarmLook();
    },
  };
}

function startChild(
  launch: Launch,
  started: (pid: number) => void,
  failed: (error: NodeJS.ErrnoException) => void,
  exited: (code: number | null, signalName: string | null) => void,
): void {
  const [file = '', ...args] = launch.argv;
  // Umask belongs to a process and is inherited: it is set for the moment of the fork, which is synchronous.
  const before = launch.umask === undefined ? null : process.umask(launch.umask);
  try {
    const child = spawn(file, args, portableSpawnOptions(launch));
    child.once('exit', exited);
    // Node reports some errors of a start by an event and throws the others.
    child.on('error', (error) => child.pid === undefined && failed(error));
    if (child.pid !== undefined) started(child.pid);
  } catch (error) {
    failed(error as NodeJS.ErrnoException);
  } finally {
    if (before !== null) process.umask(before);
  }
}

function actionOf(climb: Climb): Action {
  const rung = climb.order.rungs[climb.order.index ?? 0];
  if (isOver(climb) || rung === undefined) return { act: 'kill', signal: SIGKILL, target: 'tree' };
  const signal = rung.signal === 'received' ? climb.received : rung.signal;
  return signal === 0 ? { act: 'wait' } : { act: 'signal', signal, target: rung.target };
}
