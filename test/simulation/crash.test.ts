import { describe, expect, test } from 'vitest';
import { HOOK_SCENARIOS } from '../supervisor/scenarios-hooks.ts';
import { STOP_SCENARIOS } from '../supervisor/scenarios-stop.ts';
import { checkInvariants } from './invariants.ts';
import { essence } from './questions.ts';
import { brief, type Result, type Scenario, simulate } from './simulate.ts';

/** So soon init has a new one; and so late that coordinators have gone on without. */
const SOON_MS = 20;

/** S42: a supervisor that is killed at any instant changes nothing that a user can see. */
describe('S42 a crash before and after every act of every scenario', () => {
  test.each([...STOP_SCENARIOS, ...HOOK_SCENARIOS])('$title', (told) => {
    const whole = simulate(told);
    const acts = Array.from({ length: whole.acts }, (_, act) => act);
    for (const act of acts) {
      for (const when of ['before', 'after'] as const) {
        const crashed = simulate(told, { at: [{ act, when }], awayMs: SOON_MS });
        compare(told, whole, crashed, `a crash ${when} act ${act}`);
      }
    }
  });
});

function compare(scenario: Scenario, whole: Result, crashed: Result, what: string): void {
  try {
    expect(essence(crashed), what).toEqual(essence(whole));
    checkInvariants(scenario, crashed);
  } catch (error) {
    console.log(what, '\n', crashed.records.map(brief).join('\n'));
    throw error;
  }
}
