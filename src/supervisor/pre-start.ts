/** What must succeed before a run: a hook of a run that is not forked yet. */
import { sayGivenUp } from './given-up.ts';
import { endedRecord, hasFailed, nobody, resultOf, spawnHook } from './hooks.ts';
import { judgeUnforked } from './outcome.ts';
import { processOf } from './plan.ts';
import { isPreparing, planOf, snapshotOf } from './select.ts';
import type { Run, State } from './state.ts';
import { lookUp } from './table.ts';
import { decideOn, note, say, type Turn } from './turn.ts';

const MS = 1_000_000n;

export function beginPreStart(turn: Turn, run: Run): void {
  spawnHook(turn, run, 'pre-start', null, preStartEndNs(turn.state, run.process, turn.nowNs));
}

export function preStartEndNs({ plan }: State, process: string, nowNs: bigint): bigint | null {
  const timeoutMs = processOf(plan, process).preStart?.timeoutMs ?? null;
  return timeoutMs === null ? null : nowNs + BigInt(timeoutMs) * MS;
}

/**
 * What comes of the run stands before the end of the hook: as long as that is not in the log init has the hook, and whoever
 * takes over in between knows how it ended. A hook that succeeds only ends: the run is forked as soon as nothing else is left to be decided.
 */
export function endPreStart(turn: Turn, hook: Run): void {
  const served = lookUp(turn.state.runs, hook.serves?.run ?? '');
  const result = resultOf(turn, hook);
  if (served !== undefined && isPreparing(served) && (served.stop !== null || hasFailed(hook, result)))
    giveUpRun(turn, served, hook);
  decideOn(turn, endedRecord(served ?? nobody(hook), hook.name, result, null));
}

/** It will not be forked: because of its hook, or of a stop that has come meanwhile. `hook` undefined: nobody knows how that ended. */
export function giveUpRun(turn: Turn, run: Run, hook: Run | undefined): void {
  const seen = hook === undefined ? undefined : snapshotOf(turn.state, hook);
  const result = hook === undefined ? { code: null, signal: null } : resultOf(turn, hook);
  const outcome = judgeUnforked(turn.state, run, { ...result, seen, nowNs: turn.nowNs });
  note(turn, outcome);
  if (outcome.outcome === 'killed') return;
  const { code, signal } = result;
  const timeoutMs = planOf(turn.state, run).preStart?.timeoutMs ?? null;
  const late = hook !== undefined && hook.rung !== null && hook.stop === null;
  say(turn, { kind: 'pre-start-failed', run: run.name, code, signal, lateMs: late ? timeoutMs : null });
  sayGivenUp(turn, run);
}
