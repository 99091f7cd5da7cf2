/** What the stop budget leaves to one rung of one run: levels and finals come after it (SPEC.md 9). */
import {
  finalsShare,
  longestOf,
  nsOf,
  reserveNs,
  type Share,
  shareOut,
  sumOf,
  type WaitNs,
} from '../signals/budget.ts';
import { HOOK_GRACE_MS, isFinal, POST_STOP_MS, stopLevelsOf } from './plan.ts';
import { isDrainRung, isGone, ladderOf, mainRuns, planOf } from './select.ts';
import type { Run, State } from './state.ts';

/** When the last wait must be over: the budget less what killing, reaping and recording need. null: no budget. */
export function waitsEndNs(state: State): bigint | null {
  const { budget } = state.task;
  return budget === null ? null : budget.deadlineNs - reserveNs(nsOfBudget(budget.budgetMs));
}

/** All waits of a stop that has not begun. */
export function waitsTotalNs(state: State): bigint | null {
  if (state.plan.stopBudgetMs === null) return null;
  const budget = nsOfBudget(state.plan.stopBudgetMs);
  return budget - reserveNs(budget);
}

export function leftNs(state: State, nowNs: bigint): bigint | null {
  const end = waitsEndNs(state);
  return end === null ? null : end - nowNs;
}

export function shareOfRung(state: State, run: Run, index: number, nowNs: bigint): Share {
  const ladder = ladderOf(state, run);
  const wanted = isDrainRung(state, run, index) ? null : (ladder[index]?.waitMs ?? null);
  const left = leftNs(state, nowNs);
  // Nothing to be shared: what comes after it is of no interest.
  if (left === null) return shareOut(nsOf(wanted), [], null);
  const own = ladder.slice(index + 1).map((rung) => nsOf(rung.waitMs));
  const later = [...own, ...postStopWaits(state, run), ...laterLevels(state, run, nowNs)];
  return shareOut(nsOf(wanted), later, left);
}

/** The hook after the end, and what one takes that ignores the end of its time. */
function postStopWaits(state: State, run: Run): WaitNs[] {
  if (run.serves !== null || planOf(state, run).postStop === null) return [];
  return [nsOf(POST_STOP_MS), nsOf(HOOK_GRACE_MS)];
}

/** When the hook after the end of `run` must be over. */
export function postStopEndNs(state: State, run: Run, nowNs: bigint): bigint {
  const later = [nsOf(HOOK_GRACE_MS), ...laterLevels(state, run, nowNs)];
  return nowNs + (shareOut(nsOf(POST_STOP_MS), later, leftNs(state, nowNs)).waitNs ?? 0n);
}

/** When the present wait of a run is over. A budget can begin when a ladder, or the last hook, has begun already. */
export function dueNs(state: State, run: Run): bigint | null {
  const own = run.rung === null ? run.dueNs : run.rung.deadlineNs;
  const isBound = run.rung !== null || run.serves?.kind === 'post-stop';
  const end = isBound ? waitsEndNs(state) : null;
  return end !== null && (own === null || end < own) ? end : own;
}

/** What is left for waits of `own` together, when the hook after them is to have its share of `left`. */
export function ladderShareNs(state: State, run: Run, own: WaitNs, left: bigint): bigint {
  const hook = shareOut(sumOf(postStopWaits(state, run)), [own], left);
  return left - (hook.waitNs ?? 0n);
}

/** All waits of a ladder from a rung on. */
export function waitsFrom(state: State, run: Run, index: number): WaitNs {
  return sumOf(
    ladderOf(state, run)
      .slice(index)
      .map((rung) => nsOf(rung.waitMs)),
  );
}

/** Each level below takes as long as the longest ladder in it, and then come the finals. A hook has nobody after it. */
function laterLevels(state: State, run: Run, nowNs: bigint): WaitNs[] {
  if (run.serves !== null || state.task.stop === null || isFinal(state.plan, run.process)) return [];
  const { level } = planOf(state, run);
  if (level <= stopLevelsOf(state.plan).lowest) return finalsWait(state, leftNs(state, nowNs));
  const waiting = mainRuns(state).filter(
    (other) =>
      planOf(state, other).level < level && !isFinal(state.plan, other.process) && !isGone(state, other),
  );
  const levels = [...new Set(waiting.map((other) => planOf(state, other).level))];
  const waits = levels.map((below) =>
    longestOf(waiting.filter((other) => planOf(state, other).level === below).map(ladderNs(state))),
  );
  return [...waits, ...finalsWait(state, leftNs(state, nowNs))];
}

function finalsWait(state: State, left: bigint | null): WaitNs[] {
  if (left === null || left <= 0n || !stopLevelsOf(state.plan).finals) return [];
  if (!mainRuns(state).some((run) => isFinal(state.plan, run.process))) return [];
  return [finalsShare(nsOf(state.plan.finalizationWaitMs), left)];
}

/** When the final processes must be done by themselves, so that the budget leaves them their ladders. null: no end. */
export function finalsEndNs(state: State, nowNs: bigint): bigint | null {
  const finals = mainRuns(state).filter((run) => isFinal(state.plan, run.process));
  const ladder = longestOf(finals.map(ladderNs(state)));
  const { waitNs } = shareOut(nsOf(state.plan.finalizationWaitMs), [ladder], leftNs(state, nowNs));
  return waitNs === null ? null : nowNs + waitNs;
}

const ladderNs =
  (state: State) =>
  (run: Run): WaitNs =>
    sumOf([waitsFrom(state, run, 0), ...postStopWaits(state, run)]);

function nsOfBudget(ms: number): bigint {
  return nsOf(ms) ?? 0n;
}
