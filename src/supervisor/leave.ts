/**
 * When a supervisor has nothing to decide, and leaves its runs to init and to their orders until there is something. It takes
 * nothing with it that the next one would miss, so all that only this one knows keeps it. Pure.
 */
import { nextDeadline } from './deadlines.ts';
import { isTerminal, planOf, runsOf, snapshotOf } from './select.ts';
import type { Run, State } from './state.ts';
import { valuesOf } from './table.ts';
import type { Absence } from './vocabulary.ts';

/** To be started again costs as much as to stay for long: so many times as long as this one stays, as absence.c has it. */
const WORTH = 6n;

/** How long it can do without one, and what without it. null: it cannot. */
export function mayLeave(state: State, nowNs: bigint): Absence | null {
  const { live } = state;
  const stayNs = live.hello?.stayNs;
  if (stayNs === undefined || !isQuiet(state)) return null;
  const atNs = nextDeadline(state, nowNs);
  if (atNs !== null && atNs - nowNs < WORTH * stayNs) return null;
  return { atNs, ordersSuffice: doOrdersSuffice(state) };
}

/** Nothing has to be begun in a stop or after it, and it ends with 0, unless it takes SIGKILL. */
function doOrdersSuffice(state: State): boolean {
  const { plan } = state;
  if (plan.main !== null || plan.processes.some(({ role }) => role === 'final')) return false;
  if (valuesOf(state.processes).some(({ last }) => last?.forced)) return false;
  return runsOf(state).every((run) => isTerminal(run) || isOrderAll(state, run));
}

/** Not of one that waits for its next run: how it was before is its end, then. */
function isOrderAll(state: State, run: Run): boolean {
  const { ladder, mustDrain, postStop } = planOf(state, run);
  const isPlain = ladder.every(({ action }) => action === 'signal' || action === 'wait');
  return run.phase === 'forked' && isPlain && mustDrain === null && postStop === null;
}

/** Nothing is under way that only this supervisor knows. */
export function isQuiet(state: State): boolean {
  const { task, live } = state;
  if (!live.synced || live.partial || task.exitCode !== null || task.state !== 'active') return false;
  if (task.stop !== null || live.reload !== null || Object.keys(live.missing).length > 0) return false;
  // Failures in a row are counted by whoever asks, and an answer comes to whoever has asked.
  if (valuesOf(live.probes).some(({ answeredNs, failures }) => answeredNs === null || failures > 0))
    return false;
  if (valuesOf(state.processes).some(({ again, renewal }) => again || renewal !== null)) return false;
  return runsOf(state).every((run) => isLeftAlone(state, run));
}

/** It waits for its time, runs, or has ended. */
function isLeftAlone(state: State, run: Run): boolean {
  switch (run.phase) {
    case 'waiting':
      // For others, of which some may be about to begin.
      return false;
    case 'backoff':
      return true;
    case 'forked': {
      const { ready, watchdogMs } = planOf(state, run);
      const isUp = (snapshotOf(state, run)?.startedNs ?? 0n) > 0n && (ready === null || run.ready);
      const isAsked = run.serves !== null || run.stop !== null || run.owed !== null || run.reorder;
      // A watchdog counts from when a supervisor has heard of it.
      return isUp && !isAsked && run.hook?.result !== null && watchdogMs === null;
    }
    case 'stopping':
    case 'killing':
      return false;
    default:
      return true;
  }
}
