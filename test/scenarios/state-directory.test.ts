import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { fixture } from '../support/fixtures.ts';
import type { Gsup } from '../support/gsup.ts';
import { moment } from '../support/output.ts';
import { msBetween } from '../support/records.ts';
import { scenario, type Trial } from '../support/scenario.ts';

/** A file system of its own, so that full and read-only mean it also for root. */
function mountTiny(trial: Trial, options: string): string {
  const folder = join(trial.folder, 'tiny');
  mkdirSync(folder);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'gsup-test', folder]);
  expect(mounted.status, `mount: ${mounted.stderr}`).toBe(0);
  trial.afterwards(() => void spawnSync('umount', ['-l', folder]));
  return folder;
}

function fill(folder: string): void {
  try {
    writeFileSync(join(folder, 'ballast'), Buffer.alloc(1024 * 1024));
  } catch (error) {
    expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC');
    return;
  }
  throw new Error('the disk is not full');
}

async function stopIt(gsup: Gsup): Promise<void> {
  await gsup.ready();
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(3);
  expect(gsup.stdout.text()).toMatch(/^cleaned/m);
}

const command = () => [fixture('cleans-up-for'), '100', '--code', '3'];
const NO_LOGS = { brokenLogs: true } as const;

/** gsup may make a file in it meanwhile: then anew. Node's own retries wait, longer each time, and do not look for what has come. */
function removeWhole(folder: string): void {
  for (let left = 100; existsSync(folder); left--)
    try {
      expect(left, `"${folder}" cannot be removed`).toBeGreaterThan(0);
      rmSync(folder, { recursive: true });
    } catch (error) {
      if (!['ENOTEMPTY', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
}

scenario('S52 a disk that is full from the start', { root: true }, async (trial) => {
  const stateDir = mountTiny(trial, 'size=64k,mode=0711');
  fill(stateDir);
  const gsup = await trial.start([], command(), { stateDir, ...NO_LOGS });
  await stopIt(gsup);
  expect(gsup.stderr.text()).not.toBe('');
});

scenario('S52 a disk that gets full while it runs', { root: true }, async (trial) => {
  const stateDir = mountTiny(trial, 'size=64k,mode=0711');
  const gsup = await trial.start([], command(), { stateDir, ...NO_LOGS });
  await gsup.ready();
  fill(stateDir);
  await stopIt(gsup);
});

scenario('S52 a disk that gets full, and has room again', { root: true }, async (trial) => {
  const stateDir = mountTiny(trial, 'size=64k,mode=0711');
  const options = ['--rung', 'USR1:1s', '--rung', 'USR2:1s', '--rung', 'TERM:10s'];
  const gsup = await trial.start(options, [fixture('reports-signals')], { stateDir, ...NO_LOGS });
  await gsup.ready();
  fill(stateDir);
  gsup.signal('SIGTERM');
  await gsup.stdout.line(/^got SIGUSR1/);
  rmSync(join(stateDir, 'ballast'));
  expect((await gsup.ended()).code).toBe(0);
  // Each line is whole again: the fragment of a short write was cut off before the next append.
  expect(gsup.records().length).toBeGreaterThan(0);
});

scenario('S52 a read-only disk', { root: true }, async (trial) => {
  const stateDir = mountTiny(trial, 'ro');
  const gsup = await trial.start([], command(), { stateDir, ...NO_LOGS });
  await stopIt(gsup);
  expect(gsup.stderr.text()).toContain(stateDir);
});

scenario(
  'S52 a read-only disk, and state is required: 73, and nothing was started',
  { root: true },
  async (trial) => {
    const stateDir = mountTiny(trial, 'ro');
    const say = [fixture('exits-with'), '0', '--say', 'ran'];
    const gsup = await trial.start(['--require-state'], say, { stateDir, ...NO_LOGS });
    expect((await gsup.ended()).code).toBe(73);
    expect(gsup.stdout.text()).toBe('');
    expect(gsup.stderr.text()).toContain(stateDir);
  },
);

scenario('S52 the state directory is deleted while it runs', {}, async (trial) => {
  const gsup = await trial.start([], command(), NO_LOGS);
  await gsup.ready();
  removeWhole(join(trial.folder, 'state'));
  await stopIt(gsup);
});

scenario('S52 a file stands where the state directory should be', {}, async (trial) => {
  const stateDir = join(trial.folder, 'file', 'state');
  mkdirSync(join(stateDir, '..'));
  mkdirSync(stateDir);
  writeFileSync(join(stateDir, 't'), 'in the way');
  await stopIt(await trial.start([], command(), { stateDir, ...NO_LOGS }));
});

scenario('S52 no checkpoint was asked for, and none is written', {}, async (trial) => {
  const gsup = await trial.start(['--no-checkpoint'], command(), NO_LOGS);
  await stopIt(gsup);
  expect(existsSync(join(gsup.folder, 'init.log'))).toBe(false);
  expect(existsSync(join(gsup.folder, 'checkpoint.log'))).toBe(false);
});

scenario('S52 the files are readable for their owner only', {}, async (trial) => {
  const stateDir = join(trial.folder, 'new', 'state');
  mkdirSync(join(stateDir, '..'));
  chmodSync(trial.folder, 0o755);
  const gsup = await trial.start([], command(), { stateDir: join(stateDir, 'made-by-gsup') });
  await stopIt(gsup);
  expect(statSync(join(gsup.folder, 'init.log')).mode & 0o777).toBe(0o600);
});

/**
 * What init gave the supervisor it gives the next one as well: the log is a descriptor, and what its name means by now does not
 * matter. Each of these happens in the middle of a grace, and then the supervisor is killed.
 */
const losses: Readonly<Record<string, { how: (gsup: Gsup, stateDir: string) => void; tiny?: true }>> = {
  'is deleted': { how: (gsup) => rmSync(join(gsup.folder, 'checkpoint.log')) },
  'is deleted with its directory': { how: (_, stateDir) => removeWhole(join(stateDir, 't')) },
  'is replaced by a directory': {
    how: (gsup) => {
      rmSync(join(gsup.folder, 'checkpoint.log'));
      mkdirSync(join(gsup.folder, 'checkpoint.log'));
    },
  },
  'is on a disk that gets full': { how: (_, stateDir) => fill(stateDir), tiny: true },
};
for (const [what, { how, tiny }] of Object.entries(losses))
  scenario(
    `S52 checkpoint.log ${what}, and the supervisor is killed: the stop goes on where it was`,
    { modes: ['supervisor'], ...(tiny ? ({ root: true } as const) : {}) },
    async (trial) => {
      const stateDir = tiny ? mountTiny(trial, 'size=64k,mode=0711') : join(trial.folder, 'state');
      const ladder = ['--rung', 'USR1:2s', '--rung', 'USR2:2s', '--rung', 'TERM:20s'];
      const command = [fixture('reports-signals'), '--code', '3'];
      const gsup = await trial.start(ladder, command, { stateDir, ...NO_LOGS });
      await gsup.ready();
      // From before the first rung: when the command says that it got its signal can be late.
      const first = { mono_ns: String(process.hrtime.bigint()) };
      gsup.signal('SIGTERM');
      await gsup.stdout.line(/^got SIGUSR1/);
      how(gsup, stateDir);
      process.kill(await gsup.supervisor(), 'SIGKILL');
      const second = moment(await gsup.stdout.line(/^got SIGUSR2/));
      expect((await gsup.ended()).code).toBe(3);
      expect(msBetween(first, second)).toBeGreaterThanOrEqual(2000);
      const got = (name: string) => gsup.stdout.lines(new RegExp(`^got ${name} `)).length;
      expect([got('SIGUSR1'), got('SIGUSR2'), got('SIGTERM')]).toEqual([1, 1, 1]);
      expect(gsup.stdout.lines(/^ready/)).toHaveLength(1);
    },
  );
