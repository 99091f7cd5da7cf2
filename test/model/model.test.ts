/** Init, supervisors, coordinators and disk in all interleavings; then what the model has found, through the real code. */
import { expect, test } from 'vitest';
import { SMALL } from './configurations.ts';
import { wayTo } from './explore.ts';
import { replayInit, replayRuns } from './replay.ts';
import { replayLoops } from './replay-loop.ts';
import { planOf } from './steps.ts';
import { traceAll } from './traces.ts';

const MINUTES = 60_000;

test.each(Object.entries(SMALL))(
  'S42 the boundary keeps its promises in every interleaving, and the real code is like its model: %s',
  { timeout: 4 * MINUTES },
  (_, bounds) => {
    const { explored, init, runs, loops } = traceAll(bounds);
    const troubles = explored.troubles.map(({ what, state }) => ({ what, way: wayTo(explored, state) }));
    expect(troubles).toEqual([]);
    expect(explored.complete).toBe(true);
    expect(explored.ends).toBeGreaterThan(0);
    const replays = [replayInit(init, planOf(bounds)), replayRuns(runs), replayLoops(loops, bounds.plan)];
    for (const replayed of replays) {
      expect(replayed.differences).toEqual([]);
      expect(replayed.turns).toBeGreaterThan(10);
    }
  },
);
