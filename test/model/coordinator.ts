/** A coordinator with its run and tree, as src/init/coordinator.c, run.c have it; order.c is src/signals/order.ts. */
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
import type { Order, RunSnapshot } from '../../src/supervisor/vocabulary.ts';
import {
  CONT,
  type Coordinator,
  isDue,
  KILL,
  MS,
  plus,
  type RunOutput,
  SECOND,
  sooner,
  TERM,
  type ToCoordinator,
} from './boundary.ts';

const PATIENCE = 250n * MS;
const KILL_AGAIN = 20n * MS;
const STUCK_AFTER = 5n * SECOND;
const STUCK_AT_LAST = 60n * SECOND;
const START_TIMEOUT = 10n * SECOND;
export const LEADER_PID = 100;
export const OTHER_PID = 200;

/** A coordinator within one step: filled while it is used, and does not leave it. */
interface Step {
  c: Coordinator;
  readonly nowNs: bigint;
  readonly out: RunOutput[];
}

/** As `coordinator_main` begins: the leader is forked, init has not been told. */
export function newCoordinator(
  name: string,
  order: Order,
  hooks: boolean,
  straggler: boolean,
  nowNs: bigint,
): Coordinator {
  return {
    name,
    inbox: [],
    outbox: [],
    over: false,
    leader: 'starting',
    other: straggler ? 'alive' : 'none',
    code: null,
    signal: null,
    pipe: 'open',
    sigchld: false,
    s: { ...blankRun(0, name), pid: LEADER_PID, forkedNs: nowNs },
    climb: newClimb({ ...order, index: null }),
    hooks,
    held: false,
    left: 0,
    early: [],
    startDueNs: nowNs + START_TIMEOUT,
    killDueNs: null,
    stuckDueNs: null,
    killedNs: 0n,
    dirty: true,
    fresh: true,
  };
}

/** One turn of its loop, with all that is ready; before the first one it tells that the run is there. */
export function stepCoordinator(
  before: Coordinator,
  nowNs: bigint,
): { readonly c: Coordinator; readonly out: readonly RunOutput[] } {
  const step: Step = { c: before, nowNs, out: [] };
  if (!before.fresh) turn(step);
  if (step.c.dirty) {
    step.out.push({ kind: 'run', run: step.c.s });
    step.c = { ...step.c, dirty: false, fresh: false };
    if (step.c.s.phase === 'ended') step.out.push({ kind: 'over' });
  }
  const frames = step.out.filter((each) => each.kind === 'run' || each.kind === 'record');
  const over = step.out.some((each) => each.kind === 'over');
  return { c: { ...step.c, outbox: [...before.outbox, ...frames], over }, out: step.out };
}

function turn(step: Step): void {
  const { inbox, sigchld } = step.c;
  set(step, { sigchld: false, inbox: [] });
  shakeHands(step);
  for (const frame of inbox) obey(step, frame);
  if (sigchld) reap(step);
  tick(step);
}

/** Something is there to be done. */
export function isReady(c: Coordinator, nowNs: bigint): boolean {
  if (c.over) return false;
  return (
    c.dirty ||
    c.sigchld ||
    c.inbox.length > 0 ||
    c.pipe === 'ready' ||
    c.pipe === 'failed' ||
    isDue(dueOf(c), nowNs)
  );
}

export function dueOf(c: Coordinator): bigint | null {
  if (c.over || c.s.phase === 'ended') return null;
  if (c.s.phase === 'killing') return sooner(c.killDueNs, c.stuckDueNs);
  if (c.climb.order.index === null || c.climb.dueNs === null) return c.startDueNs;
  return sooner(c.startDueNs, c.climb.dueNs + (c.hooks ? PATIENCE : 0n));
}

function set(step: Step, change: Partial<Coordinator>): void {
  step.c = { ...step.c, ...change };
}

/** What init is told. */
function show(step: Step, change: Partial<RunSnapshot>): void {
  step.c = { ...step.c, s: { ...step.c.s, ...change }, dirty: true };
}

function record(step: Step, type: string): void {
  step.out.push({ kind: 'record', type });
}

