/** The table of a run: for each state what each event does. Total, keyed by name, and "nothing" is written down. */

import { ask, becomeReady, changeHealth } from './ask.ts';
import { acceptRung, enterRung, escalate, extendRung, killRun, nextRung, resumeLadder } from './climb.ts';
import { sayGivenUp } from './given-up.ts';
import { beginHook, endHook } from './hooks.ts';
import { judgeRun } from './outcome.ts';
import { beginPreStart, endPreStart, giveUpRun } from './pre-start.ts';
import { askedOf } from './probes.ts';
import { followOf, waitingOf } from './progress.ts';
import { blockedKey, isPast, type RunEvent, waitsAtNs, waitsKey, warnKey } from './run-events.ts';
import { ladderOf, planOf, processState, runOf, runsOf, snapshotOf } from './select.ts';
import type { Run, RunState } from './state.ts';
import { decideOn, isDone, note, once, say, type Turn } from './turn.ts';
import type { RunSnapshot } from './vocabulary.ts';

type Handler = (turn: Turn, run: Run) => void;
type Row = Record<RunEvent, Handler | typeof ignore>;

/** Marks a cell in which nothing is to be done. It is never called. */
export const ignore = 'ignore';

const begin: Handler = (turn, run) => enterRung(turn, run, 0);

/** Not asked for at the host: there is nothing that could happen to it, only a time that comes. */
const unforked: Row = {
  ended: ignore,
  missing: ignore,
  stuck: ignore,
  climbed: ignore,
  kill: ignore,
  escalate: ignore,
  stop: ignore,
  straggling: ignore,
  renew: ignore,
  reorder: ignore,
  ready: ignore,
  'not-ready': ignore,
  health: ignore,
  unhealthy: ignore,
  oversized: ignore,
  extend: ignore,
  resume: ignore,
  'hook-ended': ignore,
  due: ignore,
  'nearly-due': ignore,
  'waits-long': ignore,
  'hook-due': ignore,
  prepared: endPreparation,
  start: beginRun,
  follow: ignore,
  blocked: sayBlocked,
  'probe-due': ignore,
};

/** It is up, as far as anybody knows. */
const up: Row = {
  ended: end,
  missing: end,
  stuck: ignore,
  climbed: acceptRung,
  kill: killRun,
  // A stop that has not reached it is not to be hurried.
  escalate: ignore,
  stop: begin,
  straggling: stopStragglers,
  renew: makeWay,
  reorder: renewOrder,
  ready: becomeReady,
  'not-ready': failReadiness,
  health: changeHealth,
  unhealthy: stopUnhealthy,
  oversized: stopOversized,
  extend: ignore,
  resume: ignore,
  'hook-ended': ignore,
  // Only a hook has an end before it is stopped.
  due: begin,
  'nearly-due': ignore,
  'waits-long': ignore,
  'hook-due': ignore,
  prepared: ignore,
  start: ignore,
  follow: ignore,
  blocked: ignore,
  'probe-due': ask,
};

/** Judged: all that can follow is its last hook, and the next run. */
const over: Row = {
  ended: ignore,
  missing: ignore,
  stuck: ignore,
  climbed: ignore,
  kill: ignore,
  escalate: ignore,
  stop: ignore,
  straggling: ignore,
  renew: ignore,
  reorder: ignore,
  ready: ignore,
  'not-ready': ignore,
  health: ignore,
  unhealthy: ignore,
  oversized: ignore,
  extend: ignore,
  resume: ignore,
  'hook-ended': ignore,
  due: ignore,
  'nearly-due': ignore,
  'waits-long': ignore,
  'hook-due': beginHook,
  prepared: ignore,
  start: ignore,
  follow: waitForNext,
  blocked: ignore,
  'probe-due': ignore,
};

