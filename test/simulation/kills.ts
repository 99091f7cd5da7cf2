/** When SIGKILL is fair: the last wait or the budget is over, or somebody asked for it, again or at once. */
import { reserveNs } from '../../src/signals/budget.ts';
import { processName } from '../../src/supervisor/names.ts';
import { findProcess, HOOK_LADDER, type TaskPlan } from '../../src/supervisor/plan.ts';
import type { Ladder, Order } from '../../src/supervisor/vocabulary.ts';
import { KILL } from './behaviour.ts';
import { MS } from './scheduler.ts';
import type { Result, Scenario } from './simulate.ts';
import { recordsIn, type Sent, stepsOf, type Trace } from './trace.ts';

/** The rung that a run was on. */
interface Standing {
  readonly index: number;
  readonly atNs: bigint;
  readonly deadlineNs: bigint | null;
  /** Nothing follows on it but SIGKILL. */
  readonly isLast: boolean;
}

/** Returns those that were not, in words. */
export function killsInTime({ plan }: Scenario, { trace, state }: Result): string[] {
  return trace.flatMap((step, at) => {
    if (step.kind !== 'sent' || step.signal !== KILL) return [];
    const before = trace.slice(0, at);
    const ladder = ladderOf([state.plan, plan], step.run);
    const standing = standingOf(before, step, ladder);
    const fair =
      ladder.length === 0 ||
      wasAsked(before, standing) ||
      isBudgetOver(before, step.atNs) ||
      isLadderOver(before, step, standing) ||
      areOnlyHooksLeft(before, step, standing);
    return fair ? [] : [`${step.run} at ${step.atNs / MS} ms`];
  });
}

/** By the config that it is judged by at the end; of what that has no more, by the one at the begin. */
function ladderOf(plans: readonly TaskPlan[], run: string): Ladder {
  if (run.includes('/')) return HOOK_LADDER;
  const found = plans
    .map((plan) => findProcess(plan, processName(run)))
    .find((process) => process !== undefined);
  return found?.ladder ?? [];
}

/** At once; for the third time; or for the second time, when its last wait had begun by the time that was heard. */
function wasAsked(before: Trace, standing: Standing | undefined): boolean {
  const requests = recordsIn(before, 'stop-requested');
  const asked = stepsOf(before, 'asked');
  if (requests.some(({ now }) => now === true) || asked.length > 2) return true;
  if (asked.length < 2) return false;
  const heardNs = requests.filter(({ cause }) => cause === 'signal')[1]?.mono_ns ?? asked[1]?.atNs ?? 0n;
  return standing === undefined || (standing.isLast && standing.atNs <= heardNs);
}

function isBudgetOver(before: Trace, atNs: bigint): boolean {
  return recordsIn(before, 'budget').some(
    ({ deadline_ns, budget_ms }) => deadline_ns - reserveNs(BigInt(budget_ms) * MS) <= atNs,
  );
}

/** A hook that has failed, or that was all there was to do, does not wait for its time. */
function isLadderOver(before: Trace, { run, atNs }: Sent, standing: Standing | undefined): boolean {
  if (standing?.isLast !== true) return false;
  const hooks = recordsIn(before, 'hook').filter((record) => record.run === run);
  return isPast(standing, atNs) || hooks.some(({ state }) => state === 'ended');
}

/** Alone: what is left after a wait that is over, or not begun, are hooks, and nobody is there to carry them out. */
function areOnlyHooksLeft(
  before: Trace,
  { run, number, atNs }: Sent,
  standing: Standing | undefined,
): boolean {
  const alone = stepsOf(before, 'alone').findLast((step) => step.run === run);
  const from = standing === undefined ? 0 : standing.index + (isPast(standing, atNs) ? 1 : 0);
  return number === null && alone?.order.rungs.slice(from).every(({ hook }) => hook) === true;
}

function isPast({ deadlineNs }: Standing, atNs: bigint): boolean {
  return deadlineNs !== null && deadlineNs <= atNs;
}

/** As the supervisor had decided it, for what it asked for; as the coordinator was told, for what that did alone. */
function standingOf(before: Trace, { run, number }: Sent, ladder: Ladder): Standing | undefined {
  const standings = before.flatMap((step): Standing[] => {
    if (number === null) {
      if (step.kind === 'alone' && step.run === run) return orderStanding(step.atNs, step.order);
      const isOrder = step.kind === 'request' && step.to === 'rung' && step.run === run;
      return isOrder && step.order !== null ? orderStanding(step.atNs, step.order) : [];
    }
    if (step.kind !== 'record' || step.record.type !== 'rung' || step.record.run !== run) return [];
    const { index, deadline_ns: deadlineNs } = step.record;
    // What the coordinator had taken alone is only written down by whoever comes.
    const taken = stepsOf(before, 'alone').find(
      ({ run: whose, order }) => whose === run && order.index === index && order.deadlineNs === deadlineNs,
    );
    const { atNs } = taken ?? step;
    return [{ index, atNs, deadlineNs, isLast: index === ladder.length - 1 }];
  });
  return standings.at(-1);
}

/** Hooks are skipped; and what must drain is only ended by its cap, wherever it stands. */
function orderStanding(atNs: bigint, { index, rungs, deadlineNs, mustDrain }: Order): Standing[] {
  if (index === null || index >= rungs.length) return [];
  return [{ index, atNs, deadlineNs, isLast: mustDrain || rungs.slice(index + 1).every(({ hook }) => hook) }];
}
