/** What clients ask of a running task: SPEC.md 2 and 9. */
import { expect } from 'vitest';
import type { Request } from '../../src/supervisor/client-request.ts';
import { DEFAULT_BACKOFF, type ProcessPlan } from '../../src/supervisor/plan.ts';
import { exitsBy, exitsOn, ignoresTerm, obedient, TERM } from '../simulation/behaviour.ts';
import { after, type Change, processPlan, restarts, runPlan, taskPlan } from '../simulation/plans.ts';
import {
  endState,
  hooksOf,
  msOf,
  nsOf,
  outcomesOf,
  recordsOf,
  rungsOf,
  signalsOf,
} from '../simulation/questions.ts';
import type { Line, Result } from '../simulation/simulate.ts';
import { type Told, term } from './told.ts';

const ask = (at: number, request: Request): Line => ({ at, request });
const start = (at: number, ...processes: string[]): Line => ask(at, { op: 'start', processes });
const stop = (at: number, ...processes: string[]): Line => ask(at, { op: 'stop', processes });
const restart = (at: number, ...processes: string[]): Line => ask(at, { op: 'restart', processes });
const drain = (at: number, ...processes: string[]): Line => ask(at, { op: 'drain', processes });
const replicas = (entry: string, count: number, change: Change = {}): ProcessPlan[] =>
  Array.from({ length: count }, (_, at) =>
    processPlan(`${entry}.${at + 1}`, { entry, replica: at + 1, ...change }),
  );
const forks = (result: Result): string[] =>
  recordsOf(result, 'run-forked').map(({ run, mono_ns }) => `${run}@${msOf(mono_ns)}`);

