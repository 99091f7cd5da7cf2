const LOOK_EVERY_MS = 4;

/**
 * Waits for a fact: looks again until `probe` gives something other than undefined, null or false, and gives that back.
 * Bounded; a time-out says what was waited for and, with `tell`, what there was instead.
 */
export async function until<T>(
  what: string,
  probe: () => T | undefined | null | false,
  timeoutMs = 30_000,
  tell: () => string = () => '',
): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const found = probe();
    if (found !== undefined && found !== null && found !== false) return found;
    if (performance.now() > end) throw new Error(`waited ${timeoutMs} ms for ${what}\n${tell()}`);
    await pause(LOOK_EVERY_MS);
  }
}

/** The same for a fact that has to be asked for. */
export async function untilAsync(
  what: string,
  probe: () => Promise<boolean>,
  timeoutMs = 30_000,
): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!(await probe())) {
    if (performance.now() > end) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    await pause(LOOK_EVERY_MS);
  }
}

/** Lets time pass where time itself is the subject: "0.5 s into the grace". Never to hope that something has happened. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
