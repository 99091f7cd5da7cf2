/** Whether a task lives, is ready and is well: for the three probes, and for the file from which `gsup health` answers. Pure. */
import { isFinal, processOf } from '../supervisor/plan.ts';
import { mainRuns, runStateOf } from '../supervisor/select.ts';
import type { Run, State } from '../supervisor/state.ts';
import { lookUp } from '../supervisor/table.ts';

export interface Verdict {
  /** The task goes on, and none of its processes is unhealthy or has failed for good. */
  readonly healthy: boolean;
  /** It has not begun to stop, and each of its processes is ready, or has done its work. */
  readonly ready: boolean;
  /** It has begun to end. */
  readonly stopping: boolean;
  /** Who is in the way of being ready, and how. */
  readonly waitingFor: readonly { readonly process: string; readonly state: string }[];
}

export function judgeTask(state: State): Verdict {
  const { task, plan } = state;
  const last = lastRuns(state);
  const wanted = plan.processes.filter(
    ({ name }) => lookUp(state.processes, name)?.want === 'up' && !isFinal(plan, name),
  );
  const standings = wanted.map(({ name }) => ({ process: name, state: standingOf(state, last.get(name)) }));
  const waitingFor = standings.filter((each) => each.state !== 'ready' && each.state !== 'success');
  const goesOn = task.stop === null && task.state === 'active';
  const healthy = !standings.some((each) => each.state === 'unhealthy' || each.state === 'failed');
  const ready = goesOn && waitingFor.length === 0;
  return { healthy: goesOn && healthy, ready, stopping: !goesOn, waitingFor };
}

function standingOf(state: State, run: Run | undefined): string {
  if (run === undefined) return 'waiting';
  if (run.health === 'unhealthy') return 'unhealthy';
  const is = runStateOf(state, run);
  // What has no way to say so is ready when it runs.
  return is === 'running' && processOf(state.plan, run.process).ready === null ? 'ready' : is;
}

function lastRuns(state: State): ReadonlyMap<string, Run> {
  return new Map(mainRuns(state).map((run) => [run.process, run]));
}
