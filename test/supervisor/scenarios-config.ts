/** SPEC.md 2: another config comes into force under the running task, read again or scaled; and nothing else changes. */
import { expect } from 'vitest';
import { buildLadder } from '../../src/signals/ladder.ts';
import type { ConfigRead } from '../../src/supervisor/effect.ts';
import type { EntryPlan, TaskPlan } from '../../src/supervisor/plan.ts';
import { expandEntries } from '../../src/supervisor/replicas.ts';
import { exitsBy, exitsOn, ignoresTerm, obedient, TERM } from '../simulation/behaviour.ts';
import { type Change, LAUNCH, processPlan, STOP, taskPlan } from '../simulation/plans.ts';
import { endState, msOf, recordsOf, signalsOf } from '../simulation/questions.ts';
import type { Line, Result } from '../simulation/simulate.ts';
import { type Told, term } from './told.ts';

function entry(name: string, replicas: number | null, change: Change = {}): EntryPlan {
  const { entry: _, replica: __, ...plan } = processPlan(name, change);
  return { ...plan, replicas, declared: replicas };
}

function upPlan(entries: readonly EntryPlan[], change: Partial<TaskPlan> = {}): TaskPlan {
  const digest = JSON.stringify([entries, change]).length.toString(16);
  return taskPlan(expandEntries(entries), null, { entries, configDigest: digest, ...change });
}

const runs = (command: string) => ({ launch: { ...LAUNCH, argv: [command] } });
const plan = (...entries: EntryPlan[]): ConfigRead => ({ kind: 'plan', plan: upPlan(entries) });
const reload = (at: number): Line => ({ at, request: { op: 'reload' } });
const scale = (at: number, entry: string, replicas: number): Line => ({
  at,
  request: { op: 'scale', to: [{ entry, replicas }] },
});
const forks = (result: Result): string[] =>
  recordsOf(result, 'run-forked').map(({ run, mono_ns }) => `${run}@${msOf(mono_ns)}`);
const results = (result: Result): string[] =>
  recordsOf(result, 'reload').map(({ result: how, mono_ns }) => `${how}@${msOf(mono_ns)}`);