function shakeHands(step: Step): void {
  const { pipe, s } = step.c;
  if (pipe !== 'ready' && pipe !== 'failed') return;
  set(step, { pipe: 'closed' });
  if (pipe === 'failed') show(step, { startFailure: { stage: 'exec', errno: 2 } });
  else if (s.startFailure === null) started(step);
}

function started(step: Step): void {
  set(step, { startDueNs: null });
  show(step, { startedNs: step.nowNs });
  const { c } = step;
  if (c.s.phase === 'starting') show(step, { phase: c.climb.order.index === null ? 'running' : 'stopping' });
  record(step, 'run-started');
  const { early } = step.c;
  set(step, { early: [] });
  for (const signal of [...early].sort((a, b) => a - b)) forward(step, signal);
}

function isLive(c: Coordinator): boolean {
  return c.s.phase !== 'ended';
}

function forward(step: Step, signal: number): void {
  if (!isLive(step.c)) return;
  record(step, 'signal');
  sendGroup(step, signal);
}

function sendGroup(step: Step, signal: number): void {
  step.out.push({ kind: 'sent', to: 'group', signal });
}

function obey(step: Step, frame: ToCoordinator): void {
  if (frame.kind === 'link') set(step, { hooks: frame.present });
  else if (frame.kind === 'rung') enter(step, frame.order);
  else if (frame.asks === 1) stop(step);
  else escalate(step, frame.asks > 2);
}

function stop(step: Step): void {
  const { c, nowNs } = step;
  if (!isLive(c) || c.climb.order.index !== null || c.s.phase === 'killing') return;
  step.c = { ...c, s: { ...c.s, stopNs: nowNs } };
  record(step, 'stop-requested');
  perform(step, beginClimb(step.c.climb, TERM, nowNs, c.hooks));
}

function escalate(step: Step, kill: boolean): void {
  const { c, nowNs } = step;
  if (!isLive(c) || c.s.phase === 'killing') return;
  if (c.s.stopNs === 0n) step.c = { ...c, s: { ...c.s, stopNs: nowNs } };
  perform(step, kill ? killClimb(c.climb) : nextClimb(c.climb, nowNs, c.hooks));
}

function perform(step: Step, first: Climbed): void {
  const { nowNs } = step;
  let climbed = first;
  for (;;) {
    set(step, { climb: climbed.climb });
    const { action } = climbed;
    if (action.act === 'none') return;
    const { order } = climbed.climb;
    show(step, { rung: order.index, deadlineNs: order.deadlineNs, alone: true });
    if (action.act === 'kill') {
      killTree(step, false);
      return;
    }
    if (step.c.s.phase !== 'starting') show(step, { phase: 'stopping' });
    record(step, 'rung');
    signalRung(step, action);
    climbed = tickClimb(step.c.climb, nowNs, step.c.hooks);
  }
}

function signalRung(step: Step, action: Action): void {
  if (action.act !== 'signal') return;
  const { c } = step;
  if (c.s.phase === 'starting') {
    set(step, { early: [...c.early.filter((each) => each !== action.signal), action.signal] });
    return;
  }
  sendGroup(step, action.signal);
  sendGroup(step, CONT);
}

function enter(step: Step, order: Order): void {
  const { c, nowNs } = step;
  if (!isLive(c) || c.s.phase === 'killing') return;
  const at = c.climb.order.index;
  const same = at !== null && at === order.index;
  if (at !== null && (order.index === null || order.index < at)) return;
  const climb: Climb = {
    ...c.climb,
    order,
    beganNs: at === null ? nowNs : c.climb.beganNs,
    dueNs: order.deadlineNs,
  };
  set(step, { climb });
  if (order.index === null) return;
  if (at === null) step.c = { ...step.c, s: { ...step.c.s, stopNs: nowNs } };
  show(step, { alone: false, rung: order.index, deadlineNs: order.deadlineNs });
  if (isOver(climb)) {
    set(step, { climb: { ...climb, dueNs: null } });
    killTree(step, false);
    return;
  }
  if (step.c.s.phase === 'running') show(step, { phase: 'stopping' });
  const rung = order.rungs[order.index];
  const signal = rung?.signal === 'received' ? TERM : (rung?.signal ?? 0);
  if (same || signal === 0) return;
  if (step.c.s.phase === 'starting') {
    set(step, { early: [...step.c.early, signal] });
    return;
  }
  record(step, 'signal');
  sendGroup(step, signal);
  sendGroup(step, CONT);
}

