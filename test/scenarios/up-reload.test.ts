import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { ask, socketOf } from '../support/control.ts';
import { fixture } from '../support/fixtures.ts';
import type { Gsup } from '../support/gsup.ts';
import { look } from '../support/processes.ts';
import type { Line } from '../support/records.ts';
import { scenario, type Trial } from '../support/scenario.ts';
import { until } from '../support/until.ts';

const SUPERVISED = { modes: ['supervisor'] } as const;
const sleeper = (seconds: number) => ({ command: ['sleep', String(seconds)] });

const of = (gsup: Gsup, type: string): Line[] => gsup.records().filter((line) => line.type === type);
const forks = (gsup: Gsup): unknown[] => of(gsup, 'run-forked').map(({ run }) => run);
const running = (gsup: Gsup, ...runs: string[]): Promise<unknown> =>
  Promise.all(runs.map((run) => gsup.record('run-started', (line) => line.run === run)));
/** With what `trial.up` adds. */
const write = (trial: Trial, config: object): void =>
  writeFileSync(
    join(trial.folder, 'gsup.json'),
    JSON.stringify({ logging: { driver: 'inherit' }, ...config }),
  );

/** Asks for it, and waits until that is dealt with. */
async function reload(gsup: Gsup, result: string): Promise<void> {
  const before = of(gsup, 'reload').length;
  gsup.signal('SIGHUP');
  await until(
    'the config to be read again',
    () => of(gsup, 'reload').length > before,
    30_000,
    gsup.stderr.text,
  );
  expect(of(gsup, 'reload').at(-1)?.result).toBe(result);
}

scenario(
  'S53 SIGHUP from a process: what has changed is applied, nothing else',
  SUPERVISED,
  async (trial) => {
    const gsup = await trial.up({ processes: { same: sleeper(61), other: sleeper(62), gone: sleeper(63) } });
    await running(gsup, 'same#1', 'other#1', 'gone#1');
    write(trial, { processes: { same: sleeper(61), other: sleeper(64), fresh: sleeper(65) } });
    await reload(gsup, 'applied');
    await running(gsup, 'other#2', 'fresh#1');
    await gsup.record('run-ended', (line) => line.run === 'gone#1');
    const words = 'other: command (needs a new run)';
    await until('the difference', () => gsup.stderr.text().includes(words), 30_000, gsup.stderr.text);
    expect(gsup.find('sleep')).toHaveLength(3);
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(0);
    expect(forks(gsup).sort()).toEqual(['fresh#1', 'gone#1', 'other#1', 'other#2', 'same#1']);
  },
);

scenario(
  'S53 over the API: the answer is the difference, and only that is applied',
  SUPERVISED,
  async (trial) => {
    const gsup = await trial.up({ processes: { same: sleeper(61), other: sleeper(62), gone: sleeper(63) } });
    await running(gsup, 'same#1', 'other#1', 'gone#1');
    const reloadOver = async () => (await ask(socketOf(gsup), 'POST', '/v1/reload')).json;
    expect((await reloadOver()).difference).toEqual({ added: [], removed: [], changed: [], task: [] });
    write(trial, { processes: { same: sleeper(61), other: sleeper(64), fresh: sleeper(65) } });
    const changed = [{ process: 'other', keys: ['command'], restart: true }];
    const difference = { added: ['fresh'], removed: ['gone'], changed, task: [] };
    expect((await reloadOver()).difference).toEqual(difference);
    await running(gsup, 'other#2', 'fresh#1');
    await gsup.record('run-ended', (line) => line.run === 'gone#1');
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(0);
    expect(forks(gsup).sort()).toEqual(['fresh#1', 'gone#1', 'other#1', 'other#2', 'same#1']);
  },
);

scenario(
  'S53 after a reload a next supervisor has the config that was applied',
  SUPERVISED,
  async (trial) => {
    const gsup = await trial.up({ processes: { a: sleeper(61) } });
    await running(gsup, 'a#1');
    write(trial, {
      processes: { a: sleeper(61), b: { command: [fixture('exits-with'), '3', '--after', '4000'] } },
    });
    await reload(gsup, 'applied');
    await running(gsup, 'b#1');
    write(trial, { processes: { c: sleeper(62) } });
    const pid = await gsup.supervisor();
    process.kill(pid, 'SIGKILL');
    await until('the supervisor to be reaped', () => look(pid) === undefined);
    expect((await gsup.ended()).code).toBe(3);
    expect(forks(gsup).sort()).toEqual(['a#1', 'b#1']);
  },
);

scenario('S53 a bad config is refused whole, and the one before stays', SUPERVISED, async (trial) => {
  const gsup = await trial.up({ processes: { a: sleeper(61) } });
  await running(gsup, 'a#1');
  write(trial, { processes: { a: { ...sleeper(62), gracee: 1 }, b: sleeper(63) } });
  await reload(gsup, 'refused');
  await until('what is wrong', () => gsup.stderr.text().includes('gracee'), 30_000, gsup.stderr.text);
  write(trial, { processes: { a: sleeper(61) } });
  await reload(gsup, 'unchanged');
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(0);
  expect(forks(gsup)).toEqual(['a#1']);
});
