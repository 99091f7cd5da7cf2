/**
 * Durations as people write them: `500ms`, `1.5s`, `8s`, `1m30s`, `2h`, `1d`, `0`; `forever` where something is
 * waited for. Every value is a whole number of milliseconds, so that C and TypeScript agree on it exactly.
 */

/** A wait that no longer fits a calendar is a typing error; and sums of such waits stay exact in 64 bits. */
export const MAX_DURATION_MS = 3650 * 86_400_000;

export const DURATION_UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const;

export type Duration =
  | { readonly kind: 'duration'; readonly ms: number }
  | { readonly kind: 'forever' }
  | { readonly kind: 'bare-number' }
  | { readonly kind: 'too-long' }
  | { readonly kind: 'malformed' };

/**
 * Units go from large to small, each at most once; up to three digits after the point, none for `ms` (what is
 * smaller than a millisecond would be lost in silence).
 */
export function parseDuration(text: string): Duration {
  if (text === '0') return { kind: 'duration', ms: 0 };
  if (text === 'forever') return { kind: 'forever' };
  if (/^[0-9]+(\.[0-9]+)?$/.test(text)) return { kind: 'bare-number' };
  if (!/^(?:[0-9]+(?:\.[0-9]{1,3})?(?:ms|[dhms]))+$/.test(text)) return { kind: 'malformed' };
  let ms = 0;
  let next = 0;
  for (const [, whole = '', fraction = '', unit] of text.matchAll(/([0-9]+)(?:\.([0-9]+))?(ms|[dhms])/g)) {
    const at = DURATION_UNITS.findIndex(([name]) => name === unit);
    const size = DURATION_UNITS[at]?.[1] ?? 0;
    if (at < next || (size === 1 && fraction !== '')) return { kind: 'malformed' };
    next = at + 1;
    ms += Number(whole) * size + (Number(fraction.padEnd(3, '0')) * size) / 1000;
  }
  return ms > MAX_DURATION_MS ? { kind: 'too-long' } : { kind: 'duration', ms };
}

/** The shortest text that `parseDuration` reads back as the same value: `90_000` → `1m30s`, `null` → `forever`. */
export function formatDuration(ms: number | null): string {
  if (ms === null) return 'forever';
  if (ms === 0) return '0';
  let rest = ms;
  let text = '';
  for (const [unit, size] of DURATION_UNITS) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count === 0) continue;
    if (unit === 's' && rest > 0)
      return `${text}${count}.${String(rest).padStart(3, '0').replace(/0+$/, '')}s`;
    text += `${count}${unit}`;
  }
  return text;
}
