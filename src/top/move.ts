/** Keys that move in a list. Pure. */

/** Where a list of places from 0 to `last` is left for; null: that key does not move. */
export function moveBy(key: string, at: number, last: number, page: number): number | null {
  const to: Readonly<Record<string, number>> = {
    up: at - 1,
    down: at + 1,
    pageup: at - Math.max(1, page - 1),
    pagedown: at + Math.max(1, page - 1),
    home: 0,
    g: 0,
    end: last,
    G: last,
  };
  const place = Object.hasOwn(to, key) ? to[key] : undefined;
  return place === undefined ? null : Math.max(0, Math.min(last, place));
}
