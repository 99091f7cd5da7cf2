/** What a request to stop does to the state: what is wanted, whom it covers, what a repeated one demands. */
import type { BodyOf } from '../checkpoint/record.ts';
import { signalNumber } from '../signals/names.ts';
import { isFinal } from './plan.ts';
import { isAlive, isPreparing, isTerminal, isUnforked } from './select.ts';
import type { Process, Run, State, Stop } from './state.ts';
import { mapTable } from './table.ts';

const SIGTERM = 15;

type Covers = (process: string) => boolean;

/** A stop of the task is for all but the final processes, which come after it; or for them, when their time has come. */
export function evolveStop(state: State, record: BodyOf<'stop-requested'>): State {
  const named = namedIn(record);
  const finalizing = state.task.state === 'finalizing';
  const covers: Covers = (name) =>
    named === null ? isFinal(state.plan, name) === finalizing : named.includes(name);
  const next = coverRuns(dropUnforked(wantDown(state, covers), covers), record, (run) => covers(run.process));
  if (named !== null) return { ...next, task: { ...next.task, held: true } };
  return askAgain(next, record, finalizing, covers);
}

/** The first cause stays: what the leader left behind is stopped because of that, also when the task ends meanwhile. */
export function coverRuns(
  state: State,
  record: BodyOf<'stop-requested'>,
  covers: (run: Run) => boolean,
): State {
  const stop = stopOf(record);
  const isCovered = (run: Run): boolean =>
    (isAlive(run) || isPreparing(run)) &&
    isOpenTo(run, stop) &&
    covers(run) &&
    (run.serves === null || stop.scope === 'run');
  return mapRuns(state, (run) => (isCovered(run) ? { ...run, stop } : run));
}

/** A drain ends in a stop, whenever one comes. */
function isOpenTo({ stop }: Run, next: Stop): boolean {
  return stop === null || (stop.firstOnly && !next.firstOnly && next.scope !== 'run');
}

/** null: all of the task. */
function namedIn({ process, processes }: BodyOf<'stop-requested'>): readonly string[] | null {
  return processes ?? (process === undefined ? null : [process]);
}

function stopOf(record: BodyOf<'stop-requested'>): Stop {
  const signal = record.signal === undefined ? SIGTERM : (signalNumber(record.signal) ?? SIGTERM);
  const scope = record.run !== undefined ? 'run' : namedIn(record) !== null ? 'process' : 'task';
  return { scope, cause: record.cause, signal, by: record.by, firstOnly: record.first_only === true };
}

function wantDown(state: State, covers: Covers): State {
  const down = (process: Process, name: string): Process =>
    covers(name) ? { ...process, want: 'down', again: false, renewal: null } : process;
  return { ...state, processes: mapTable(state.processes, down) };
}

/** Nothing starts once a stop has begun, and nobody waits for what never will. What has been begun before a run has an end. */
function dropUnforked(state: State, covers: Covers): State {
  const stays = (run: Run): boolean => !covers(run.process) || !isUnforked(run) || isPreparing(run);
  return { ...state, runs: mapTable(state.runs, (run) => (stays(run) ? run : undefined)) };
}

/** The second signal: every stopping run goes on by one rung; the third, or `now`: SIGKILL for all. */
function askAgain(
  state: State,
  record: BodyOf<'stop-requested'>,
  finalizing: boolean,
  covers: Covers,
): State {
  const { task } = state;
  const isSignal = record.cause === 'signal';
  const asks = task.asks + (isSignal ? 1 : 0);
  const finalsAsks = task.finalsAsks + (isSignal && finalizing ? 1 : 0);
  const begun = finalizing
    ? { finalsStop: task.finalsStop ?? stopOf(record), finalsAsks }
    : { stop: task.stop ?? (task.clearing ? comesLate(stopOf(record)) : stopOf(record)) };
  const next = { ...state, task: { ...task, asks, held: false, ...begun } };
  const count = finalizing ? finalsAsks : asks;
  if (record.now === true || (isSignal && count > 2)) return owe(next, 'kill', covers);
  return isSignal && count === 2 ? owe(next, 'escalate', covers) : next;
}

/** All have ended by themselves, and that is how the task ends: the finals run as they would have. */
function comesLate(stop: Stop): Stop {
  return { ...stop, cause: 'main-ended' };
}

function owe(state: State, owed: 'escalate' | 'kill', covers: Covers): State {
  return mapRuns(state, (run) => {
    if (!covers(run.process) || isTerminal(run) || run.phase === 'killing' || run.owed === 'kill') return run;
    if (owed === 'kill') return { ...run, owed };
    return run.phase === 'stopping' && run.serves === null ? { ...run, owed } : run;
  });
}

function mapRuns(state: State, change: (run: Run) => Run): State {
  return { ...state, runs: mapTable(state.runs, change) };
}
