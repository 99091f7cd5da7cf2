/** Crashes at the moments of a scenario, and what must be the same with and without them. */
import type { Told } from '../supervisor/told.ts';
import { checkInvariants } from './invariants.ts';
import { essence } from './questions.ts';
import { briefly, type Crash, type Crashes, type Result, type Scenario, simulate } from './simulate.ts';

/** So soon init has a new one. */
export const SOON_MS = 20;

/** Before and after each act, and in each write: at its first byte, in its middle, and when only the newline is missing. */
export function crashPoints({ acts, writes }: Result): Crash[] {
  return Array.from({ length: acts }, (_, act): Crash[] => {
    const bytes = writes[act];
    const cuts = bytes === undefined ? [] : [1, Math.floor(bytes / 2), bytes - 1];
    return [
      { act, when: 'before' },
      ...cuts.map((cut) => ({ act, when: 'during' as const, cut })),
      { act, when: 'after' },
    ];
  }).flat();
}

/** Every byte of every write. */
export function tornPoints({ writes }: Result): Crash[] {
  return Object.entries(writes).flatMap(([act, bytes]) =>
    Array.from({ length: bytes }, (_, cut) => ({ act: Number(act), when: 'during' as const, cut })),
  );
}

/** Simulates with crashes: what always holds must hold, and where nothing is raced, all is as without them. */
export function tryCrashes(told: Told, whole: Result, crashes: Crashes): Result {
  const crashed = judge(told, crashes);
  compare(told, whole, crashes, crashed);
  return crashed;
}

/** Throws with the whole story when a user sees something else than without them. */
export function compare(told: Told, whole: Result, crashes: Crashes, crashed: Result): void {
  const [is, was] = [text(essence(crashed)), text(essence(whole))];
  if (told.raced === undefined && is !== was)
    throw new Error(`${where(told, crashes)}\nis  ${is}\nwas ${was}\n${briefly(crashed)}`);
}

/** Simulates, and throws with the whole story when something does not hold. */
export function judge(scenario: Scenario & { readonly title?: string }, crashes: Crashes): Result {
  const result = simulate(scenario, crashes);
  mustHold(scenario, crashes, result);
  return result;
}

/** Throws with the whole story. */
export function mustHold(
  scenario: Scenario & { readonly title?: string },
  crashes: Crashes,
  result: Result,
): void {
  try {
    checkInvariants(scenario, result);
  } catch (error) {
    throw new Error(`${where(scenario, crashes)}\n${(error as Error).message}\n${briefly(result)}`);
  }
}

export function where({ title }: { readonly title?: string }, crashes: Crashes): string {
  return `${title ?? 'a script'}: ${text(crashes)}`;
}

export function text(value: unknown): string {
  return JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? String(each) : each));
}

/** A row of numbers from 0 to 1 that looks random and is the same for the same seed (mulberry32). */
export function dice(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** Two or three crashes at any moments; later ones count the acts that the recoveries before them have added. */
export function someCrashes(whole: Result, count: number, roll: () => number): Crash[] {
  const points = crashPoints(whole);
  const more = whole.acts + 20 * count;
  return Array.from({ length: count }, (_, nth): Crash => {
    const point = points[Math.floor(roll() * points.length)] as Crash;
    return nth === 0 ? point : { ...point, act: Math.floor(roll() * more) };
  });
}
