/** A scenario of SCENARIOS.md as a script on the virtual clock. */
import { TERM } from '../simulation/behaviour.ts';
import type { Line, Result, Scenario } from '../simulation/simulate.ts';

export interface Told extends Scenario {
  readonly title: string;
  /** Two things happen at one moment, and either may be first: why a crash may change the outcome. */
  readonly raced?: string;
  check(result: Result): void;
}

export const term = (at: number): Line => ({ at, signal: TERM });
