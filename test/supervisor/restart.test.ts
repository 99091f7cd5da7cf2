import { describe, expect, test } from 'vitest';
import { DEFAULT_BACKOFF } from '../../src/supervisor/plan.ts';
import { backoffMs, nextRun, spread } from '../../src/supervisor/restart.ts';
import type { Process, Result } from '../../src/supervisor/state.ts';
import { processPlan, restarts, runPlan, taskPlan } from '../simulation/plans.ts';

const MS = 1_000_000n;
const ended: Result = {
  run: 'node#1',
  outcome: 'failed',
  cause: 'exit',
  code: 1,
  signal: null,
  forced: false,
  transient: false,
  forkedNs: 0n,
  endedNs: 100n * MS,
};
const process = (last: Partial<Result>, failures = 1): Process => ({
  want: 'up',
  runs: 1,
  failures,
  again: false,
  renewal: null,
  last: { ...ended, ...last },
});
const up = taskPlan([]);

describe('nextRun', () => {
  test.each<[string, Parameters<typeof restarts>[0], Partial<Result>, number, boolean]>([
    ['on-failure: not after success', {}, { outcome: 'success' }, 0, false],
    ['on-failure: after failure', {}, {}, 1, true],
    ['on-failure: after it was lost', {}, { outcome: 'lost' }, 1, true],
    ['on-failure: while failures are below the limit', { maxFailures: 3 }, {}, 2, true],
    ['on-failure: not when the limit is reached', { maxFailures: 3 }, {}, 3, false],
    ['on-failure: no limit is 0', { maxFailures: 0 }, {}, 1000, true],
    ['always: after success too', { policy: 'always' }, { outcome: 'success' }, 0, true],
    ['always: the limit holds for failures', { policy: 'always', maxFailures: 1 }, {}, 1, false],
    ['always: not what a stop has ended', { policy: 'always' }, { outcome: 'killed' }, 0, false],
    ['no: never', { policy: 'no' }, {}, 1, false],
  ])('%s', (_, restart, last, failures, again) => {
    const plan = processPlan('node', { restart: restarts(restart) });
    expect(nextRun(up, plan, process(last, failures), '').kind).toBe(again ? 'again' : 'finished');
  });

  test('what cannot be executed is tried again in `up`, and not in `run`', () => {
    const plan = processPlan('node', { restart: restarts({ policy: 'always' }) });
    const unstarted = process({ cause: 'start', code: 127 });
    expect(nextRun(up, plan, unstarted, '').kind).toBe('again');
    expect(nextRun(runPlan(), plan, unstarted, '').kind).toBe('finished');
  });

  test('what could not be started for want of a process is tried again in `run` too, within the limit', () => {
    const plan = processPlan('node', {
      restart: restarts({ policy: 'always', maxFailures: 2, minDurationMs: 0 }),
    });
    const wanting = (failures: number) => process({ cause: 'start', code: 126, transient: true }, failures);
    expect(nextRun(runPlan(), plan, wanting(1), '')).toMatchObject({ kind: 'again' });
    expect(nextRun(runPlan(), plan, wanting(2), '').kind).toBe('finished');
  });

  test('starts are min_duration apart, and back-off is added to the end only after failures', () => {
    const plan = processPlan('node', { restart: restarts({ policy: 'always', minDurationMs: 1000 }) });
    expect(nextRun(up, plan, process({ outcome: 'success' }, 0), '')).toEqual({
      kind: 'again',
      atNs: 1000n * MS,
      waitMs: 900,
    });
    expect(nextRun(up, plan, process({ endedNs: 5000n * MS }), '')).toEqual({
      kind: 'again',
      atNs: 5500n * MS,
      waitMs: 500,
    });
  });
});

describe('backoffMs', () => {
  const steady = { ...DEFAULT_BACKOFF, jitter: 0 };
  test('grows by the factor, up to the most', () => {
    expect([1, 2, 3, 7, 100].map((failures) => backoffMs(steady, failures, ''))).toEqual([
      500, 1000, 2000, 30_000, 30_000,
    ]);
  });

  test('jitter stays within its share, and is the same for the same seed', () => {
    const waits = Array.from({ length: 200 }, (_, seed) => backoffMs(DEFAULT_BACKOFF, 1, `gsup ${seed}`));
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(450);
    expect(Math.max(...waits)).toBeLessThanOrEqual(550);
    expect(new Set(waits).size).toBeGreaterThan(20);
    expect(spread('a')).toBe(spread('a'));
  });
});