export function isThere(of: Coordinator['leader'] | Coordinator['other']): boolean {
  return of === 'starting' || of === 'alive' || of === 'dying';
}

function countTree(c: Coordinator): number {
  return (isThere(c.leader) ? 1 : 0) + (isThere(c.other) ? 1 : 0);
}

function killTree(step: Step, again: boolean): void {
  const { nowNs } = step;
  const count = countTree(step.c);
  if (!again) {
    record(step, step.c.s.alone ? 'kill' : 'signal');
    if (count > 0) show(step, { forced: true });
    set(step, { killedNs: nowNs, stuckDueNs: nowNs + STUCK_AFTER });
    show(step, { phase: 'killing' });
  }
  sendGroup(step, KILL);
  if (step.c.s.leaderExitedNs === 0n) step.out.push({ kind: 'sent', to: 'leader', signal: KILL });
  if (count > 0) step.out.push({ kind: 'sent', to: 'tree', signal: KILL });
  set(step, { killDueNs: nowNs + KILL_AGAIN });
}

function reap(step: Step): void {
  if (!step.c.held && step.c.leader === 'zombie') leaderExited(step);
  if (!step.c.held || step.c.s.phase === 'ended') return;
  const { c, nowNs } = step;
  const left = isThere(c.other) ? 1 : 0;
  if (left < c.left && c.s.phase === 'killing' && !c.s.stuck) {
    set(step, { stuckDueNs: sooner(nowNs + STUCK_AFTER, c.killedNs + STUCK_AT_LAST) });
  }
  set(step, { left });
  if (left > 0) {
    if (c.s.stragglers > 0) return;
    show(step, { stragglers: 1, stragglerPids: [OTHER_PID] });
    record(step, 'stragglers');
    return;
  }
  set(step, { held: false, leader: 'reaped' });
  show(step, { endedNs: nowNs, phase: 'ended' });
  record(step, 'run-ended');
}

function leaderExited(step: Step): void {
  shakeHands(step);
  const { c, nowNs } = step;
  set(step, { held: true });
  show(step, { leaderExited: true, leaderExitedNs: nowNs, code: c.code, signal: c.signal });
  if (step.c.s.startFailure !== null) show(step, { code: null, signal: null });
  else record(step, 'leader-exited');
}

function tick(step: Step): void {
  const { nowNs } = step;
  if (step.c.s.phase === 'ended') return;
  if (isDue(step.c.startDueNs, nowNs)) {
    show(step, { startFailure: { stage: 'timeout', errno: 110 }, phase: 'killing' });
    step.out.push({ kind: 'sent', to: 'leader', signal: KILL });
    set(step, {
      startDueNs: null,
      killedNs: nowNs,
      killDueNs: nowNs + KILL_AGAIN,
      stuckDueNs: nowNs + STUCK_AFTER,
    });
  }
  if (step.c.s.phase === 'killing') {
    tickKilling(step);
    return;
  }
  const { climb, hooks } = step.c;
  if (hooks && !isDue(plus(climb.dueNs, PATIENCE), nowNs)) return;
  perform(step, tickClimb(climb, nowNs, hooks));
}

function tickKilling(step: Step): void {
  const { nowNs } = step;
  if (isDue(step.c.killDueNs, nowNs)) {
    killTree(step, true);
    if (step.c.s.stuck) set(step, { killDueNs: null });
  }
  if (!isDue(step.c.stuckDueNs, nowNs)) return;
  const count = countTree(step.c);
  set(step, { stuckDueNs: count > 0 ? null : nowNs + STUCK_AFTER });
  if (count === 0) return;
  show(step, { stuck: true });
  record(step, 'stuck');
}
