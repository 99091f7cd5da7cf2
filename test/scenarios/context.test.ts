import { mkdirSync, realpathSync } from 'node:fs';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { fixture } from '../support/fixtures.ts';
import type { Settings } from '../support/gsup.ts';
import { scenario, type Trial } from '../support/scenario.ts';

interface Context {
  readonly descriptors: Readonly<Record<string, string>>;
  readonly blocked: string;
  readonly ignored: string;
  readonly cwd: string;
  readonly umask: number;
  readonly uids: readonly number[];
  readonly gids: readonly number[];
  readonly groups: readonly number[];
  readonly limits: Readonly<Record<string, readonly [number, number]>>;
  readonly nice: number;
  readonly oomScoreAdj: number;
  readonly pid: number;
  readonly session: number;
  readonly group: number;
  readonly terminal: boolean;
  readonly noNewPrivs: number;
  readonly environment: readonly string[];
  readonly arguments: readonly string[];
}

async function context(
  trial: Trial,
  options: string[],
  settings: Settings = {},
  args: string[] = [],
): Promise<Context> {
  const gsup = await trial.start(options, [fixture('prints-context'), ...args], settings);
  const ended = await gsup.ended();
  expect(ended.code, gsup.stderr.text()).toBe(0);
  return JSON.parse(gsup.stdout.text()) as Context;
}

scenario('S58 the command has descriptors 0 to 2 and nothing of gsup', {}, async (trial) => {
  const seen = await context(trial, []);
  expect(Object.keys(seen.descriptors).sort()).toEqual(['0', '1', '2']);
  expect(seen.descriptors['0']).toBe('/dev/null');
});

scenario('S58 a descriptor that gsup was given is passed on, as without gsup', {}, async (trial) => {
  const seen = await context(trial, [], { before: [fixture('starts-oddly'), '--leak', '--'] });
  expect(Object.keys(seen.descriptors).sort()).toEqual(['0', '1', '2', '9']);
});

scenario('S58 it has the signal mask and the ignored signals that gsup inherited', {}, async (trial) => {
  const plain = await context(trial, [], { name: 'a' });
  expect(BigInt(`0x${plain.blocked}`)).toBe(0n);
  expect(BigInt(`0x${plain.ignored}`)).toBe(0n);
  const odd = await context(trial, [], {
    name: 'b',
    before: [fixture('starts-oddly'), '--ignore', '13', '--block', '10', '--'],
  });
  expect(BigInt(`0x${odd.ignored}`)).toBe(1n << 12n);
  expect(BigInt(`0x${odd.blocked}`)).toBe(1n << 9n);
  const chld = await context(trial, [], {
    name: 'c',
    before: [fixture('starts-oddly'), '--ignore', '17', '--'],
  });
  expect(BigInt(`0x${chld.ignored}`)).toBe(1n << 16n);
});

scenario('S58 it leads a session and a group of its own', {}, async (trial) => {
  const seen = await context(trial, []);
  expect(seen.session).toBe(seen.pid);
  expect(seen.group).toBe(seen.pid);
  expect(seen.terminal).toBe(false);
});

scenario('S58 what is not asked for is inherited', {}, async (trial) => {
  const folder = join(trial.folder, 'here');
  mkdirSync(folder);
  const seen = await context(trial, [], {
    cwd: folder,
    before: [fixture('starts-oddly'), '--umask', '027', '--'],
    env: { GREETING: 'hello world', GSUP_GRACE: '3s' },
  });
  expect(seen.cwd).toBe(realpathSync(folder));
  expect(seen.umask).toBe(0o027);
  expect(seen.nice).toBe(getPriority());
  expect(seen.noNewPrivs).toBe(0);
  expect(seen.environment).toContain('GREETING=hello world');
  expect(seen.environment).toContain('GSUP_TASK=t');
  expect(seen.environment).toContain('GSUP_RUN=t#1');
  // Options of gsup in the environment are gsup's own.
  expect(seen.environment.filter((entry) => entry.startsWith('GSUP_GRACE'))).toEqual([]);
  expect(seen.environment.filter((entry) => /^(NODE_|GSUP_INIT)/.test(entry))).toEqual([]);
});

scenario('S58 cwd, umask, limits, nice and oom_score_adj are as asked for', {}, async (trial) => {
  const folder = join(trial.folder, 'there');
  mkdirSync(folder);
  const limits = ['--ulimit', 'nofile=100:200', '--ulimit', 'core=0', '--ulimit', 'fsize=1000000:unlimited'];
  const rest = ['--umask', '077', '--nice', '5', '--oom-score-adj', '321', '--no-new-privs'];
  const seen = await context(trial, ['--cwd', folder, ...limits, ...rest]);
  expect(seen.cwd).toBe(realpathSync(folder));
  expect(seen.umask).toBe(0o077);
  expect(seen.limits.nofile).toEqual([100, 200]);
  expect(seen.limits.core).toEqual([0, 0]);
  expect(seen.limits.fsize).toEqual([1_000_000, -1]);
  expect(seen.nice).toBe(5);
  expect(seen.oomScoreAdj).toBe(321);
  expect(seen.noNewPrivs).toBe(1);
});

scenario('S58 user, group and supplementary groups are as asked for', {}, async (trial) => {
  const numbers = await context(trial, ['--user', '61001:61002'], { name: 'a' });
  expect(numbers.uids).toEqual([61_001, 61_001, 61_001]);
  expect(numbers.gids).toEqual([61_002, 61_002, 61_002]);
  expect(numbers.groups.filter((group) => group !== 61_002)).toEqual([]);
  const named = await context(trial, ['--user', 'daemon'], { name: 'b' });
  expect(named.uids).toEqual([1, 1, 1]);
  expect(named.gids).toEqual([1, 1, 1]);
  expect(named.groups).not.toContain(0);
  const group = await context(trial, ['--user', 'daemon', '--group-id', '61003'], { name: 'c' });
  expect(group.uids).toEqual([1, 1, 1]);
  expect(group.gids).toEqual([61_003, 61_003, 61_003]);
});

scenario('S58 the environment is as asked for', {}, async (trial) => {
  const seen = await context(trial, ['--clear-env', '--env', 'A=1 2', '--env', 'B='], {
    name: 'a',
    env: { C: '3' },
  });
  expect(seen.environment).toContain('A=1 2');
  expect(seen.environment).toContain('B=');
  expect(seen.environment.filter((entry) => !/^(A|B|GSUP_|NOTIFY_SOCKET|PATH)/.test(entry))).toEqual([]);
  const added = await context(trial, ['--env', 'C=4'], { name: 'b', env: { C: '3' } });
  expect(added.environment.filter((entry) => entry.startsWith('C='))).toEqual(['C=4']);
});

scenario('S58 arguments arrive byte for byte', {}, async (trial) => {
  const words = ['', ' ', '--', '-g', '--grace=1s', 'a"b\\c', 'new\nline', 'x'.repeat(100_000)];
  const seen = await context(trial, [], {}, words);
  expect(seen.arguments.slice(1)).toEqual(words);
});
