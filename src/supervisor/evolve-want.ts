/** What a request to start does to the state. A stop of the same is in evolve-stop.ts. */
import type { BodyOf } from '../checkpoint/record.ts';
import { runName } from './names.ts';
import { isAlive, isPreparing, isTerminal, isUnforked } from './select.ts';
import { newRun, type State } from './state.ts';

/** Whoever asks for it has put right what was wrong: what failed before does not count any more. */
export function evolveStart(state: State, { processes }: BodyOf<'start-requested'>): State {
  const next = processes.reduce(startOne, state);
  return { ...next, task: { ...next.task, held: false } };
}

function startOne(state: State, name: string): State {
  const process = state.processes[name];
  if (process === undefined) return state;
  const last = Object.values(state.runs).find((run) => run.process === name && run.serves === null);
  const own = last === undefined ? newRun(runName(name, process.runs + 1), name, { phase: 'waiting' }) : last;
  // What is on its way down, or has its last hook to come, is followed by the next one when it is gone.
  const again = isTerminal(own) || ((isAlive(own) || isPreparing(own)) && own.stop !== null);
  const run = isUnforked(own) ? { ...own, dueNs: null } : own;
  return {
    ...state,
    processes: { ...state.processes, [name]: { ...process, want: 'up', failures: 0, again } },
    runs: { ...state.runs, [run.name]: run },
  };
}
