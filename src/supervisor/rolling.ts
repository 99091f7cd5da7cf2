/** Whose turn it is to make way for a new run: of replicas one at a time, the next when the last is ready. Pure. */
import { memo } from './memo.ts';
import { type ProcessPlan, processOf, type TaskPlan } from './plan.ts';
import { isAlive, isTerminal, snapshotOf } from './select.ts';
import type { Process, Run, State } from './state.ts';
import { lookUp } from './table.ts';

export function isRenewed(state: State, run: Run): boolean {
  if (run.serves !== null || run.stop !== null || !isWantedNew(lookUp(state.processes, run.process)))
    return false;
  const siblings = siblingsOf(state.plan, run.process);
  if (siblings.find(({ name }) => isWantedNew(lookUp(state.processes, name)))?.name !== run.process)
    return false;
  return siblings.every((sibling) => sibling.name === run.process || isSteady(state, sibling));
}

function isWantedNew(process: Process | undefined): boolean {
  return process !== undefined && process.renewal !== null;
}

/** Replicas of one entry, in their order; who has none is alone. */
function siblingsOf(plan: TaskPlan, process: string): readonly ProcessPlan[] {
  return byEntry(plan.processes).get(processOf(plan, process).entry) ?? [];
}

const byEntry = memo((processes: readonly ProcessPlan[]) => {
  const found = new Map<string, ProcessPlan[]>();
  for (const process of processes) {
    const own = found.get(process.entry);
    if (own === undefined) found.set(process.entry, [process]);
    else own.push(process);
  }
  return found;
});

/** It is ready, or nobody waits for it. What has failed for good halts the others: they may be all that is left. */
function isSteady(state: State, { name, ready }: ProcessPlan): boolean {
  const process = lookUp(state.processes, name);
  if (process === undefined || process.want === 'down') return true;
  const run = lookUp(state.runs, `${name}#${process.runs}`);
  if (process.again || run === undefined) return false;
  if (isTerminal(run)) return run.phase === 'success';
  if (!isAlive(run) || run.stop !== null) return false;
  return ready === null ? (snapshotOf(state, run)?.startedNs ?? 0n) > 0n : run.ready;
}
