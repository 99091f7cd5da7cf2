import { afterAll, describe, expect, test } from 'vitest';
import type { Told } from '../supervisor/told.ts';
import { exitsBy, exitsOn, TERM } from './behaviour.ts';
import { processPlan, restarts, runPlan, taskPlan } from './plans.ts';
import { essence } from './questions.ts';
import { type Crash, type Result, simulate } from './simulate.ts';
import { SOON_MS, tryCrashes } from './trials.ts';

/** So short that these logs are compacted, again and again. */
const COMPACT_AT = 800;
/** Between two bytes at which it is torn; `GSUP_TORN_EVERY=1` tries each. Odd, so that all places have their turn. */
const TORN_EVERY = Number(process.env.GSUP_TORN_EVERY ?? 499);

let count = 0;
afterAll(() => console.log(`crash points of compactions tried: ${count}`));

/** A compaction writes the new log behind the old one, then over it, then cuts: before, in and after each of these. */
function compactionPoints({ writes, working }: Result): Crash[] {
  return working.flatMap((act): Crash[] => {
    const bytes = writes[act] ?? 0;
    if (bytes === 0) return [];
    const cuts = new Set([0, 1, bytes - 1, bytes]);
    for (let cut = act % TORN_EVERY; cut < bytes; cut += TORN_EVERY) cuts.add(cut);
    const torn = [...cuts].map((cut) => ({ act, when: 'during' as const, cut }));
    return [{ act, when: 'before' }, ...torn, { act, when: 'after' }];
  });
}

const HEALTH = {
  probe: { kind: 'exec', command: { shell: 'ask' } },
  intervalMs: 150,
  timeoutMs: 1000,
  retries: 3,
  startPeriodMs: 0,
  startIntervalMs: 150,
  onUnhealthy: 'restart',
} as const;
const again = restarts({ maxFailures: 12, minDurationMs: 100 });
const preStart = { command: { shell: 'prepare' }, timeoutMs: 5000 };
const LONG: readonly Told[] = [
  {
    title: 'one that fails again and again',
    plan: runPlan({ restart: again }),
    behaviours: { node: exitsBy(50, 1) },
    check() {},
  },
  {
    title: 'one that fails beside one that lives, and a stop',
    plan: taskPlan([processPlan('a', { restart: again }), processPlan('b')], null, { exitWhen: 'all' }),
    behaviours: { a: exitsBy(50, 1), b: exitsOn(TERM, 200) },
    script: [{ at: 400_000, signal: TERM }],
    check() {},
  },
  {
    title: 'one that fails with a hook before it and one after it, and a stop',
    plan: runPlan({ restart: again, preStart, postStop: { shell: 'notify' } }),
    behaviours: { node: exitsBy(50, 1), 'node/pre-start': exitsBy(10), 'node/post-stop': exitsBy(10) },
    script: [{ at: 30_000, signal: TERM }],
    check() {},
  },
  {
    title: 'one that is asked for its health by a command, and a stop',
    plan: taskPlan([processPlan('web', { health: HEALTH })]),
    behaviours: { web: exitsOn(TERM, 200), 'web/health': exitsBy(20) },
    script: [{ at: 2500, signal: TERM }],
    raced: 'how many questions fit into the time depends on when each began',
    check() {},
  },
];

/** All but the questions, of which there may be one more or less. */
function unasked(result: Result): string {
  return JSON.stringify(essence(result), (_, value) =>
    Array.isArray(value) ? value.filter((each) => !String(each).includes('/health.')) : value,
  );
}

describe('S42 S51 killed at each moment of a compaction, and in each of its writes', () => {
  test.each(LONG.map((told) => [told.title, told] as const))('%s', (_, told) => {
    const whole = simulate(told, { at: [], awayMs: SOON_MS, compactAt: COMPACT_AT });
    const points = compactionPoints(whole);
    expect(points.length).toBeGreaterThan(20);
    for (const [nth, point] of points.entries()) {
      // And the next supervisor, in whatever it does first: it finishes what the last one has begun.
      const then: Crash = { act: point.act + 1 + (nth % 7), when: nth % 2 === 0 ? 'before' : 'after' };
      for (const at of [[point], [point, then]]) {
        const crashed = tryCrashes(told, whole, { at, awayMs: SOON_MS, compactAt: COMPACT_AT });
        expect(unasked(crashed), JSON.stringify(at)).toBe(unasked(whole));
      }
      count += 2;
    }
  });
});
