/** What tests of `gsup up` ask of its records. */
import type { Gsup } from './gsup.ts';
import type { Line } from './records.ts';

export function recordsOf(gsup: Gsup, type: string): Line[] {
  return gsup.records().filter((line) => line.type === type);
}

/** `web#1 failed exit 3`, in their order. */
export function outcomesOf(gsup: Gsup): string[] {
  return recordsOf(gsup, 'outcome').map(
    ({ run, outcome, cause, code, signal }) => `${run} ${outcome} ${cause} ${code ?? signal}`,
  );
}

/** The names of all hooks and probes that init has started, in their order. */
export function hooksStarted(gsup: Gsup): unknown[] {
  return recordsOf(gsup, 'run-started').flatMap(({ run }) => (String(run).includes('/') ? [run] : []));
}

/** The first record of a type about a run. */
export function firstOf(gsup: Gsup, type: string, run: string): Line {
  return recordsOf(gsup, type).find((line) => line.run === run) as Line;
}

export function isBefore(one: Line, other: Line): boolean {
  return BigInt(one.mono_ns) < BigInt(other.mono_ns);
}
