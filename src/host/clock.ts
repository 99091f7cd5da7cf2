import type { Clock } from './host.ts';

/** Longer time-outs overflow in Node and fire at once; the wait is then taken in pieces. */
const TIMEOUT_MAX_MS = 2 ** 31 - 1;

export const realClock: Clock = {
  // hrtime is CLOCK_MONOTONIC, the same for every process of this boot: init's times compare with it.
  nowNs: () => process.hrtime.bigint(),
  wallMs: () => Date.now(),
  at(atNs, wake) {
    let timer: NodeJS.Timeout;
    const arm = (): void => {
      const leftMs = Number((atNs - process.hrtime.bigint() + 999_999n) / 1_000_000n);
      timer = setTimeout(due, Math.min(Math.max(leftMs, 0), TIMEOUT_MAX_MS));
    };
    const due = (): void => (process.hrtime.bigint() < atNs ? arm() : wake());
    arm();
    return () => clearTimeout(timer);
  },
};
