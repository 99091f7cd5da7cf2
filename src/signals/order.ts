/**
 * The rungs of a stop as a function of time: what to do next, and when. Coordinators do the same in C (src/init/order.c);
 * test/vectors/orders.json is tried against both. Here it is what the supervisor predicts of them, and what the
 * simulated ones of the tests are made of.
 */
import type { Order, OrderRung, Target } from '../supervisor/vocabulary.ts';
import { nsOf, shareOut } from './budget.ts';

const SIGKILL = 9;
const SIGTERM = 15;

export interface Climb {
  readonly order: Order;
  readonly received: number;
  readonly beganNs: bigint;
  /** When the present wait is over for this machine; null: never. Later than the deadline where a supervisor decides. */
  readonly dueNs: bigint | null;
  readonly cutNs: bigint;
}

export type Action =
  | { readonly act: 'none' | 'wait' }
  | { readonly act: 'signal' | 'kill'; readonly signal: number; readonly target: Target };

export interface Climbed {
  readonly climb: Climb;
  readonly action: Action;
}

const NOTHING: Action = { act: 'none' };

export function newClimb(order: Order): Climb {
  return { order, received: SIGTERM, beganNs: 0n, dueNs: null, cutNs: 0n };
}

/** Nothing but SIGKILL is left to do. */
export function isOver(climb: Climb): boolean {
  return climb.order.index !== null && climb.order.index >= climb.order.rungs.length;
}

/** A stop was asked for by `received`. `hooks`: somebody is there to carry out hook rungs. */
export function beginClimb(climb: Climb, received: number, nowNs: bigint, hooks: boolean): Climbed {
  const { firstOnly, ...order } = climb.order;
  const begun = { ...climb, order, received, beganNs: nowNs };
  const drained = firstOnly === true && order.index !== null;
  if (!order.mustDrain) return drained ? stay(begun, nowNs, hooks) : enter(begun, 0, nowNs, hooks);
  // Not to be signalled undrained, and draining takes a supervisor: only the cap ends this wait.
  const cap = nsOf(climb.order.capMs);
  return { climb: stand(begun, 0, cap === null ? null : nowNs + cap, 0n), action: { act: 'wait' } };
}

/** It has had its first rung in a drain: only the wait begins. */
function stay(climb: Climb, nowNs: bigint, hooks: boolean): Climbed {
  const entered = enter(climb, climb.order.index ?? 0, nowNs, hooks);
  const isSame = entered.climb.order.index === climb.order.index && entered.action.act === 'signal';
  return isSame ? { ...entered, action: { act: 'wait' } } : entered;
}

/** Escalate: the next rung now. */
export function nextClimb(climb: Climb, nowNs: bigint, hooks: boolean): Climbed {
  if (climb.order.index === null || isOver(climb) || climb.order.mustDrain) return nothing(climb);
  return enter(climb, climb.order.index + 1, nowNs, hooks);
}

/** What is due at `nowNs`. */
export function tickClimb(climb: Climb, nowNs: bigint, hooks: boolean): Climbed {
  if (climb.order.index === null || isOver(climb) || climb.order.firstOnly) return nothing(climb);
  const due = climb.dueNs !== null && nowNs >= climb.dueNs;
  if (climb.order.mustDrain) return due ? killClimb(climb) : nothing(climb);
  const inVain = !hooks && climb.order.rungs[climb.order.index]?.hook === true;
  return due || inVain ? enter(climb, climb.order.index + 1, nowNs, hooks) : nothing(climb);
}

export function killClimb(climb: Climb): Climbed {
  if (isOver(climb)) return nothing(climb);
  const action: Action = { act: 'kill', signal: SIGKILL, target: 'tree' };
  return { climb: stand(climb, climb.order.rungs.length, null, 0n), action };
}

function enter(climb: Climb, from: number, nowNs: bigint, hooks: boolean): Climbed {
  const { rungs } = climb.order;
  let index = from;
  while (!hooks && rungs[index]?.hook === true) index++;
  const rung = rungs[index];
  if (rung === undefined) return killClimb(climb);
  const { waitNs, cutNs } = shareOut(nsOf(rung.waitMs), laterWaits(rungs, index), leftOf(climb, nowNs));
  const entered = stand(climb, index, waitNs === null ? null : nowNs + waitNs, cutNs);
  return { climb: entered, action: actionOf(rung, climb.received) };
}

function laterWaits(rungs: readonly OrderRung[], index: number): (bigint | null)[] {
  return rungs.slice(index + 1).map((rung) => nsOf(rung.waitMs));
}

function leftOf(climb: Climb, nowNs: bigint): bigint | null {
  const cap = nsOf(climb.order.capMs);
  return cap === null ? null : climb.beganNs + cap - nowNs;
}

function actionOf(rung: OrderRung, received: number): Action {
  const signal = rung.signal === 'received' ? received : rung.signal;
  return signal === 0 ? { act: 'wait' } : { act: 'signal', signal, target: rung.target };
}

function stand(climb: Climb, index: number, deadlineNs: bigint | null, cutNs: bigint): Climb {
  return { ...climb, order: { ...climb.order, index, deadlineNs }, dueNs: deadlineNs, cutNs };
}

function nothing(climb: Climb): Climbed {
  return { climb, action: NOTHING };
}
