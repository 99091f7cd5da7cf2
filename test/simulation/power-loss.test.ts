import { describe, expect, test } from 'vitest';
import { repairLog } from '../../src/checkpoint/repair.ts';
import { SCENARIOS } from '../supervisor/scenarios.ts';
import { LOG } from './disk.ts';
import { simulate } from './simulate.ts';
import { dice } from './trials.ts';

/**
 * The machine stops: nothing runs any more, and of what was not synced each sector may be there or not, in whatever order
 * it was written. The next boot is another task (init puts the log aside), so all that is asked of the log is the truth:
 * a begin of what was decided, and all of what was synced, or a complaint.
 */
const OUTAGES = 6;

describe('S48 S51 the power fails', () => {
  const told = SCENARIOS.filter(({ raced }) => raced === undefined);
  test.each(told)('$title', (scenario) => {
    const { acts } = simulate(scenario);
    const roll = dice(acts);
    for (let nth = 0; nth < OUTAGES; nth++) {
      const act = Math.floor(roll() * acts);
      const before = simulate(scenario, { at: [{ act, when: 'after' }], awayMs: 0, power: true });
      const left = repairLog(before.disk.afterPowerLoss(LOG, () => roll() < 0.5));
      const decided = before.records.map(({ seq, type }) => `${seq} ${type}`);
      const found = left.entries.map(({ record }) => `${record.seq} ${record.type}`);
      expect(found, `after act ${act}`).toEqual(decided.slice(0, found.length));
      const synced = repairLog(before.disk.afterPowerLoss(LOG, () => false)).entries.length;
      if (left.damage === undefined) expect(found.length, `after act ${act}`).toBeGreaterThanOrEqual(synced);
      expect(before.exitCode === null || before.records.at(-1)?.type === 'task-state').toBe(true);
    }
  });
});
