import { describe, expect, test } from 'vitest';
import { isHook } from '../../src/signals/ladder.ts';
import type { ProcessPlan } from '../../src/supervisor/plan.ts';
import { SCENARIOS } from '../supervisor/scenarios.ts';
import type { Told } from '../supervisor/told.ts';
import type { DiskFault } from './disk.ts';
import { type Result, simulate } from './simulate.ts';
import { SOON_MS } from './trials.ts';

/** Nothing can be written from the begin on, and what was written half cannot be cut off. */
const FULL: readonly DiskFault[] = [{ from: 0, to: Number.MAX_SAFE_INTEGER, fault: 0, noTruncate: true }];
/** So many moments of each scenario, spread over it: all of them would take minutes. */
const MOMENTS = 12;

/** Runs of processes that were started more than once. Hooks and probes are asked for again when no log tells of them. */
function startedTwice({ trace }: Result): string[] {
  const forked = trace.flatMap((step) =>
    step.kind === 'forked' && !step.run.includes('/') ? [step.run] : [],
  );
  return forked.filter((run, at) => forked.indexOf(run) !== at);
}

/**
 * What has hooks or questions that are commands is left out: one that lives when no log tells of it any more is nobody's, and
 * the end waits for it. So is what a client asks for: that is lost with its record.
 */
function isSimple({ plan, script = [] }: Told): boolean {
  const asksByCommand = ({ ready, health }: ProcessPlan) =>
    ready?.probe.kind === 'exec' || health?.probe.kind === 'exec';
  const hasHooks = ({ ladder, postStop }: ProcessPlan) => postStop !== null || ladder.some(isHook);
  const isAskedByClient = script.some((line) => 'request' in line);
  return !isAskedByClient && !plan.processes.some((each) => asksByCommand(each) || hasHooks(each));
}

describe('S52 S42 with a full disk and a crash no command runs twice', () => {
  test.each(SCENARIOS.filter(isSimple).map((told) => [told.title, told] as const))('%s', (_, told) => {
    const { acts } = simulate(told, { at: [], awayMs: SOON_MS, disk: FULL });
    const step = Math.max(1, Math.floor(acts / MOMENTS));
    for (let act = 0; act < acts; act += step)
      for (const when of ['before', 'after'] as const) {
        const crashed = simulate(told, { at: [{ act, when }], awayMs: SOON_MS, disk: FULL });
        expect(startedTwice(crashed), `${when} act ${act}`).toEqual([]);
      }
  });
});
