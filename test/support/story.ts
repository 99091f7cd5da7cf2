import { expect } from 'vitest';
import { busyMs } from './busy.ts';
import type { Gsup } from './gsup.ts';
import { type Line, msBetween } from './records.ts';
import { LATE_MS } from './scenario.ts';

/** Hooks are runs as well, of names such as `t#1/pre-stop.1`. */
export function isOfHook(record: Line): boolean {
  return String(record.run ?? '').includes('/');
}

/**
 * The one record of a type, hooks aside; none or two of them are a failure. But one: where a supervisor was so late that
 * init had acted and recorded it already, the supervisor's own record may follow.
 */
export function theOne(records: readonly Line[], type: string): Line {
  const found = records.filter((record) => record.type === type && !isOfHook(record));
  const late = found[0]?.file === 'init.log' && found[1]?.file === 'checkpoint.log' ? 1 : 0;
  expect(found.slice(0, found.length - late), `records of type ${type}`).toHaveLength(1);
  return found[0] as Line;
}

/** The signals that init has sent to the command, by name. */
export function sentSignals(records: readonly Line[]): unknown[] {
  return records
    .filter((record) => record.type === 'signal' && record.run !== undefined && !isOfHook(record))
    .map((record) => record.signal);
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
  expectWithin(from, to, ms + lateMs);
}

/** At most so long, and what a busy machine explains. */
export function expectWithin(from: Pick<Line, 'mono_ns'>, to: Pick<Line, 'mono_ns'>, ms: number): void {
  const passed = msBetween(from, to);
  const busy = busyMs(BigInt(from.mono_ns), BigInt(to.mono_ns));
  expect(passed, `${passed} ms, where ${ms} are allowed`).toBeLessThan(ms + busy);
}

/** The rungs that were climbed, each once: a supervisor that was late records one that init has recorded already. */
export function rungsOf(records: readonly Line[]): Line[] {
  const rungs = records.filter((record) => record.type === 'rung' && !isOfHook(record));
  return rungs.filter((rung, at) => rungs.findIndex((one) => one.index === rung.index) === at);
}

/** The run ended by itself after its stop signal: no SIGKILL in the log. */
export function expectGraceful(gsup: Gsup): Line {
  const records = gsup.records();
  expect(types(records.filter((record) => !isOfHook(record)))).not.toContain('kill');
  const end = theOne(records, 'run-ended');
  expect(end.forced).toBe(false);
  return end;
}

/** When the stop began: the signal reached gsup, or the leader left something behind. */
export function beginOf(records: readonly Line[]): Line {
  const asked = theOne(records, 'stop-requested');
  const first =
    asked.cause === 'main-ended'
      ? theOne(records, 'leader-exited')
      : records.find((line) => line.type === 'signal' && line.run === undefined);
  expect(first, 'what the stop began with').toBeDefined();
  return first as Line;
}

/**
 * SIGKILL was needed, once, `ms` after the first rung; never before the deadline that its record has. A supervisor writes
 * the rung a moment after the stop has begun, and its waits count from there.
 */
export function expectKilledAfter(gsup: Gsup, ms: number, lateMs = LATE_MS): Line {
  const records = gsup.records();
  const rung = records.find((record) => record.type === 'rung') as Line;
  expect(rung, 'a rung').toBeDefined();
  const kill = theOne(records, 'kill');
  expectWait(rung.file === 'init.log' ? rung : beginOf(records), kill, ms, lateMs);
  expectWait({ mono_ns: rung.deadline_ns as string }, kill, 0, lateMs);
  const end = theOne(records, 'run-ended');
  expect(end.forced).toBe(true);
  return end;
}
