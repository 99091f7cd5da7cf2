/** What a request to start, or to run anew, does to the state. A stop of the same is in evolve-stop.ts. */
import type { BodyOf } from '../checkpoint/record.ts';
import { runName } from './names.ts';
import { isAlive, isPreparing, isTerminal, isUnforked, mainRuns } from './select.ts';
import { newRun, type Process, type Run, type State, type StopCause } from './state.ts';
import { lookUp, put } from './table.ts';

/** Whoever asks for it has put right what was wrong: what failed before does not count any more. */
export function evolveStart(state: State, { processes }: BodyOf<'start-requested'>): State {
  const next = processes.reduce(startOne, state);
  return { ...next, task: { ...next.task, held: false } };
}

/** Of what runs the run makes way when it is its turn; everything else is a start. */
export function evolveRestart(state: State, { processes, cause, by }: BodyOf<'restart-requested'>): State {
  const next = processes.reduce((before, name) => {
    const process = lookUp(before.processes, name);
    const run = lastRun(before, name);
    if (process === undefined || run === undefined || !isAlive(run) || run.stop !== null)
      return startOne(before, name);
    return withProcess(before, name, { ...process, want: 'up', failures: 0, renewal: { cause, by } });
  }, state);
  return { ...next, task: { ...next.task, held: false } };
}

/** Whether a stop of one run is for another one after it, so that its end is no failure. */
export function isRenewal(cause: StopCause): boolean {
  return cause === 'api' || cause === 'reload' || cause === 'memory';
}

function startOne(state: State, name: string): State {
  const process = lookUp(state.processes, name);
  if (process === undefined) return state;
  const last = lastRun(state, name);
  const own = last ?? newRun(runName(name, process.runs + 1), name, { phase: 'waiting' });
  // What is on its way down, or has its last hook to come, is followed by the next one when it is gone.
  const again = isTerminal(own) || ((isAlive(own) || isPreparing(own)) && own.stop !== null);
  const run = isUnforked(own) ? { ...own, dueNs: null } : own;
  const next = withProcess(state, name, { ...process, want: 'up', failures: 0, again });
  return { ...next, runs: put(next.runs, run.name, run) };
}

function lastRun(state: State, name: string): Run | undefined {
  return mainRuns(state).find((run) => run.process === name);
}

function withProcess(state: State, name: string, process: Process): State {
  return { ...state, processes: put(state.processes, name, process) };
}
