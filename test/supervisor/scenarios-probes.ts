/** SCENARIOS.md: readiness and health. */
import { expect } from 'vitest';
import type { HealthPlan, ReadyPlan } from '../../src/supervisor/plan.ts';
import { exitsBy, exitsOn, ignoresTerm, obedient, TERM } from '../simulation/behaviour.ts';
import { after, processPlan, restarts, taskPlan } from '../simulation/plans.ts';
import { endState, msOf, outcomesOf, recordsOf, signalsOf } from '../simulation/questions.ts';
import type { Result } from '../simulation/simulate.ts';
import { type Told, term } from './told.ts';

const tcp = { kind: 'tcp', host: '127.0.0.1', port: 5432 } as const;
const ready = (change: Partial<ReadyPlan> = {}): { ready: ReadyPlan } => ({
  ready: { probe: tcp, timeoutMs: 60_000, ...change },
});
const health = (change: Partial<HealthPlan> = {}): { health: HealthPlan } => ({
  health: {
    probe: tcp,
    intervalMs: 1000,
    timeoutMs: 500,
    retries: 3,
    startPeriodMs: 0,
    startIntervalMs: 1000,
    onUnhealthy: 'restart',
    ...change,
  },
});
const exec = { kind: 'exec', command: { exec: ['pg_isready'] } } as const;
const changes = (result: Result): string[] =>
  recordsOf(result, 'health-changed').map((each) => `${each.run} ${each.health}@${msOf(each.mono_ns)}`);
const forkAt = (result: Result, run: string): number =>
  msOf(recordsOf(result, 'run-forked').find((each) => each.run === run)?.mono_ns ?? 0n);

