/** How a stop budget is shared out (SPEC.md 9). Pure; durations in nanoseconds, null is `forever`. */

const MS = 1_000_000n;
const RESERVE_MAX = 1000n * MS;

export type WaitNs = bigint | null;

export interface Share {
  /** The wait after the cut. */
  readonly waitNs: WaitNs;
  /** What the budget took from it; 0n for a wait of `forever`, which has no length to cut from. */
  readonly cutNs: bigint;
}

export function nsOf(waitMs: number | null): WaitNs {
  return waitMs === null ? null : BigInt(waitMs) * MS;
}

/** Milliseconds for records and orders, rounded down. */
export function msOf(waitNs: bigint): number {
  return Number(waitNs / MS);
}

/** Killing, reaping and the last record need time too: a tenth of the budget, one second at most. */
export function reserveNs(budgetNs: bigint): bigint {
  const tenth = budgetNs / 10n;
  return tenth < RESERVE_MAX ? tenth : RESERVE_MAX;
}

/**
 * A wait gets all of what it wants when that and the waits that can only begin after it fit into what is left, else its
 * share. It is computed anew for each rung, so that time which was not used flows on to the next.
 * `leftNs` null: there is no budget.
 */
export function shareOut(wait: WaitNs, later: readonly WaitNs[], leftNs: WaitNs): Share {
  if (leftNs === null) return { waitNs: wait, cutNs: 0n };
  const left = leftNs > 0n ? leftNs : 0n;
  const own = wait ?? left;
  const after = later.reduce<bigint>((sum, next) => sum + (next ?? left), 0n);
  const given = own + after <= left ? own : (left * own) / (own + after);
  return { waitNs: given, cutNs: wait === null ? 0n : wait - given };
}

/** The sum of waits; one `forever` makes it `forever`. */
export function sumOf(waits: readonly WaitNs[]): WaitNs {
  return waits.reduce<WaitNs>((sum, wait) => (sum === null || wait === null ? null : sum + wait), 0n);
}

/** The longest of waits that run in parallel: what a level needs. */
export function longestOf(waits: readonly WaitNs[]): WaitNs {
  return waits.reduce<WaitNs>((longest, wait) => (isLonger(wait, longest) ? wait : longest), 0n);
}

function isLonger(wait: WaitNs, than: WaitNs): boolean {
  return than !== null && (wait === null || wait > than);
}

/** Final processes count as what they may take, or a quarter of what is left, whichever is less. */
export function finalsShare(finalizationWait: WaitNs, leftNs: bigint): bigint {
  const quarter = leftNs / 4n;
  return finalizationWait === null || finalizationWait > quarter ? quarter : finalizationWait;
}
