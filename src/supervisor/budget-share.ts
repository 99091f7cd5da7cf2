/** What the stop budget leaves to one rung of one run: levels and finals come after it (SPEC.md 9). */
import { longestOf, nsOf, reserveNs, type Share, shareOut, sumOf, type WaitNs } from '../signals/budget.ts';
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
  const own = ladder.slice(index + 1).map((rung) => nsOf(rung.waitMs));
  return shareOut(nsOf(wanted), [...own, ...laterLevels(state, run)], leftNs(state, nowNs));
}

/** Each level below takes as long as the longest ladder in it. A hook has nobody after it. */
function laterLevels(state: State, run: Run): WaitNs[] {
  if (run.serves !== null || state.task.stop === null) return [];
  const { level } = planOf(state, run);
  const waiting = mainRuns(state).filter(
    (other) => planOf(state, other).level < level && !isGone(state, other),
  );
  const levels = [...new Set(waiting.map((other) => planOf(state, other).level))];
  return levels.map((below) =>
    longestOf(waiting.filter((other) => planOf(state, other).level === below).map(ladderNs(state))),
  );
}

const ladderNs =
  (state: State) =>
  (run: Run): WaitNs =>
    sumOf(ladderOf(state, run).map((rung) => nsOf(rung.waitMs)));

function nsOfBudget(ms: number): bigint {
  return nsOf(ms) ?? 0n;
}
