import { expect, test } from 'vitest';
import { exitsBy, ignoresTerm, TERM } from './behaviour.ts';
import { type INVARIANTS, violations } from './invariants.ts';
import { restarts, runPlan } from './plans.ts';
import { type Result, type Scenario, simulate } from './simulate.ts';
import { type Step, stepsOf, type Trace } from './trace.ts';

/** A story that has a bit of everything, and what each invariant says when a part of it is false. */
const scenario: Scenario = {
  plan: runPlan({ graceMs: 2000, restart: restarts({ minDurationMs: 100 }) }),
  behaviours: { 'node#1': exitsBy(100, 1), node: ignoresTerm },
  script: [{ at: 5000, signal: TERM }],
};
const good = simulate(scenario);

const without = (leave: (step: Step) => boolean): Trace => good.trace.filter((step) => !leave(step));
const isRecord = (step: Step, type: string): boolean => step.kind === 'record' && step.record.type === type;
const isKill = (step: Step): boolean => step.kind === 'sent' && step.signal === 9;
const told = (trace: Trace): Result => ({
  ...good,
  trace,
  records: stepsOf(trace, 'record').map(({ record }) => record),
  sent: stepsOf(trace, 'sent'),
  requests: stepsOf(trace, 'request'),
});
/** The nth step of a kind once more at the end. */
const again = (is: (step: Step) => boolean): Trace => [...good.trace, good.trace.find(is) as Step];

test('a true story has nothing to be complained of', () => {
  expect(good.sent.map(({ signal }) => signal)).toEqual([TERM, 9]);
  expect(violations(scenario, good)).toEqual([]);
});

const lies: Partial<Record<keyof typeof INVARIANTS, Result>> = {
  'no request before its record': told(without((step) => isRecord(step, 'run-forked'))),
  'no signal before its record': told(without((step) => isRecord(step, 'rung'))),
  'no SIGKILL before its deadline unless asked': told(
    good.trace.map((step) => (isKill(step) ? { ...step, atNs: step.atNs - 1n } : step)),
  ),
  'no signal to what is not ours': told(again(isKill)),
  'each run is forked once': told(again((step) => step.kind === 'forked')),
  'one terminal record for each run': told(again((step) => isRecord(step, 'outcome'))),
  'no start after a stop began': told(again((step) => step.kind === 'forked')),
  'every deadline is disarmed at the end': { ...good, armed: 1 },
  'the end is the last record': told(good.trace.filter((step) => !isRecord(step, 'task-state'))),
  'the log replays to the state': { ...good, log: { ...good.log, entries: good.log.entries.slice(1) } },
};

test('nothing is forked before what must have succeeded: a story in which it is not so is found out', () => {
  const plan = runPlan({ preStart: { command: { shell: 'migrate' }, timeoutMs: 1000 } });
  expect(violations({ ...scenario, plan }, { ...good, state: { ...good.state, plan } })).toContain(
    'nothing is forked before what must have succeeded: node#1',
  );
});

test.each(Object.entries(lies))('%s: a story in which it is not so is found out', (name, result) => {
  expect(violations(scenario, result).filter((what) => what.startsWith(name))).not.toEqual([]);
});

test('every run that was forked has an end, or was said to be stuck', () => {
  const trace = without((step) => isRecord(step, 'outcome'));
  expect(violations(scenario, told(trace)).some((what) => what.includes('node#1 not'))).toBe(true);
});