export const RUN_TABLE: Record<RunState, Row> = {
  waiting: unforked,
  backoff: unforked,
  forked: up,
  running: up,
  ready: { ...up, ready: ignore, 'not-ready': ignore },
  stopping: {
    ended: end,
    missing: end,
    stuck: ignore,
    climbed: acceptRung,
    kill: killRun,
    escalate: climbFaster,
    stop: ignore,
    // The ladder that it is on is for the whole tree.
    straggling: ignore,
    renew: ignore,
    reorder: ignore,
    ready: ignore,
    'not-ready': ignore,
    health: ignore,
    unhealthy: ignore,
    oversized: ignore,
    extend: extendRung,
    resume: resumeLadder,
    'hook-ended': nextRung,
    due: nextRung,
    'nearly-due': warn,
    'waits-long': tellWaits,
    'hook-due': beginHook,
    prepared: ignore,
    start: ignore,
    follow: ignore,
    blocked: ignore,
    'probe-due': ignore,
  },
  killing: {
    ended: end,
    missing: end,
    stuck: reportStuck,
    climbed: ignore,
    kill: ignore,
    escalate: ignore,
    stop: ignore,
    straggling: ignore,
    renew: ignore,
    reorder: ignore,
    ready: ignore,
    'not-ready': ignore,
    health: ignore,
    unhealthy: ignore,
    oversized: ignore,
    extend: ignore,
    resume: ignore,
    'hook-ended': ignore,
    due: ignore,
    'nearly-due': ignore,
    'waits-long': ignore,
    'hook-due': ignore,
    prepared: ignore,
    start: ignore,
    follow: ignore,
    blocked: ignore,
    'probe-due': ignore,
  },
  success: over,
  failed: over,
  killed: over,
  lost: over,
};

/** What must succeed before it comes first; when that has, it is forked, whatever it would have to wait for now. */
function beginRun(turn: Turn, run: Run): void {
  if (planOf(turn.state, run).preStart === null) fork(turn, run);
  else beginPreStart(turn, run);
}

/** A stop can have come in the same moment; and a log can have lost the outcome of what failed. */
function endPreparation(turn: Turn, run: Run): void {
  if (run.stop === null && run.hook?.result === 'ok') fork(turn, run);
  else giveUpRun(turn, run, undefined);
}

function fork(turn: Turn, run: Run): void {
  decideOn(turn, { type: 'run-forked', process: run.process, run: run.name });
}

function sayBlocked(turn: Turn, run: Run): void {
  const waiting = waitingOf(turn.state, run);
  if (!once(turn, blockedKey(run)) || waiting?.for !== 'dependency') return;
  const { on, condition } = waiting.dependency;
  say(turn, { kind: 'blocked', process: run.process, on, condition });
}

function failReadiness(turn: Turn, run: Run): void {
  const { timeoutMs, probe } = planOf(turn.state, run).ready ?? { timeoutMs: null };
  note(turn, { type: 'stop-requested', process: run.process, run: run.name, cause: 'not-ready', by: null });
  const unanswered = probe?.kind === 'log' ? `no line matches /${probe.pattern}/` : null;
  const reason = askedOf(turn.state, run, 'ready')?.reason ?? unanswered;
  say(turn, { kind: 'not-ready', run: run.name, timeoutMs, reason });
}

/** Its run is ended, by its whole ladder; whether it runs again is for what follows on a failure. */
function stopUnhealthy(turn: Turn, run: Run): void {
  note(turn, { type: 'stop-requested', process: run.process, run: run.name, cause: 'unhealthy', by: null });
}

/** Its end is no failure: a new run takes its place, whatever its policy is. */
function stopOversized(turn: Turn, run: Run): void {
  note(turn, { type: 'stop-requested', process: run.process, run: run.name, cause: 'memory', by: null });
  const limitBytes = planOf(turn.state, run).memoryLimitBytes ?? 0;
  say(turn, {
    kind: 'oversized',
    run: run.name,
    limitBytes,
    reason: askedOf(turn.state, run, 'memory')?.reason ?? null,
  });
}

function end(turn: Turn, run: Run): void {
  if (run.serves === null) judge(turn, run);
  else if (run.serves.kind === 'pre-start') endPreStart(turn, run);
  else endHook(turn, run);
}

function judge(turn: Turn, run: Run): void {
  const seen = snapshotOf(turn.state, run);
  const outcome = judgeRun(turn.state, run);
  decideOn(turn, outcome);
  if (outcome.outcome === 'lost') say(turn, { kind: 'lost', run: run.name });
  else if (seen?.startFailure) sayNotStarted(turn, run, seen.startFailure);
  else {
    const { outcome: how, cause, code, signal } = outcome;
    say(turn, { kind: 'run-ended', run: run.name, outcome: how, cause, code, signal });
  }
  sayGivenUp(turn, run);
}

