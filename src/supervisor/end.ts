/** When a task ends by itself, and whether it has failed then (SPEC.md 9, "End of a task"). Pure. */
import { type ProcessPlan, processOf } from './plan.ts';
import { isOver, progressOf } from './progress.ts';
import { nextRun } from './restart.ts';
import { isTerminal, mainRuns, processState } from './select.ts';
import type { Result, State } from './state.ts';
import { lookUp } from './table.ts';

/** Why the others are to be stopped now; null: they are not. */
export function endOf(state: State): 'main-ended' | 'failure' | null {
  const { main, exitWhen } = state.plan;
  // Nothing has ended yet: the common case, and no reason to look at everything.
  if (!mainRuns(state).some(isTerminal)) return null;
  if (main !== null && isOver(state, main)) return 'main-ended';
  if (exitWhen === 'all') return null;
  if (exitWhen === 'any' && ordinary(state).some(({ name }) => hasEnded(state, name)))
    return hasFailed(state) ? 'failure' : 'main-ended';
  return hasFailed(state) ? 'failure' : null;
}

function ordinary({ plan }: State): ProcessPlan[] {
  return plan.processes.filter(({ role }) => role === 'ordinary');
}

/** All that is left to wait for is a client: what was stopped by one ends no task, but for the one whose code is the task's. */
export function isHeld(state: State): boolean {
  const { task, plan } = state;
  if (!task.held || task.stop !== null || task.state !== 'active' || plan.command === 'run') return false;
  return plan.main === null || !isOver(state, plan.main);
}

/** It has ended for good, and not because a client wanted that. */
function hasEnded(state: State, name: string): boolean {
  const process = lookUp(state.processes, name);
  return process?.want === 'up' && process.last !== null && progressOf(state, name) === 'over';
}

/** As many processes have failed for good as the task may have. */
export function hasFailed(state: State): boolean {
  const { maxFailures } = state.plan;
  return maxFailures > 0 && failedForGood(state).length >= maxFailures;
}

/** How those ended that have failed for good, the first first. Ephemeral and final processes never count. */
export function failedForGood(state: State): Result[] {
  return ordinary(state)
    .flatMap(({ name }) => {
      const process = processState(state, name);
      const { last } = process;
      // One that waited for another run when a stop came has not failed for good.
      const isFinished = nextRun(state.plan, processOf(state.plan, name), process, '').kind === 'finished';
      return last !== null && isFailure(last) && isFinished && isOver(state, name) ? [last] : [];
    })
    .sort((one, other) => (one.endedNs < other.endedNs ? -1 : 1));
}

function isFailure({ outcome }: Result): boolean {
  return outcome === 'failed' || outcome === 'lost';
}
