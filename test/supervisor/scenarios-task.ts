/** SCENARIOS.md: when a task ends, how, and what comes after all else. */
import { expect } from 'vitest';
import type { Ladder } from '../../src/supervisor/vocabulary.ts';
import { exitsBy, exitsOn, ignoresTerm, obedient, TERM } from '../simulation/behaviour.ts';
import { after, processPlan, restarts, taskPlan } from '../simulation/plans.ts';
import { endState, msOf, outcomesOf, recordsOf, signalsOf } from '../simulation/questions.ts';
import type { Result } from '../simulation/simulate.ts';
import { type Told, term } from './told.ts';

const final = { role: 'final' as const };
const threeRungs: Ladder = [15, 15, 15].map((signal) => ({
  action: 'signal',
  signal,
  target: 'group',
  waitMs: 5000,
}));
const ephemeral = { role: 'ephemeral' as const };
const states = (result: Result): string[] =>
  recordsOf(result, 'task-state').map(({ state, mono_ns }) => `${state}@${msOf(mono_ns)}`);
const causes = (result: Result): string[] =>
  recordsOf(result, 'stop-requested')
    .filter((record) => record.process === undefined)
    .map(({ cause }) => cause);

export const TASK_SCENARIOS: readonly Told[] = [
  {
    title: 'S16 `up` ends with 0 when it was asked to, and its processes end with 0 or by the signal',
    plan: taskPlan([processPlan('a'), processPlan('b')]),
    behaviours: { a: exitsOn(TERM, 100), b: obedient },
    script: [term(1000)],
    check: (result) => expect(endState(result)).toBe('killed 0'),
  },
  {
    title: 'S10 each process has its own grace, and 137 says that one needed SIGKILL',
    plan: taskPlan([processPlan('a', { graceMs: 1000 }), processPlan('b', { graceMs: 4000 })]),
    behaviours: { a: ignoresTerm, b: exitsOn(TERM, 3000) },
    script: [term(1000)],
    check: (result) => {
      expect(signalsOf(result, 'a#1')).toEqual(['15@1000', '9@2000']);
      expect(signalsOf(result, 'b#1')).toEqual(['15@1000']);
      expect(result.endedMs).toBe(4000);
      expect(endState(result)).toBe('killed 137');
    },
  },
  {
    title:
      'a stop that takes more than a second says whom it waits for and for how long, once for all of a level',
    plan: taskPlan([
      processPlan('a', { graceMs: 4000 }),
      processPlan('b', { graceMs: 8000 }),
      processPlan('c'),
      processPlan('d', { graceMs: 3000 }),
    ]),
    behaviours: { a: ignoresTerm, b: exitsOn(TERM, 5000), c: obedient, d: exitsOn(TERM, 900) },
    script: [term(1000)],
    check: (result) =>
      expect(result.said.filter(({ kind }) => kind === 'stop-waits')).toEqual([
        { kind: 'stop-waits', runs: ['a#1', 'b#1'], leftMs: 7000, next: 'SIGKILL' },
      ]),
  },
  {
    title: 'S32 max_failures 0: three fail, three succeed, success',
    plan: taskPlan(
      ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => processPlan(name)),
      null,
      { maxFailures: 0 },
    ),
    behaviours: {
      a: exitsBy(100, 1),
      b: exitsBy(200, 1),
      c: exitsBy(300, 1),
      d: exitsBy(400),
      e: exitsBy(500),
      f: exitsBy(600),
    },
    check: (result) => {
      expect(outcomesOf(result)).toHaveLength(6);
      expect(endState(result)).toBe('success 0');
    },
  },
  {
    title: 'S32 max_failures 2: the second one ends the task, with its code',
    plan: taskPlan([processPlan('a'), processPlan('b'), processPlan('c')], null, { maxFailures: 2 }),
    behaviours: { a: exitsBy(100, 3), b: exitsBy(500, 4), c: obedient },
    check: (result) => {
      expect(signalsOf(result, 'c#1')).toEqual(['15@501']);
      expect(endState(result)).toBe('failed 4');
    },
  },
  {
    title: 'S35 an ephemeral is stopped with its ladder when the others are done',
    plan: taskPlan([processPlan('job'), processPlan('helper', { ...ephemeral, graceMs: 500 })]),
    behaviours: { job: exitsBy(1000), helper: ignoresTerm },
    check: (result) => {
      expect(causes(result)).toEqual(['main-ended']);
      expect(signalsOf(result, 'helper#1')).toEqual(['15@1001', '9@1501']);
      expect(endState(result)).toBe('success 0');
    },
  },
  {
    title: 'S35 an ephemeral that fails is no failure of the task',
    plan: taskPlan([processPlan('job'), processPlan('helper', ephemeral)]),
    behaviours: { job: exitsBy(1000), helper: exitsBy(10, 1) },
    check: (result) => {
      expect(causes(result)).toEqual([]);
      expect(endState(result)).toBe('success 0');
    },
  },
  {
    title: 'S36 finals run after success, in their order, and one that fails does not fail the task',
    plan: taskPlan([
      processPlan('last', { ...final, ...after('upload completed_successfully') }),
      processPlan('upload', final),
      processPlan('bad', final),
      processPlan('job'),
    ]),
    behaviours: { job: exitsBy(1000), upload: exitsBy(500), bad: exitsBy(100, 9), last: exitsBy(100) },
    check: (result) => {
      const forks = recordsOf(result, 'run-forked').map(({ run, mono_ns }) => `${run}@${msOf(mono_ns)}`);
      expect(forks).toEqual(['job#1@0', 'upload#1@1001', 'bad#1@1001', 'last#1@1502']);
      expect(states(result)).toEqual(['active@0', 'finalizing@1001', 'success@1603']);
      expect(endState(result)).toBe('success 0');
    },
  },
  {
    title: 'S36 finals run after failure, and the task keeps its code',
    plan: taskPlan([processPlan('upload', final), processPlan('job'), processPlan('web')]),
    behaviours: { job: exitsBy(1000, 5), web: exitsOn(TERM, 200), upload: exitsBy(500) },
    check: (result) => {
      expect(states(result)).toEqual(['active@0', 'cleaning@1001', 'finalizing@1201', 'failed@1702']);
      expect(causes(result)).toEqual(['failure']);
      expect(endState(result)).toBe('failed 5');
    },
  },
  {
    title: 'S36 finals run after a requested stop',
    plan: taskPlan([processPlan('upload', final), processPlan('web')]),
    behaviours: { web: exitsOn(TERM, 200), upload: exitsBy(500) },
    script: [term(1000)],
    check: (result) => {
      expect(outcomesOf(result)).toEqual(['web#1 killed stopped 0', 'upload#1 success exit 0']);
      expect(states(result)).toEqual(['active@0', 'cleaning@1000', 'finalizing@1200', 'killed@1701']);
      expect(endState(result)).toBe('killed 0');
    },
  },
  {
    title: 'S36 a final that exceeds finalization_wait climbs its ladder, and none starts after that',
    plan: taskPlan(
      [
        processPlan('slow', { ...final, graceMs: 400 }),
        processPlan('never', { ...final, ...after('slow completed_successfully') }),
        processPlan('job'),
      ],
      null,
      { finalizationWaitMs: 2000 },
    ),
    behaviours: { job: exitsBy(1000), slow: ignoresTerm },
    check: (result) => {
      expect(signalsOf(result, 'slow#1')).toEqual(['15@3001', '9@3401']);
      expect(causes(result)).toEqual(['finalization-wait']);
      expect(endState(result)).toBe('success 0');
    },
  },
  {
    title: 'S36 stop signals while finals run climb their ladder: stop, next rung, SIGKILL',
    plan: taskPlan([processPlan('slow', { ...final, ladder: threeRungs }), processPlan('web')]),
    behaviours: { web: obedient, slow: ignoresTerm },
    script: [term(1000), term(2000), term(3000), term(4000)],
    check: (result) => {
      expect(signalsOf(result, 'web#1')).toEqual(['15@1000']);
      expect(signalsOf(result, 'slow#1')).toEqual(['15@2000', '15@3000', '9@4000']);
      expect(endState(result)).toBe('killed 137');
    },
  },
  {
    title: 'S36 a stop that comes when the task has succeeded does not change what it is',
    plan: taskPlan([processPlan('upload', final), processPlan('job')]),
    behaviours: { job: exitsBy(100), upload: exitsOn(TERM, 100, 1) },
    script: [term(1000)],
    check: (result) => {
      expect(outcomesOf(result)).toEqual(['job#1 success exit 0', 'upload#1 killed stopped 1']);
      expect(endState(result)).toBe('success 0');
    },
  },
  {
    title: 'S36 the third signal kills the processes; the finals still run',
    plan: taskPlan([processPlan('upload', final), processPlan('web', { ladder: threeRungs })]),
    behaviours: { web: ignoresTerm, upload: exitsBy(500) },
    script: [term(1000), term(1500), term(2000)],
    check: (result) => {
      expect(signalsOf(result, 'web#1')).toEqual(['15@1000', '15@1500', '9@2000']);
      expect(outcomesOf(result).at(-1)).toBe('upload#1 success exit 0');
      expect(endState(result)).toBe('killed 137');
    },
  },
  {
    title: 'S20 S36 finals have their share of the budget, and what the others did not use',
    plan: taskPlan(
      [processPlan('upload', { ...final, graceMs: 1000 }), processPlan('web', { graceMs: 20_000 })],
      10_000,
    ),
    behaviours: { web: ignoresTerm, upload: ignoresTerm },
    script: [term(1000)],
    check: (result) => {
      // 9 s are left for waiting. The finals count as a quarter of that: 20 / (20 + 2.25) of it is the rung's.
      expect(signalsOf(result, 'web#1')).toEqual(['15@1000', '9@9089']);
      const upload = signalsOf(result, 'upload#1').map((sent) => Number(sent.split('@')[1]));
      expect(upload).toHaveLength(2);
      expect(upload[0]).toBeGreaterThan(9090);
      expect(result.endedMs).toBeLessThanOrEqual(11_000);
    },
  },
  {
    title: 'S37 a daemon that exits with 0 is run again, and a failure of it counts',
    plan: taskPlan([processPlan('d', { daemon: true, restart: restarts({ policy: 'no', maxFailures: 1 }) })]),
    behaviours: { d: exitsBy(10), 'd#3': exitsBy(10, 4) },
    check: (result) => {
      const forks = recordsOf(result, 'run-forked').map(({ mono_ns }) => msOf(mono_ns));
      expect(forks).toEqual([0, 5000, 10_000]);
      expect(endState(result)).toBe('failed 4');
    },
  },
  {
    title: 'S37 an ephemeral daemon does not block the finals',
    plan: taskPlan([
      processPlan('upload', final),
      processPlan('log', { ...ephemeral, daemon: true }),
      processPlan('job'),
    ]),
    behaviours: { job: exitsBy(1000), log: obedient, upload: exitsBy(100) },
    check: (result) => {
      expect(outcomesOf(result)).toEqual([
        'job#1 success exit 0',
        'log#1 killed stopped SIGTERM',
        'upload#1 success exit 0',
      ]);
      expect(endState(result)).toBe('success 0');
    },
  },
  {
    title: 'S63 one of two services dies for good: the task ends with its code, never idle',
    plan: taskPlan([
      processPlan('a', { restart: restarts({ maxFailures: 2, minDurationMs: 0 }) }),
      processPlan('b'),
    ]),
    behaviours: { a: exitsBy(100, 6), b: exitsOn(TERM, 100) },
    check: (result) => {
      expect(outcomesOf(result).at(-1)).toBe('b#1 killed stopped 0');
      expect(endState(result)).toBe('failed 6');
    },
  },
  {
    title: 'the code is of the one that has failed the task, not of one that waited to run again',
    plan: taskPlan([
      processPlan('a', { restart: restarts({ maxFailures: 0, minDurationMs: 60_000 }) }),
      processPlan('b'),
    ]),
    behaviours: { a: exitsBy(100, 6), b: exitsBy(500, 7) },
    check: (result) => expect(endState(result)).toBe('failed 7'),
  },
  {
    title: 'exit_when any: the first that ends for good ends the task, and success is success',
    plan: taskPlan([processPlan('a'), processPlan('b')], null, { exitWhen: 'any' }),
    behaviours: { a: exitsBy(100), b: ignoresTerm },
    check: (result) => {
      expect(causes(result)).toEqual(['main-ended']);
      expect(endState(result)).toBe('success 0');
    },
  },
  {
    title: 'exit_when all: a failure is judged when all have ended',
    plan: taskPlan([processPlan('a'), processPlan('b')], null, { exitWhen: 'all' }),
    behaviours: { a: exitsBy(100, 8), b: exitsBy(3000) },
    check: (result) => {
      expect(causes(result)).toEqual([]);
      expect(endState(result)).toBe('failed 8');
    },
  },
  {
    title: 'main that fails: its code, and finals after it',
    plan: taskPlan([processPlan('app'), processPlan('proxy'), processPlan('upload', final)], null, {
      main: 'app',
    }),
    behaviours: { app: exitsBy(100, 42), proxy: obedient, upload: exitsBy(100) },
    check: (result) => {
      expect(outcomesOf(result).map((each) => each.split(' ')[0])).toEqual(['app#1', 'proxy#1', 'upload#1']);
      expect(endState(result)).toBe('failed 42');
    },
  },
  {
    title: 'a client stops one process: that does not end the task, its end does',
    plan: taskPlan([processPlan('a'), processPlan('b')], null, { exitWhen: 'any' }),
    behaviours: { a: obedient, b: exitsBy(3000) },
    script: [{ at: 1000, request: { op: 'stop', processes: ['a'] } }],
    check: (result) => {
      expect(result.endedMs).toBeGreaterThanOrEqual(3000);
      expect(endState(result)).toBe('success 0');
    },
  },
];
