/**
 * When a supervisor has nothing to decide, and leaves its runs to init and to their orders until there is something. It takes
 * nothing with it that the next one would miss, so all that only this one knows keeps it. Pure.
 */
import { nextDeadline } from './deadlines.ts';
import { planOf, runsOf, snapshotOf } from './select.ts';
import type { Run, State } from './state.ts';
import { valuesOf } from './table.ts';

/** To be started again costs as much as to stay for long: so many times as long as this one stays, as absence.c has it. */
const WORTH = 6n;

/** Until when it can do without one; `at` null: until something happens. null: it cannot. */
export function mayLeave(state: State, nowNs: bigint): { readonly atNs: bigint | null } | null {
  const { live } = state;
  const stayNs = live.hello?.stayNs;
  if (stayNs === undefined || !isQuiet(state)) return null;
  const atNs = nextDeadline(state, nowNs);
  return atNs === null || atNs - nowNs >= WORTH * stayNs ? { atNs } : null;
}

function isQuiet(state: State): boolean {
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
