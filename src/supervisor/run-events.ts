/**
 * What a run has still to answer, found in the state. An event is not a message that can be lost: it stands until a
 * handler has changed what made it true. So a supervisor that takes over needs no path of its own.
 */
import { isHook } from '../signals/ladder.ts';
import { dueNs } from './budget-share.ts';
import { postedKey } from './hooks.ts';
import { isProbe } from './names.ts';
import { healthNews, isOversized, isReadyNow, onUnhealthy, questionsOf, readyByNs } from './probes.ts';
import { followOf, waitingOf } from './progress.ts';
import { isRenewed } from './rolling.ts';
import {
  hasClimbed,
  isDraining,
  isHookBusy,
  isLevelsTurn,
  isTerminal,
  isUnforked,
  ladderOf,
  owesPostStop,
  rungOf,
  snapshotOf,
} from './select.ts';
import type { Run, State } from './state.ts';
import { lookUp } from './table.ts';
import { isDone } from './turn.ts';

export type RunEvent = (typeof URGENT)[number] | (typeof LATER)[number];

/** In this order: what is so comes before what is wanted, and a kill before a rung. */
export const URGENT = [
  'ended',
  'missing',
  'stuck',
  'climbed',
  'kill',
  'escalate',
  'stop',
  'straggling',
  'renew',
  'reorder',
  'ready',
  'not-ready',
  'health',
  'unhealthy',
  'oversized',
  'extend',
  'resume',
  'hook-ended',
  'due',
  'nearly-due',
  'waits-long',
  'hook-due',
] as const;

/** Only when nothing is left to be answered, a stop least of all. */
export const LATER = ['prepared', 'start', 'follow', 'blocked', 'probe-due'] as const;

type Pending = (state: State, run: Run, nowNs: bigint) => boolean;

/** A wait shorter than this is over before anybody could act on a warning. */
const WARN_FROM_MS = 1000;
const MS = 1_000_000n;

export const PENDING: Record<RunEvent, Pending> = {
  ended: (state, run) => snapshotOf(state, run)?.phase === 'ended',
  missing: (state, run) => state.live.missing[run.name] === true,
  stuck: (state, run) => snapshotOf(state, run)?.stuck === true && !isDone(state, `${run.name} stuck`),
  climbed: hasClimbed,
  kill: (_, run) => run.owed === 'kill',
  escalate: (state, run) => run.owed === 'escalate' || isAskedAgain(state, run),
  stop: (state, run) => run.rung === null && (isLevelsTurn(state, run) || isHookOver(state, run)),
  straggling: (state, run) => run.stop === null && snapshotOf(state, run)?.leaderExited === true,
  renew: isRenewed,
  reorder: (_, run) => run.reorder && run.stop === null,
  resume: isResumed,
  ready: (state, run) => !run.ready && isReadyNow(state, run),
  'not-ready': (state, run, nowNs) => isPast(readyByNs(state, run), nowNs),
  health: (state, run, nowNs) => healthNews(state, run, nowNs) !== null,
  unhealthy: (state, run) => onUnhealthy(state, run) !== null,
  oversized: isOversized,
  extend: (state, run) => isExtended(state, run),
  'hook-ended': (state, run) => isHookAnswered(state, run),
  due: (state, run, nowNs) => isPast(dueNs(state, run), nowNs),
  'nearly-due': (state, run, nowNs) => !isDone(state, warnKey(run)) && isPast(warnAtNs(state, run), nowNs),
  'waits-long': (state, run, nowNs) => !isDone(state, waitsKey(run)) && isPast(waitsAtNs(state, run), nowNs),
  'hook-due': (state, run, nowNs) =>
    isTerminal(run) ? isPostStopDue(state, run) : isHookDue(state, run, nowNs),
  // A stop leaves nobody behind that could be started; see `evolveStop`.
  start: (state, run, nowNs) =>
    run.hook === null && (run.dueNs === null || run.dueNs <= nowNs) && waitingOf(state, run) === null,
  prepared: (_, run) => run.hook !== null && run.hook.result !== null,
  'probe-due': (state, run, nowNs) => questionsOf(state, run).some(({ atNs }) => atNs <= nowNs),
  blocked: (state, run) => !isDone(state, blockedKey(run)) && isBlocked(state, run),
  follow: (state, run) => run.serves === null && followOf(state, run).kind === 'again',
};

/**
 * A log that was lost cannot tell whether a second ask was acted on; where the run stands can. Not what must drain: to try its hook
 * again takes no rung, so nothing would tell when that is done.
 */
