import { describe, expect, test } from 'vitest';
import { STOPS } from '../supervisor/scenarios.ts';
import { essence, msOf } from './questions.ts';
import { type Crash, type Result, simulate } from './simulate.ts';
import { crashPoints, SOON_MS, tryCrashes } from './trials.ts';

/** So late that coordinators have gone on without. */
const PATIENCE_MS = 250;
const LATE_MS = 100_000;

/** What orders alone can say: no hook after the end, and nobody to be started in its turn. */
const withOrders = STOPS.filter(({ plan }) =>
  plan.processes.every(({ postStop, level }) => postStop === null && level === 0),
);

/** S43, S45: what one ladder can say is done without a supervisor, and the next one learns of it. */
describe('S43 no supervisor for longer than the whole stop', () => {
  const alone = withOrders.filter(({ title }) => /^S(0[1-689]|1[0-6]|19|26|29)/.test(title));
  test.each(alone)('$title', (told) => {
    const whole = simulate(told);
    for (const crash of aroundActs(whole)) {
      for (const hopeless of [false, true]) {
        const crashes = { at: [crash], awayMs: LATE_MS, ...(hopeless && { hopeless: true as const }) };
        const result = simulate(told, crashes);
        // Nothing was started when it went: a stop that comes meanwhile finds nobody.
        const began = result.requests.filter(({ to, atNs }) => to === 'spawn' && atNs < 1_500_000_000n);
        if (began.length === told.plan.processes.length)
          checkNotEarlier(whole, tryCrashes(told, whole, crashes));
      }
    }
  });
});

/** S52: what init has is enough to find every run again, and to end it as if nothing had been. */
describe.each(['lost', 'damaged'] as const)('S52 the log is %s together with its supervisor', (log) => {
  const told = withOrders.filter(
    ({ title, raced }) => /^S(0[1-6]|1|20 a|26|29)/.test(title) && raced === undefined,
  );
  test.each(told)('$title', (scenario) => {
    const whole = simulate(scenario);
    for (const crash of aroundActs(whole)) {
      const crashed = simulate(scenario, { at: [crash], awayMs: SOON_MS, log });
      const { signals, spawned } = essence(whole) as { signals: unknown; spawned: unknown };
      expect(essence(crashed), `a crash ${crash.when} act ${crash.act}`).toMatchObject({ spawned, signals });
    }
  });
});

/** The coordinator waits a moment for a supervisor, and never less than the order says. */
function checkNotEarlier(whole: Result, crashed: Result): void {
  const times = (result: Result, pid: number): number[] =>
    result.sent.filter((sent) => sent.pid % 100 === pid % 100).map((sent) => msOf(sent.atNs));
  for (const { pid } of whole.sent) {
    const late = times(crashed, pid).map((at, nth) => at - (times(whole, pid)[nth] ?? 0));
    expect(
      late.every((ms) => ms >= 0 && ms <= 2 * PATIENCE_MS + SOON_MS),
      `${late}`,
    ).toBe(true);
  }
}

/** What a write leaves of its record is another matter: crash.test.ts. */
function aroundActs(whole: Result): Crash[] {
  return crashPoints(whole).filter(({ when }) => when !== 'during');
}
