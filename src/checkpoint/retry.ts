// What has failed is tried again, after longer and longer waits.

/** A disk that is full for a moment costs a second, one that stays so next to nothing. */
const firstMs = 1000;
const longestMs = 30_000;

/** Calls once, later, and does not keep a process alive for it. Returns a way to forget it. */
export type After = (ms: number, act: () => void) => () => void;

export type Retry = {
  /** Somebody has seen it fail. */
  arm(): void;
  disarm(): void;
};

export const afterTimeout: After = (ms, act) => {
  const timer = setTimeout(act, ms);
  timer.unref();
  return () => clearTimeout(timer);
};

/** `attempt` arms it again when it fails once more. */
export function createRetry(after: After, attempt: () => void): Retry {
  let waitMs = firstMs;
  let forget: (() => void) | null = null;
  return {
    arm() {
      if (forget !== null) return;
      forget = after(waitMs, () => {
        forget = null;
        attempt();
      });
      waitMs = Math.min(2 * waitMs, longestMs);
    },
    disarm() {
      forget?.();
      forget = null;
      waitMs = firstMs;
    },
  };
}
