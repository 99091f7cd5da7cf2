/** When a supervisor may leave: what each reason to stay is, one by one, beside a task that needs nobody. */
import { expect, test } from 'vitest';
import { type RecordBody, stampRecord } from '../../src/checkpoint/record.ts';
import { blankRun } from '../../src/host/blank-run.ts';
import { mayLeave } from '../../src/supervisor/leave.ts';
import type { ProcessPlan } from '../../src/supervisor/plan.ts';
import { replay } from '../../src/supervisor/replay.ts';
import type { Asked, Live, Process, Run, State, Stop, Task } from '../../src/supervisor/state.ts';
import { lookUp, tableOf } from '../../src/supervisor/table.ts';
import type { Hello, RunSnapshot } from '../../src/supervisor/vocabulary.ts';
import { at } from '../checkpoint/samples.ts';
import { processPlan, taskPlan } from '../simulation/plans.ts';

const S = 1_000_000_000n;
const NOW = 1000n * S;
const STAY = 10n * S;
const stop = { scope: 'process', cause: 'api', signal: 15, by: null, firstOnly: false } as unknown as Stop;
const asked: Asked = { answeredNs: NOW, failures: 0, verdict: null, reason: null };

/** One process that runs; `plan`: how it is to be run. */
function running(plan: Partial<ProcessPlan> = {}): State {
  const forked = { type: 'run-forked', process: 'a', run: 'a#1' } as RecordBody;
  const records = [stampRecord(forked, 1, { at, mono_ns: 1n })] as Parameters<typeof replay>[1];
  const state = replay(taskPlan([{ ...processPlan('a'), ...plan }]), records);
  const seen: RunSnapshot = { ...blankRun(1, 'a#1'), phase: 'running', pid: 7, startedNs: S };
  const live = {
    hello: { stayNs: STAY } as Hello,
    synced: true,
    missing: {},
    seen: tableOf([['a#1', seen]]),
  };
  return { ...state, live: { ...state.live, ...live } };
}

const withLive = (change: Partial<Live>): State => {
  const state = running();
  return { ...state, live: { ...state.live, ...change } };
};
const withTask = (change: Partial<Task>): State => {
  const state = running();
  return { ...state, task: { ...state.task, ...change } };
};
const withRun = (change: Partial<Run>, plan: Partial<ProcessPlan> = {}): State => {
  const state = running(plan);
  const run = { ...(lookUp(state.runs, 'a#1') as Run), ...change };
  return { ...state, runs: tableOf([['a#1', run]]) };
};
const withProcess = (change: Partial<Process>): State => {
  const state = running();
  const process = { ...(lookUp(state.processes, 'a') as Process), ...change };
  return { ...state, processes: tableOf([['a', process]]) };
};
const READY = { ready: { how: 'descriptor', timeoutMs: null } as unknown as ProcessPlan['ready'] };

test('it may, until something happens, where processes only run', () => {
  expect(mayLeave(running(), NOW)).toEqual({ atNs: null, ordersSuffice: true });
  expect(mayLeave(withRun({ ready: true }, READY), NOW)).toEqual({ atNs: null, ordersSuffice: true });
});

test.each<[string, State]>([
  ['nobody has said how long to stay', withLive({ hello: {} as Hello })],
  ['the picture is not complete', withLive({ synced: false })],
  ['a batch of news has begun', withLive({ partial: true })],
  ['a run of the log is not at the host', withLive({ missing: { 'b#1': true } })],
  ['the config is being read', withLive({ reload: { reading: [], waiting: [] } })],
  [
    'a question has no answer',
    withLive({ probes: tableOf([['a#1 health', { ...asked, answeredNs: null }]]) }),
  ],
  ['a question has failed', withLive({ probes: tableOf([['a#1 health', { ...asked, failures: 1 }]]) })],
  ['the task stops', withTask({ stop })],
  ['the task has another state', withTask({ state: 'cleaning' })],
  ['the task has ended', withTask({ exitCode: 0 })],
  ['a process is to run again', withProcess({ again: true })],
  ['a process is to be renewed', withProcess({ renewal: {} as Process['renewal'] })],
  ['a run has not been started', withLive({ seen: tableOf([]) })],
  ['a hook runs', withRun({ serves: { run: 'b#1' } as Run['serves'] })],
  ['a run waits for its hook', withRun({ hook: { result: null } as Run['hook'] })],
  ['an order is to be sent anew', withRun({ reorder: true })],
  ['a run waits for others', withRun({ phase: 'waiting' })],
  ['a run is stopped', withRun({ phase: 'stopping' })],
  ['a run is killed', withRun({ phase: 'killing' })],
  ['a run is to be stopped', withRun({ stop })],
  ['a run owes an escalation', withRun({ owed: 'escalate' })],
  ['a run is not ready', withRun({ ready: false }, READY)],
  ['a run has a watchdog', withRun({}, { watchdogMs: 10_000 })],
])('it stays while %s', (_, state) => {
  expect(mayLeave(state, NOW)).toBeNull();
});

test('a deadline that is too near keeps it, one that is further away says until when', () => {
  const backoff = (dueNs: bigint) => mayLeave(withRun({ phase: 'backoff', dueNs }), NOW);
  expect(backoff(NOW + 6n * STAY - 1n)).toBeNull();
  expect(backoff(NOW + 6n * STAY)).toEqual({ atNs: NOW + 6n * STAY, ordersSuffice: false });
});

const HOOK: ProcessPlan['ladder'][0] = { action: 'exec', command: { shell: 'true' }, waitMs: 10 };
const WAIT: ProcessPlan['ladder'][0] = { action: 'wait', waitMs: 10 };
const withPlan = (change: Partial<State['plan']>): State => {
  const state = running();
  return { ...state, plan: { ...state.plan, ...change } };
};
const ordersSuffice = (state: State): boolean | undefined => mayLeave(state, NOW)?.ordersSuffice;

test('S74 a stop needs no supervisor where each run has an order that says all of it', () => {
  expect(ordersSuffice(withRun({}, { ladder: [WAIT, ...processPlan('a').ladder] }))).toBe(true);
  expect(ordersSuffice(withRun({ phase: 'failed' }))).toBe(true);
  expect(ordersSuffice(withProcess({ last: { forced: false } as Process['last'] }))).toBe(true);
});

test.each<[string, State]>([
  ['the task ends with the code of a main process', withPlan({ main: 'a' })],
  [
    'something is to be run at the end',
    withPlan({ processes: [processPlan('a'), { ...processPlan('z'), role: 'final' }] }),
  ],
  ['one was ended by SIGKILL last', withProcess({ last: { forced: true } as Process['last'] })],
  ['a hook is part of the ladder', withRun({}, { ladder: [HOOK, ...processPlan('a').ladder] })],
  ['it is asked whether a run is busy', withRun({}, { ladder: [{ ...HOOK, action: 'busy' }] })],
  ['a run has to be drained', withRun({}, { mustDrain: { retryMs: 10 } })],
  ['a hook follows on the end', withRun({}, { postStop: { shell: 'true' } })],
  ['a run waits for its restart', withRun({ phase: 'backoff', dueNs: NOW + 6n * STAY })],
])('S74 a stop needs a supervisor where %s', (_, state) => {
  expect(ordersSuffice(state)).toBe(false);
});
