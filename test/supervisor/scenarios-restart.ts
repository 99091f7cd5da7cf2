/** SCENARIOS.md, "Restart", ends of a task, and what clients ask for. */
import { expect } from 'vitest';
import { exitsBy, exitsOn, ignoresTerm, obedient, TERM } from '../simulation/behaviour.ts';
import { processPlan, restarts, runPlan, taskPlan } from '../simulation/plans.ts';
import { endState, forkedAt, outcomesOf, recordsOf, signalsOf } from '../simulation/questions.ts';
import { type Told, term } from './told.ts';

const drain = { shell: './drain.sh' };

export const RESTART_SCENARIOS: readonly Told[] = [
  {
    title: 'S27 no restart once a stop has begun, also for what waits in back-off',
    plan: taskPlan([
      processPlan('a', { restart: restarts({ policy: 'always', minDurationMs: 1000 }) }),
      processPlan('b', { restart: restarts({ minDurationMs: 60_000 }) }),
    ]),
    behaviours: { a: exitsOn(TERM, 500, 1), b: exitsBy(100, 1) },
    script: [term(1000)],
    check: (result) => {
      expect(recordsOf(result, 'run-forked').map((record) => record.run)).toEqual(['a#1', 'b#1']);
      expect(result.endedMs).toBe(1500);
    },
  },
  {
    title: 'S27 a stop in back-off: the end at once, with the code of the last run',
    plan: runPlan({ restart: restarts({ minDurationMs: 60_000 }) }),
    behaviours: { node: exitsBy(100, 7) },
    script: [term(1000)],
    check: (result) => {
      expect(forkedAt(result)).toEqual([0]);
      expect(result.endedMs).toBe(1000);
      expect(endState(result)).toBe('killed 7');
    },
  },
  ...[1, 2, 3].map(
    (succeeds): Told => ({
      title: `S30 it succeeds at run ${succeeds}: as many runs, at least a second apart`,
      plan: runPlan({ restart: restarts({ maxFailures: 5, minDurationMs: 1000 }) }),
      behaviours: { node: exitsBy(10, 1), [`node#${succeeds}`]: exitsBy(10, 0) },
      check: (result) => {
        const forked = forkedAt(result);
        expect(forked).toHaveLength(succeeds);
        for (const [at, ms] of forked.slice(1).entries())
          expect(ms - (forked[at] ?? 0)).toBeGreaterThanOrEqual(1000);
        expect(endState(result)).toBe('success 0');
      },
    }),
  ),
  {
    title: 'S30 it never succeeds: max_failures runs, then the end with its code',
    plan: runPlan({ restart: restarts({ maxFailures: 3, minDurationMs: 1000 }) }),
    behaviours: { node: exitsBy(10, 6) },
    check: (result) => {
      expect(forkedAt(result)).toHaveLength(3);
      expect(endState(result)).toBe('failed 6');
      expect(result.said.some((happening) => happening.kind === 'gave-up')).toBe(true);
    },
  },
  {
    title: 'S38 killed from outside counts as a failure with its own cause, and back-off grows',
    plan: runPlan({ restart: restarts({ maxFailures: 5, minDurationMs: 0 }) }),
    behaviours: { node: { lives: 10, by: 9 }, 'node#2': { lives: 10, by: 11 }, 'node#3': exitsBy(10, 2) },
    check: (result) => {
      expect(outcomesOf(result)).toEqual([
        'node#1 failed signal SIGKILL',
        'node#2 failed signal SIGSEGV',
        'node#3 failed exit 2',
        'node#4 failed signal SIGKILL',
        'node#5 failed signal SIGKILL',
      ]);
      expect(recordsOf(result, 'backoff').map((record) => record.wait_ms)).toEqual([500, 1000, 2000, 4000]);
      expect(endState(result)).toBe('failed 137');
    },
  },
  {
    title: 'S38 a healthy while clears back-off and the count of failures',
    plan: runPlan({ restart: restarts({ maxFailures: 2, minDurationMs: 0 }) }),
    behaviours: { node: exitsBy(10, 1), 'node#2': exitsBy(40_000, 1), 'node#3': exitsBy(40_000, 0) },
    check: (result) => {
      expect(recordsOf(result, 'outcome').map((record) => record.failures)).toEqual([1, 1, 0]);
      expect(endState(result)).toBe('success 0');
    },
  },
  {
    title: 'S55 what cannot be executed ends at once with 127, whatever restart says',
    plan: runPlan({ restart: restarts({ policy: 'always' }) }),
    behaviours: { node: { fails: { stage: 'exec', errno: 2 } } },
    check: (result) => {
      expect(outcomesOf(result)).toEqual(['node#1 failed start 127']);
      expect(endState(result)).toBe('failed 127');
    },
  },
  {
    title: 'S55 nothing can be below a file: 127 as well',
    plan: runPlan(),
    behaviours: { node: { fails: { stage: 'exec', errno: 20 } } },
    check: (result) => expect(endState(result)).toBe('failed 127'),
  },
  {
    title: 'S55 the exit map is for the code of a failed start too',
    plan: runPlan({ exitMap: [[127, 9]] }),
    behaviours: { node: { fails: { stage: 'exec', errno: 2 } } },
    check: (result) => expect(endState(result)).toBe('failed 9'),
  },
  {
    title: 'S55 what may not be executed is 126, and in `up` it is tried again',
    plan: taskPlan([processPlan('a', { restart: restarts({ maxFailures: 2, minDurationMs: 100 }) })]),
    behaviours: { a: { fails: { stage: 'exec', errno: 13 } } },
    check: (result) => {
      expect(outcomesOf(result)).toEqual(['a#1 failed start 126', 'a#2 failed start 126']);
      expect(endState(result)).toBe('failed 126');
    },
  },
  {
    title: 'S07 what a failed run leaves behind is stopped before it runs again',
    plan: runPlan({ graceMs: 1000, restart: restarts({ maxFailures: 2, minDurationMs: 0 }) }),
    behaviours: { 'node#1': { ...exitsBy(100, 1), others: [ignoresTerm] }, 'node#2': exitsBy(10, 0) },
    check: (result) => {
      expect(outcomesOf(result)).toEqual(['node#1 failed exit 1 forced', 'node#2 success exit 0']);
      expect(forkedAt(result)).toEqual([0, 1602]);
    },
  },
  {
    title: 'exit map: applied before success is judged',
    plan: runPlan({ exitMap: [[143, 0]], restart: restarts({}) }),
    behaviours: { node: { lives: 100, by: TERM } },
    check: (result) => {
      expect(outcomesOf(result)).toEqual(['node#1 success signal SIGTERM']);
      expect(endState(result)).toBe('success 0');
    },
  },
  {
    title: 'main ends: the others are stopped, its code is the task’s',
    plan: { ...taskPlan([processPlan('web'), processPlan('db')]), main: 'web' },
    behaviours: { web: exitsBy(500, 3), db: exitsOn(TERM, 100) },
    check: (result) => {
      expect(outcomesOf(result)).toEqual(['web#1 failed exit 3', 'db#1 killed stopped 0']);
      expect(endState(result)).toBe('failed 3');
    },
  },
  {
    title: 'a client stops one process of two; the other goes on until its end',
    plan: taskPlan([processPlan('a', { restart: restarts({ policy: 'always' }) }), processPlan('b')]),
    behaviours: { a: obedient, b: exitsBy(5000, 0) },
    script: [{ at: 1000, request: { op: 'stop', processes: ['a'] } }],
    check: (result) => {
      expect(outcomesOf(result)).toEqual(['a#1 killed stopped SIGTERM', 'b#1 success exit 0']);
      expect(result.endedMs).toBe(5001);
    },
  },
  {
    title: 'shutdown now: SIGKILL',
    plan: runPlan({ preStop: drain }),
    behaviours: { node: obedient },
    script: [{ at: 1000, request: { op: 'shutdown', now: true } }],
    check: (result) => expect(signalsOf(result, 'node#1')).toEqual(['9@1000']),
  },
  {
    title: 'a client sends a signal, once',
    plan: runPlan(),
    behaviours: { node: { on: { 10: 'ignore' }, lives: 3000 } },
    script: [{ at: 1000, request: { op: 'signal', processes: ['node'], signal: 10, target: 'leader' } }],
    check: (result) => expect(signalsOf(result, 'node#1')).toEqual(['10@1000']),
  },
];
