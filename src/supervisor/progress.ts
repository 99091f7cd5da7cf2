/** How far a process has come, what it waits for, and what is over for good. Pure. */
import { memo } from './memo.ts';
import { type Dependency, isFinal, type ProcessPlan, processOf } from './plan.ts';
import { type Next, nextRun } from './restart.ts';
import {
  isAlive,
  isGone,
  isHookBusy,
  isPreparing,
  isStuck,
  isTerminal,
  isUnforked,
  mainRuns,
  planOf,
  processState,
  runsOf,
  snapshotOf,
} from './select.ts';
import type { Process, Run, State } from './state.ts';
import { lookUp, valuesOf } from './table.ts';

/** `blocked`: it waits for what will never be, and counts as ended. */
export type Progress = 'busy' | 'blocked' | 'over';

/** Why a run that could be started is not. `never`: it will not be, as things are. */
export type Waiting =
  | { readonly for: 'dependency'; readonly dependency: Dependency; readonly never: boolean }
  | { readonly for: 'others' }
  | { readonly for: 'slot' };

export function progressOf(state: State, process: string): Progress {
  return progressOfAll(state).get(process) ?? 'over';
}

/** Nothing of it runs, and nothing of it will by itself. */
export function isOver(state: State, process: string): boolean {
  return progressOf(state, process) !== 'busy';
}

const progressOfAll = memo((state: State) => {
  const known = new Map<string, Progress>();
  const runs = runsOfProcesses(state.runs);
  const work = (name: string): Progress => {
    const found = known.get(name);
    if (found !== undefined) return found;
    // A config has no cycles; one that had would wait for itself, not for ever be looked at.
    known.set(name, 'busy');
    const own = runs.get(name) ?? [];
    const busy = own.some((run) => (isUnforked(run) ? !isStuck(state, run) : isBusyRun(state, run)));
    const waits = busy && own.every((run) => isUnforked(run) && !isPreparing(run));
    const blocked =
      waits &&
      processOf(state.plan, name).dependsOn.some((each) => !isMet(state, each) && work(each.on) !== 'busy');
    const progress = blocked ? 'blocked' : busy ? 'busy' : 'over';
    known.set(name, progress);
    return progress;
  };
  for (const { name } of state.plan.processes) work(name);
  return known;
});

const runsOfProcesses = memo((runs: State['runs']) => {
  const found = new Map<string, Run[]>();
  for (const run of valuesOf(runs)) {
    const own = found.get(run.process);
    if (own === undefined) found.set(run.process, [run]);
    else own.push(run);
  }
  return found;
});

/** Something of it is to be waited for, or still to come. */
export function isBusyRun(state: State, run: Run): boolean {
  if (isStuck(state, run)) return false;
  if (isUnforked(run)) return progressOf(state, run.process) === 'busy';
  if (run.serves !== null || isAlive(run) || !isGone(state, run)) return true;
  return followOf(state, run).kind === 'again' || isHookBusy(state, run);
}

export function isAnyBusy(state: State): boolean {
  return runsOf(state).some((run) => isBusyRun(state, run));
}

/** All but the final processes. */
export function isAnyOtherBusy(state: State): boolean {
  return runsOf(state).some((run) => !isFinal(state.plan, run.process) && isBusyRun(state, run));
}

/** null: it may be started. */
export function waitingOf(state: State, run: Run): Waiting | null {
  const plan = processOf(state.plan, run.process);
  if (plan.role === 'final' && state.task.state !== 'finalizing') return { for: 'others' };
  const dependency = unmetOf(state, plan);
  if (dependency !== null) return { for: 'dependency', dependency, never: isOver(state, dependency.on) };
  return isFull(state) ? { for: 'slot' } : null;
}

/** The dependency that keeps it back; one that will never be met before one that may. */
function unmetOf(state: State, plan: ProcessPlan): Dependency | null {
  const unmet = plan.dependsOn.filter((each) => !isMet(state, each));
  return unmet.find((each) => isOver(state, each.on)) ?? unmet[0] ?? null;
}

function isFull(state: State): boolean {
  const { maxConcurrency } = state.plan;
  return maxConcurrency > 0 && aliveRuns(state) >= maxConcurrency;
}

/** What cannot be ended would hold its place for ever. What is done before a run has the place of the run. */
const aliveRuns = memo(
  (state: State) =>
    mainRuns(state).filter((run) => (isAlive(run) || isPreparing(run)) && !isStuck(state, run)).length,
);

function isMet(state: State, { on, condition }: Dependency): boolean {
  const process = lookUp(state.processes, on);
  if (process === undefined) return false;
  const run = lookUp(state.runs, `${on}#${process.runs}`);
  switch (condition) {
    case 'started':
      return wasStarted(state, process, run);
    case 'ready':
      return processOf(state.plan, on).ready === null
        ? wasStarted(state, process, run)
        : run?.ready === true && isFine(run);
    case 'healthy':
      return run?.health === 'healthy' && isAlive(run);
    case 'completed_successfully':
      return process.last?.outcome === 'success';
  }
}

/** Once is enough. */
function wasStarted(state: State, { last }: Process, run: Run | undefined): boolean {
  if (last !== null && last.cause !== 'start' && last.outcome !== 'lost') return true;
  return run !== undefined && !isTerminal(run) && (snapshotOf(state, run)?.startedNs ?? 0n) > 0n;
}

/** It is up, or has done what it was for. */
function isFine(run: Run): boolean {
  return isAlive(run) ? run.stop === null : run.phase === 'success';
}

/** What comes after the last run of a process that is still wanted. */
export function followOf(state: State, run: Run): Next {
  const process = processState(state, run.process);
  const over = isTerminal(run) && isGone(state, run) && !isHookBusy(state, run);
  if (!over || process.want === 'down') return { kind: 'finished' };
  const { hello } = state.live;
  return nextRun(state.plan, planOf(state, run), process, `${hello?.bootId} ${hello?.initTicks} ${run.name}`);
}
