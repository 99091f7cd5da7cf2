/** As `--log-level` has them; the numbers are pino's, and init's. */
export const levels = { debug: 20, info: 30, warn: 40, error: 50 } as const;

export type Level = keyof typeof levels;
