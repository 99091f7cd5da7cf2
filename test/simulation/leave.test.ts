import { afterAll, describe, expect, test } from 'vitest';
import { SCENARIOS } from '../supervisor/scenarios.ts';
import { recordsOf } from './questions.ts';
import { type Crash, simulate } from './simulate.ts';
import { stepsOf } from './trace.ts';
import { crashPoints, dice, SOON_MS, someCrashes, tryCrashes } from './trials.ts';

/** Whoever has nothing to decide for a moment leaves, so that a scenario has as many absences as it can have. */
const LEAVES = { stayMs: 1, startMs: 30 };
/** Of a scenario of many acts every so many-eth moment. */
const MANY = 12;
const PAIRS = 1;

const counts = { scenarios: 0, leaving: 0, absences: 0, single: 0, double: 0 };
afterAll(() => {
  console.log(`absences tried: ${JSON.stringify(counts)}`);
  expect(counts.leaving, 'scenarios in which a supervisor leaves').toBeGreaterThan(counts.scenarios / 4);
});

/** DESIGN 7: a supervisor that leaves and comes again changes nothing that a user can see. */
describe('an absent supervisor changes nothing, nor does a crash as it wakes, is present or leaves', () => {
  test.each(SCENARIOS)('$title', (told) => {
    const whole = simulate(told);
    const leaving = tryCrashes(told, whole, { at: [], awayMs: SOON_MS, leaves: LEAVES });
    const absences = stepsOf(leaving.trace, 'left').length;
    expect(recordsOf(leaving, 'supervisor-started'), 'coming back is no restart').toHaveLength(1);
    counts.scenarios++;
    counts.leaving += absences > 0 ? 1 : 0;
    counts.absences += absences;
    if (absences === 0) return;
    const points = spread(crashPoints(leaving));
    for (const crash of points) tryCrashes(told, whole, { at: [crash], awayMs: SOON_MS, leaves: LEAVES });
    const roll = dice(7);
    for (let nth = 0; nth < PAIRS; nth++)
      tryCrashes(told, whole, { at: someCrashes(leaving, 2, roll), awayMs: SOON_MS, leaves: LEAVES });
    counts.single += points.length;
    counts.double += PAIRS;
  });
});

function spread(points: readonly Crash[]): readonly Crash[] {
  const step = Math.ceil(points.length / MANY);
  return points.filter((_, at) => at % step === 0);
}
