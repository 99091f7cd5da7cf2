import { describe, expect, test } from 'vitest';
import { SCENARIOS, STOPS } from '../supervisor/scenarios.ts';
import type { Told } from '../supervisor/told.ts';
import { checkInvariants } from './invariants.ts';
import { essence, msOf } from './questions.ts';
import { briefly, type Result, simulate } from './simulate.ts';

/** So soon init has a new one; and so late that coordinators have gone on without. */
const SOON_MS = 20;
const PATIENCE_MS = 250;
const LATE_MS = 100_000;
/** Of a long scenario every so many-eth act: its acts are alike. */
const MANY = 30;

/** What orders alone can say: no levels, and no hook after the end. */
const withOrders = STOPS.filter(({ plan }) =>
  plan.processes.every(({ level, postStop }) => level === 0 && postStop === null),
);

/** S42: a supervisor that is killed at any instant changes nothing that a user can see. */
describe('S42 a crash before and after every act', () => {
  test.each(SCENARIOS)('$title', (told) => {
    const whole = simulate(told);
    for (const crash of crashesOf(whole)) {
      compare(told, whole, simulate(told, { at: [crash], awayMs: SOON_MS }), crash);
    }
  });
});

/** S43, S45: what one ladder can say is done without a supervisor, and the next one learns of it. */
describe('S43 no supervisor for longer than the whole stop', () => {
  const alone = withOrders.filter(({ title }) => /^S(0[1-689]|1[0-6]|19|29)/.test(title));
  test.each(alone)('$title', (told) => {
    const whole = simulate(told);
    for (const crash of crashesOf(whole)) {
      const crashed = simulate(told, { at: [crash], awayMs: LATE_MS });
      // Nothing was started when it went: a stop that comes meanwhile finds nobody.
      const began = crashed.requests.filter(
        (request) => request.to === 'spawn' && request.atNs < 1_500_000_000n,
      );
      if (began.length !== told.plan.processes.length) continue;
      compare(told, whole, crashed, crash);
      checkNotEarlier(whole, crashed);
    }
  });
});

/** S52: what init has is enough to find every run again, and to end it as if nothing had been. */
describe('S52 the log is lost together with its supervisor', () => {
  const told = withOrders.filter(
    ({ title, raced }) => /^S(0[1-6]|1[^4]|20 a|29)/.test(title) && raced === undefined,
  );
  // Not S14: which of several asks was acted on only the log could tell.
  test.each(told)('$title', (scenario) => {
    const whole = simulate(scenario);
    for (const crash of crashesOf(whole)) {
      const crashed = simulate(scenario, { at: [crash], awayMs: SOON_MS, log: 'lost' });
      const where = `a crash ${crash.when} act ${crash.act}`;
      const { signals, spawned } = essence(whole) as { signals: unknown; spawned: unknown };
      expect(essence(crashed), where).toMatchObject({ spawned, signals });
    }
  });
});

test('S42 one crash after another', () => {
  for (const told of SCENARIOS.filter(({ raced }) => raced === undefined)) {
    const whole = simulate(told);
    for (const every of [2, 5]) {
      const at = Array.from({ length: 60 }, (_, nth) => ({
        act: (nth + 1) * every,
        when: 'before' as const,
      }));
      compare(told, whole, simulate(told, { at, awayMs: 1 }), { act: every, when: 'every' });
    }
  }
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

function crashesOf({ acts }: Result): { act: number; when: 'before' | 'after' }[] {
  const step = Math.ceil(acts / MANY);
  return Array.from({ length: Math.ceil(acts / step) }, (_, nth) => nth * step).flatMap((act) => [
    { act, when: 'before' as const },
    { act, when: 'after' as const },
  ]);
}

function compare(told: Told, whole: Result, crashed: Result, crash: { act: number; when: string }): void {
  const what = `${told.title}: a crash ${crash.when} act ${crash.act}`;
  try {
    if (told.raced === undefined) expect(essence(crashed), what).toEqual(essence(whole));
    checkInvariants(told, crashed);
  } catch (error) {
    console.log(what, '\n', briefly(crashed));
    throw error;
  }
}