export const CONTROL_SCENARIOS: readonly Told[] = [
  {
    title: 'a process that a client has stopped is started again by a client, and the task waits for that',
    plan: taskPlan([processPlan('web')]),
    behaviours: { web: exitsOn(TERM, 100) },
    script: [stop(1000, 'web'), start(5000, 'web'), term(8000)],
    check: (result) => {
      expect(forks(result)).toEqual(['web#1@0', 'web#2@5000']);
      expect(outcomesOf(result)).toEqual(['web#1 killed stopped 0', 'web#2 killed stopped 0']);
      expect(endState(result)).toBe('killed 0');
    },
  },
  {
    title: 'a start while the stop of the process goes on: the next run comes when the tree is empty',
    plan: taskPlan([processPlan('web', { graceMs: 2000 })]),
    behaviours: { web: ignoresTerm },
    script: [stop(1000, 'web'), start(1500, 'web'), term(5000)],
    check: (result) => {
      expect(forks(result)).toEqual(['web#1@0', 'web#2@3001']);
      expect(signalsOf(result, 'web#1')).toEqual(['15@1000', '9@3000']);
    },
  },
  {
    title: 'start, then stop again, before the first stop is over: it stays down',
    plan: taskPlan([processPlan('web', { graceMs: 2000 })]),
    behaviours: { web: ignoresTerm },
    script: [stop(1000, 'web'), start(1500, 'web'), stop(2000, 'web'), term(5000)],
    check: (result) => expect(forks(result)).toEqual(['web#1@0']),
  },
  {
    title: 'the last hook of a run comes before the run that a client wants',
    plan: taskPlan([processPlan('web', { postStop: { shell: 'after' } })]),
    behaviours: { web: exitsOn(TERM, 100), 'web/post-stop': exitsBy(500) },
    script: [stop(1000, 'web'), start(1200, 'web'), term(5000)],
    check: (result) => expect(forks(result)).toEqual(['web#1@0', 'web#2@1601']),
  },
  {
    title: 'S27 start during the stop of the task: nothing starts',
    plan: taskPlan([processPlan('web'), processPlan('db', { graceMs: 3000 })]),
    behaviours: { web: obedient, db: ignoresTerm },
    script: [stop(500, 'web'), term(1000), start(2000, 'web', 'db')],
    check: (result) => {
      expect(forks(result)).toEqual(['web#1@0', 'db#1@0']);
      expect(recordsOf(result, 'start-requested')).toEqual([]);
    },
  },
  {
    title: 'what is not started by itself waits for a client, with what it depends on',
    plan: taskPlan([
      processPlan('tool', { autostart: false, ...after('db started') }),
      processPlan('db', { autostart: false }),
      processPlan('web'),
    ]),
    behaviours: { tool: exitsBy(500), db: obedient, web: obedient },
    script: [start(2000, 'tool'), term(5000)],
    check: (result) => {
      expect(forks(result)).toEqual(['web#1@0', 'db#1@2000', 'tool#1@2001']);
      expect(endState(result)).toBe('killed 0');
    },
  },
  {
    title:
      'a task of which nothing is started by itself waits for clients, and ends with what they have started',
    plan: taskPlan([processPlan('job', { autostart: false })]),
    behaviours: { job: exitsBy(500) },
    script: [start(2000, 'job')],
    check: (result) => {
      expect(result.endedMs).toBe(2501);
      expect(endState(result)).toBe('success 0');
    },
  },
  {
    title: 'a start ends a back-off, and forgets the failures',
    plan: taskPlan([
      processPlan('web', {
        restart: restarts({
          maxFailures: 3,
          minDurationMs: 0,
          backoff: { ...DEFAULT_BACKOFF, jitter: 0, initialMs: 20_000 },
        }),
      }),
    ]),
    behaviours: { 'web#1': exitsBy(100, 1), web: obedient },
    script: [start(2000, 'web'), term(5000)],
    check: (result) => {
      expect(forks(result)).toEqual(['web#1@0', 'web#2@2000']);
      expect(recordsOf(result, 'outcome').map(({ failures }) => failures)).toEqual([1, 0]);
    },
  },
  {
    title: 'who has failed for good in a task that goes on is started again',
    plan: taskPlan([processPlan('web'), processPlan('db')], null, { maxFailures: 0 }),
    behaviours: { 'web#1': exitsBy(100, 1), web: obedient, db: obedient },
    script: [start(2000, 'web'), term(5000)],
    check: (result) => expect(forks(result)).toEqual(['web#1@0', 'db#1@0', 'web#2@2000']),
  },
  {
    title: 'a client’s stop of main ends the task',
    plan: taskPlan([processPlan('app'), processPlan('proxy')], null, { main: 'app' }),
    behaviours: { app: exitsOn(TERM, 100, 3), proxy: obedient },
    script: [stop(1000, 'app')],
    check: (result) => {
      expect(signalsOf(result, 'proxy#1')).toEqual(['15@1100']);
      expect(result.exitCode).toBe(3);
    },
  },
  {
    title: 'a client’s stop of the command of `run` is the end of it',
    plan: runPlan(),
    behaviours: { node: exitsOn(TERM, 100, 4) },
    script: [stop(1000, 'node')],
    check: (result) => expect([result.endedMs, result.exitCode]).toEqual([1100, 4]),
  },
  {
    title: 'a client stops one of two, and the other ends by itself before that is over: the task ends',
    plan: taskPlan([processPlan('web', { graceMs: 3000 }), processPlan('job')]),
    behaviours: { web: ignoresTerm, job: exitsBy(2000) },
    script: [stop(1000, 'web')],
    check: (result) => {
      expect(result.endedMs).toBe(4001);
      expect(endState(result)).toBe('success 0');
    },
  },
  {
    title: 'restart: one new run, at once, whatever min_duration says, and it is no failure',
    plan: taskPlan([processPlan('web')]),
    behaviours: { web: exitsOn(TERM, 100, 1) },
    script: [restart(1000, 'web'), term(5000)],
    check: (result) => {
      expect(forks(result)).toEqual(['web#1@0', 'web#2@1100']);
      expect(recordsOf(result, 'outcome').map(({ outcome, failures }) => `${outcome} ${failures}`)).toEqual([
        'killed 0',
        'killed 0',
      ]);
    },
  },
  {
    title:
      'restart, asked again because its connection was cut: who is younger than the first asking is new enough',
    plan: taskPlan(replicas('web', 2)),
    behaviours: { 'web.1': exitsOn(TERM, 100), 'web.2': exitsOn(TERM, 300) },
    script: [1000, 1150, 2000]
      .map((at) => ask(at, { op: 'restart', processes: ['web'], askedNs: nsOf(900) }))
      .concat(term(5000)),
    check: (result) =>
      expect(forks(result)).toEqual(['web.1#1@0', 'web.2#1@0', 'web.1#2@1100', 'web.2#2@1401']),
  },
  {
    title: 'restart of what is down, or in its back-off, is a start',
    plan: taskPlan([
      processPlan('a'),
      processPlan('b', { restart: restarts({ minDurationMs: 20_000 }) }),
      processPlan('c'),
    ]),
    behaviours: { a: obedient, 'b#1': exitsBy(100, 1), b: obedient, c: obedient },
    script: [stop(500, 'a'), restart(1000, 'a', 'b'), term(5000)],
    check: (result) =>
      expect(forks(result).sort()).toEqual(['a#1@0', 'a#2@1000', 'b#1@0', 'b#2@1000', 'c#1@0']),
  },
  {
    title: 'restart of replicas: the next when the last is ready',
    plan: taskPlan(replicas('web', 3, { ready: { probe: { kind: 'notify' }, timeoutMs: 60_000 } })),
    behaviours: {
      'web.1': { ready: 500, ...exitsOn(TERM, 100) },
      'web.2': { ready: 500, ...exitsOn(TERM, 100) },
      'web.3': { ready: 500, ...exitsOn(TERM, 100) },
    },
    script: [restart(1000, 'web'), term(9000)],
    check: (result) => {
      expect(forks(result).slice(3)).toEqual(['web.1#2@1100', 'web.2#2@1701', 'web.3#2@2302']);
      expect(signalsOf(result, 'web.2#1')).toEqual(['15@1601']);
    },
  },
  {
    title: 'restart of replicas halts where the first one does not come back',
    plan: taskPlan([...replicas('web', 2), processPlan('db')], null, { maxFailures: 0 }),
    behaviours: {
      'web.1#1': obedient,
      'web.1#2': { fails: { stage: 'exec', errno: 2 } },
      'web.2': obedient,
      db: obedient,
    },
    script: [restart(1000, 'web'), term(9000)],
    check: (result) => {
      expect(forks(result).slice(3)).toEqual(['web.1#2@1001']);
      expect(signalsOf(result, 'web.2#1')).toEqual(['15@9000']);
    },
  },
  {
    title: 'restart, then stop before its turn: it is stopped, and does not come back',
    plan: taskPlan([...replicas('web', 2, { graceMs: 2000 }), processPlan('db')]),
    behaviours: { 'web.1': ignoresTerm, 'web.2': obedient, db: obedient },
    script: [restart(1000, 'web'), stop(1500, 'web'), term(9000)],
    check: (result) => {
      expect(forks(result)).toEqual(['web.1#1@0', 'web.2#1@0', 'db#1@0']);
      expect(signalsOf(result, 'web.1#1')).toEqual(['15@1000', '9@3000']);
      expect(signalsOf(result, 'web.2#1')).toEqual(['15@1500']);
    },
  },
  {
    title: 'S27 the stop of the task ends a rolling restart',
    plan: taskPlan(replicas('web', 2, { graceMs: 2000 })),
    behaviours: { 'web.1': ignoresTerm, 'web.2': obedient },
    script: [restart(1000, 'web'), term(1500)],
    check: (result) => expect(forks(result)).toEqual(['web.1#1@0', 'web.2#1@0']),
  },
  {
    title:
      'drain: the first rung, and no further until a stop comes; then its whole wait, and no second signal',
    plan: taskPlan([processPlan('web', { graceMs: 2000 }), processPlan('db')]),
    behaviours: { web: ignoresTerm, db: obedient },
    script: [drain(1000, 'web'), stop(60_000, 'web'), term(90_000)],
    check: (result) => {
      expect(signalsOf(result, 'web#1')).toEqual(['15@1000', '9@62000']);
      expect(rungsOf(result, 'web#1')).toEqual(['0 signal 1000-forever', '0 signal 60000-62000']);
      expect(outcomesOf(result)[0]).toBe('web#1 killed stopped SIGKILL forced');
    },
  },
  {
    title: 'drain by a hook: its success is no reason to signal, until the stop of the task comes',
    plan: taskPlan([processPlan('web', { preStop: { shell: 'drain' }, graceMs: 2000 })]),
    behaviours: { web: obedient, 'web/pre-stop': exitsBy(300) },
    script: [drain(1000, 'web'), term(9000)],
    check: (result) => {
      expect(signalsOf(result, 'web#1')).toEqual(['15@9000']);
      expect(hooksOf(result)).toEqual(['web#1/pre-stop.1 started @1000', 'web#1/pre-stop.1 ended 0 @1301']);
    },
  },
  {
    title: 'what has drained and ended by itself is not run again, and the task waits',
    plan: taskPlan([processPlan('web', { restart: restarts({ policy: 'always' }) })]),
    behaviours: { web: exitsOn(TERM, 4000) },
    script: [drain(1000), term(9000)],
    check: (result) => {
      expect(forks(result)).toEqual(['web#1@0']);
      expect(signalsOf(result, 'web#1')).toEqual(['15@1000']);
      expect(result.endedMs).toBe(9000);
    },
  },
  {
    title: 'drain of all: level by level',
    plan: taskPlan([
      processPlan('web', { level: 1, ...after('db started') }),
      processPlan('db'),
      processPlan('last', { role: 'final' }),
    ]),
    behaviours: { web: exitsOn(TERM, 3000), db: exitsOn(TERM, 100), last: exitsBy(100) },
    script: [drain(1000), term(9000)],
    check: (result) => {
      expect(signalsOf(result, 'web#1')).toEqual(['15@1000']);
      expect(signalsOf(result, 'db#1')).toEqual(['15@4000']);
      expect(forks(result).at(-1)).toBe('last#1@9000');
    },
  },
  {
    title: 'a second signal hurries what drains',
    plan: taskPlan([processPlan('web', { graceMs: 60_000 })]),
    behaviours: { web: ignoresTerm },
    script: [drain(1000, 'web'), term(5000), term(6000)],
    check: (result) => expect(signalsOf(result, 'web#1')).toEqual(['15@1000', '9@6000']),
  },
];
