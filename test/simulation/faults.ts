/** A disk that is full, or answers with an error, for some writes, and then is well again; with and without a crash of the supervisor. */
import type { Told } from '../supervisor/told.ts';
import type { DiskFault } from './disk.ts';
import { briefly, type Crash, type Crashes, type Result, simulate } from './simulate.ts';
import { stepsOf } from './trace.ts';
import { compare, crashPoints, mustHold, SOON_MS, where } from './trials.ts';

/** Writes in a row. */
const LENGTHS = [1, 2, 5];
/** A number: so many bytes of each write arrive. 300: a line, and a piece of the next one, where several have waited. */
const KINDS: readonly Pick<DiskFault, 'fault' | 'noTruncate'>[] = [
  { fault: 'ENOSPC' },
  { fault: 1 },
  { fault: 90, noTruncate: true },
  { fault: 300 },
];

/** Each begin, length and kind. */
export function allFaults(whole: Result): (readonly DiskFault[])[] {
  const begins = Array.from({ length: Object.keys(whole.writes).length }, (_, nth) => nth);
  return begins.flatMap((from) =>
    KINDS.flatMap((kind) => LENGTHS.map((length) => [{ ...kind, from, to: from + length - 1 }])),
  );
}

/** One of them, every other time with a second one soon after it, which hits what was to be made good; and so many crashes. */
export function someFaults(whole: Result, roll: () => number, crashes: number): Crashes {
  const pick = <T>(of: readonly T[]): T => of[Math.floor(roll() * of.length)] as T;
  const disk = pick(allFaults(whole));
  const again = pick(KINDS);
  const from = (disk[0]?.to ?? 0) + pick([1, 2]);
  const at = Array.from({ length: crashes }, (): Crash => pick(crashPoints(whole)));
  return { at, awayMs: SOON_MS, disk: roll() < 0.5 ? disk : [...disk, { ...again, from, to: from }] };
}

/**
 * Simulates. Unless the supervisor dies with records that it could not write, everything is as without the fault. If it does, no
 * command runs twice.
 */
export function tryFaults(told: Told, whole: Result, crashes: Crashes): 'alone' | 'kept' | 'lost' {
  const result = simulateLossy(told, crashes);
  if (result === null) return 'lost';
  if (result.kept || crashes.at.length === 0) {
    mustHold(told, crashes, result);
    compare(told, whole, crashes, result);
    return crashes.at.length === 0 ? 'alone' : 'kept';
  }
  const twice = startedTwice(result);
  if (twice.length > 0) throw new Error(`${where(told, crashes)}\ntwice: ${twice}\n${briefly(result)}`);
  return 'lost';
}

/** null: it does not end, because what a client had asked for is lost, and nothing else would end it. */
function simulateLossy(told: Told, crashes: Crashes): Result | null {
  try {
    return simulate(told, crashes);
  } catch (error) {
    if (!isAskedByClient(told)) throw new Error(`${where(told, crashes)}\n${(error as Error).message}`);
    return null;
  }
}

/** Runs that were started more than once, hooks and questions among them. */
export function startedTwice({ trace }: Result): string[] {
  const forked = stepsOf(trace, 'forked').map(({ run }) => run);
  return forked.filter((run, at) => forked.indexOf(run) !== at);
}

/** What a client asks for is lost with its record. */
export function isAskedByClient({ script = [] }: Told): boolean {
  return script.some((line) => 'request' in line);
}