function sayNotStarted(turn: Turn, run: Run, failure: NonNullable<RunSnapshot['startFailure']>): void {
  const { argv, cwd, user, group } = planOf(turn.state, run).launch;
  const who = { ...(user !== undefined && { user }), ...(group !== undefined && { group }) };
  const what = { run: run.name, command: argv[0] ?? '', cwd: cwd ?? null, ...who };
  say(turn, { kind: 'start-failed', ...what, ...failure });
}

/** The leader has gone and others have not: the ladder is for what is left. */
function stopStragglers(turn: Turn, run: Run): void {
  note(turn, {
    type: 'stop-requested',
    process: run.process,
    run: run.name,
    cause: 'main-ended',
    by: null,
  });
  say(turn, { kind: 'stragglers', run: run.name, pids: snapshotOf(turn.state, run)?.stragglerPids ?? [] });
}

function renewOrder(turn: Turn, run: Run): void {
  decideOn(turn, { type: 'order', process: run.process, run: run.name });
}

/** For a new run: the process stays wanted. */
function makeWay(turn: Turn, run: Run): void {
  const { renewal } = processState(turn.state, run.process);
  if (renewal === null) return;
  note(turn, { type: 'stop-requested', process: run.process, run: run.name, ...renewal });
}

function climbFaster(turn: Turn, run: Run): void {
  const before = run.rung?.index ?? -1;
  escalate(turn, run);
  const after = runOf(turn.state, run.name);
  const index = after.rung?.index ?? before;
  const next = after.phase === 'killing' ? 'SIGKILL' : index === before ? 'hook' : 'rung';
  say(turn, { kind: 'escalated', run: run.name, index, next });
}

function warn(turn: Turn, run: Run): void {
  once(turn, warnKey(run));
  const { rung } = run;
  if (rung?.deadlineNs == null) return;
  const last = rung.index === ladderOf(turn.state, run).length - 1;
  const left = Number((rung.deadlineNs - turn.nowNs) / 1_000_000n);
  say(turn, { kind: 'grace-nearly-over', run: run.name, leftMs: left, next: last ? 'SIGKILL' : 'rung' });
}

/** null: for ever. */
function leftMs(deadlineNs: bigint | null, nowNs: bigint): number | null {
  return deadlineNs === null ? null : Number((deadlineNs - nowNs) / 1_000_000n);
}

/** What is asked to stop together is so one after the other. */
const TOGETHER_NS = 250_000_000n;

/** One line for all that a stop waits for by now. */
function tellWaits(turn: Turn): void {
  const isNew = (run: Run): boolean => !isDone(turn.state, waitsKey(run));
  const isWaiting = (run: Run): boolean => isPast(waitsAtNs(turn.state, run), turn.nowNs + TOGETHER_NS);
  const waiting = runsOf(turn.state).filter((run) => isNew(run) && isWaiting(run));
  for (const run of waiting) once(turn, waitsKey(run));
  const lefts = waiting.map(({ rung }) => leftMs(rung?.deadlineNs ?? null, turn.nowNs));
  const isEndless = lefts.includes(null);
  const isLast = waiting.every((run) => run.rung?.index === ladderOf(turn.state, run).length - 1);
  say(turn, {
    kind: 'stop-waits',
    runs: waiting.map(({ name }) => name),
    leftMs: isEndless ? null : Math.max(...lefts.map((left) => left ?? 0)),
    next: isLast ? 'SIGKILL' : 'rung',
  });
}

function reportStuck(turn: Turn, run: Run): void {
  once(turn, `${run.name} stuck`);
  say(turn, { kind: 'stuck', run: run.name, pids: snapshotOf(turn.state, run)?.stragglerPids ?? [] });
}

function waitForNext(turn: Turn, run: Run): void {
  const next = followOf(turn.state, run);
  if (next.kind === 'finished') return;
  const { failures, again } = processState(turn.state, run.process);
  const { waitMs, atNs } = next;
  note(turn, { type: 'backoff', process: run.process, wait_ms: waitMs, deadline_ns: atNs, failures });
  if (!again) say(turn, { kind: 'restart', process: run.process, waitMs, failures });
}
