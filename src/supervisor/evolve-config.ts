/** What another config does to the state, once the plan of it is in force. */
import type { BodyOf } from '../checkpoint/record.ts';
import { evolveStop } from './evolve-stop.ts';
import { evolveRestart } from './evolve-want.ts';
import { runName } from './names.ts';
import { formerPlan, isInPlan, isKnownRun, processOf } from './plan.ts';
import { isAlive, isPreparing, isTerminal, mainRuns } from './select.ts';
import { newProcess, newRun, type Run, type State } from './state.ts';
import { drop, lookUp, mapTable, put } from './table.ts';

/** A replay has the last plan from its begin on, so what a record says of others that are no more comes to nothing. */
export function evolveConfig(state: State, record: BodyOf<'config'>): State {
  const { added = [], removed = [], renewed = [], reordered = [], by = null } = record;
  const stop = { type: 'stop-requested', processes: removed, cause: 'reload', by } as const;
  const without = forget(removed.length === 0 ? state : evolveStop(state, stop));
  const known = added.filter((name) => isInPlan(state.plan, name));
  const more = known.reduce(addOne, without);
  const next =
    renewed.length === 0
      ? more
      : evolveRestart(more, { type: 'restart-requested', processes: renewed, cause: 'reload', by });
  const held = next.task.held && !known.some((name) => lookUp(next.processes, name)?.want === 'up');
  return { ...next, task: { ...next.task, held }, runs: markReordered(next, reordered) };
}

/** Of what is in no plan nothing is to come. How many runs it had stays: it may come back, and names are taken once. */
function forget(state: State): State {
  const { plan } = state;
  const runs = mapTable(state.runs, (run) => (isKnownRun(plan, run) ? run : undefined));
  const processes = mapTable(state.processes, (process, name) => {
    const isKnown =
      process.runs > 0 || isInPlan(plan, name) || formerPlan(plan, runName(name, 1)) !== undefined;
    return isKnown ? process : undefined;
  });
  return { ...state, processes, runs };
}

/** It begins as at the begin of the task. What is left of one that was called the same comes first. */
function addOne(state: State, name: string): State {
  const want = processOf(state.plan, name).autostart ? ('up' as const) : ('down' as const);
  const before = lookUp(state.processes, name) ?? newProcess('down');
  const runs = mainRuns(state).filter((run) => run.process === name);
  const hasEnded = (run: Run): boolean => isTerminal(run) && formerPlan(state.plan, run.name) !== undefined;
  const left = runs.some((run) => isAlive(run) || isPreparing(run) || hasEnded(run));
  const again = left && want === 'up';
  // What has ended, and has its last hook to come, is followed by the next.
  const last = runs.some(hasEnded) ? before.last : null;
  const process = { ...newProcess(want), runs: before.runs, last, again };
  const next = { ...state, processes: put(state.processes, name, process) };
  return left ? next : { ...next, runs: beginAnew(next, runs, want === 'up' ? name : null) };
}

function beginAnew(state: State, old: readonly Run[], name: string | null): State['runs'] {
  const runs = old.reduce((left, run) => drop(left, run.name), state.runs);
  if (name === null) return runs;
  const first = runName(name, (lookUp(state.processes, name)?.runs ?? 0) + 1);
  return put(runs, first, newRun(first, name, { phase: 'waiting' }));
}

function markReordered({ runs }: State, names: readonly string[]): State['runs'] {
  return names.reduce((marked, name) => {
    const run = lookUp(marked, name);
    return run === undefined ? marked : put(marked, name, { ...run, reorder: true });
  }, runs);
}
