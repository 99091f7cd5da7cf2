/** What holds in every run of every task, whatever happens and whoever crashes: judged by the complete trace. */
import type { JournalNews } from '../../src/checkpoint/journal.ts';
import type { BodyOf, RecordBody } from '../../src/checkpoint/record.ts';
import { signalName } from '../../src/signals/names.ts';
import { hookKind, processName } from '../../src/supervisor/names.ts';
import { findProcess, isFinal } from '../../src/supervisor/plan.ts';
import { replay } from '../../src/supervisor/replay.ts';
import type { State } from '../../src/supervisor/state.ts';
import { KILL } from './behaviour.ts';
import { killsInTime } from './kills.ts';
import { plainly } from './plainly.ts';
import type { Result, Scenario } from './simulate.ts';
import { type Decision, recordsIn, type Sent, stepsOf, type Trace } from './trace.ts';

/** Returns what is not as it must be, in words. */
type Invariant = (scenario: Scenario, result: Result) => readonly string[];

export const INVARIANTS = {
  'no request before its record': requestsAfterRecords,
  'no signal before its record': signalsAfterRecords,
  'no SIGKILL before its deadline unless asked': killsInTime,
  'no signal to what is not ours': signalsToOurs,
  'each run is forked once': forkedOnce,
  'one terminal record for each run': oneEndEach,
  'no start after a stop began': noStartAfterStop,
  'nothing is forked before what must have succeeded': preparedFirst,
  'every deadline is disarmed at the end': disarmed,
  'the end is the last record': endIsLast,
  'the log replays to the state': replays,
} satisfies Record<string, Invariant>;

/** Throws with all that is wrong. */
export function checkInvariants(scenario: Scenario, result: Result): void {
  const wrong = violations(scenario, result);
  if (wrong.length > 0) throw new Error(wrong.join('\n'));
}

export function violations(scenario: Scenario, result: Result): string[] {
  return Object.entries<Invariant>(INVARIANTS).flatMap(([name, holds]) =>
    holds(scenario, result).map((what) => `${name}: ${what}`),
  );
}

const DECIDES: Record<string, readonly RecordBody['type'][]> = {
  spawn: ['run-forked', 'hook'],
  rung: ['rung', 'kill', 'order'],
  signal: ['signal-requested'],
  forget: ['outcome', 'hook'],
  exit: ['task-state'],
  upgrade: ['upgrade'],
  clear: ['clearing'],
};

/**
 * Every request follows the record of its number, which says the same of the same run; and numbers rise. Only what was to be
 * forgotten while the log could not be written is forgotten later, under the number that was meant for it: numbers behind it have been
 * sent by then, since nothing else waits for a disk.
 */
function requestsAfterRecords(_: Scenario, { trace, news }: Result): string[] {
  const failed = news.some(({ kind }) => kind === 'failing');
  let last = 0;
  return trace.flatMap((step, at) => {
    if (step.kind !== 'request') return [];
    const { number, to, run } = step;
    const record = recordBefore(trace, at, number);
    const isRising = number > last || (to === 'forget' && failed);
    last = Math.max(last, number);
    if (!isRising) return [`${number} is not higher than the one before`];
    if (record === undefined) return [`${to} ${run} under ${number}, of which there is no record`];
    const isIts =
      DECIDES[to]?.includes(record.type) === true &&
      (to === 'exit' || to === 'upgrade' || to === 'clear' || runOf(record) === run);
    return isIts ? [] : [`${to} ${run} under ${number}, which is ${record.type} ${runOf(record)}`];
  });
}

function recordBefore(trace: Trace, before: number, number: number): Decision | undefined {
  const found = trace.findLast(
    (step, at) => at < before && step.kind === 'record' && step.record.seq === number,
  );
  return found?.kind === 'record' ? found.record : undefined;
}

/** A hook's own run, in the records that concern that. */
function runOf(record: Decision): string {
  if (record.type === 'hook') return record.hook;
  return 'run' in record ? (record.run ?? '') : '';
}

