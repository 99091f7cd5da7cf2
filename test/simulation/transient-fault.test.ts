import { afterAll, describe, expect, test } from 'vitest';
import { SCENARIOS } from '../supervisor/scenarios.ts';
import { someFaults, tryFaults } from './faults.ts';
import { simulate } from './simulate.ts';
import { dice, SOON_MS } from './trials.ts';

/** So many for each scenario, of some thousands: `npm run soak` goes on with others, and `npm run soak -- --faults` tries them all. */
const ALONE = 8;
const WITH_A_CRASH = 24;
const SEED = 52;

const counts = { alone: 0, kept: 0, lost: 0 };
afterAll(() => console.log(`faults of the disk tried: ${JSON.stringify(counts)}`));

describe('S52 S42 the disk fails for some writes, and the supervisor dies at any moment', () => {
  test.each(SCENARIOS.map((told, nth) => [told.title, told, nth] as const))('%s', (_, told, nth) => {
    const whole = simulate(told);
    const roll = dice(SEED + nth);
    for (let each = 0; each < ALONE + WITH_A_CRASH; each++)
      counts[tryFaults(told, whole, someFaults(whole, roll, each < ALONE ? 0 : 1))]++;
  });
});

test('a record that waits for the disk is lost with its supervisor, one that was written meanwhile is not', () => {
  const told = SCENARIOS.find(({ title }) => title.startsWith('S02')) as (typeof SCENARIOS)[number];
  const whole = simulate(told);
  const writes = Object.keys(whole.writes).map(Number);
  const tried = writes.map((act) =>
    tryFaults(told, whole, {
      at: [{ act, when: 'after' }],
      awayMs: SOON_MS,
      disk: [{ from: 3, to: 4, fault: 'ENOSPC' }],
    }),
  );
  expect(tried.map((each, nth) => (each === 'lost' ? nth : 0)).filter(Boolean)).toEqual([3, 4]);
});
