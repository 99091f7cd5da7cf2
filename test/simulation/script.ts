/** A scenario with its crashes as plain JSON: what a failing case prints, and what is replayed from `scripts/`. */
import type { RestartPlan, TaskPlan } from '../../src/supervisor/plan.ts';
import type { Behaviour } from './behaviour.ts';
import { type Change, processPlan, restarts, taskPlan } from './plans.ts';
import type { Crashes, Line, Scenario } from './simulate.ts';

export interface Script {
  /** A sentence: what must hold here, and once did not. */
  readonly title: string;
  /** What differs from the defaults, so that a script outlives changes of the plan. */
  readonly task: Partial<Omit<TaskPlan, 'processes'>>;
  readonly processes: Readonly<Record<string, ScriptProcess>>;
  readonly behaviours: Readonly<Record<string, Behaviour>>;
  readonly script: readonly Line[];
  readonly posts?: NonNullable<Scenario['posts']>;
  readonly large?: NonNullable<Scenario['large']>;
  readonly crashes: Crashes;
}

export type ScriptProcess = Omit<Change, 'restart'> & { readonly restart?: Partial<RestartPlan> };

export function scenarioOf({
  title,
  task,
  processes,
  behaviours,
  script,
  posts,
  large,
}: Script): Scenario & { title: string } {
  const plans = Object.entries(processes).map(([name, { restart, ...change }]) =>
    processPlan(name, restart === undefined ? change : { ...change, restart: restarts(restart) }),
  );
  const plan = taskPlan(plans, task.stopBudgetMs ?? null, task);
  return {
    title,
    plan,
    behaviours,
    script,
    ...(posts !== undefined && { posts }),
    ...(large !== undefined && { large }),
  };
}

export function printScript(script: Script): string {
  return JSON.stringify(script, null, 2);
}