/** A signal is one that the record of its request names; alone, the one of the order's rung, which init writes down. */
function signalsAfterRecords(_: Scenario, { trace }: Result): string[] {
  return trace.flatMap((step, at) => {
    if (step.kind !== 'sent') return [];
    const known =
      step.number === null
        ? isOfOrder(trace, at, step)
        : isOfRecord(recordBefore(trace, at, step.number), step);
    return known ? [] : [`${step.signal} to ${step.run} under ${step.number}`];
  });
}

function isOfRecord(record: Decision | undefined, { run, signal }: Sent): boolean {
  if (record === undefined || !('run' in record) || record.run !== run) return false;
  if (record.type === 'kill') return signal === KILL;
  return (
    (record.type === 'rung' || record.type === 'signal-requested') && record.signal === signalName(signal)
  );
}

/** A rung that its coordinator took before; what comes before the command is there is sent when it is. */
function isOfOrder(trace: Trace, before: number, { run, signal }: Sent): boolean {
  const asked = stepsOf(trace, 'asked')[0]?.signal ?? 15;
  return stepsOf(trace.slice(0, before), 'alone').some(({ run: whose, order: { rungs, index } }) => {
    const rung = rungs[index ?? rungs.length];
    return whose === run && signal === (rung?.signal === 'received' ? asked : (rung?.signal ?? KILL));
  });
}

/** A pid is a run's from its fork until its tree is empty; who asks for a signal means the run that has it. */
function signalsToOurs(_: Scenario, { trace }: Result): string[] {
  return trace.flatMap((step, at) => {
    const key = step.kind === 'sent' ? Math.floor(step.pid / 100) : step.kind === 'request' ? step.key : null;
    if (key === null || key === 0 || !('run' in step)) return [];
    const fork = trace.findIndex((other) => other.kind === 'forked' && other.key === key);
    const forked = trace[fork];
    const isIts = forked?.kind === 'forked' && forked.run === step.run;
    if (step.kind === 'request' && step.to === 'spawn')
      return fork > at ? [] : [`${step.run} is there already`];
    const end = trace.findIndex((other) => other.kind === 'ended' && other.key === key);
    const isOver = step.kind === 'sent' && end >= 0 && end < at;
    return isIts && fork < at && !isOver ? [] : [`${step.kind} for ${step.run} to ${key}`];
  });
}

/** And where init still has it, the log has its fork once. */
function forkedOnce(_: Scenario, { trace, log }: Result): string[] {
  const forks = stepsOf(trace, 'forked').map(({ run }) => run);
  const logged = log.entries.flatMap(({ record }) => (record.type === 'run-forked' ? [record.run] : []));
  return [...repeated(forks), ...repeated(logged).map((run) => `${run} in the log`)];
}

function repeated(names: readonly string[]): string[] {
  return names.filter((name, at) => names.indexOf(name) !== at);
}

/** An outcome for each run, an end for each hook that is a command, but for what is stuck. */
function oneEndEach(_: Scenario, result: Result): string[] {
  const stuck = result.said.flatMap((happening) => (happening.kind === 'stuck' ? [happening.run] : []));
  const forked = stepsOf(result.trace, 'forked').map(({ run }) => run);
  const ends = result.records.flatMap((record) => {
    if (record.type === 'outcome') return [record.run];
    return record.type === 'hook' && record.state === 'ended' && hookKind(record.hook) !== 'http-post'
      ? [record.hook]
      : [];
  });
  const without = forked.filter((run) => !ends.includes(run) && !stuck.includes(run));
  const prepared = forked.filter((run) => hookKind(run) === 'pre-start').map((hook) => hook.split('/')[0]);
  const unforked = ends.filter((run) => !forked.includes(run) && !prepared.includes(run));
  const told = isWhole(result) ? repeated(ends) : [];
  return [...told.map((run) => `${run} twice`), ...[...without, ...unforked].map((run) => `${run} not`)];
}

