/** `npm run soak`: random tasks with random crashes, and the scenarios with more than the suite tries, until time is up. */
import fc from 'fast-check';
import { SCENARIOS } from '../supervisor/scenarios.ts';
import { randomScript } from './arbitraries.ts';
import { allFaults, someFaults, tryFaults } from './faults.ts';
import { printScript, type Script, scenarioOf } from './script.ts';
import { simulate } from './simulate.ts';
import { crashPoints, dice, judge, SOON_MS, someCrashes, tornPoints, tryCrashes } from './trials.ts';

export interface Soak {
  readonly minutes: number;
  readonly seed: number;
  /** Nothing but faults of the disk: all of them, without a crash and with one at each moment. */
  readonly faults?: boolean;
  /** Milliseconds, of a clock that goes on. */
  nowMs(): number;
  say(line: string): void;
}

const CASES_PER_ROUND = 200;
/** A case that does not end takes seconds each time. */
const SHRINKING = { interruptAfterTimeLimit: 120_000 };
const SAY_EVERY_MS = 60_000;

/** Returns whether all of it held; what did not is said, as a script that can be checked in. */
export function soak({ minutes, seed, faults = false, nowMs, say }: Soak): boolean {
  const counts = { rounds: 0, random: 0, single: 0, torn: 0, double: 0, triple: 0, faults: 0 };
  const endMs = nowMs() + minutes * 60_000;
  const isOver = (): boolean => nowMs() >= endMs;
  let saidMs = nowMs();
  const sayCounts = (): void => say(`${JSON.stringify(counts)} seed ${seed}`);

  const randomRound = (): boolean => {
    const property = fc.property(randomScript, (script) => void judge(scenarioOf(script), script.crashes));
    const found = fc.check(property, {
      ...SHRINKING,
      numRuns: CASES_PER_ROUND,
      seed: (seed + counts.rounds) | 0,
    });
    counts.random += found.numRuns;
    if (!found.failed) return true;
    say(String((found.errorInstance as Error | undefined)?.message));
    say(`to be put into test/simulation/scripts:\n${printScript((found.counterexample as [Script])[0])}`);
    return false;
  };

  const scenarioRound = (): boolean => {
    const told = SCENARIOS[counts.rounds % SCENARIOS.length] as (typeof SCENARIOS)[number];
    const roll = dice(seed + counts.rounds);
    const whole = simulate(told);
    const attempt = (
      what: 'single' | 'torn' | 'double' | 'triple',
      at: Parameters<typeof tryCrashes>[2]['at'],
    ): void => {
      tryCrashes(told, whole, { at, awayMs: roll() < 0.5 ? 1 : SOON_MS });
      counts[what]++;
    };
    try {
      for (const crash of crashPoints(whole)) attempt('single', [crash]);
      for (const crash of tornPoints(whole)) if (roll() < 0.1) attempt('torn', [crash]);
      for (let nth = 0; nth < 200 && !isOver(); nth++) attempt('double', someCrashes(whole, 2, roll));
      for (let nth = 0; nth < 200 && !isOver(); nth++) attempt('triple', someCrashes(whole, 3, roll));
      for (let nth = 0; nth < 200 && !isOver(); nth++) {
        tryFaults(told, whole, someFaults(whole, roll, nth % 4));
        counts.faults++;
      }
    } catch (error) {
      say((error as Error).message);
      return false;
    }
    return true;
  };

  const faultsRound = (): boolean => {
    const told = SCENARIOS[(seed + counts.rounds) % SCENARIOS.length] as (typeof SCENARIOS)[number];
    const whole = simulate(told);
    const moments = [[], ...crashPoints(whole).map((crash) => [crash])];
    try {
      for (const disk of allFaults(whole))
        for (const at of moments) {
          if (isOver()) return true;
          tryFaults(told, whole, { at, awayMs: SOON_MS, disk });
          counts.faults++;
        }
    } catch (error) {
      say((error as Error).message);
      return false;
    }
    return true;
  };

  let holds = true;
  for (; holds && !isOver(); counts.rounds++) {
    holds = faults ? faultsRound() : randomRound() && scenarioRound();
    if (nowMs() - saidMs < SAY_EVERY_MS) continue;
    saidMs = nowMs();
    sayCounts();
  }
  sayCounts();
  return holds;
}
