/** What concerns the task as a whole: its begin, what asks it to stop, its end. */
import type { BodyOf } from '../checkpoint/record.ts';
import { msOf } from '../signals/budget.ts';
import { signalName } from '../signals/names.ts';
import { adoptHook, adoptRun, judgeServed } from './adopt.ts';
import { finalsEndNs } from './budget-share.ts';
import { endOf, isHeld } from './end.ts';
import { exitCode, finalState } from './exit-code.ts';
import type { ForcedReason, StopReport } from './happening.ts';
import { findProcess } from './plan.ts';
import { isAnyBusy, isAnyOtherBusy, isOver } from './progress.ts';
import { hearReload } from './reconfigure.ts';
import { hasClimbed, isStuck, mainRuns, snapshotOf } from './select.ts';
import type { By, Run, State, Stop } from './state.ts';
import { entriesOf, lookUp } from './table.ts';
import { toldLevels } from './told-levels.ts';
import { decideOn, note, once, say, type Turn } from './turn.ts';
import type { Ladder } from './vocabulary.ts';

const MS = 1_000_000n;

/** One step at a time, until none is left; true when something was done. */
export type Step = (turn: Turn) => boolean;

/** Before the runs: what the picture of the host says of the task, and the first request to stop. */
export const EARLY: readonly Step[] = [
  beginTask,
  beginSupervisor,
  adoptRun,
  judgeServed,
  adoptHook,
  firstAsk,
  answeredAsk,
  beginBudget,
  beginCleaning,
];

/** After the runs have answered the ask before: the next one. */
export const LATE: readonly Step[] = [nextAsk, hearReload, endEarly, endFinals];

/** When nothing else is left to do. */
export const LAST: readonly Step[] = [endOthers, beginFinals, endTask];

function beginTask(turn: Turn): boolean {
  const { plan, task, live } = turn.state;
  if (task.begun || live.hello === null) return false;
  note(turn, {
    type: 'task',
    task: plan.name,
    version: plan.version,
    config_digest: plan.configDigest,
    boot_id: live.hello.bootId,
    pid_ns: Number(live.hello.pidNs),
    pid: live.hello.initPid,
    ...toldLevels(plan),
  });
  note(turn, { type: 'task-state', state: 'active', exit_code: null });
  return true;
}

function beginSupervisor(turn: Turn): boolean {
  if (!once(turn, 'supervisor started')) return false;
  const { live, plan } = turn.state;
  // Its coming is no news: the one before has left because nothing was to be decided.
  if (live.hello?.woken) return true;
  note(turn, { type: 'supervisor-started', pid: live.supervisorPid, version: plan.version });
  return true;
}

function firstAsk(turn: Turn): boolean {
  return turn.state.task.asks === 0 && ask(turn);
}

/**
 * Coordinators answer an ask by themselves when no supervisor does, and a log can be lost. Where a run stands higher
 * than the log tells, that was the answer to what had been asked until then: to answer it once more would take a rung
 * from it. The climb that is still to be accepted settles what the record makes the run owe.
 */
function answeredAsk(turn: Turn): boolean {
  return isAsked(turn.state) && mainRuns(turn.state).some((run) => hasClimbed(turn.state, run)) && ask(turn);
}

function nextAsk(turn: Turn): boolean {
  return ask(turn);
}

function isAsked({ live, task }: State): boolean {
  return live.asks !== null && live.asks.count > task.asks;
}

/** Stop signals are counted by init; each that was not acted on yet is one request. */
function ask(turn: Turn): boolean {
  const { asks } = turn.state.live;
  if (asks === null || !isAsked(turn.state)) return false;
  const signal = signalName(asks.signal);
  requestStop(turn, {
    cause: 'signal',
    by: { pid: asks.pid, uid: asks.uid },
    ...(signal === undefined ? {} : { signal }),
  });
  return true;
}

type Asked = Pick<BodyOf<'stop-requested'>, 'cause' | 'by' | 'signal' | 'now'>;

/** Of the whole task. */
export function requestStop(turn: Turn, asked: Asked): void {
  const before = presentStop(turn.state);
  const first = before === null;
  note(turn, { type: 'stop-requested', ...asked });
  const stop = presentStop(turn.state);
  if (!first || stop === null) return;
  say(turn, {
    kind: 'stop-begun',
    cause: stop.cause,
    signal: stop.cause === 'signal' ? stop.signal : null,
    pid: pidOf(stop.by),
  });
}

/** Of what runs now: the final processes, or the others. */
export function presentStop({ task }: State): Stop | null {
  return task.state === 'finalizing' ? task.finalsStop : task.stop;
}

function pidOf(by: By): number | null {
  return by === null ? null : by.pid;
}

