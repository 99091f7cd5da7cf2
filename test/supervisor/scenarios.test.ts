import { describe, expect, test } from 'vitest';
import { checkInvariants } from '../simulation/invariants.ts';
import { brief, simulate } from '../simulation/simulate.ts';
import { SCENARIOS } from './scenarios.ts';

describe('on the virtual clock', () => {
  test.each(SCENARIOS)('$title', (told) => {
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
