/** Questions to the state. Nothing here decides. */
import { memo } from './memo.ts';
import { formerPlan, HOOK_LADDER, isFinal, type ProcessPlan, processOf, stopLevelsOf } from './plan.ts';
import type { Outcome, Process, Run, RunState, State } from './state.ts';
import { lookUp, valuesOf } from './table.ts';
import type { Ladder, Rung, RunSnapshot } from './vocabulary.ts';

const TERMINAL: readonly string[] = ['success', 'failed', 'killed', 'lost'] satisfies Outcome[];

/** Want and is are two fields; this is *is*: the log says what was decided, the host what came of it. */
export function runStateOf(state: State, run: Run): RunState {
  if (run.phase !== 'forked') return run.phase;
  if (run.ready) return 'ready';
  const seen = lookUp(state.live.seen, run.name);
  return seen === undefined || seen.phase === 'starting' ? 'forked' : 'running';
}

export function isTerminal(run: Run): boolean {
  return TERMINAL.includes(run.phase);
}

/** It is to be started, and has not been yet. */
export function isUnforked(run: Run): boolean {
  return run.phase === 'waiting' || run.phase === 'backoff';
}

/** It was asked for at the host, and nobody has judged its end yet. */
export function isAlive(run: Run): boolean {
  return !isUnforked(run) && !isTerminal(run);
}

/** Its command before the start has been begun, and it is not forked yet. */
export function isPreparing(run: Run): boolean {
  return isUnforked(run) && run.hook !== null;
}

/** Something in it outlives SIGKILL, or in what was to be done before it. */
export function isStuck(state: State, run: Run): boolean {
  if (isPreparing(run)) return hooksServing(state, run).some((hook) => isStuck(state, hook));
  return run.phase === 'killing' && lookUp(state.live.seen, run.name)?.stuck === true;
}

/** Nothing more is to be waited for: it has ended and its hook after that too, or it cannot be ended. */
export function isGone(state: State, run: Run): boolean {
  return isStuck(state, run) || (isTerminal(run) && !owesPostStop(state, run));
}

export function owesPostStop(state: State, run: Run): boolean {
  if (run.serves !== null || planOf(state, run).postStop === null) return false;
  if (run.hook?.kind !== 'post-stop') return true;
  return run.hook.result === null && isHookBusy(state, run);
}

export function planOf(state: State, run: Run): ProcessPlan {
  return formerPlan(state.plan, run.serves?.run ?? run.name) ?? processOf(state.plan, run.process);
}

export function ladderOf(state: State, run: Run): Ladder {
  return run.serves === null ? planOf(state, run).ladder : HOOK_LADDER;
}

export function rungOf(state: State, run: Run): Rung | undefined {
  return run.rung === null ? undefined : ladderOf(state, run)[run.rung.index];
}

export function runsOf(state: State): readonly Run[] {
  return valuesOf(state.runs);
}

/** Runs of processes, without the hooks that serve them. */
export function mainRuns(state: State): readonly Run[] {
  return mainOf(runsOf(state));
}

const mainOf = memo((runs: readonly Run[]) => runs.filter((run) => run.serves === null));

/** Of a process: its last run, and what serves that. */
export function runsOfProcess(state: State, process: string): Run[] {
  return runsOf(state).filter((run) => run.process === process);
}

/** A hook is still to be waited for. One that cannot be ended is nobody's to wait for. */
export function isHookBusy(state: State, run: Run): boolean {
  return hooksServing(state, run).some((hook) => !isStuck(state, hook));
}

export function hooksServing(state: State, run: Run): readonly Run[] {
  return hooksOfRuns(state.runs).get(run.name) ?? [];
}

export function isHookAlive(hook: Run): boolean {
  return hook.serves !== null && isAlive(hook);
}

const hooksOfRuns = memo((runs: State['runs']) => {
  const found = new Map<string, Run[]>();
  for (const hook of valuesOf(runs)) {
    if (hook.serves === null) continue;
    found.set(hook.serves.run, [...(found.get(hook.serves.run) ?? []), hook]);
  }
  return found;
});

export function runOf(state: State, name: string): Run {
  const run = lookUp(state.runs, name);
  if (run === undefined) throw new Error(`no run "${name}"`);
  return run;
}

export function processState(state: State, name: string): Process {
  const process = lookUp(state.processes, name);
  if (process === undefined) throw new Error(`no process "${name}"`);
  return process;
}

export function snapshotOf(state: State, run: Run): RunSnapshot | undefined {
  return lookUp(state.live.seen, run.name);
}

/** It stands higher than anybody has decided: its coordinator went on alone, or the log does not know what was. */
export function hasClimbed(state: State, run: Run): boolean {
  if (!isAlive(run) || run.phase === 'killing') return false;
  return (snapshotOf(state, run)?.rung ?? -1) > (run.rung?.index ?? -1);
}

/** Index of the rung that must succeed before anything is signalled; null: there is none. */
export function drainIndex(state: State, run: Run): number | null {
  if (run.serves !== null || planOf(state, run).mustDrain === null) return null;
  const index = ladderOf(state, run).findIndex((rung) => rung.action === 'exec');
  return index < 0 ? null : index;
}

/** A rung whose hook must succeed has no end of its own; its hook has. */
export function isDrainRung(state: State, run: Run, index: number): boolean {
  return !run.drained && drainIndex(state, run) === index;
}

/** It must not be signalled: the drain has not succeeded, and has not been given up. */
export function isUndrained(state: State, run: Run): boolean {
  const drain = drainIndex(state, run);
  return drain !== null && !run.drained && (run.rung === null || run.rung.index <= drain);
}

/** It stands on the rung that must succeed. */
export function isDraining(state: State, run: Run): boolean {
  return run.phase === 'stopping' && isUndrained(state, run) && run.rung?.index === drainIndex(state, run);
}

/** A level stops as soon as every level above it, all of which depend on it, is gone. Finals have no time for that. */
export function isLevelsTurn(state: State, run: Run): boolean {
  if (run.stop === null) return false;
  if (run.stop.firstOnly && run.serves === null) return planOf(state, run).level >= drainLevel(state);
  if (state.task.stop === null || run.serves !== null || isFinal(state.plan, run.process)) return true;
  const { level } = planOf(state, run);
  return level >= stopLevelsOf(state.plan).highest || level >= stopLevel(state);
}

/** The highest level of what drains. */
const drainLevel = memo((state: State) =>
  mainRuns(state).reduce(
    (highest, run) =>
      run.stop?.firstOnly && isAlive(run) ? Math.max(highest, planOf(state, run).level) : highest,
    0,
  ),
);

/** The highest level of which something is left. */
const stopLevel = memo((state: State) => {
  const left = mainRuns(state).filter((run) => !isFinal(state.plan, run.process) && !isGone(state, run));
  return left.reduce((highest, run) => Math.max(highest, planOf(state, run).level), 0);
});
