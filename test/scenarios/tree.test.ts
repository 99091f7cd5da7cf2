import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { fixture } from '../support/fixtures.ts';
import { scenario } from '../support/scenario.ts';
import { expectGraceful, expectKilledAfter, theOne } from '../support/story.ts';
import { until } from '../support/until.ts';

/** Of a user that nothing else here has, so that RLIMIT_NPROC counts only this test's processes. */
let nextUid = 61_000 + (process.pid % 400) * 10;

scenario('S08 a daemon is stopped and waited for, wherever it went', {}, async (trial) => {
  const file = join(trial.folder, 'held');
  writeFileSync(file, '');
  const gsup = await trial.start(['-g', '10s'], [fixture('daemonises'), '--stays', '--remove', file]);
  await gsup.ready();
  gsup.signal('SIGTERM');
  await gsup.ended();
  expect(existsSync(file)).toBe(false);
  expect(gsup.stdout.text()).toMatch(/^daemon gone at/m);
  expectGraceful(gsup);
});

scenario('S08 a daemon whose starter has gone by itself is stopped as well', {}, async (trial) => {
  const file = join(trial.folder, 'held');
  writeFileSync(file, '');
  const gsup = await trial.start(['-g', '10s'], [fixture('daemonises'), '--code', '3', '--remove', file]);
  expect((await gsup.ended()).code).toBe(3);
  expect(existsSync(file)).toBe(false);
  expectGraceful(gsup);
});

scenario('S09 a daemon that ignores TERM is killed when the grace ends', {}, async (trial) => {
  const gsup = await trial.start(['-g', '1s'], [fixture('daemonises'), '--stays', '--ignore-term']);
  await gsup.ready();
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(143);
  expectKilledAfter(gsup, 1000);
});

scenario('S09b so is one without an environment and of another user', {}, async (trial) => {
  const escaping = ['--stays', '--ignore-term', '--clear-env', '--uid', '61999'];
  const gsup = await trial.start(['-g', '1s'], [fixture('daemonises'), ...escaping]);
  await gsup.ready();
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(143);
  expectKilledAfter(gsup, 1000);
});

for (const deaf of [false, true]) {
  const what = deaf ? 'ignore TERM' : 'end on TERM';
  const options = deaf ? ['--ignore-term'] : [];
  scenario(`S67 nothing survives of 500 processes that ${what}`, {}, async (trial) => {
    const gsup = await trial.start(
      ['-g', deaf ? '300ms' : '20s'],
      [fixture('forks-wide'), '500', ...options],
    );
    await gsup.ready();
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(deaf ? 137 : 143);
    expect(theOne(gsup.records(), 'run-ended').forced).toBe(deaf);
  });

  scenario(`S67 nothing survives of 500 sessions that ${what}`, {}, async (trial) => {
    const wide = [fixture('forks-wide'), '500', '--setsid', ...options];
    const gsup = await trial.start(['-g', deaf ? '300ms' : '20s'], wide);
    await gsup.ready();
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(deaf ? 137 : 143);
    expect(theOne(gsup.records(), 'run-ended').forced).toBe(deaf);
  });

  scenario(`S67 nothing survives of a tree 1,000 deep whose processes ${what}`, {}, async (trial) => {
    const gsup = await trial.start(
      ['-g', deaf ? '300ms' : '20s'],
      [fixture('forks-deep'), '1000', ...options],
    );
    await gsup.ready();
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(deaf ? 137 : 143);
    expect(theOne(gsup.records(), 'run-ended').forced).toBe(deaf);
  });
}

for (const spread of [[], ['--setsid']])
  scenario(
    `S67 nothing survives of a fork bomb ${spread.join('')}`,
    { timeoutMs: 120_000 },
    async (trial) => {
      const limits = ['--user', String(nextUid++), '--ulimit', 'nproc=150:150', '-g', '200ms'];
      const gsup = await trial.start(limits, [fixture('fork-bomb'), ...spread]);
      await gsup.ready();
      gsup.signal('SIGTERM');
      expect((await gsup.ended(60_000)).code).toBe(137);
      // Not when: a bomb takes all of the machine that it can get, from gsup too.
      expect(theOne(gsup.records(), 'run-ended').forced).toBe(true);
    },
  );

scenario('S56 a grandchild that keeps stdout does not keep gsup', {}, async (trial) => {
  const gsup = await trial.start(['-g', '300ms'], [fixture('daemonises'), '--ignore-term', '--code', '6']);
  expect((await gsup.ended()).code).toBe(6);
  expectKilledAfter(gsup, 300);
});

scenario('S56 nor does somebody outside the tree who holds the same pipe', {}, async (trial) => {
  const gsup = await trial.start([], [fixture('prints-ready')]);
  await gsup.ready();
  // The warden above gsup has the other end of stdout as well, and goes on holding it.
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(143);
});

scenario('S54 an orphan that ends while the command goes on is reaped', {}, async (trial) => {
  const gsup = await trial.start([], [fixture('orphans'), '1']);
  await gsup.ready();
  expect(gsup.tree().length).toBeGreaterThanOrEqual(2);
  const before = gsup.tree().length;
  gsup.signal('SIGUSR1');
  await until('the orphan to be reaped', () => gsup.tree().length === before - 1);
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(0);
});
