/** So many are remembered; the one that was said longest ago is forgotten first. */
const REMEMBERED = 64;

/** What has the same key is said once, and then again at its 10th, 100th, 1000th time, with the count. */
export function createRepeats(): { count(key: string): number | null } {
  const counts = new Map<string, number>();
  return {
    count(key) {
      const times = (counts.get(key) ?? 0) + 1;
      counts.delete(key);
      counts.set(key, times);
      const oldest = counts.keys().next();
      if (counts.size > REMEMBERED && !oldest.done) counts.delete(oldest.value);
      return /^10*$/.test(`${times}`) ? times : null;
    },
  };
}
