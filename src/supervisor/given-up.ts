/** Whether a process has failed for good, for people. */
import { nextRun } from './restart.ts';
import { planOf, processState } from './select.ts';
import type { Run } from './state.ts';
import { say, type Turn } from './turn.ts';

/** It was to be run again, and now it is not. */
export function sayGivenUp(turn: Turn, run: Run): void {
  const plan = planOf(turn.state, run);
  const process = processState(turn.state, run.process);
  const failed = process.last?.outcome === 'failed' || process.last?.outcome === 'lost';
  if (!failed || plan.restart.policy === 'no' || turn.state.task.stop !== null) return;
  if (nextRun(turn.state.plan, plan, process, '').kind === 'again') return;
  say(turn, { kind: 'gave-up', process: run.process, failures: process.failures });
}