function isAskedAgain(state: State, run: Run): boolean {
  const { task } = state;
  const asks = task.state === 'finalizing' ? task.finalsAsks : task.asks;
  const seen = snapshotOf(state, run);
  const stands = seen?.askedAgain === true && seen.rung === run.rung?.index;
  return stands && asks > 1 && run.serves === null && !isDraining(state, run);
}

export function isPast(atNs: bigint | null, nowNs: bigint): boolean {
  return atNs !== null && atNs <= nowNs;
}

/** What it was begun for is over: another rung, or the end. After the end there is nothing that could be over. */
function isHookOver(state: State, hook: Run): boolean {
  if (hook.serves === null) return false;
  const served = lookUp(state.runs, hook.serves.run);
  if (isProbe(hook.serves.kind)) return served === undefined || served.phase !== 'forked';
  if (hook.serves.kind === 'pre-start')
    return served === undefined || served.stop !== null || !isUnforked(served);
  if (hook.serves.index === null) return false;
  return served === undefined || served.phase !== 'stopping' || served.rung?.index !== hook.serves.index;
}

/** It stands on the first rung of a drain, and now it is stopped. */
function isResumed(state: State, run: Run): boolean {
  return run.rung?.firstOnly === true && run.stop?.firstOnly === false && isLevelsTurn(state, run);
}

function isExtended(state: State, run: Run): boolean {
  const seen = snapshotOf(state, run);
  if (seen === undefined || run.rung === null || run.rung.deadlineNs === null) return false;
  return seen.extendUs > 0 && seen.notifyCount > run.rung.notifyCount && !isDraining(state, run);
}

/**
 * A request that was taken leaves the process its time; a command that has ended has done what it was for. Where
 * SIGKILL would be next it was for ending the process (`nginx -s quit`), and that gets the time which is left.
 */
function isHookAnswered(state: State, run: Run): boolean {
  const { hook } = run;
  if (hook === null || hook.result === null || hook.index === null) return false;
  if (hook.index !== run.rung?.index || run.rung.firstOnly) return false;
  if (hook.kind === 'http-post' || hook.kind === 'busy') return hook.result === 'failed';
  if (hook.result === 'failed') return !isDraining(state, run);
  return hook.index < ladderOf(state, run).length - 1;
}

function isHookDue(state: State, run: Run, nowNs: bigint): boolean {
  const rung = rungOf(state, run);
  const { hook } = run;
  if (run.rung === null || !isHook(rung)) return false;
  if (hook === null || hook.index !== run.rung.index) return true;
  if (rung?.action === 'http_post')
    return hook.result === null && !isDone(state, postedKey(run.name, hook.name));
  if (rung?.action === 'busy') return hook.result === 'ok' && isPast(hook.retryNs, nowNs);
  return isDraining(state, run) && hook.result === 'failed' && isPast(hook.retryNs, nowNs);
}

/** One at a time: the hook before the stop has been ended first. */
function isPostStopDue(state: State, run: Run): boolean {
  return owesPostStop(state, run) && run.hook?.kind !== 'post-stop' && !isHookBusy(state, run);
}

function isBlocked(state: State, run: Run): boolean {
  const waiting = waitingOf(state, run);
  return waiting?.for === 'dependency' && waiting.never;
}

export function blockedKey(run: Run): string {
  return `${run.name} blocked`;
}

export function warnKey(run: Run): string {
  return `${run.name} warned ${run.rung?.index} ${run.rung?.deadlineNs}`;
}

/** When 80 % of a wait is used: the last moment at which a warning is still of use. null: there is nothing to warn of. */
export function warnAtNs(state: State, run: Run): bigint | null {
  const { rung } = run;
  if (run.phase !== 'stopping' || run.serves !== null || rung?.deadlineNs == null) return null;
  if (rung.waitMs === null || rung.waitMs < WARN_FROM_MS || rungOf(state, run)?.action !== 'signal')
    return null;
  return rung.deadlineNs - (BigInt(rung.waitMs) * MS) / 5n;
}

export function waitsKey(run: Run): string {
  return `${run.name} waits`;
}

/** A stop that is over sooner needs no words; one that is not may look as if nothing went on. */
const WAITS_AFTER_MS = 1000;

/** When people are told whom a stop waits for. Not of a drain, which takes as long as it takes. null: there is nothing to tell. */
export function waitsAtNs(state: State, run: Run): bigint | null {
  if (run.phase !== 'stopping' || run.serves !== null || run.rung === null || run.stop?.firstOnly)
    return null;
  const began = snapshotOf(state, run)?.stopNs ?? 0n;
  return began === 0n ? null : began + BigInt(WAITS_AFTER_MS) * MS;
}
