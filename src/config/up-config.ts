/** What a config file says, complete and checked: every default is applied, every file has been read. Plain data. */
import type { Dependency, ProcessPlan, TaskPlan } from '../supervisor/plan.ts';

export interface UpConfig {
  /** Of the task, when nobody says another. */
  readonly name: string;
  /** In the order of the file; names that are numbers come first. */
  readonly processes: readonly ProcessConfig[];
  readonly main: string | null;
  readonly stopBudgetMs: number | null;
  readonly maxFailures: number;
  readonly maxConcurrency: number;
  readonly finalizationWaitMs: number;
  readonly exitWhen: TaskPlan['exitWhen'];
}

/** An entry of `processes`: the plan of each of its replicas, but for what their names decide. */
export interface ProcessConfig
  extends Omit<ProcessPlan, 'name' | 'entry' | 'replica' | 'level' | 'dependsOn'> {
  readonly name: string;
  /** null: there is one, which is called as the entry. */
  readonly replicas: number | null;
  /** On entries. */
  readonly dependsOn: readonly Dependency[];
}
