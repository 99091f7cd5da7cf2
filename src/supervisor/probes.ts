/** Readiness and health: when a run is asked, what its answers come to. Pure. */
import {
  type AskRole,
  type HealthPlan,
  type LogProbe,
  MEMORY_INTERVAL_MS,
  MEMORY_LOOKS,
  type MemoryProbe,
  type Probe,
  type ProbeRole,
} from './plan.ts';
import { hooksServing, isHookAlive, planOf, snapshotOf } from './select.ts';
import type { Asked, Health, Run, State } from './state.ts';
import { lookUp } from './table.ts';

const MS = 1_000_000n;
/** Between two questions whether it is ready: often enough that nobody waits for the answer rather than for the process. */
const READY_INTERVAL_MS = 500;
/** An answer that takes longer is none: the next question finds out. */
export const READY_ANSWER_MS = 5000;

/** A question that is to be asked. */
export type Question = { readonly timeoutMs: number } & (
  | { readonly role: ProbeRole; readonly probe: Probe | LogProbe }
  | { readonly role: 'memory'; readonly probe: MemoryProbe }
);

export function askedKey(run: string, role: AskRole): string {
  return `${run} ${role}`;
}

export function askedOf(state: State, run: Run, role: AskRole): Asked | undefined {
  return lookUp(state.live.probes, askedKey(run.name, role));
}

/** It has said so, or the probe has. Where nothing is asked for, saying so is still news. */
export function isReadyNow(state: State, run: Run): boolean {
  const question = readyQuestion(state, run);
  if (question === null) return snapshotOf(state, run)?.ready === true;
  return askedOf(state, run, 'ready')?.verdict === 'healthy';
}

/**
 * When it has failed for not being ready. null: there is no such time. EXTEND_TIMEOUT_USEC prolongs it as sd_notify(3) has it: so
 * much from when it was sent, if that is later; whoever goes on starting says so again. A stop ends the wait in any case.
 */
export function readyByNs(state: State, run: Run): bigint | null {
  if (run.serves !== null || run.ready || run.stop !== null) return null;
  const { ready } = planOf(state, run);
  const seen = snapshotOf(state, run);
  if (ready === null || ready.timeoutMs === null || seen === undefined || seen.startedNs === 0n) return null;
  const byNs = seen.startedNs + BigInt(ready.timeoutMs) * MS;
  const extendedNs = seen.extendNs === 0n ? 0n : seen.extendNs + BigInt(seen.extendUs) * 1000n;
  return extendedNs > byNs ? extendedNs : byNs;
}

/** What is to be asked next, and when. */
export function questionsOf(state: State, run: Run): (Question & { readonly atNs: bigint })[] {
  const startedNs = snapshotOf(state, run)?.startedNs ?? 0n;
  if (run.serves !== null || run.stop !== null || startedNs === 0n) return [];
  const wanted = [
    run.ready ? null : readyQuestion(state, run),
    healthQuestion(state, run),
    memoryQuestion(state, run),
  ];
  return wanted.flatMap((question) => {
    if (question === null || isWaitedFor(state, run, question.role)) return [];
    return [{ ...question, atNs: nextNs(state, run, question.role, startedNs) }];
  });
}

function readyQuestion(state: State, run: Run): Question | null {
  const probe = planOf(state, run).ready?.probe;
  if (run.serves !== null || probe === undefined || probe.kind === 'notify' || probe.kind === 'fd')
    return null;
  return { role: 'ready', probe, timeoutMs: READY_ANSWER_MS };
}

/** Of what is to say when it is ready nothing is asked before. */
function healthQuestion(state: State, run: Run): Question | null {
  const { health, ready } = planOf(state, run);
  if (health === null || (ready !== null && !run.ready)) return null;
  return { role: 'health', probe: health.probe, timeoutMs: health.timeoutMs };
}

function memoryQuestion(state: State, run: Run): Question | null {
  const { memoryLimitBytes: limitBytes } = planOf(state, run);
  const pid = snapshotOf(state, run)?.pid ?? 0;
  if (limitBytes === null || pid <= 0) return null;
  return { role: 'memory', probe: { kind: 'memory', pid, limitBytes }, timeoutMs: READY_ANSWER_MS };
}

