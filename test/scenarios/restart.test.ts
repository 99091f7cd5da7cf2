import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { fixture } from '../support/fixtures.ts';
import type { Line } from '../support/records.ts';
import { scenario } from '../support/scenario.ts';
import { expectWait, theOne, types } from '../support/story.ts';
import { until } from '../support/until.ts';

const SUPERVISED = { modes: ['supervisor'] } as const;

function starts(file: string): bigint[] {
  return readFileSync(file, 'utf8').trim().split('\n').map(BigInt);
}

for (const runs of [1, 2, 3])
  scenario(
    `S30 a command that fails ${runs - 1} times and then succeeds has ${runs} runs`,
    SUPERVISED,
    async (trial) => {
      const file = join(trial.folder, 'runs');
      const policy = ['--restart', 'on-failure', '--max-failures', '5', '--min-duration', '1s'];
      const gsup = await trial.start(policy, [fixture('fails-until'), file, String(runs), '--code', '9']);
      expect((await gsup.ended()).code).toBe(0);
      expect(starts(file)).toHaveLength(runs);
      const forks = gsup.records().filter((line) => line.type === 'run-forked') as Line[];
      for (const [index, fork] of forks.slice(1).entries())
        expectWait(forks[index] as Line, fork, 1000, 2000);
      const ended = gsup.records().filter((line) => line.type === 'run-ended');
      expect(ended.map((line) => line.run)).toEqual(
        Array.from({ length: runs }, (_, index) => `t#${index + 1}`),
      );
    },
  );

scenario('S30 it gives up after max_failures, with the code of the last run', SUPERVISED, async (trial) => {
  const file = join(trial.folder, 'runs');
  const policy = ['--restart', 'on-failure', '--max-failures', '2', '--min-duration', '10ms'];
  const gsup = await trial.start(policy, [fixture('fails-until'), file, '99', '--code', '9']);
  expect((await gsup.ended()).code).toBe(9);
  expect(starts(file)).toHaveLength(2);
});

scenario('S30 a command that cannot be executed at all is not tried again', SUPERVISED, async (trial) => {
  const gsup = await trial.start(['--restart', 'always', '--min-duration', '10ms'], ['/nowhere/at-all']);
  expect((await gsup.ended()).code).toBe(127);
});

for (const [signal, name] of [
  [9, 'SIGKILL'],
  [11, 'SIGSEGV'],
] as const)
  scenario(`S38 ${name} from outside is a failure with a cause of its own`, SUPERVISED, async (trial) => {
    const policy = ['--restart', 'on-failure', '--max-failures', '3', '--min-duration', '10ms'];
    const gsup = await trial.start(policy, [fixture('dies-of-signal'), String(signal)]);
    expect((await gsup.ended()).code).toBe(128 + signal);
    const outcomes = gsup.records().filter((line) => line.type === 'outcome');
    expect(outcomes.map((line) => [line.outcome, line.cause])).toEqual(Array(3).fill(['failed', 'signal']));
    for (const end of gsup.records().filter((line) => line.type === 'run-ended'))
      expect(end).toMatchObject({ signal: name, code: null, forced: false });
  });

scenario('S38 there is no restart storm: the back-off grows', SUPERVISED, async (trial) => {
  const file = join(trial.folder, 'runs');
  const policy = ['--restart', 'on-failure', '--max-failures', '4', '--min-duration', '1ms'];
  const gsup = await trial.start(policy, [fixture('fails-until'), file, '99']);
  expect((await gsup.ended()).code).toBe(1);
  const at = starts(file).map((ns) => Number(ns) / 1e6);
  const gaps = at.slice(1).map((ms, index) => ms - (at[index] ?? 0));
  // 500 ms, doubled each time, give or take 10 %.
  for (const [index, gap] of gaps.entries()) expect(gap).toBeGreaterThanOrEqual(500 * 2 ** index * 0.9 - 5);
  expect(types(gsup.records()).filter((type) => type === 'backoff')).toHaveLength(3);
});

scenario(
  'S27 a stop during the back-off is over at once, and nothing starts again',
  SUPERVISED,
  async (trial) => {
    const file = join(trial.folder, 'runs');
    const policy = ['--restart', 'on-failure', '--max-failures', '0', '--min-duration', '60s'];
    const gsup = await trial.start(policy, [fixture('fails-until'), file, '99']);
    await gsup.record('backoff');
    gsup.signal('SIGTERM');
    await gsup.ended(10_000);
    expect(starts(file)).toHaveLength(1);
  },
);

scenario('S27 a run that ends during its stop is not followed by another', SUPERVISED, async (trial) => {
  const gsup = await trial.start(
    ['--restart', 'always', '--min-duration', '1ms'],
    [fixture('cleans-up-for'), '300'],
  );
  await gsup.ready();
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(0);
  theOne(gsup.records(), 'run-ended');
});

scenario('S30 always: a command that succeeds is run again, until a stop', SUPERVISED, async (trial) => {
  const file = join(trial.folder, 'runs');
  const policy = ['--restart', 'always', '--min-duration', '100ms'];
  const gsup = await trial.start(policy, [fixture('fails-until'), file, '1']);
  await until('three runs', () => gsup.records().filter((line) => line.type === 'run-ended').length >= 3);
  gsup.signal('SIGTERM');
  await gsup.ended();
});
