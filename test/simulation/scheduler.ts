/** Virtual time. What is due at the same moment happens in the order in which it was asked for. */
export interface Scheduler {
  nowNs(): bigint;
  /** Returns a way to forget it. */
  at(atNs: bigint, act: () => void): () => void;
  after(ms: number, act: () => void): () => void;
  /** Runs until nothing is left to do, or `untilNs`, or so many steps. Returns whether something was left. */
  run(untilNs: bigint, steps?: number): boolean;
  /** Nothing more happens. */
  stop(): void;
}

interface Entry {
  readonly atNs: bigint;
  readonly order: number;
  readonly act: () => void;
}

export const MS = 1_000_000n;

export function createScheduler(startNs = 1_000_000_000n): Scheduler {
  const entries = new Set<Entry>();
  let now = startNs;
  let order = 0;
  let isStopped = false;

  const at = (atNs: bigint, act: () => void): (() => void) => {
    const entry = { atNs: atNs > now ? atNs : now, order: order++, act };
    entries.add(entry);
    return () => entries.delete(entry);
  };
  const next = (): Entry | undefined => {
    let first: Entry | undefined;
    for (const entry of entries) if (first === undefined || isBefore(entry, first)) first = entry;
    return first;
  };

  return {
    nowNs: () => now,
    at,
    after: (ms, act) => at(now + BigInt(Math.round(ms * 1000)) * 1000n, act),
    stop: () => {
      isStopped = true;
    },
    run(untilNs, steps = Number.POSITIVE_INFINITY) {
      let left = steps;
      for (let entry = next(); entry !== undefined; entry = next()) {
        if (isStopped) return false;
        if (entry.atNs > untilNs || left-- === 0) return true;
        entries.delete(entry);
        now = entry.atNs;
        entry.act();
      }
      return false;
    },
  };
}

function isBefore(one: Entry, other: Entry): boolean {
  return one.atNs < other.atNs || (one.atNs === other.atNs && one.order < other.order);
}
