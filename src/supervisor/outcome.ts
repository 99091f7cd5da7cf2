/** How the end of a run is judged. First cause wins. Pure. */
import type { BodyOf } from '../checkpoint/record.ts';
import { EXIT } from '../signals/exit-codes.ts';
import { signalName, signalNumber } from '../signals/names.ts';
import { isRenewal } from './evolve-want.ts';
import type { ProcessPlan } from './plan.ts';
import { planOf, processState, snapshotOf } from './select.ts';
import type { Outcome, OutcomeCause, Result, Run, State, StopCause } from './state.ts';
import type { RunSnapshot } from './vocabulary.ts';

/** ENOENT; and ENOTDIR, as of `/etc/passwd/x`: there is nothing of that name either. */
const NOT_THERE: readonly number[] = [2, 20];
/** EAGAIN (on Linux, on macOS), ENOMEM, ENFILE, EMFILE: of processes, memory, descriptors there will be some again. */
const WANTING: readonly number[] = [11, 35, 12, 23, 24];
const MS = 1_000_000n;

/** Why gsup itself has ended a run that was at fault. */
const FAULTS: Partial<Record<StopCause, OutcomeCause>> = { 'not-ready': 'not-ready', unhealthy: 'health' };

type Judgement = { readonly outcome: Outcome; readonly cause: OutcomeCause };

/** As a shell has it: 127 for what is not there, 126 for what is and cannot be executed. */
export function startCode(failure: NonNullable<RunSnapshot['startFailure']>): number {
  return failure.stage === 'exec' && NOT_THERE.includes(failure.errno) ? EXIT.notFound : EXIT.notExecutable;
}

/** The code that a user sees: 128 and the signal's number where it died of one, then the map (SPEC.md 2). */
export function mappedCode(plan: ProcessPlan, result: Pick<Result, 'code' | 'signal'>): number {
  const signal = result.signal === null ? 0 : (signalNumber(result.signal) ?? 0);
  const code = result.code ?? EXIT.signalBase + signal;
  return plan.exitMap.find(([from]) => from === code)?.[1] ?? code;
}

export function judgeRun(state: State, run: Run): BodyOf<'outcome'> {
  const seen = snapshotOf(state, run);
  const code = seen?.startFailure ? startCode(seen.startFailure) : (seen?.code ?? null);
  const signal = seen?.signal == null ? null : (signalName(seen.signal) ?? null);
  const judged = judge(state, run, seen, { code, signal });
  return {
    type: 'outcome',
    process: run.process,
    run: run.name,
    ...judged,
    code,
    signal,
    forced: seen?.forced ?? false,
    ...(judged.cause === 'start' && WANTING.includes(seen?.startFailure?.errno ?? 0) && { transient: true }),
    failures: failuresAfter(state, run, seen, judged.outcome),
    forked_ns: seen?.forkedNs ?? 0n,
    ended_ns: seen?.endedNs ?? 0n,
  };
}

/** It was never forked: what had to succeed before it has not, or a stop came first. */
export function judgeUnforked(
  state: State,
  run: Run,
  hook: Pick<Result, 'code' | 'signal'> & { readonly seen: RunSnapshot | undefined; readonly nowNs: bigint },
): BodyOf<'outcome'> {
  const { seen, nowNs } = hook;
  const stopped = run.stop !== null;
  return {
    type: 'outcome',
    process: run.process,
    run: run.name,
    outcome: stopped ? 'killed' : 'failed',
    cause: stopped ? 'stopped' : 'start',
    // Of a run that was stopped before it began there is no result.
    code: stopped ? null : hook.code,
    signal: stopped ? null : hook.signal,
    forced: seen?.forced ?? false,
    failures: failuresAfter(state, run, undefined, stopped ? 'killed' : 'failed'),
    forked_ns: seen?.forkedNs || nowNs,
    ended_ns: seen?.endedNs || nowNs,
  };
}

function judge(
  state: State,
  run: Run,
  seen: RunSnapshot | undefined,
  result: Pick<Result, 'code' | 'signal'>,
): Judgement {
  if (seen === undefined || seen.lost) return { outcome: 'lost', cause: 'exit' };
  const fault = run.stop === null ? undefined : FAULTS[run.stop.cause];
  if (run.stop?.scope === 'run' && fault !== undefined) return { outcome: 'failed', cause: fault };
  if (isMadeWay(run) || wasStopped(state, run, seen)) return { outcome: 'killed', cause: 'stopped' };
  if (seen.startFailure !== null) return { outcome: 'failed', cause: 'start' };
  const plan = planOf(state, run);
  const success = plan.successCodes.includes(mappedCode(plan, result));
  const bySignal = seen.oom ? 'oom' : 'signal';
  return { outcome: success ? 'success' : 'failed', cause: seen.signal === null ? 'exit' : bySignal };
}

/** It was asked to make way for a new one. */
function isMadeWay({ stop }: Run): boolean {
  return stop?.scope === 'run' && isRenewal(stop.cause);
}

/** What came when the leader had gone already, or because it had, is not why it ended. */
function wasStopped(state: State, run: Run, seen: RunSnapshot): boolean {
  const { stop } = run;
  if (stop === null || stop.scope === 'run') return false;
  const askedNs = stop.cause === 'signal' ? (state.live.asks?.firstNs ?? 0n) : 0n;
  const exitedFirst = seen.leaderExitedNs > 0n && askedNs > seen.leaderExitedNs;
  return !exitedFirst;
}

/** In a row: a run that lived long enough clears what was before it. */
function failuresAfter(state: State, run: Run, seen: RunSnapshot | undefined, outcome: Outcome): number {
  const { resetAfterMs } = planOf(state, run).restart.backoff;
  const lived = seen === undefined || seen.startedNs === 0n ? 0n : seen.endedNs - seen.startedNs;
  const before = lived >= BigInt(resetAfterMs) * MS ? 0 : processState(state, run.process).failures;
  return before + (outcome === 'failed' || outcome === 'lost' ? 1 : 0);
}
