/** Asks init what it has counted. It answers whoever has asked meanwhile at once. */
import type { Counts } from './host.ts';

/** Init answers in its next turn; one that is stopped does not, and who scrapes has a time-out of 10 s (Prometheus). */
const ANSWER_WITHIN_MS = 5000;

export interface Counting {
  ask(): Promise<Counts | null>;
  /** null: there will be no answer. */
  answer(counts: Counts | null): void;
}

/** `send` asks; false: nobody is there. */
export function createCounting(send: () => boolean): Counting {
  let waiting: ((counts: Counts | null) => void)[] = [];
  let timer: NodeJS.Timeout | undefined;
  const answer = (counts: Counts | null): void => {
    clearTimeout(timer);
    const all = waiting;
    waiting = [];
    for (const tell of all) tell(counts);
  };
  return {
    ask: () =>
      new Promise((resolve) => {
        waiting.push(resolve);
        if (waiting.length > 1) return;
        timer = setTimeout(() => answer(null), ANSWER_WITHIN_MS);
        if (!send()) answer(null);
      }),
    answer,
  };
}
