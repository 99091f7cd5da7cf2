import { describe, expect, test } from 'vitest';
import { checkInvariants } from '../simulation/invariants.ts';
import { brief, simulate } from '../simulation/simulate.ts';
import { HOOK_SCENARIOS } from './scenarios-hooks.ts';
import { STOP_SCENARIOS } from './scenarios-stop.ts';

describe('on the virtual clock', () => {
  test.each([...STOP_SCENARIOS, ...HOOK_SCENARIOS])('$title', (told) => {
    const result = simulate(told);
    try {
      told.check(result);
      checkInvariants(told, result);
    } catch (error) {
      console.log(result.records.map(brief).join('\n'));
      throw error;
    }
    expect(result.crashes).toBe(0);
  });
});
