import fc from 'fast-check';
import { expect, test } from 'vitest';
import { randomScript } from './arbitraries.ts';
import { printScript, type Script, scenarioOf } from './script.ts';
import { judge } from './trials.ts';

const RUNS = Number(process.env.GSUP_RANDOM_RUNS ?? 400);

/** With what can be checked in when it fails: see CONTRIBUTING. */
function judgeScript(script: Script): void {
  try {
    expect(judge(scenarioOf(script), script.crashes).exitCode).not.toBeNull();
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${printScript(script)}`);
  }
}

test('S42 whatever happens, what must hold holds', () => {
  fc.assert(fc.property(randomScript, judgeScript), { numRuns: RUNS });
});