export const PROBE_SCENARIOS: readonly Told[] = [
  {
    title: 'S40 ready when the port answers: asked every half second, and the dependent starts then',
    plan: taskPlan([processPlan('db', ready()), processPlan('web', after('db'))], null, { main: 'web' }),
    behaviours: { db: obedient, web: exitsBy(100) },
    answers: { db: { from: 900 } },
    check: (result) => {
      expect(forkAt(result, 'web#1')).toBeGreaterThanOrEqual(900);
      expect(forkAt(result, 'web#1')).toBeLessThan(1500);
      expect(recordsOf(result, 'run-ready').map(({ run }) => run)).toEqual(['db#1']);
      expect(endState(result)).toBe('success 0');
    },
  },
  {
    title: 'S40 ready when a command says so: each question is a run of its own',
    plan: taskPlan([processPlan('db', ready({ probe: exec })), processPlan('web', after('db'))], null, {
      main: 'web',
    }),
    behaviours: {
      db: obedient,
      web: exitsBy(100),
      'db/ready': exitsBy(10, 2),
      'db#1/ready.3': exitsBy(10),
    },
    check: (result) => {
      const probes = recordsOf(result, 'hook').filter(({ state }) => state === 'ended');
      expect(probes.map(({ hook, code }) => `${hook} ${code}`)).toEqual([
        'db#1/ready.1 2',
        'db#1/ready.2 2',
        'db#1/ready.3 0',
      ]);
      expect(endState(result)).toBe('success 0');
    },
  },
  {
    title: 'S40 a time-out of readiness fails the run, by its ladder, and it is tried again',
    plan: taskPlan([
      processPlan('db', {
        ...ready({ timeoutMs: 3000 }),
        graceMs: 1000,
        restart: restarts({ maxFailures: 2, minDurationMs: 0 }),
      }),
      processPlan('web', after('db')),
    ]),
    behaviours: { 'db#1': ignoresTerm, 'db#2': exitsOn(TERM, 10, 0) },
    check: (result) => {
      expect(outcomesOf(result)).toEqual(['db#1 failed not-ready SIGKILL forced', 'db#2 failed not-ready 0']);
      expect(signalsOf(result, 'db#1')).toEqual(['15@3001', '9@4001']);
      expect(recordsOf(result, 'run-forked').map(({ run }) => run)).toEqual(['db#1', 'db#2']);
      expect(endState(result)).toBe('failed 1');
    },
  },
  {
    title: 'S40 a question that hangs is ended at its time, and counts as no',
    plan: taskPlan([processPlan('db', ready({ probe: exec, timeoutMs: 8000 }))]),
    behaviours: { db: obedient, 'db/ready': ignoresTerm },
    raced: 'how many questions fit into the time depends on when each began',
    check: (result) => {
      expect(outcomesOf(result)).toEqual(['db#1 failed not-ready SIGTERM']);
      expect(signalsOf(result, 'db#1/ready.1')).toEqual(['15@5001', '9@7001']);
    },
  },
  {
    title: 'S40 healthy is more than ready: who asks for it waits for the first good answer',
    plan: taskPlan([processPlan('db', health()), processPlan('web', after('db healthy'))], null, {
      main: 'web',
    }),
    behaviours: { db: obedient, web: exitsBy(100) },
    answers: { db: { from: 1500 } },
    check: (result) => {
      expect(changes(result)).toEqual(['db#1 healthy@2003']);
      expect(forkAt(result, 'web#1')).toBe(2003);
    },
  },
  {
    title: 'S65 unhealthy after `retries` failures in a row: the whole ladder, then it runs again',
    plan: taskPlan([processPlan('web', { ...health(), graceMs: 2000 })]),
    behaviours: { 'web#1': ignoresTerm, 'web#2': exitsBy(2000) },
    answers: { web: { from: 0, until: 4000 } },
    raced: 'a supervisor counts the answers that it has had itself',
    check: (result) => {
      expect(changes(result).slice(0, 2)).toEqual(['web#1 healthy@1002', 'web#1 unhealthy@6007']);
      expect(signalsOf(result, 'web#1')).toEqual(['15@6007', '9@8007']);
      expect(outcomesOf(result)[0]).toBe('web#1 failed health SIGKILL forced');
      expect(recordsOf(result, 'run-forked')).toHaveLength(2);
    },
  },
  {
    title: 'S65 failures in the start period do not count',
    plan: taskPlan([processPlan('web', health({ startPeriodMs: 10_000, startIntervalMs: 500, retries: 1 }))]),
    behaviours: { web: exitsBy(12_000) },
    answers: { web: { from: 9000 } },
    check: (result) => {
      expect(changes(result)[0]).toMatch(/^web#1 healthy@9\d\d\d$/);
      expect(endState(result)).toBe('success 0');
    },
  },
  {
    title: 'S65 on_unhealthy stop: it has failed for good',
    plan: taskPlan([
      processPlan('web', { ...health({ onUnhealthy: 'stop', retries: 1 }), restart: restarts({}) }),
    ]),
    behaviours: { web: exitsOn(TERM, 10, 0) },
    check: (result) => {
      expect(outcomesOf(result)).toEqual(['web#1 failed health 0']);
      expect(endState(result)).toBe('failed 1');
    },
  },
  {
    title: 'S65 on_unhealthy ignore: it is said, and nothing is done',
    plan: taskPlan([processPlan('web', health({ onUnhealthy: 'ignore' }))]),
    behaviours: { web: exitsBy(10_000) },
    answers: { web: { from: 6000 } },
    raced: 'a supervisor counts the answers that it has had itself',
    check: (result) => {
      expect(changes(result).map((each) => each.split('@')[0])).toEqual(['web#1 unhealthy', 'web#1 healthy']);
      expect(endState(result)).toBe('success 0');
    },
  },
  {
    title: 'S65 a stop while it is asked: the question ends with the run',
    plan: taskPlan([processPlan('web', health({ probe: exec, timeoutMs: 60_000 }))]),
    behaviours: { web: exitsOn(TERM, 3000, 0), 'web/health': obedient },
    script: [term(2000)],
    check: (result) => {
      expect(signalsOf(result, 'web#1/health.1')).toEqual(['15@2000']);
      expect(endState(result)).toBe('killed 0');
    },
  },
  {
    title: 'the watchdog: who does not say WATCHDOG=1 in time is unhealthy',
    plan: taskPlan([
      processPlan('web', { watchdogMs: 2000, restart: restarts({ maxFailures: 1, minDurationMs: 0 }) }),
    ]),
    behaviours: { web: exitsOn(TERM, 10, 0) },
    check: (result) => {
      expect(changes(result)).toEqual(['web#1 unhealthy@2001']);
      expect(result.launches['web#1']?.envSet.WATCHDOG_USEC).toBe('2000000');
      expect(outcomesOf(result)).toEqual(['web#1 failed health 0']);
    },
  },
];