/** Its tree was above its limit often enough. */
export function isOversized(state: State, run: Run): boolean {
  return run.stop === null && run.serves === null && askedOf(state, run, 'memory')?.verdict === 'unhealthy';
}

function isWaitedFor(state: State, run: Run, role: AskRole): boolean {
  const asked = askedOf(state, run, role);
  if (asked !== undefined && asked.answeredNs === null) return true;
  return hooksServing(state, run).some((hook) => hook.serves?.kind === role && isHookAlive(hook));
}

function nextNs(state: State, run: Run, role: AskRole, startedNs: bigint): bigint {
  const lastNs = askedOf(state, run, role)?.answeredNs ?? null;
  if (role === 'memory') return (lastNs ?? startedNs) + BigInt(MEMORY_INTERVAL_MS) * MS;
  const { health } = planOf(state, run);
  if (role === 'ready' || health === null)
    return lastNs === null ? startedNs : lastNs + BigInt(READY_INTERVAL_MS) * MS;
  const fromNs = lastNs ?? startedNs;
  const starting = lastNs === null || (run.health === null && fromNs < startPeriodEnd(health, startedNs));
  const waitMs = starting ? Math.min(health.startIntervalMs, health.intervalMs) : health.intervalMs;
  return fromNs + BigInt(waitMs) * MS;
}

function startPeriodEnd(health: HealthPlan, startedNs: bigint): bigint {
  return startedNs + BigInt(health.startPeriodMs) * MS;
}

/** An answer, counted. Failures before it has ever passed do not count within the start period. */
export function answered(
  state: State,
  run: Run,
  role: AskRole,
  answer: { readonly ok: boolean; readonly reason: string | null; readonly nowNs: bigint },
): Asked {
  const { ok, reason, nowNs } = answer;
  const before = askedOf(state, run, role);
  if (ok) return { answeredNs: nowNs, failures: 0, verdict: 'healthy', reason };
  const { health } = planOf(state, run);
  const startedNs = snapshotOf(state, run)?.startedNs ?? 0n;
  const isStarting = health === null || (run.health === null && nowNs < startPeriodEnd(health, startedNs));
  const excused = role === 'ready' || (role === 'health' && isStarting);
  const failures = (before?.failures ?? 0) + (excused ? 0 : 1);
  const most = { ready: null, health: health?.retries ?? null, memory: MEMORY_LOOKS }[role];
  const failed = most !== null && failures >= most;
  return { answeredNs: nowNs, failures, verdict: failed ? 'unhealthy' : (before?.verdict ?? null), reason };
}

/** WATCHDOG=1 must have come by then. It counts from the moment at which the run is ready. null: nobody waits for it. */
export function watchdogDueNs(state: State, run: Run): bigint | null {
  const { watchdogMs, ready } = planOf(state, run);
  const seen = snapshotOf(state, run);
  if (run.serves !== null || run.stop !== null || watchdogMs === null || seen === undefined) return null;
  if (seen.startedNs === 0n || (ready !== null && !run.ready)) return null;
  const fromNs = [seen.startedNs, seen.watchdogNs, lookUp(state.live.readyNs, run.name) ?? 0n].reduce(
    (one, other) => (one > other ? one : other),
  );
  return fromNs + BigInt(watchdogMs) * MS;
}

/** What its probe and its watchdog come to, where that is news. */
export function healthNews(
  state: State,
  run: Run,
  nowNs: bigint,
): { readonly health: Health; readonly reason: string | null } | null {
  if (run.serves !== null) return null;
  const due = watchdogDueNs(state, run);
  if (due !== null && due <= nowNs)
    return run.health === 'unhealthy' ? null : { health: 'unhealthy', reason: 'no WATCHDOG=1 in time' };
  const asked = askedOf(state, run, 'health');
  if (asked === undefined || asked.verdict === null || asked.verdict === run.health) return null;
  return { health: asked.verdict, reason: asked.reason };
}

/** null: it is not minded. A watchdog alone is as a health check that says nothing else. */
export function onUnhealthy(state: State, run: Run): 'restart' | 'stop' | null {
  const action = planOf(state, run).health?.onUnhealthy ?? 'restart';
  return run.health !== 'unhealthy' || run.stop !== null || action === 'ignore' ? null : action;
}
