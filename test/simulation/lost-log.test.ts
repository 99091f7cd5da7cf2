import { describe, expect, test } from 'vitest';
import { exitsBy, obedient, TERM } from './behaviour.ts';
import { processPlan, runPlan, taskPlan } from './plans.ts';
import { endState, hooksOf, outcomesOf, recordsOf } from './questions.ts';
import { type Result, type Scenario, simulate } from './simulate.ts';
import { stepsOf } from './trace.ts';
import { SOON_MS } from './trials.ts';

/** Hooks and questions are runs of init's: when the log is lost together with its supervisor, the next one finds them by their names. */
const ends = { [TERM]: { after: 10, exit: 0 } };
const term = { at: 1000, signal: TERM };

const drains: Scenario = {
  plan: runPlan({ preStop: { shell: './drain.sh' } }),
  behaviours: { node: { on: ends }, 'node/pre-stop': exitsBy(3000) },
  script: [term],
};
const tidies: Scenario = {
  plan: runPlan({ postStop: { shell: './tidy.sh' } }),
  behaviours: { node: { on: ends }, 'node/post-stop': exitsBy(3000) },
  script: [term],
};
const asks: Scenario = {
  plan: taskPlan([
    processPlan('db', {
      ready: { probe: { kind: 'exec', command: { shell: './ready.sh' } }, timeoutMs: 60_000 },
    }),
  ]),
  behaviours: { db: { lives: 9000 }, 'db/ready': exitsBy(3000) },
};

/** The supervisor dies, and its log with it, at the nth act after a hook was forked. */
function loseLogAfterFork(scenario: Scenario, hook: string, later = 0, awayMs = SOON_MS): Result {
  for (let act = 0; ; act++) {
    const result = simulate(scenario, { at: [{ act, when: 'after' }], awayMs, log: 'lost' });
    const died = result.trace.findIndex(({ kind }) => kind === 'died');
    const before = stepsOf(result.trace.slice(0, died), 'forked');
    if (before.some(({ run }) => run === hook))
      return later === 0
        ? result
        : simulate(scenario, { at: [{ act: act + later, when: 'after' }], awayMs, log: 'lost' });
  }
}

const forks = ({ trace }: Result): string[] => stepsOf(trace, 'forked').map(({ run }) => run);
const found = (result: Result): string[] => hooksOf(result).map((hook) => hook.replace(/ @.*/, ''));

/** Runs that were started while init still had one of their name. What it has been told to forget only the log knew. */
function startedBesides({ trace }: Result): string[] {
  const there = new Map<number, string>();
  return trace.flatMap((step) => {
    if (step.kind === 'request' && step.to === 'forget') there.delete(step.key);
    if (step.kind !== 'forked') return [];
    const twice = [...there.values()].includes(step.run);
    there.set(step.key, step.run);
    return twice ? [step.run] : [];
  });
}

describe.each([SOON_MS, 2000, 6000])(
  'S69 S52 the log is lost while a hook runs, away for %d ms',
  (awayMs) => {
    test('the hook before the stop is found by its name, is not started again, and its result counts', () => {
      const result = loseLogAfterFork(drains, 'node#1/pre-stop.1', 0, awayMs);
      expect(forks(result)).toEqual(['node#1', 'node#1/pre-stop.1']);
      expect(found(result)).toEqual([
        'node#1/pre-stop.1 started',
        'node#1/pre-stop.1 started',
        'node#1/pre-stop.1 ended 0',
      ]);
      expect(endState(result)).toBe('killed 0');
    });

    test('a question is answered by the one that was asked already', () => {
      const result = loseLogAfterFork(asks, 'db#1/ready.1', 0, awayMs);
      expect(forks(result)).toEqual(['db#1', 'db#1/ready.1']);
      expect(found(result).at(-1)).toBe('db#1/ready.1 ended 0');
      expect(recordsOf(result, 'run-ready')).toHaveLength(1);
      expect(endState(result)).toBe('success 0');
    });

    test('the hook after the end tells that its run was there: it is lost, not started again', () => {
      const result = loseLogAfterFork(tidies, 'node#1/post-stop.1', 0, awayMs);
      expect(forks(result)).toEqual(['node#1', 'node#1/post-stop.1']);
      expect(outcomesOf(result)).toEqual(['node#1 killed stopped 0', 'node#1 lost exit ']);
      expect(found(result).at(-1)).toBe('node#1/post-stop.1 ended 0');
      expect(result.exitCode).not.toBeNull();
    });
  },
);

test('S69 S52 a hook that was found has a time-out of its own, whatever it was given before', () => {
  const hangs: Scenario = { ...drains, behaviours: { node: { on: ends }, 'node/pre-stop': obedient } };
  const result = loseLogAfterFork(hangs, 'node#1/pre-stop.1', 0, 2000);
  expect(hooksOf(result)).toEqual([
    'node#1/pre-stop.1 started @1000',
    'node#1/pre-stop.1 started @3000',
    // Its rung's, which its coordinator has kept.
    'node#1/pre-stop.1 ended SIGTERM @11001',
  ]);
});

test('S69 S52 of two hooks the later one counts, and the earlier one is ended', () => {
  const slow: Scenario = {
    plan: runPlan({
      ladder: ['first', 'second'].map((shell) => ({ action: 'exec', command: { shell }, waitMs: 1000 })),
    }),
    behaviours: {
      node: { on: ends },
      'node#1/pre-stop.1': { on: { [TERM]: { after: 1500 } } },
      'node#1/pre-stop.2': exitsBy(500),
    },
    script: [term],
  };
  const result = loseLogAfterFork(slow, 'node#1/pre-stop.2');
  expect(forks(result)).toEqual(['node#1', 'node#1/pre-stop.1', 'node#1/pre-stop.2']);
  const hooks = recordsOf(result, 'hook').filter(({ state }) => state === 'started');
  expect(hooks.slice(-2).map(({ hook, index }) => `${hook} ${index}`)).toEqual([
    'node#1/pre-stop.1 1',
    'node#1/pre-stop.2 1',
  ]);
  expect(found(result).slice(-2)).toEqual(['node#1/pre-stop.2 ended 0', 'node#1/pre-stop.1 ended 0']);
});

test.each([
  ['pre-stop', drains],
  ['post-stop', tidies],
  ['ready', asks],
] as const)(
  'S52 S42 %s: the log is lost at any moment, and then the supervisor dies once more',
  (_, scenario) => {
    const { acts } = simulate(scenario);
    for (let act = 0; act < acts; act++)
      for (let then = act + 1; then < act + 14; then++) {
        const at = [act, then].map((each) => ({ act: each, when: 'after' as const }));
        const result = simulate(scenario, { at, awayMs: SOON_MS, log: 'lost' });
        expect(startedBesides(result), `${act} ${then}`).toEqual([]);
        expect(result.exitCode, `${act} ${then}`).not.toBeNull();
      }
  },
);