export const CONFIG_SCENARIOS: readonly Told[] = [
  {
    title: 'scale up: more replicas, and those that are there go on',
    plan: upPlan([entry('web', 1), entry('db', null)]),
    behaviours: {},
    script: [scale(1000, 'web', 3), term(5000)],
    check: (result) => {
      expect(forks(result)).toEqual(['web.1#1@0', 'db#1@0', 'web.2#1@1000', 'web.3#1@1000']);
      expect(result.launches['web.3#1']?.envSet.GSUP_REPLICA).toBe('3');
      expect(signalsOf(result, 'web.1#1')).toEqual(['15@5000']);
    },
  },
  {
    title: 'scale down: the newest climbs its whole ladder, the others go on',
    plan: upPlan([entry('web', 3, { graceMs: 2000 })]),
    behaviours: { 'web.3': ignoresTerm, 'web.2': exitsOn(TERM, 300) },
    script: [scale(1000, 'web', 1), term(9000)],
    check: (result) => {
      expect(signalsOf(result, 'web.3#1')).toEqual(['15@1000', '9@3000']);
      expect(signalsOf(result, 'web.2#1')).toEqual(['15@1000']);
      expect(signalsOf(result, 'web.1#1')).toEqual(['15@9000']);
      expect(endState(result)).toBe('killed 137');
    },
  },
  {
    title: 'scale down: stop.busy, a busy replica is left alone until it is not',
    plan: upPlan([
      entry('web', 2, {
        ladder: [
          { action: 'busy', command: { shell: './busy' }, waitMs: null },
          ...buildLadder({ ...STOP, graceMs: 2000 }),
        ],
      }),
    ]),
    behaviours: { web: obedient, 'web.2#1/busy.1': exitsBy(10), 'web.2#1/busy.2': exitsBy(10, 1) },
    script: [scale(1000, 'web', 1), term(20_000)],
    check: (result) => expect(signalsOf(result, 'web.2#1')).toEqual(['15@6022']),
  },
  {
    title: 'scale down, and up again before that is over: the names go on counting',
    plan: upPlan([entry('web', 2, { graceMs: 2000 })]),
    behaviours: { 'web.2': ignoresTerm },
    script: [
      scale(1000, 'web', 1),
      scale(1500, 'web', 2),
      scale(5000, 'web', 1),
      scale(9000, 'web', 2),
      term(12_000),
    ],
    check: (result) =>
      expect(forks(result)).toEqual(['web.1#1@0', 'web.2#1@0', 'web.2#2@3001', 'web.2#3@9000']),
  },
  {
    title:
      'S53 reload: what is new starts, what is gone stops, what has another command runs anew, nothing else',
    plan: upPlan([entry('a', null), entry('b', null, runs('old')), entry('c', null)]),
    configs: [{ from: 500, read: plan(entry('a', null), entry('b', null, runs('new')), entry('d', null)) }],
    behaviours: { a: obedient, b: exitsOn(TERM, 100), c: exitsOn(TERM, 200), d: obedient },
    script: [reload(1000), term(5000)],
    check: (result) => {
      expect(forks(result)).toEqual(['a#1@0', 'b#1@0', 'c#1@0', 'd#1@1005', 'b#2@1105']);
      expect(signalsOf(result, 'a#1')).toEqual(['15@5000']);
      expect(result.launches['b#2']?.argv).toEqual(['new']);
      expect(results(result)).toEqual(['applied@1005']);
    },
  },
  {
    title: 'S53 reload: the log tells the levels of each config, what stops first comes first, finals apart',
    plan: upPlan([
      entry('db', null),
      entry('web', 2, { level: 1 }),
      entry('cron', null, { level: 1 }),
      entry('upload', null, { role: 'final', level: 3 }),
    ]),
    configs: [
      {
        from: 0,
        read: plan(
          entry('db', null, { level: 1 }),
          entry('disk', null),
          entry('upload', null, { role: 'final', level: 0 }),
          entry('web', 2, { level: 1 }),
        ),
      },
    ],
    behaviours: {},
    script: [reload(1000), term(5000)],
    check: (result) => {
      const told = [...recordsOf(result, 'task'), ...recordsOf(result, 'config')];
      expect(told.map((each) => [each.stop_levels, each.final_levels])).toEqual([
        [['web cron', 'db'], ['upload']],
        [['db web', 'disk'], ['upload']],
      ]);
    },
  },
  {
    title: 'S53 reload: finals that are gone do not run at the end, and those that are new do',
    plan: upPlan([
      entry('a', null),
      entry('old', null, { role: 'final' }),
      entry('kept', null, { role: 'final' }),
    ]),
    configs: [
      {
        from: 0,
        read: plan(
          entry('a', null),
          entry('kept', null, { role: 'final' }),
          entry('new', null, { role: 'final' }),
        ),
      },
    ],
    behaviours: { a: obedient, old: exitsBy(10), new: exitsBy(10), kept: exitsBy(10) },
    script: [reload(1000), term(5000)],
    check: (result) => expect(forks(result)).toEqual(['a#1@0', 'kept#1@5001', 'new#1@5001']),
  },
  {
    title: 'S53 a config that has changed changes nothing until it is read again',
    plan: upPlan([entry('a', null)]),
    configs: [{ from: 0, read: plan(entry('b', null)) }],
    behaviours: { a: obedient },
    script: [term(5000)],
    check: (result) => expect(forks(result)).toEqual(['a#1@0']),
  },
  {
    title: 'reload of a grace: in force at once, and for the coordinator too',
    plan: upPlan([entry('a', null, { graceMs: 8000 })]),
    configs: [{ from: 0, read: plan(entry('a', null, { graceMs: 500 })) }],
    behaviours: { a: ignoresTerm },
    script: [reload(1000), term(5000)],
    check: (result) => {
      expect(forks(result)).toEqual(['a#1@0']);
      expect(recordsOf(result, 'order')).toHaveLength(1);
      expect(signalsOf(result, 'a#1')).toEqual(['15@5000', '9@5500']);
    },
  },
  {
    title: 'who is on the way down goes on by the ladder that it has begun',
    plan: upPlan([entry('a', null, { graceMs: 3000 }), entry('b', null)]),
    configs: [{ from: 0, read: plan(entry('b', null)) }],
    behaviours: { a: ignoresTerm, b: obedient },
    script: [{ at: 1000, request: { op: 'stop', processes: ['a'] } }, reload(2000), term(9000)],
    check: (result) => expect(signalsOf(result, 'a#1')).toEqual(['15@1000', '9@4000']),
  },
  {
    title: 'a bad config is refused whole, and the one before stays in force',
    plan: upPlan([entry('a', null)]),
    configs: [{ from: 0, read: { kind: 'problems', problems: ['gsup.yaml:1:1: no'] } }],
    behaviours: { a: obedient },
    script: [{ at: 1000, reload: true }, term(5000)],
    check: (result) => {
      expect(results(result)).toEqual(['refused@1005']);
      expect(result.said.filter(({ kind }) => kind === 'not-reloaded').length).toBeGreaterThan(0);
      expect(signalsOf(result, 'a#1')).toEqual(['15@5000']);
    },
  },
  {
    title: 'a signal to reload is acted on once',
    plan: upPlan([entry('a', null, runs('old'))]),
    configs: [{ from: 0, read: plan(entry('a', null, runs('new'))) }],
    behaviours: { a: obedient },
    script: [{ at: 1000, reload: true }, { at: 3000, reload: true }, term(5000)],
    check: (result) => {
      expect(results(result)).toEqual(['applied@1005', 'unchanged@3005']);
      expect(forks(result)).toEqual(['a#1@0', 'a#2@1006']);
    },
  },
  {
    title: 'what was scaled stays so when the config is read again, unless it says another number now',
    plan: upPlan([entry('web', 1), entry('db', null)]),
    configs: [
      { from: 0, read: plan(entry('web', 1), entry('db', null), entry('more', null)) },
      { from: 3000, read: plan(entry('web', 2), entry('db', null), entry('more', null)) },
    ],
    behaviours: {},
    script: [scale(1000, 'web', 3), reload(2000), reload(4000), term(6000)],
    check: (result) => {
      expect(signalsOf(result, 'web.3#1')).toEqual(['15@4005']);
      expect(signalsOf(result, 'web.2#1')).toEqual(['15@6000']);
      expect(forks(result).at(-1)).toBe('more#1@2005');
    },
  },
  {
    title: 'S27 neither reload nor scale once a stop has begun',
    plan: upPlan([entry('web', 1, { graceMs: 4000 })]),
    configs: [{ from: 0, read: plan(entry('web', 1), entry('more', null)) }],
    behaviours: { 'web.1': ignoresTerm },
    script: [term(1000), reload(2000), scale(2500, 'web', 3), { at: 3000, reload: true }],
    check: (result) => {
      expect(forks(result)).toEqual(['web.1#1@0']);
      expect(recordsOf(result, 'config')).toEqual([]);
    },
  },
];
