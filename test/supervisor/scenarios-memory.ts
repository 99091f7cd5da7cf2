/** `memory_limit`: a tree above it makes way for a new run. */
import { expect } from 'vitest';
import { exitsBy, exitsOn, ignoresTerm, obedient, TERM } from '../simulation/behaviour.ts';
import { processPlan, restarts, taskPlan } from '../simulation/plans.ts';
import { endState, msOf, outcomesOf, recordsOf, signalsOf } from '../simulation/questions.ts';
import type { Result } from '../simulation/simulate.ts';
import { type Told, term } from './told.ts';

const limited = { memoryLimitBytes: 1024, graceMs: 2000 };
const COUNTED_ANEW = 'a supervisor that takes over counts from the beginning';
const forks = (result: Result): string[] => recordsOf(result, 'run-forked').map(({ run }) => run);
const causes = (result: Result): string[] =>
  recordsOf(result, 'stop-requested').map(({ cause, run }) => `${cause} ${run ?? ''}`.trim());

export const MEMORY_SCENARIOS: readonly Told[] = [
  {
    title: 'memory_limit: three looks above it, then its ladder, and a new run that nothing waits for',
    plan: taskPlan([processPlan('web', limited)]),
    behaviours: { web: exitsOn(TERM, 100), 'web#2': obedient },
    large: { web: { from: 3000, until: 16_000 } },
    script: [term(40_000)],
    raced: COUNTED_ANEW,
    check: (result) => {
      const [asked] = recordsOf(result, 'stop-requested');
      expect([asked?.cause, asked?.run]).toEqual(['memory', 'web#1']);
      // At 5, 10 and 15 s, each a little after the answer before.
      expect(msOf(asked?.mono_ns ?? 0n)).toBeGreaterThanOrEqual(15_000);
      expect(msOf(asked?.mono_ns ?? 0n)).toBeLessThan(15_100);
      expect(outcomesOf(result)[0]).toBe('web#1 killed stopped 0');
      expect(recordsOf(result, 'outcome')[0]?.failures).toBe(0);
      expect(forks(result)).toEqual(['web#1', 'web#2']);
      expect(result.said.filter(({ kind }) => kind === 'oversized')).toHaveLength(1);
      expect(endState(result)).toBe('killed 0');
    },
  },
  {
    title: 'memory_limit: two looks in a row are not enough, however often',
    plan: taskPlan([processPlan('web', limited)]),
    behaviours: { web: obedient },
    large: { web: { from: 3000, until: 12_000 } },
    script: [term(40_000)],
    check: (result) => {
      expect(forks(result)).toEqual(['web#1']);
      expect(causes(result)).toEqual(['signal']);
    },
  },
  {
    title:
      'memory_limit: who ignores the signal is killed when the grace is over, and that is no failure either',
    plan: taskPlan([processPlan('web', { ...limited, restart: restarts({ maxFailures: 1 }) })]),
    behaviours: { 'web#1': ignoresTerm, 'web#2': exitsBy(1000) },
    large: { web: { from: 0, until: 16_000 } },
    script: [term(60_000)],
    raced: COUNTED_ANEW,
    check: (result) => {
      expect(signalsOf(result, 'web#1').map((each) => each.split('@')[0])).toEqual(['15', '9']);
      expect(forks(result)).toEqual(['web#1', 'web#2']);
      expect(endState(result)).toBe('success 0');
    },
  },
  {
    title: 'memory_limit: nobody looks once a stop has begun, and nothing runs again',
    plan: taskPlan([processPlan('web', { ...limited, graceMs: 30_000 })]),
    behaviours: { web: ignoresTerm },
    large: { web: { from: 0 } },
    script: [term(12_000)],
    check: (result) => {
      expect(causes(result)).toEqual(['signal']);
      expect(forks(result)).toEqual(['web#1']);
    },
  },
];
