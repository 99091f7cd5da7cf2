import { linkSync, mkdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { fixture } from '../support/fixtures.ts';
import type { Gsup } from '../support/gsup.ts';
import { look } from '../support/processes.ts';
import { scenario, type Trial } from '../support/scenario.ts';
import { expectGraceful, expectKilledAfter, expectWait } from '../support/story.ts';
import { until } from '../support/until.ts';

const SUPERVISED = { modes: ['supervisor'] } as const;

/** gsup with a Node that can be taken away and put back. */
async function start(trial: Trial, options: string[], command: string[]) {
  const folder = join(trial.folder, 'bin');
  const node = join(folder, 'node');
  mkdirSync(folder);
  linkSync(process.execPath, node);
  const gsup = await trial.start(options, command, { env: { PATH: folder } });
  await gsup.ready();
  return { gsup, remove: () => unlinkSync(node), restore: () => linkSync(process.execPath, node) };
}

async function lose(gsup: Gsup, remove: () => void): Promise<void> {
  const supervisor = await gsup.supervisor();
  remove();
  process.kill(supervisor, 'SIGKILL');
  await until('the supervisor to be gone', () => look(supervisor) === undefined);
}

scenario('S46 without a Node a stop is carried out by order alone', SUPERVISED, async (trial) => {
  const { gsup, remove } = await start(trial, ['-g', '1s'], [fixture('ignores-sigterm')]);
  await lose(gsup, remove);
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(137);
  expectKilledAfter(gsup, 1000);
});

scenario('S46 the command runs on untouched, and it is said once', SUPERVISED, async (trial) => {
  const { gsup, remove } = await start(trial, [], [fixture('reports-signals'), '--code', '3']);
  const before = gsup.find('reports-signals');
  await lose(gsup, remove);
  await until('a message', () => /supervisor/i.test(gsup.stderr.text()));
  gsup.signal('SIGUSR1');
  await gsup.stdout.line(/^got SIGUSR1/);
  expect(gsup.find('reports-signals')).toEqual(before);
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(3);
  expectGraceful(gsup);
});

scenario(
  'S46 when Node is back, so is the supervisor',
  { ...SUPERVISED, timeoutMs: 120_000 },
  async (trial) => {
    const { gsup, remove, restore } = await start(
      trial,
      ['-g', '10s'],
      [fixture('cleans-up-for'), '1', '--code', '3'],
    );
    await lose(gsup, remove);
    restore();
    await until(
      'another supervisor',
      () => gsup.records().filter((line) => line.type === 'supervisor-started').length === 2,
      30_000,
    );
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(3);
  },
);

scenario('S46 a rung that only a supervisor can climb is skipped at once', SUPERVISED, async (trial) => {
  const options = ['--pre-stop', 'sleep 30', '--pre-stop-timeout', '30s', '-g', '10s'];
  const { gsup, remove } = await start(trial, options, [fixture('cleans-up-for'), '1', '--code', '3']);
  await lose(gsup, remove);
  gsup.signal('SIGTERM');
  const request = await gsup.record('stop-requested');
  const ended = await gsup.ended();
  expect(ended.code).toBe(3);
  expectWait(request, { mono_ns: ended.at }, 0, 5000);
});

scenario(
  'S46 a run that needs Node where there is none is refused with 69',
  { modes: ['order'] },
  async (trial) => {
    const gsup = await trial.start(['--stay'], [fixture('exits-with'), '0', '--say', 'ran'], {
      brokenLogs: true,
    });
    expect((await gsup.ended()).code).toBe(69);
    expect(gsup.stdout.text()).toBe('');
    expect(gsup.stderr.text()).toMatch(/node/i);
  },
);
