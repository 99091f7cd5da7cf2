/** What the core supervises when it is the processes of a config file: entries, levels, digest. Pure. */
import { formatCrc } from '../checkpoint/codec.ts';
import { crc32c } from '../checkpoint/crc32c.ts';
import type { EntryPlan, TaskPlan } from '../supervisor/plan.ts';
import { expandEntries } from '../supervisor/replicas.ts';
import { stopLevels } from './stop-levels.ts';
import type { UpConfig } from './up-config.ts';

/** `task`: the name under which this invocation holds its folder. */
export function planUp(config: UpConfig, task: string, version: string): TaskPlan {
  const finals = config.processes.filter(({ role }) => role === 'final');
  const others = config.processes.filter(({ role }) => role !== 'final');
  // Finals run when all others are gone, so their levels are their own.
  const levels = new Map([...stopLevels(finals), ...stopLevels(others)]);
  const entries = config.processes.map(
    (process): EntryPlan => ({
      ...process,
      declared: process.replicas,
      level: levels.get(process.name) ?? 0,
    }),
  );
  return {
    name: task,
    command: 'up',
    version,
    configDigest: digestOf(config),
    processes: expandEntries(entries),
    main: config.main,
    stopBudgetMs: config.stopBudgetMs,
    maxFailures: config.maxFailures,
    maxConcurrency: config.maxConcurrency,
    finalizationWaitMs: config.finalizationWaitMs,
    exitWhen: config.exitWhen,
    revision: 0,
    entries,
    former: [],
  };
}

/** Of what was resolved: a variable with another value is another config, a comment is not. */
export function digestOf(config: UpConfig): string {
  return formatCrc(crc32c(new TextEncoder().encode(JSON.stringify(config))));
}