/** Final processes come after the others, and not after a stop of their own. */
function noStartAfterStop(_: Scenario, { trace, state: { plan } }: Result): string[] {
  return trace.flatMap((step, at) => {
    if (step.kind !== 'forked' || !isStart(step.run)) return [];
    const before = trace.slice(0, at);
    const process = processName(step.run);
    const finalizing = recordsIn(before, 'task-state').find(({ state }) => state === 'finalizing');
    const isFinalOne = isFinal(plan, process);
    if (isFinalOne && finalizing === undefined) return [`${step.run} before its time`];
    const stop = recordsIn(before, 'stop-requested').find(
      (record) =>
        record.run === undefined &&
        (record.processes?.includes(process) ?? (record.process ?? process) === process) &&
        !isTakenBack(before, record, process) &&
        (!isFinalOne || record.seq > (finalizing?.seq ?? 0)),
    );
    const end = stop ?? (isFinalOne ? undefined : finalizing);
    return end === undefined ? [] : [`${step.run} after ${end.seq}`];
  });
}

/** A client wants it up again; the stop of the task nobody takes back. */
function isTakenBack(before: Trace, stop: Decision & BodyOf<'stop-requested'>, process: string): boolean {
  const starts = [...recordsIn(before, 'start-requested'), ...recordsIn(before, 'restart-requested')];
  return (
    (stop.process !== undefined || stop.processes !== undefined) &&
    starts.some(({ seq, processes }) => seq > stop.seq && processes.includes(process))
  );
}

/** A hook is no start, but for the one that comes before it. */
function isStart(run: string): boolean {
  return !run.includes('/') || run.includes('/pre-start.');
}

function preparedFirst(_: Scenario, { trace, state: { plan } }: Result): string[] {
  return trace.flatMap((step, at) => {
    if (step.kind !== 'forked' || step.run.includes('/')) return [];
    if ((findProcess(plan, processName(step.run))?.preStart ?? null) === null) return [];
    const hooks = recordsIn(trace.slice(0, at), 'hook').filter(({ run }) => run === step.run);
    return hooks.some(({ state, code }) => state === 'ended' && code === 0) ? [] : [step.run];
  });
}

function disarmed(_: Scenario, { armed }: Result): string[] {
  return armed === 0 ? [] : [`${armed} are armed`];
}

function endIsLast(_: Scenario, { records, exitCode }: Result): string[] {
  const last = records.at(-1);
  const isEnd = last?.type === 'task-state' && last.exit_code === exitCode && exitCode !== null;
  return isEnd ? [] : [`it is ${last?.type}, and the code ${exitCode}`];
}

/** What is on the disk is what was decided, and what follows from it is what the supervisor knows. */
function replays(_: Scenario, result: Result): string[] {
  if (!isWhole(result)) return [];
  const { log, records, state } = result;
  if (log.torn !== undefined || log.damage !== undefined) return ['the log is not whole'];
  const found = log.entries.map(({ record }) => record);
  if (
    !result.compacts &&
    text(found.map(({ seq, type }) => [seq, type])) !== text(records.map(({ seq, type }) => [seq, type]))
  )
    return [`the log has ${found.length} records, and ${records.length} were decided`];
  return plainly(logged(replay(state.plan, found))) === plainly(logged(state)) ? [] : ['another state'];
}

/** Nothing that was decided is missing: what could not be written was written later. */
export function isWhole({ news, kept }: Result): boolean {
  return kept && news.every((each) => isHarmless(each));
}

function isHarmless(news: JournalNews): boolean {
  if (news.kind === 'recovered') return news.missing === 0;
  return news.kind === 'torn' || news.kind === 'deleted' || news.kind === 'failing';
}

function logged({ task, processes, runs }: State): unknown {
  return { task, processes, runs };
}

function text(value: unknown): string {
  return JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? String(each) : each));
}
