import { expect } from 'vitest';
import type { Gsup } from './gsup.ts';
import { type Line, msBetween } from './records.ts';
import { LATE_MS } from './scenario.ts';

/** Hooks are runs as well, of names such as `t#1/pre-stop.1`. */
export function isOfHook(record: Line): boolean {
  return String(record.run ?? '').includes('/');
}

/** The one record of a type, hooks aside; none or two of them are a failure. */
export function theOne(records: readonly Line[], type: string): Line {
  const found = records.filter((record) => record.type === type && !isOfHook(record));
  expect(found, `records of type ${type}`).toHaveLength(1);
  return found[0] as Line;
}

export function types(records: readonly Line[]): string[] {
  return records.map((record) => record.type);
}

/** Never early, and late by no more than a busy machine explains. */
export function expectWait(
  from: Pick<Line, 'mono_ns'>,
  to: Pick<Line, 'mono_ns'>,
  ms: number,
  lateMs = LATE_MS,
): void {
  const passed = msBetween(from, to);
  expect(passed, `${passed} ms instead of ${ms}`).toBeGreaterThanOrEqual(ms - 2);
  expect(passed, `${passed} ms instead of ${ms}`).toBeLessThan(ms + lateMs);
}

/** The run ended by itself after its stop signal: no SIGKILL in the log. */
export function expectGraceful(gsup: Gsup): Line {
  const records = gsup.records();
  expect(types(records.filter((record) => !isOfHook(record)))).not.toContain('kill');
  const end = theOne(records, 'run-ended');
  expect(end.forced).toBe(false);
  return end;
}

/** SIGKILL was needed, once, `ms` after the first rung. */
export function expectKilledAfter(gsup: Gsup, ms: number, lateMs = LATE_MS): Line {
  const records = gsup.records();
  const rung = records.find((record) => record.type === 'rung') as Line;
  expect(rung, 'a rung').toBeDefined();
  expectWait(rung, theOne(records, 'kill'), ms, lateMs);
  const end = theOne(records, 'run-ended');
  expect(end.forced).toBe(true);
  return end;
}
