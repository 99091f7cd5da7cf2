/** Plans of a task with one process, as `gsup run` makes them, and of several. */
import { buildLadder, type StopOptions } from '../../src/signals/ladder.ts';
import {
  DEFAULT_BACKOFF,
  type Dependency,
  ORDINARY,
  ORDINARY_TASK,
  type ProcessPlan,
  type RestartPlan,
  type TaskPlan,
} from '../../src/supervisor/plan.ts';
import type { Launch } from '../../src/supervisor/vocabulary.ts';

export const LAUNCH: Launch = {
  argv: ['node', 'server.js'],
  noNewPrivs: false,
  clearEnv: false,
  envSet: {},
  envUnset: [],
  limits: [],
  terminal: false,
  stdinNull: false,
  notify: false,
  startTimeoutMs: 10_000,
};

export const STOP: StopOptions = {
  graceMs: 8000,
  signal: null,
  target: 'group',
  holdMs: 0,
  preStop: null,
  preStopTimeoutMs: 10_000,
};

export const NO_RESTART: RestartPlan = {
  policy: 'no',
  maxFailures: 1,
  minDurationMs: 5000,
  backoff: { ...DEFAULT_BACKOFF, jitter: 0 },
};

export function restarts(change: Partial<RestartPlan>): RestartPlan {
  return { ...NO_RESTART, policy: 'on-failure', maxFailures: 0, ...change };
}

/** What differs from the default: parts of the stop, or of the process. */
export type Change = Partial<StopOptions> & Partial<ProcessPlan>;

export function processPlan(name: string, change: Change = {}): ProcessPlan {
  return {
    ...ORDINARY,
    name,
    entry: name,
    launch: LAUNCH,
    ladder: buildLadder({ ...STOP, ...change }),
    waits: 'grace',
    level: 0,
    mustDrain: null,
    postStop: null,
    restart: NO_RESTART,
    exitMap: [],
    successCodes: [0],
    ...change,
  };
}

export function runPlan(change: Change = {}, stopBudgetMs: number | null = null): TaskPlan {
  return { ...taskPlan([processPlan('node', change)], stopBudgetMs), name: 'node', command: 'run' };
}

export function taskPlan(
  processes: readonly ProcessPlan[],
  stopBudgetMs: number | null = null,
  change: Partial<TaskPlan> = {},
): TaskPlan {
  return {
    ...ORDINARY_TASK,
    name: 'shop',
    command: 'up',
    version: '0.1.0',
    configDigest: 'none',
    processes,
    main: null,
    stopBudgetMs,
    ...change,
  };
}

/** `after('db ready', 'setup completed_successfully')` */
export function after(...words: readonly string[]): Pick<ProcessPlan, 'dependsOn'> {
  const dependsOn = words.map((each) => {
    const [on = '', condition = 'ready'] = each.split(' ');
    return { on, condition } as Dependency;
  });
  return { dependsOn };
}
