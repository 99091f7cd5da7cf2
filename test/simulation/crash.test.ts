import { afterAll, describe, test } from 'vitest';
import { SCENARIOS } from '../supervisor/scenarios.ts';
import { type Crash, simulate } from './simulate.ts';
import { crashPoints, dice, SOON_MS, someCrashes, tryCrashes } from './trials.ts';

/** Of a scenario of many acts every so many-eth moment: `npm run soak` tries them all. */
const MANY = 120;
/** Two and three crashes for each scenario; `npm run soak` goes on where this ends. */
const PAIRS = 12;
const TRIPLES = 8;
const SEED = 42;

const counts = { scenarios: 0, single: 0, double: 0, triple: 0 };
afterAll(() => console.log(`crash points tried: ${JSON.stringify(counts)}`));

/** S42: a supervisor that is killed at any instant changes nothing that a user can see. */
describe('S42 a crash before, in and after every act, then two, then three', () => {
  test.each(SCENARIOS)('$title', (told) => {
    const whole = simulate(told);
    const points = spread(crashPoints(whole));
    for (const crash of points) tryCrashes(told, whole, { at: [crash], awayMs: SOON_MS });
    const roll = dice(SEED);
    for (let nth = 0; nth < PAIRS; nth++)
      tryCrashes(told, whole, { at: someCrashes(whole, 2, roll), awayMs: SOON_MS });
    for (let nth = 0; nth < TRIPLES; nth++)
      tryCrashes(told, whole, { at: someCrashes(whole, 3, roll), awayMs: 1 });
    counts.scenarios++;
    counts.single += points.length;
    counts.double += PAIRS;
    counts.triple += TRIPLES;
  });
});

function spread(points: readonly Crash[]): readonly Crash[] {
  const step = Math.ceil(points.length / MANY);
  return points.filter((_, at) => at % step === 0);
}
