/** What holds in every run of every task, whatever happens and whoever crashes. */
import { expect } from 'vitest';
import type { CheckpointRecord } from '../../src/checkpoint/record.ts';
import { reserveNs } from '../../src/signals/budget.ts';
import { hookKind, processName } from '../../src/supervisor/names.ts';
import { HOOK_LADDER, isFinal, processOf } from '../../src/supervisor/plan.ts';
import { replay } from '../../src/supervisor/replay.ts';
import type { State } from '../../src/supervisor/state.ts';
import { KILL } from './behaviour.ts';
import { recordsOf } from './questions.ts';
import { MS } from './scheduler.ts';
import type { Result, Scenario } from './simulate.ts';

export function checkInvariants(scenario: Scenario, result: Result): void {
  checkRequests(result);
  checkEnds(result);
  checkKills(scenario, result);
  checkNoStartAfterStop(scenario, result);
  expect(result.armed, 'timers that are still armed at the end').toBe(0);
  expect(logged(replay(scenario.plan, result.records)), 'the state that the log tells').toEqual(
    logged(result.state),
  );
}

/** Every request follows a record of its number that decided it, and numbers rise. */
function checkRequests({ records, requests }: Result): void {
  const bySeq = new Map(records.map((record) => [record.seq, record]));
  const decides = {
    spawn: ['run-forked', 'hook'],
    rung: ['rung', 'kill'],
    signal: ['signal-requested'],
    forget: ['outcome', 'hook'],
    exit: ['task-state'],
    upgrade: ['upgrade'],
  };
  for (const [at, request] of requests.entries()) {
    const record = bySeq.get(request.number) as CheckpointRecord;
    expect(decides[request.to], `request ${request.number}`).toContain(record.type);
    expect(record.mono_ns <= request.atNs, `request ${request.number} before its record`).toBe(true);
    expect(request.number).toBeGreaterThan(requests[at - 1]?.number ?? 0);
  }
}

/** One outcome for each run, one end for each hook; the last record is the task's. */
function checkEnds(result: Result): void {
  const stuck = result.said.flatMap((happening) => (happening.kind === 'stuck' ? [happening.run] : []));
  const forked = recordsOf(result, 'run-forked').map((record) => record.run);
  const ended = recordsOf(result, 'outcome').map((record) => record.run);
  expect(new Set(forked).size, 'a run is forked once').toBe(forked.length);
  expect([...ended].sort()).toEqual(forked.filter((run) => !stuck.includes(run)).sort());
  const hooks = recordsOf(result, 'hook').filter((record) => hookKind(record.hook) !== 'http-post');
  const started = hooks.filter((record) => record.state === 'started').map((record) => record.hook);
  const over = hooks.filter((record) => record.state === 'ended').map((record) => record.hook);
  expect(new Set(started).size, 'a hook is started once').toBe(started.length);
  expect([...over].sort()).toEqual(started.filter((hook) => !stuck.includes(hook)).sort());
  const last = recordsOf(result, 'task-state').at(-1);
  expect(last?.exit_code).toBe(result.exitCode);
  expect(result.records.at(-1)?.seq, 'nothing is written after the end').toBe(last?.seq);
}

/** SIGKILL only after the last rung is over, or because somebody asked for it: again, or at once. */
function checkKills(scenario: Scenario, result: Result): void {
  for (const sent of result.sent.filter(({ signal }) => signal === KILL)) {
    const before = result.records.filter((record) => record.mono_ns <= sent.atNs);
    const kill = before.some((record) => record.type === 'kill' && record.run === sent.run);
    // What gsup itself has stopped is not asked for once more by that.
    const asks = before.filter(
      (record) =>
        record.type === 'stop-requested' &&
        record.process === undefined &&
        (record.cause === 'signal' || record.cause === 'api'),
    );
    const asked =
      asks.length > 1 || asks.some((record) => record.type === 'stop-requested' && record.now === true);
    // What was done without a supervisor has no record here: that it was not too early is for init's log to tell.
    const fair = !kill || asked || isLadderOver(scenario, before, sent.run, sent.atNs);
    expect(fair, `SIGKILL for ${sent.run} before its time`).toBe(true);
  }
}

function isLadderOver({ plan }: Scenario, before: Result['records'], run: string, atNs: bigint): boolean {
  const ladder = run.includes('/') ? HOOK_LADDER : processOf(plan, processName(run)).ladder;
  if (ladder.length === 0 || isBudgetOver(before, atNs)) return true;
  const rung = before.filter((record) => record.type === 'rung').findLast((record) => record.run === run);
  if (rung?.index !== ladder.length - 1) return false;
  if (rung.deadline_ns !== null && rung.deadline_ns <= atNs) return true;
  return before.some((record) => record.type === 'hook' && record.run === run && record.state === 'ended');
}

function isBudgetOver(before: Result['records'], atNs: bigint): boolean {
  const budget = before.find((record) => record.type === 'budget');
  return budget !== undefined && budget.deadline_ns - reserveNs(BigInt(budget.budget_ms) * MS) <= atNs;
}

/** Final processes come after the others, and not after a stop of their own. */
function checkNoStartAfterStop({ plan }: Scenario, result: Result): void {
  const stops = recordsOf(result, 'stop-requested').filter((record) => record.process === undefined);
  const finalizing = recordsOf(result, 'task-state').find((record) => record.state === 'finalizing');
  const seqOfFinalizing = finalizing?.seq ?? Number.POSITIVE_INFINITY;
  const stop = stops.find((record) => record.seq < seqOfFinalizing);
  const finalsStop = stops.find((record) => record.seq > seqOfFinalizing);
  const late = recordsOf(result, 'run-forked').filter(({ process, seq }) => {
    const final = isFinal(plan, process);
    if (final) expect(seq, 'a final process before its time').toBeGreaterThan(seqOfFinalizing);
    const end = final ? finalsStop : (stop ?? finalizing);
    return end !== undefined && seq > end.seq;
  });
  expect(late, 'starts after a stop').toEqual([]);
}

function logged({ task, processes, runs }: State): unknown {
  return { task, processes, runs };
}
