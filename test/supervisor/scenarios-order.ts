/** SCENARIOS.md, "Restart, order, limits": who starts when. */
import { expect } from 'vitest';
import { exitsBy, exitsOn, obedient, TERM } from '../simulation/behaviour.ts';
import { after, processPlan, restarts, taskPlan } from '../simulation/plans.ts';
import { endState, msOf, outcomesOf, recordsOf } from '../simulation/questions.ts';
import type { Result } from '../simulation/simulate.ts';
import { type Told, term } from './told.ts';

/** `b@1001`: when each process was forked first. */
const forks = (result: Result): string[] =>
  recordsOf(result, 'run-forked').map(({ run, mono_ns }) => `${run}@${msOf(mono_ns)}`);

const completed = (...on: string[]) => after(...on.map((each) => `${each} completed_successfully`));
const notified = { ready: { probe: { kind: 'notify' as const }, timeoutMs: null } };

export const ORDER_SCENARIOS: readonly Told[] = [
  {
    title: 'S31 what waits for the success of one that failed never starts, and the task has its code',
    plan: taskPlan([processPlan('a'), processPlan('b', completed('a')), processPlan('c', completed('b'))]),
    behaviours: { a: exitsBy(100), b: exitsBy(100, 7) },
    check: (result) => {
      expect(outcomesOf(result)).toEqual(['a#1 success exit 0', 'b#1 failed exit 7']);
      expect(endState(result)).toBe('failed 7');
    },
  },
  {
    title:
      'S31 where one failure is no end, what waited for it counts as ended, and so does what waits for that',
    plan: taskPlan(
      [
        processPlan('a'),
        processPlan('b', completed('a')),
        processPlan('c', completed('b')),
        processPlan('d'),
      ],
      null,
      { exitWhen: 'all' },
    ),
    behaviours: { a: exitsBy(100, 3), d: exitsBy(5000) },
    check: (result) => {
      expect(outcomesOf(result)).toEqual(['a#1 failed exit 3', 'd#1 success exit 0']);
      const blocked = result.said.filter((happening) => happening.kind === 'blocked');
      expect(blocked.map(({ process, on }) => `${process} ${on}`)).toEqual(['b a', 'c b']);
      expect(endState(result)).toBe('failed 3');
    },
  },
  {
    title: 'S33 2-2-2: nobody is forked before all that it waits for have completed',
    plan: taskPlan(
      ['a', 'b'].flatMap((column) => [
        processPlan(`${column}1`),
        processPlan(`${column}2`, completed('a1', 'b1')),
        processPlan(`${column}3`, completed('a2', 'b2')),
      ]),
    ),
    behaviours: {
      a1: exitsBy(100),
      b1: exitsBy(300),
      a2: exitsBy(400),
      b2: exitsBy(100),
      a3: exitsBy(1),
      b3: exitsBy(1),
    },
    check: (result) => {
      expect(forks(result).sort()).toEqual([
        'a1#1@0',
        'a2#1@301',
        'a3#1@702',
        'b1#1@0',
        'b2#1@301',
        'b3#1@702',
      ]);
      expect(endState(result)).toBe('success 0');
    },
  },
  {
    title: 'S33 started is enough where nothing more is asked for',
    plan: taskPlan([
      processPlan('a'),
      processPlan('b', after('a started')),
      processPlan('c', after('b ready')),
    ]),
    behaviours: { a: exitsBy(10), b: exitsBy(10), c: exitsBy(10) },
    check: (result) => expect(forks(result)).toEqual(['a#1@0', 'b#1@1', 'c#1@2']),
  },
  {
    title: 'S34 max_concurrency 1: never two at once',
    plan: taskPlan([processPlan('a'), processPlan('b'), processPlan('c')], null, { maxConcurrency: 1 }),
    behaviours: { a: exitsBy(1000), b: exitsBy(1000), c: exitsBy(1000) },
    check: (result) => {
      expect(forks(result)).toEqual(['a#1@0', 'b#1@1001', 'c#1@2002']);
      expect(endState(result)).toBe('success 0');
    },
  },
  {
    title: 'S34 a place that becomes free goes to who has waited, before one that runs again',
    plan: taskPlan(
      [processPlan('a', { restart: restarts({ policy: 'always', minDurationMs: 0 }) }), processPlan('b')],
      null,
      { maxConcurrency: 1, main: 'b' },
    ),
    behaviours: { a: exitsBy(100), b: exitsBy(100) },
    check: (result) => expect(forks(result).slice(0, 2)).toEqual(['a#1@0', 'b#1@101']),
  },
  {
    title: 'S40 who is not ready keeps back who depends on it',
    plan: taskPlan([processPlan('db', notified), processPlan('web', after('db'))], null, { main: 'web' }),
    behaviours: { db: { ...obedient, ready: 700 }, web: exitsBy(100) },
    check: (result) => {
      expect(forks(result)).toEqual(['db#1@0', 'web#1@701']);
      expect(recordsOf(result, 'run-ready').map(({ run }) => run)).toContain('db#1');
    },
  },
  {
    title: 'S40 who has to run again is not ready meanwhile',
    plan: taskPlan(
      [
        processPlan('db', { ...notified, restart: restarts({ minDurationMs: 0 }) }),
        processPlan('web', after('db')),
      ],
      null,
      { main: 'web' },
    ),
    behaviours: { 'db#1': exitsBy(100, 1), db: { ...obedient, ready: 200 }, web: exitsBy(100) },
    check: (result) => expect(forks(result)).toEqual(['db#1@0', 'db#2@601', 'web#1@802']),
  },
  {
    title: 'S27 a stop while some wait for their turn: they never start',
    plan: taskPlan([processPlan('a', notified), processPlan('b', after('a'))]),
    behaviours: { a: exitsOn(TERM, 100) },
    script: [term(1000)],
    check: (result) => {
      expect(forks(result)).toEqual(['a#1@0']);
      expect(endState(result)).toBe('killed 0');
    },
  },
  {
    title: 'what is not started by itself is not waited for',
    plan: taskPlan([
      processPlan('a'),
      processPlan('tool', { autostart: false }),
      processPlan('b', after('tool')),
    ]),
    behaviours: { a: exitsBy(100) },
    check: (result) => {
      expect(forks(result)).toEqual(['a#1@0']);
      expect(endState(result)).toBe('success 0');
    },
  },
];
