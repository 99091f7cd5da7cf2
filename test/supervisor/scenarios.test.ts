import { describe, expect, test } from 'vitest';
import { checkInvariants } from '../simulation/invariants.ts';
import { briefly, simulate } from '../simulation/simulate.ts';
import { SCENARIOS } from './scenarios.ts';

describe('on the virtual clock', () => {
  test.each(SCENARIOS)('$title', (told) => {
    const result = simulate(told);
    try {
      told.check(result);
      checkInvariants(told, result);
    } catch (error) {
      console.log(briefly(result));
      throw error;
    }
    expect(result.crashes).toBe(0);
  });
});
