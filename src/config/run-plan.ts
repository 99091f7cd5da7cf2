/** What the core supervises when it is asked to `run` one command. Pure. */
import { formatCrc } from '../checkpoint/codec.ts';
import { crc32c } from '../checkpoint/crc32c.ts';
import { DEFAULT_BACKOFF, ORDINARY, ORDINARY_TASK, type TaskPlan } from '../supervisor/plan.ts';
import type { RunConfig } from './run-config.ts';

/** `task`: the name under which this invocation holds its folder (`node.2` where `node` was taken). */
export function planRun(config: RunConfig, task: string, version: string): TaskPlan {
  return {
    ...ORDINARY_TASK,
    name: task,
    command: 'run',
    version,
    configDigest: formatCrc(crc32c(new TextEncoder().encode(JSON.stringify(config)))),
    processes: [
      {
        ...ORDINARY,
        name: task,
        entry: task,
        launch: config.launch,
        ladder: config.stop.ladder,
        waits: config.stop.waits,
        level: 0,
        mustDrain: null,
        postStop: config.postStop,
        restart: { ...config.restart, backoff: DEFAULT_BACKOFF },
        ready: config.ready,
        health: config.health,
        watchdogMs: config.watchdogMs,
        exitMap: config.exitMap,
        successCodes: [0],
      },
    ],
    main: task,
    stopBudgetMs: config.stop.budgetMs,
  };
}
