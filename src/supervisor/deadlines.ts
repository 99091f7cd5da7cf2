/** When something will be due that nobody will tell of. Pure. */

import { dueNs } from './budget-share.ts';
import { questionsOf, readyByNs, watchdogDueNs } from './probes.ts';
import { waitsAtNs, waitsKey, warnAtNs, warnKey } from './run-events.ts';
import { isDraining, rungOf, runsOf } from './select.ts';
import type { Run, State } from './state.ts';
import { isDone } from './turn.ts';

/** The nearest deadline after `nowNs`; null: nothing is due, nothing ticks. What has passed was answered by then. */
export function nextDeadline(state: State, nowNs: bigint): bigint | null {
  if (!state.live.synced || state.task.exitCode !== null) return null;
  let nearest = [...finalsDeadline(state)].filter((at) => at > nowNs).reduce<bigint | null>(earlier, null);
  for (const run of runsOf(state)) {
    for (const at of candidates(state, run)) if (at !== null && at > nowNs) nearest = earlier(nearest, at);
  }
  return nearest;
}

function finalsDeadline({ task }: State): bigint[] {
  return task.finalsEndNs === null || task.finalsStop !== null ? [] : [task.finalsEndNs];
}

function earlier(one: bigint | null, other: bigint): bigint {
  return one === null || other < one ? other : one;
}

/** Also those that have passed. */
export function deadlinesOf(state: State, run: Run): bigint[] {
  return candidates(state, run).filter((at) => at !== null);
}

/** Its hook must succeed, or says that it is busy. */
function isAskedAgain(state: State, run: Run): boolean {
  return isDraining(state, run) || rungOf(state, run)?.action === 'busy';
}

const NONE: readonly (bigint | null)[] = [];

function candidates(state: State, run: Run): readonly (bigint | null)[] {
  switch (run.phase) {
    case 'backoff':
      return [dueNs(state, run)];
    case 'forked':
      return [
        dueNs(state, run),
        readyByNs(state, run),
        watchdogDueNs(state, run),
        ...questionsOf(state, run).map(({ atNs }) => atNs),
      ];
    case 'stopping':
      return [
        dueNs(state, run),
        isDone(state, warnKey(run)) ? null : warnAtNs(state, run),
        isDone(state, waitsKey(run)) ? null : waitsAtNs(state, run),
        isAskedAgain(state, run) ? (run.hook?.retryNs ?? null) : null,
      ];
    default:
      return NONE;
  }
}
