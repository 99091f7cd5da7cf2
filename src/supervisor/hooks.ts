/** Hooks of a run: commands that are runs of their own, and requests over HTTP. */
import type { BodyOf } from '../checkpoint/record.ts';
import { signalName } from '../signals/names.ts';
import { settleAnswer, takeAnswer } from './ask.ts';
import { postStopEndNs } from './budget-share.ts';
import { hookName, isProbe } from './names.ts';
import { startCode } from './outcome.ts';
import { BUSY_ANSWER_MS, BUSY_INTERVAL_MS, DEFAULT_DRAIN_RETRY_MS, type ProbeRole } from './plan.ts';
import { isDraining, isTerminal, planOf, rungOf, snapshotOf } from './select.ts';
import type { HookKind, Run } from './state.ts';
import { lookUp } from './table.ts';
import { decideOn, note, once, say, type Turn } from './turn.ts';
import type { Rung } from './vocabulary.ts';

const MS = 1_000_000n;

/** The rung that the run stands on wants its hook, or the end of the run does. */
export function beginHook(turn: Turn, run: Run): void {
  if (isTerminal(run)) {
    spawnHook(turn, run, 'post-stop', null, postStopEndNs(turn.state, run, turn.nowNs));
    return;
  }
  const rung = rungOf(turn.state, run);
  if (rung?.action === 'http_post') post(turn, run, rung.url);
  if (rung?.action === 'busy' && run.rung !== null)
    spawnHook(turn, run, 'busy', run.rung.index, answerBy(turn, run.rung.deadlineNs));
  if (rung?.action === 'exec' && run.rung !== null) {
    spawnHook(turn, run, 'pre-stop', run.rung.index, hookDeadline(turn, run, rung));
  }
}

/** The budget can end the wait before. */
export function answerBy({ nowNs }: Turn, endNs: bigint | null): bigint {
  const byNs = nowNs + BigInt(BUSY_ANSWER_MS) * MS;
  return endNs !== null && endNs < byNs ? endNs : byNs;
}

/** A wait that the budget has cut ends the hook as well; one that must drain is tried in its own time. */
export function hookDeadline(turn: Turn, run: Run, rung: Rung): bigint | null {
  if (!isDraining(turn.state, run) && !run.rung?.firstOnly) return run.rung?.deadlineNs ?? null;
  return rung.waitMs === null ? null : turn.nowNs + BigInt(rung.waitMs) * MS;
}

export function spawnHook(
  turn: Turn,
  run: Run,
  kind: HookKind,
  index: number | null,
  deadlineNs: bigint | null,
): void {
  decideOn(turn, startedRecord(run, kind, index, deadlineNs));
}

function startedRecord(
  run: Run,
  kind: HookKind,
  index: number | null,
  deadlineNs: bigint | null,
): BodyOf<'hook'> {
  const isOnlyOne = kind === 'pre-start' || kind === 'post-stop';
  const attempt = isOnlyOne ? 1 : run.hooks + 1;
  return {
    type: 'hook',
    process: run.process,
    run: run.name,
    hook: hookName(run.name, kind, attempt),
    state: 'started',
    code: null,
    signal: null,
    ...(index === null ? {} : { index }),
    ...(deadlineNs === null ? {} : { deadline_ns: deadlineNs }),
  };
}

/** At least once: after a crash nobody knows whether the request had arrived, and it is made again under its name. */
function post(turn: Turn, run: Run, url: string): void {
  const { rung } = run;
  if (rung === null) return;
  if (run.hook?.index !== rung.index)
    note(turn, startedRecord(run, 'http-post', rung.index, rung.deadlineNs));
  const hook = lookUp(turn.state.runs, run.name)?.hook?.name ?? '';
  once(turn, postedKey(run.name, hook));
  turn.effects.push({ kind: 'http', run: run.name, hook, url, deadlineNs: rung.deadlineNs });
}

export function postedKey(run: string, hook: string): string {
  return `${run} posted ${hook}`;
}

