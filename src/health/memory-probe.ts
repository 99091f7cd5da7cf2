/** How much memory the trees of runs hold. */
import { formatSize } from '../config/size.ts';
import { lookAtTrees } from '../report/live-trees.ts';
import type { MemoryProbe } from '../supervisor/plan.ts';

interface Asked {
  readonly probe: MemoryProbe;
  readonly done: (ok: boolean, detail?: string) => void;
}

/** What is asked for in one turn is looked at once: a look reads the table of all processes. */
export function createMemoryLooks(): (asked: Asked) => void {
  let waiting: Asked[] = [];
  const look = async (): Promise<void> => {
    const asked = waiting;
    waiting = [];
    // What cannot be seen is no reason to end anything.
    const seen = await lookAtTrees(asked.map(({ probe }) => probe.pid)).catch(() => () => null);
    for (const { probe, done } of asked) {
      const bytes = seen(probe.pid)?.rssBytes ?? 0;
      done(bytes <= probe.limitBytes, formatSize(bytes));
    }
  };
  return (asked) => {
    waiting.push(asked);
    if (waiting.length === 1) setImmediate(() => void look());
  };
}