/** The outside world counts from when it asked, whether or not a supervisor was there. */
function beginBudget(turn: Turn): boolean {
  const { plan, task, live } = turn.state;
  const stop = task.stop ?? task.finalsStop;
  if (stop === null || task.budget !== null || plan.stopBudgetMs === null) return false;
  const asked = stop.cause === 'signal' ? (live.asks?.firstNs ?? 0n) : 0n;
  const from = asked > 0n && asked < turn.nowNs ? asked : turn.nowNs;
  note(turn, {
    type: 'budget',
    budget_ms: plan.stopBudgetMs,
    deadline_ns: from + BigInt(plan.stopBudgetMs) * MS,
  });
  return true;
}

function beginCleaning(turn: Turn): boolean {
  if (turn.state.task.stop === null || turn.state.task.state !== 'active') return false;
  note(turn, { type: 'task-state', state: 'cleaning', exit_code: null });
  return true;
}

/** What the task was for has ended, or too much of it has failed: whoever else is there is stopped (SPEC.md 9). */
function endEarly(turn: Turn): boolean {
  const { state } = turn;
  if (state.task.stop !== null || state.task.state !== 'active') return false;
  const cause = endOf(state);
  return cause !== null && stopOthers(turn, cause);
}

/** Only ephemeral processes are left. */
function endOthers(turn: Turn): boolean {
  const { plan, task } = turn.state;
  if (task.stop !== null || task.state !== 'active' || isHeld(turn.state)) return false;
  const counts = plan.processes.filter(({ role }) => role === 'ordinary');
  return counts.every(({ name }) => isOver(turn.state, name)) && stopOthers(turn, 'main-ended');
}

function stopOthers(turn: Turn, cause: 'main-ended' | 'failure'): boolean {
  const others = isAnyOtherBusy(turn.state);
  if (others) requestStop(turn, { cause, by: null });
  return others;
}

/** All others have ended, however they did; and what belongs to nobody, which may still write what a final is to upload. */
function beginFinals(turn: Turn): boolean {
  const { state } = turn;
  // Where there are none, who is busy is an other. It is asked in each step, of all runs.
  if (!state.plan.processes.some(({ role }) => role === 'final')) return false;
  const finals = state.plan.processes.filter(({ role }) => role === 'final').map(({ name }) => name);
  if (state.task.state === 'finalizing' || isAnyOtherBusy(state) || !isAnyBusy(state) || isHeld(state))
    return false;
  if (!state.task.clearing) {
    decideOn(turn, { type: 'clearing' });
    return true;
  }
  if (state.live.asks?.cleared !== true) return false;
  const deadline = finalsEndNs(state, turn.nowNs);
  note(turn, { type: 'task-state', state: 'finalizing', exit_code: null, deadline_ns: deadline });
  const waitMs = deadline === null ? null : msOf(deadline - turn.nowNs);
  say(turn, { kind: 'finalizing', processes: finals, waitMs });
  return true;
}

function endFinals(turn: Turn): boolean {
  const { finalsEndNs: end, finalsStop, state } = turn.state.task;
  if (state !== 'finalizing' || finalsStop !== null || end === null || end > turn.nowNs) return false;
  requestStop(turn, { cause: 'finalization-wait', by: null });
  return true;
}

function endTask(turn: Turn): boolean {
  const { state } = turn;
  if (isAnyBusy(state) || isHeld(state)) return false;
  const code = exitCode(state);
  if (state.task.stop !== null || state.task.finalsStop !== null)
    say(turn, { kind: 'stop-summary', exitCode: code, processes: reports(state) });
  decideOn(turn, { type: 'task-state', state: finalState(state), exit_code: code });
  return true;
}

function reports(state: State): StopReport[] {
  return entriesOf(state.processes).flatMap(([process, { last }]): StopReport[] => {
    if (last === null) return [];
    const run = lookUp(state.runs, last.run);
    const stopNs = run === undefined ? 0n : (snapshotOf(state, run)?.stopNs ?? 0n);
    const { outcome, code, signal, forced } = last;
    const tookMs = stopNs > 0n && last.endedNs > 0n ? Number((last.endedNs - stopNs) / MS) : null;
    const stuck = run !== undefined && isStuck(state, run);
    const plan = findProcess(state.plan, process);
    if (plan === undefined) return [];
    const { ladder, waits } = plan;
    const reason = forced ? reasonOf(run, ladder) : null;
    const how = { outcome, code, signal, forced, reason, cutMs: run?.cutMs ?? 0, stuck };
    return [{ process, run: last.run, tookMs, ...how, rungs: ladder.length, waits }];
  });
}

function reasonOf(run: Run | undefined, ladder: Ladder): ForcedReason {
  if (run?.hurried) return 'asked-again';
  // Only a budget ends a wait of `forever`.
  const endless = run?.rung != null && ladder[run.rung.index]?.waitMs === null;
  return endless || (run?.cutMs ?? 0) > 0 ? 'budget' : 'outlived';
}