/** The answer to a request. Late ones, for a rung that is passed, are written and change nothing. */
export function endPost(turn: Turn, run: Run, hook: string, ok: boolean, detail?: string): void {
  if (run.hook?.name !== hook || run.hook.result !== null) return;
  note(turn, endedRecord(run, hook, { code: ok ? 0 : 1, signal: null }, null));
  if (ok) return;
  const why = detail === undefined ? {} : { detail };
  say(turn, { kind: 'hook-failed', run: run.name, hook, code: null, ...why });
}

/** Whoever had to be ended has not done its work, whatever it says at last. */
export function hasFailed(hook: Run, { code }: HookResult): boolean {
  return code !== 0 || (hook.rung !== null && hook.stop === null);
}

/** A hook's own run has ended, or is lost. */
export function endHook(turn: Turn, hook: Run): void {
  if (hook.serves !== null && isProbe(hook.serves.kind)) {
    endProbe(turn, hook, hook.serves.kind);
    return;
  }
  const served = lookUp(turn.state.runs, hook.serves?.run ?? '');
  const result = resultOf(turn, hook);
  const failed = hasFailed(hook, result);
  if (hook.serves?.kind === 'busy') {
    endQuestion(turn, served ?? nobody(hook), hook, failed);
    return;
  }
  const mustSucceed =
    served !== undefined && isDraining(turn.state, served) && served.hook?.name === hook.name;
  const retryMs = mustSucceed ? retryOf(turn, served) : 0;
  const retryNs = failed && mustSucceed ? turn.nowNs + BigInt(retryMs) * MS : null;
  decideOn(turn, endedRecord(served ?? nobody(hook), hook.name, result, retryNs));
  if (!failed || served === undefined) return;
  if (retryNs === null)
    say(turn, { kind: 'hook-failed', run: served.name, hook: hook.name, code: result.code });
  else if (once(turn, `${served.name} not drained`)) {
    say(turn, { kind: 'not-drained', run: served.name, hook: hook.name, retryMs });
  }
}

/** Whether it is busy: success says so, and it is asked again; whatever else comes ends the wait. */
function endQuestion(turn: Turn, served: Run, hook: Run, failed: boolean): void {
  const againNs = failed ? null : turn.nowNs + BigInt(BUSY_INTERVAL_MS) * MS;
  decideOn(turn, endedRecord(served, hook.name, resultOf(turn, hook), againNs));
  if (!failed && once(turn, `${served.name} busy`)) say(turn, { kind: 'busy', run: served.name });
}

function endProbe(turn: Turn, hook: Run, role: ProbeRole): void {
  const served = hook.serves?.run ?? '';
  const result = resultOf(turn, hook);
  const timedOut = hook.rung !== null;
  const reason = timedOut ? 'no answer in time' : `exit code ${result.code ?? result.signal ?? 'unknown'}`;
  takeAnswer(turn, served, role, result.code === 0 && !timedOut, reason);
  settleAnswer(turn, served);
  decideOn(turn, endedRecord(nobody(hook), hook.name, result, null));
}

/** Whom it served is forgotten; its own end is still to be written. */
export function nobody(hook: Run): Run {
  return { ...hook, name: hook.serves?.run ?? hook.name };
}

function retryOf(turn: Turn, run: Run): number {
  return planOf(turn.state, run).mustDrain?.retryMs ?? DEFAULT_DRAIN_RETRY_MS;
}

export interface HookResult {
  readonly code: number | null;
  readonly signal: string | null;
}

export function resultOf(turn: Turn, hook: Run): HookResult {
  const seen = snapshotOf(turn.state, hook);
  if (seen === undefined || seen.lost) return { code: null, signal: null };
  if (seen.startFailure !== null) return { code: startCode(seen.startFailure), signal: null };
  return { code: seen.code, signal: seen.signal === null ? null : (signalName(seen.signal) ?? null) };
}

export function endedRecord(
  run: Run,
  hook: string,
  result: HookResult,
  retryNs: bigint | null,
): BodyOf<'hook'> {
  return {
    type: 'hook',
    process: run.process,
    run: run.name,
    hook,
    state: 'ended',
    code: result.code,
    signal: result.signal,
    ...(retryNs === null ? {} : { deadline_ns: retryNs }),
  };
}
