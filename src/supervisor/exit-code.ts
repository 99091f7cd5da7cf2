/** The state in which a task ends, and the exit code of gsup (SPEC.md 2). Pure. */
import { EXIT } from '../signals/exit-codes.ts';
import { signalName } from '../signals/names.ts';
import { mappedCode } from './outcome.ts';
import { processOf } from './plan.ts';
import { isStuck, mainRuns, planOf, runsOf, snapshotOf } from './select.ts';
import type { Process, Result, Run, State, TaskState } from './state.ts';

const FORCED = EXIT.signalBase + 9;

/** All runs are over. */
export function exitCode(state: State): number {
  const leading = leadingProcess(state);
  const code = leading === null ? codeOfTask(state) : codeOfProcess(state, leading);
  return code === EXIT.success && runsOf(state).some((run) => isStuck(state, run)) ? EXIT.stuck : code;
}

/** The one whose code is the task's, as of a command that is run without gsup. */
function leadingProcess(state: State): string | null {
  if (state.plan.command === 'run') return state.plan.processes[0]?.name ?? null;
  return state.plan.main;
}

function codeOfProcess(state: State, name: string): number {
  // `last` is of the run before, where there was one.
  const stuck = mainRuns(state).find((run) => run.process === name && isStuck(state, run));
  if (stuck !== undefined) return codeOfStuck(state, stuck);
  const last = state.processes[name]?.last ?? null;
  if (last !== null) return codeOf(state, last);
  // Stopped before it was ever started: as if that signal had found it.
  return state.task.stop === null ? EXIT.success : EXIT.signalBase + state.task.stop.signal;
}

/** Its leader may have ended all the same; what it left could not be killed. */
function codeOfStuck(state: State, run: Run): number {
  const seen = snapshotOf(state, run);
  if (seen === undefined || !seen.leaderExited) return EXIT.stuck;
  const signal = seen.signal === null ? null : (signalName(seen.signal) ?? null);
  return mappedCode(planOf(state, run), { code: seen.code, signal });
}

function codeOf(state: State, result: Result): number {
  if (result.code === null && result.signal === null) return EXIT.internal;
  return mappedCode(processOf(state.plan, result.run.slice(0, result.run.lastIndexOf('#'))), result);
}

function codeOfTask(state: State): number {
  const results = resultsOf(state);
  if (state.task.stop !== null) return results.some((result) => result.forced) ? FORCED : EXIT.success;
  const failed = results
    .filter((result) => result.outcome === 'failed' || result.outcome === 'lost')
    .sort((one, other) => (one.endedNs < other.endedNs ? -1 : 1));
  // A map can say 0 of what is still no success: a failed task never ends with 0.
  return failed[0] === undefined ? EXIT.success : codeOf(state, failed[0]) || 1;
}

function resultsOf(state: State): Result[] {
  return Object.values<Process>(state.processes).flatMap(({ last }) => (last === null ? [] : [last]));
}

export function finalState(state: State): TaskState {
  if (state.task.stop !== null && state.task.stop.cause !== 'main-ended') return 'killed';
  const leading = leadingProcess(state);
  const results = resultsOf(state).filter(
    (result) => leading === null || result.run.startsWith(`${leading}#`),
  );
  const outcomes = results.map((result) => result.outcome);
  if (outcomes.includes('lost')) return 'lost';
  if (runsOf(state).some((run) => isStuck(state, run))) return 'failed';
  return outcomes.includes('failed') ? 'failed' : outcomes.includes('killed') ? 'killed' : 'success';
}
