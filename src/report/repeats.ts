/** So many sentences are remembered; the one that was said longest ago is forgotten first. */
const REMEMBERED = 64;

/** A sentence is said once, and then again at its 10th, 100th, 1000th time, with the count. */
export function createRepeats(): { count(sentence: string): number | null } {
  const counts = new Map<string, number>();
  return {
    count(sentence) {
      const times = (counts.get(sentence) ?? 0) + 1;
      counts.delete(sentence);
      counts.set(sentence, times);
      const oldest = counts.keys().next();
      if (counts.size > REMEMBERED && !oldest.done) counts.delete(oldest.value);
      return /^10*$/.test(`${times}`) ? times : null;
    },
  };
}
