/** Another plan takes the place of the one in force: what of the old one goes on in it. Pure. */

import type { Refusal } from './client-request.ts';
import { differenceOf } from './difference.ts';
import { type EntryPlan, type FormerPlan, isInPlan, MOST_PROCESSES, type TaskPlan } from './plan.ts';
import { expandEntries } from './replicas.ts';
import { isAlive, isGone, isTerminal, mainRuns, planOf } from './select.ts';
import type { Run, State } from './state.ts';
import { lookUp } from './table.ts';

type Replan = { readonly plan: TaskPlan } | { readonly refusal: Refusal };

/** The config was read again. What clients have scaled stays so, unless that is what has changed. */
export function reloadedPlan(plan: TaskPlan, read: TaskPlan): Replan {
  const before = new Map(plan.entries.map((entry) => [entry.name, entry]));
  const entries = read.entries.map((entry) => goingOn(before.get(entry.name), entry));
  const { name, command, version, revision, former } = plan;
  const next = {
    ...read,
    name,
    command,
    version,
    revision,
    former,
    entries,
    processes: expandEntries(entries),
  };
  const problems = [...nameProblem(plan, read), ...roleProblems(plan, next)];
  return problems.length > 0 ? { refusal: { reason: 'bad-config', problems } } : sized(next);
}

/** Whether a process starts by itself is a matter of the beginning, which was under the config before. */
function goingOn(before: EntryPlan | undefined, entry: EntryPlan): EntryPlan {
  if (before === undefined) return entry;
  const replicas = before.declared === entry.declared ? before.replicas : entry.replicas;
  return { ...entry, replicas, autostart: before.autostart };
}

function nameProblem(plan: TaskPlan, read: TaskPlan): string[] {
  if (plan.name === read.name) return [];
  return [`cannot change "name": the task is called "${plan.name}" until it ends, got "${read.name}"`];
}

function roleProblems(plan: TaskPlan, next: TaskPlan): string[] {
  const final = new Map(plan.processes.map(({ entry, role }) => [entry, role === 'final']));
  const odd = next.entries.filter(({ name, role }) => final.get(name) === !(role === 'final'));
  return odd.map(
    ({ name }) =>
      `cannot change "processes.${name}.final": a process is final from its beginning on; give it another name`,
  );
}

export function scaledPlan(
  plan: TaskPlan,
  to: ReadonlyArray<{ readonly entry: string; readonly replicas: number }>,
): Replan {
  const wanted = new Map(to.map(({ entry, replicas }) => [entry, replicas]));
  for (const [name, replicas] of wanted) {
    const entry = plan.entries.find((each) => each.name === name);
    if (entry === undefined) {
      const known = plan.entries.filter((each) => each.replicas !== null).map((each) => each.name);
      if (!isInPlan(plan, name)) return { refusal: { reason: 'no-such-process', name, known } };
    }
    if (entry === undefined || entry.replicas === null) return { refusal: { reason: 'not-scalable', name } };
    const isCount = Number.isInteger(replicas) && replicas >= 0 && replicas <= MOST_PROCESSES;
    if (!isCount) return { refusal: { reason: 'bad-count', name, replicas, most: MOST_PROCESSES } };
  }
  const entries = plan.entries.map((entry) => ({
    ...entry,
    replicas: wanted.get(entry.name) ?? entry.replicas,
  }));
  return sized({ ...plan, entries, processes: expandEntries(entries) });
}

function sized(plan: TaskPlan): Replan {
  const count = plan.processes.length;
  if (count > 0 && count <= MOST_PROCESSES) return { plan };
  const rule = `1 to ${MOST_PROCESSES} processes are needed, replicas counted`;
  return {
    refusal: { reason: 'bad-config', problems: [`cannot supervise "${plan.name}": ${rule}, got ${count}`] },
  };
}

/** Who is to make way; and who goes on as before, because it is on its way down, or is to go. */
export interface Transition {
  /** Processes whose runs need another one. */
  readonly renewed: readonly string[];
  readonly former: readonly FormerPlan[];
}

export function transitionOf(state: State, next: TaskPlan): Transition {
  const { changed } = differenceOf(state.plan, next);
  const anew = new Set(changed.filter(({ restart }) => restart).map(({ process }) => process));
  const runs = mainRuns(state).filter((run) => isAlive(run) || (isTerminal(run) && !isGone(state, run)));
  const renewed = next.processes
    .map(({ name }) => name)
    .filter((name) => anew.has(name) && isToRenew(state, name));
  const stays = (run: Run): boolean =>
    isTerminal(run) || run.stop !== null || !isInPlan(next, run.process) || renewed.includes(run.process);
  const former = runs.filter(stays).map((run) => ({ run: run.name, plan: planOf(state, run) }));
  return { renewed, former };
}

/** What waits for its start has the new plan then; what nobody wants has it when somebody does. */
function isToRenew(state: State, name: string): boolean {
  if (lookUp(state.processes, name)?.want !== 'up') return false;
  return mainRuns(state).some((run) => run.process === name && (isAlive(run) || isTerminal(run)));
}
