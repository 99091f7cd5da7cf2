import { afterEach } from 'vitest';
import type { Launch, Order, OrderRung, RunSnapshot } from '../../src/supervisor/vocabulary.ts';
import type { World } from './world.ts';

/** How to make a host of one kind, and what it can do. */
export interface HostKind {
  readonly name: string;
  open(): Promise<World>;
  /** Its pids are those that are seen from here. */
  readonly samePids: boolean;
  readonly can: {
    readonly keepOrphans: boolean;
    readonly setLimits: boolean;
    readonly tellUsage: boolean;
    readonly tellSender: boolean;
    readonly exitWithCode: boolean;
    /** Output drivers, terminals, a descriptor for readiness. */
    readonly captureOutput: boolean;
  };
}

export const SIGINT = 2;
export const SIGKILL = 9;
export const SIGUSR1 = 10;
export const SIGTERM = 15;
export const ENOENT = 2;
export const EACCES = 13;
export const E2BIG = 7;

export const plain: Launch = {
  argv: ['true'],
  noNewPrivs: false,
  clearEnv: false,
  envSet: {},
  envUnset: [],
  limits: [],
  terminal: false,
  stdinNull: true,
  notify: false,
  startTimeoutMs: 10_000,
};

export const sh = (script: string, more: Partial<Launch> = {}): Launch => ({
  ...plain,
  ...more,
  argv: ['/bin/sh', '-c', script],
});

export const term = (waitMs: number | null, more: Partial<OrderRung> = {}): OrderRung => ({
  signal: SIGTERM,
  target: 'group',
  hook: false,
  waitMs,
  ...more,
});

export const calm = (...rungs: OrderRung[]): Order => ({
  level: 0,
  mustDrain: false,
  capMs: null,
  index: null,
  deadlineNs: null,
  rungs: rungs.length > 0 ? rungs : [term(null)],
});

export const after = (ms: number): bigint => process.hrtime.bigint() + BigInt(ms) * 1_000_000n;

export const at = (order: Order, index: number, deadlineNs: bigint | null = null): Order => ({
  ...order,
  index,
  deadlineNs,
});

/** A command that says that it is there, and then does what it is told by signals. */
export const waits = (traps: string): string => `${traps}; echo ready; while :; do sleep 0.05; done`;

/** What a case does with its world. */
export function createTools(kind: HostKind) {
  const worlds: World[] = [];
  const open = async (): Promise<World> => {
    const world = await kind.open();
    worlds.push(world);
    await world.until('the first sync', () => world.news.some((item) => item.kind === 'sync'));
    return world;
  };
  afterEach(async () => {
    for (const world of worlds.splice(0)) await world.close();
  });

  const ended = (world: World, key: number): Promise<RunSnapshot> =>
    world.until(`the end of run ${key}`, () => {
      const run = world.run(key);
      return run?.phase === 'ended' && run;
    });
  const says = (world: World, line: string): Promise<true> =>
    world.until(`"${line}"`, () => world.lines.includes(line));
  const count = (world: World, line: string): number => world.lines.filter((each) => each === line).length;
  const title = (what: string): string => `${kind.name} host: ${what}`;
  return { open, ended, says, count, title };
}

export type Tools = ReturnType<typeof createTools>;
