/** What must succeed before each run. */
import { expect } from 'vitest';
import type { PreStartPlan, ProcessPlan } from '../../src/supervisor/plan.ts';
import { exitsBy, exitsOn, ignoresTerm, obedient, TERM } from '../simulation/behaviour.ts';
import { after, processPlan, restarts, taskPlan } from '../simulation/plans.ts';
import { endState, hooksOf, msOf, outcomesOf, recordsOf, signalsOf } from '../simulation/questions.ts';
import type { Result } from '../simulation/simulate.ts';
import { type Told, term } from './told.ts';

const preStart = (timeoutMs: PreStartPlan['timeoutMs'] = 60_000): Pick<ProcessPlan, 'preStart'> => ({
  preStart: { command: { shell: './migrate' }, timeoutMs },
});
const forks = (result: Result): string[] =>
  recordsOf(result, 'run-forked').map(({ run, mono_ns }) => `${run}@${msOf(mono_ns)}`);
const soon = restarts({ maxFailures: 2, minDurationMs: 0 });

export const PRE_START_SCENARIOS: readonly Told[] = [
  {
    title: 'pre_start comes first: the run is forked when it has succeeded, and knows nothing of it',
    plan: taskPlan([processPlan('web', preStart())]),
    behaviours: { web: exitsBy(100), 'web/pre-start': exitsBy(500) },
    check: (result) => {
      expect(hooksOf(result)).toEqual(['web#1/pre-start.1 started @0', 'web#1/pre-start.1 ended 0 @501']);
      expect(forks(result)).toEqual(['web#1@501']);
      const launch = result.launches['web#1/pre-start.1'];
      expect(launch?.argv).toEqual(['/bin/sh', '-c', './migrate']);
      expect([launch?.envSet.GSUP_HOOK, launch?.envSet.GSUP_RUN]).toEqual(['pre-start', 'web#1']);
      expect(endState(result)).toBe('success 0');
    },
  },
  {
    title:
      'pre_start fails: the start has failed, with its code, and counts; it comes again before the next run',
    plan: taskPlan([processPlan('web', { ...preStart(), restart: soon })]),
    behaviours: {
      web: exitsBy(100),
      'web#1/pre-start.1': exitsBy(100, 3),
      'web#2/pre-start.1': exitsBy(100),
    },
    check: (result) => {
      expect(outcomesOf(result)).toEqual(['web#1 failed start 3', 'web#2 success exit 0']);
      expect(recordsOf(result, 'backoff').map(({ failures }) => failures)).toEqual([1]);
      expect(forks(result).map((fork) => fork.split('@')[0])).toEqual(['web#2']);
      expect(result.said.map(({ kind }) => kind)).toContain('pre-start-failed');
      expect(endState(result)).toBe('success 0');
    },
  },
  {
    title: 'pre_start fails for good: the task has its code, and what depends on the process never starts',
    plan: taskPlan([
      processPlan('web', { ...preStart(), restart: soon }),
      processPlan('front', after('web started')),
    ]),
    behaviours: { 'web/pre-start': exitsBy(100, 3) },
    check: (result) => {
      expect(outcomesOf(result)).toEqual(['web#1 failed start 3', 'web#2 failed start 3']);
      expect(forks(result)).toEqual([]);
      expect(endState(result)).toBe('failed 3');
    },
  },
  {
    title: 'pre_start cannot be executed: the start has failed as that of the command would have',
    plan: taskPlan([processPlan('web', preStart())]),
    behaviours: { 'web/pre-start': { fails: { stage: 'exec', errno: 2 } } },
    check: (result) => {
      expect(outcomesOf(result)).toEqual(['web#1 failed start 127']);
      expect(endState(result)).toBe('failed 127');
    },
  },
  {
    title: 'pre_start hangs: it is ended at its time, by SIGTERM and then SIGKILL, and the start has failed',
    plan: taskPlan([processPlan('web', preStart(5000))]),
    behaviours: { 'web/pre-start': ignoresTerm },
    check: (result) => {
      expect(signalsOf(result, 'web#1/pre-start.1')).toEqual(['15@5000', '9@7000']);
      expect(outcomesOf(result)).toEqual(['web#1 failed start SIGKILL forced']);
      expect(result.said).toContainEqual({
        kind: 'pre-start-failed',
        run: 'web#1',
        code: null,
        signal: 'SIGKILL',
        lateMs: 5000,
      });
    },
  },
  {
    title: 'S27 a stop while pre_start runs ends it: the run is never forked, and its level is gone after it',
    plan: taskPlan([
      processPlan('db', { level: 0 }),
      processPlan('web', { ...preStart(), ...after('db'), level: 1 }),
    ]),
    behaviours: { db: obedient, 'web/pre-start': exitsOn(TERM, 700, 0) },
    script: [term(1000)],
    check: (result) => {
      expect(signalsOf(result, 'web#1/pre-start.1')).toEqual(['15@1000']);
      expect(signalsOf(result, 'db#1')).toEqual(['15@1700']);
      expect(outcomesOf(result)).toEqual(['web#1 killed stopped ', 'db#1 killed stopped SIGTERM']);
      expect(forks(result).map((fork) => fork.split('@')[0])).toEqual(['db#1']);
      expect(endState(result)).toBe('killed 0');
    },
  },
  {
    title: 'what comes after the end of a run comes also when pre_start has failed',
    plan: taskPlan([processPlan('web', { ...preStart(), postStop: { shell: './undo' } })]),
    behaviours: { 'web/pre-start': exitsBy(100, 3), 'web/post-stop': exitsBy(10) },
    check: (result) => {
      expect(hooksOf(result).map((hook) => hook.replace(/ @.*/, ''))).toEqual([
        'web#1/pre-start.1 started',
        'web#1/pre-start.1 ended 3',
        'web#1/post-stop.1 started',
        'web#1/post-stop.1 ended 0',
      ]);
      expect(result.launches['web#1/post-stop.1']?.envSet.GSUP_OUTCOME).toBe('failed');
      expect(endState(result)).toBe('failed 3');
    },
  },
  {
    title: 'S34 what is done before a run has the place of the run: never two at once',
    plan: taskPlan([processPlan('a', preStart()), processPlan('b', preStart())], null, { maxConcurrency: 1 }),
    behaviours: {
      a: exitsBy(1000),
      b: exitsBy(1000),
      'a/pre-start': exitsBy(500),
      'b/pre-start': exitsBy(500),
    },
    check: (result) => {
      const begun = recordsOf(result, 'hook').filter(({ state }) => state === 'started');
      expect(begun.map(({ run }) => run)).toEqual(['a#1', 'b#1']);
      expect(begun[1]?.mono_ns).toBeGreaterThanOrEqual(recordsOf(result, 'outcome')[0]?.mono_ns ?? 0n);
      expect(endState(result)).toBe('success 0');
    },
  },
  {
    title: 'pre_start of main, stopped before main was started: the code is as if that signal had found it',
    plan: taskPlan([processPlan('web', preStart())], null, { main: 'web' }),
    behaviours: { 'web/pre-start': obedient },
    script: [term(1000)],
    check: (result) => expect(endState(result)).toBe('killed 143'),
  },
  {
    title: 'a client that stops a process while pre_start runs, and starts it again, has the next run of it',
    plan: taskPlan([processPlan('web', preStart()), processPlan('other')], null, { main: 'other' }),
    behaviours: {
      web: exitsBy(100),
      'web#1/pre-start.1': exitsOn(TERM, 500, 0),
      'web#2/pre-start.1': exitsBy(300),
      other: exitsBy(4000),
    },
    script: [
      { at: 1000, request: { op: 'stop', processes: ['web'] } },
      { at: 1200, request: { op: 'start', processes: ['web'] } },
    ],
    check: (result) => {
      expect(outcomesOf(result)).toEqual([
        'web#1 killed stopped ',
        'web#2 success exit 0',
        'other#1 success exit 0',
      ]);
      expect(endState(result)).toBe('success 0');
    },
  },
];
