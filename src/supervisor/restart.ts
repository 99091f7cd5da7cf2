/** Whether a process runs again, and when (SPEC.md 9). Pure. */
import type { Backoff, ProcessPlan, TaskPlan } from './plan.ts';
import type { Process, Result } from './state.ts';

const MS = 1_000_000n;

export type Next =
  | { readonly kind: 'finished' }
  | { readonly kind: 'again'; readonly atNs: bigint; readonly waitMs: number };

/**
 * What follows on the last run of a process that is wanted up. `seed`: something that differs from gsup to gsup, so
 * that those that fail together do not start together.
 */
export function nextRun(task: TaskPlan, plan: ProcessPlan, process: Process, seed: string): Next {
  const { last } = process;
  if (last !== null && process.again) return { kind: 'again', atNs: last.endedNs, waitMs: 0 };
  if (last === null || !runsAgain(task, plan, process, last)) return { kind: 'finished' };
  const waitMs = last.outcome === 'success' ? 0 : backoffMs(plan.restart.backoff, process.failures, seed);
  const afterEnd = last.endedNs + BigInt(waitMs) * MS;
  const afterStart = last.forkedNs + BigInt(plan.restart.minDurationMs) * MS;
  const atNs = afterEnd > afterStart ? afterEnd : afterStart;
  return { kind: 'again', atNs, waitMs: Number((atNs - last.endedNs) / MS) };
}

function runsAgain(task: TaskPlan, plan: ProcessPlan, process: Process, last: Result): boolean {
  const { policy, maxFailures } = plan.restart;
  if (last.outcome === 'killed') return false;
  if (last.outcome === 'success') return plan.daemon || policy === 'always';
  if (last.cause === 'health' && plan.health?.onUnhealthy === 'stop') return false;
  // To be restarted when it is unhealthy is a policy of its own, without a limit where none is set.
  if (policy === 'no') return last.cause === 'health';
  // What cannot be executed at all will not be better the next time; a user of `run` wants to see it at once.
  if (task.command === 'run' && last.cause === 'start' && !last.transient) return false;
  return maxFailures === 0 || process.failures < maxFailures;
}

export function backoffMs(backoff: Backoff, failures: number, seed: string): number {
  const grown = backoff.initialMs * backoff.factor ** Math.max(0, failures - 1);
  const wait = Math.min(grown, backoff.maxMs);
  return Math.round(wait * (1 + backoff.jitter * spread(`${seed} ${failures}`)));
}

/** From -1 to 1, the same for the same text (FNV-1a): the core has no dice, and a replay must not throw any. */
export function spread(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return ((hash >>> 0) / 0xffffffff) * 2 - 1;
}
