/** The state in which a task ends, and the exit code of gsup (SPEC.md 2). Pure. */
import { EXIT } from '../signals/exit-codes.ts';
import { signalName } from '../signals/names.ts';
import { failedForGood } from './end.ts';
import { mappedCode } from './outcome.ts';
import { processOf } from './plan.ts';
import { isStuck, mainRuns, planOf, runsOf, snapshotOf } from './select.ts';
import type { Result, Run, State, TaskState } from './state.ts';
import { lookUp, valuesOf } from './table.ts';

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
  const last = lookUp(state.processes, name)?.last ?? null;
  if (last !== null && !wasNeverStarted(last)) return codeOf(state, last);
  // Stopped before it was ever started: as if that signal had found it.
  return state.task.stop === null ? EXIT.success : EXIT.signalBase + state.task.stop.signal;
}

/** A stop came while what must be done before it ran. */
function wasNeverStarted({ outcome, code, signal }: Result): boolean {
  return outcome === 'killed' && code === null && signal === null;
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

/** Of a requested stop only SIGKILL is a fault; else the code of the process that has failed the task. */
function codeOfTask(state: State): number {
  if (wasRequested(state)) return resultsOf(state).some((result) => result.forced) ? FORCED : EXIT.success;
  const failed = failedForGood(state);
  const { maxFailures } = state.plan;
  const culprit = maxFailures > 0 ? failed[maxFailures - 1] : undefined;
  // A map can say 0 of what is still no success: a failed task never ends with 0.
  return culprit === undefined ? EXIT.success : codeOf(state, culprit) || 1;
}

function resultsOf(state: State): Result[] {
  return valuesOf(state.processes).flatMap(({ last }) => (last === null ? [] : [last]));
}

/** By a signal or a client; not because of what the processes themselves have done. */
function wasRequested({ task }: State): boolean {
  return task.stop !== null && task.stop.cause !== 'main-ended' && task.stop.cause !== 'failure';
}

export function finalState(state: State): TaskState {
  if (wasRequested(state)) return 'killed';
  const leading = leadingProcess(state);
  const isStuckSomewhere = runsOf(state).some((run) => isStuck(state, run));
  if (leading === null) return stateOfTask(state, isStuckSomewhere);
  const outcome = lookUp(state.processes, leading)?.last?.outcome ?? 'success';
  return outcome !== 'lost' && isStuckSomewhere ? 'failed' : outcome;
}

function stateOfTask(state: State, isStuckSomewhere: boolean): TaskState {
  const { maxFailures } = state.plan;
  const culprit = maxFailures > 0 ? failedForGood(state)[maxFailures - 1] : undefined;
  if (culprit?.outcome === 'lost') return 'lost';
  return culprit !== undefined || isStuckSomewhere ? 'failed' : 'success';
}
