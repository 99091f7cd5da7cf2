import { describe, expect, test } from 'vitest';
import { SCENARIOS } from '../supervisor/scenarios.ts';
import type { DiskFault } from './disk.ts';
import { isAskedByClient, startedTwice } from './faults.ts';
import { simulate } from './simulate.ts';
import { SOON_MS } from './trials.ts';

/** Nothing can be written from the begin on, and what was written half cannot be cut off. */
const FULL: readonly DiskFault[] = [{ from: 0, to: Number.MAX_SAFE_INTEGER, fault: 0, noTruncate: true }];
/** So many moments of each scenario, spread over it: all of them would take minutes. */
const MOMENTS = 12;

describe('S52 S42 with a full disk and a crash no command and no hook runs twice', () => {
  test.each(SCENARIOS.filter((told) => !isAskedByClient(told)).map((told) => [told.title, told] as const))(
    '%s',
    (_, told) => {
      const { acts } = simulate(told, { at: [], awayMs: SOON_MS, disk: FULL });
      const step = Math.max(1, Math.floor(acts / MOMENTS));
      for (let act = 0; act < acts; act += step)
        for (const when of ['before', 'after'] as const) {
          const crashed = simulate(told, { at: [{ act, when }], awayMs: SOON_MS, disk: FULL });
          expect(startedTwice(crashed), `${when} act ${act}`).toEqual([]);
        }
    },
  );
});
