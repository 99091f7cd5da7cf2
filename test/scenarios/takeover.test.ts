import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { fixture } from '../support/fixtures.ts';
import type { Gsup } from '../support/gsup.ts';
import { moment } from '../support/output.ts';
import { look } from '../support/processes.ts';
import { msBetween } from '../support/records.ts';
import { LATE_MS, scenario } from '../support/scenario.ts';
import {
  expectGraceful,
  expectKilledAfter,
  expectWait,
  expectWithin,
  sentSignals,
  theOne,
} from '../support/story.ts';
import { pause, until } from '../support/until.ts';

const SUPERVISED = { modes: ['supervisor'] } as const;

async function killSupervisor(gsup: Gsup): Promise<void> {
  const pid = await gsup.supervisor();
  process.kill(pid, 'SIGKILL');
  await until('the supervisor to be reaped', () => look(pid) === undefined);
}

async function supervisors(gsup: Gsup, count: number): Promise<void> {
  await until(
    `${count} supervisors`,
    () => gsup.records().filter((line) => line.type === 'supervisor-started').length >= count,
  );
}

scenario(
  'S43 a grace goes on where it was when the supervisor is killed within it',
  SUPERVISED,
  async (trial) => {
    const gsup = await trial.start(['-g', '5s'], [fixture('ignores-sigterm')]);
    await gsup.ready();
    gsup.signal('SIGTERM');
    await gsup.record('rung');
    await pause(2000);
    await killSupervisor(gsup);
    const ended = await gsup.ended();
    expect(ended.code).toBe(137);
    expectKilledAfter(gsup, 5000);
    expectWait(theOne(gsup.records(), 'run-ended'), { mono_ns: ended.at }, 0, 2000);
  },
);

scenario('S43 also when it is killed again and again', SUPERVISED, async (trial) => {
  const gsup = await trial.start(['-g', '4s'], [fixture('ignores-sigterm')]);
  await gsup.ready();
  gsup.signal('SIGTERM');
  await gsup.record('rung');
  for (let times = 0; times < 3; times++) {
    await pause(300);
    await killSupervisor(gsup);
  }
  const ended = await gsup.ended();
  expect(ended.code).toBe(137);
  expectKilledAfter(gsup, 4000);
  expectWait(theOne(gsup.records(), 'run-ended'), { mono_ns: ended.at }, 0, 2000);
});

scenario('S42 the command does not notice that the supervisor is killed', SUPERVISED, async (trial) => {
  const gsup = await trial.start([], [fixture('reports-signals'), '--code', '3']);
  await gsup.ready();
  const before = gsup.find('reports-signals');
  await killSupervisor(gsup);
  await supervisors(gsup, 2);
  expect(gsup.find('reports-signals')).toEqual(before);
  gsup.signal('SIGUSR1');
  await gsup.stdout.line(/^got SIGUSR1/);
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(3);
  theOne(gsup.records(), 'run-started');
  expect(gsup.stdout.lines(/^got SIGTERM/)).toHaveLength(1);
});

scenario('S44 killed between the record of a rung and its signal: sent once', SUPERVISED, async (trial) => {
  const ladder = ['--rung', 'USR1:1s', '--rung', 'USR2:3s', '--rung', 'INT:10s'];
  const gsup = await trial.start(ladder, [fixture('reports-signals'), '--exit-on', 'SIGINT', '--code', '3']);
  await gsup.ready();
  gsup.signal('SIGTERM');
  await gsup.stdout.line(/^got SIGUSR1/);
  const supervisor = await gsup.supervisor();
  // While init stands still the supervisor decides and records the second rung, and nobody carries it out.
  gsup.signal('SIGSTOP');
  await gsup.record('rung', (line) => line.index === 1);
  process.kill(supervisor, 'SIGKILL');
  gsup.signal('SIGCONT');
  expect((await gsup.ended()).code).toBe(3);
  const got = (name: string) => gsup.stdout.lines(new RegExp(`^got ${name} `));
  expect([got('SIGUSR1').length, got('SIGUSR2').length, got('SIGINT').length]).toEqual([1, 1, 1]);
  expectGraceful(gsup);
});

scenario('S44 a hook that completed is not run again by the next supervisor', SUPERVISED, async (trial) => {
  const file = join(trial.folder, 'hook');
  const options = ['--pre-stop', `echo once >> ${file}`, '-g', '10s'];
  const gsup = await trial.start(options, [fixture('cleans-up-for'), '5000', '--code', '3']);
  await gsup.ready();
  gsup.signal('SIGTERM');
  await gsup.stdout.line(/^cleaning/);
  await killSupervisor(gsup);
  expect((await gsup.ended()).code).toBe(3);
  expect(readFileSync(file, 'utf8')).toBe('once\n');
});

scenario(
  'S45 what ends while the supervisor is away is known with its code and rusage',
  SUPERVISED,
  async (trial) => {
    const gsup = await trial.start([], ['sh', '-c', 'echo ready; read line; exit 7'], { stdin: 'pipe' });
    await gsup.ready();
    process.kill(await gsup.supervisor(), 'SIGKILL');
    gsup.stdin?.write('end\n');
    expect((await gsup.ended()).code).toBe(7);
    const end = theOne(gsup.records(), 'run-ended');
    expect(end.code).toBe(7);
    expect((end.rusage as { max_rss_kb: number }).max_rss_kb).toBeGreaterThan(0);
  },
);

scenario('S47 a supervisor that is stopped holds up no stop', SUPERVISED, async (trial) => {
  const gsup = await trial.start(['-g', '1s'], [fixture('ignores-sigterm')]);
  await gsup.ready();
  process.kill(await gsup.supervisor(), 'SIGSTOP');
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(137);
  theOne(gsup.records(), 'rung');
  expect(sentSignals(gsup.records()).filter((signal) => signal === 'SIGTERM')).toHaveLength(1);
  // It is replaced, and the next one has 2 s to come up before init goes on without it.
  expectKilledAfter(gsup, 1000, LATE_MS + 2000);
});

scenario('S47 it is replaced when an answer is due', { ...SUPERVISED, timeoutMs: 120_000 }, async (trial) => {
  const gsup = await trial.start(['-g', '30s'], [fixture('cleans-up-for'), '12000', '--code', '3']);
  await gsup.ready();
  const stopped = await gsup.supervisor();
  process.kill(stopped, 'SIGSTOP');
  gsup.signal('SIGTERM');
  const cleaning = moment(await gsup.stdout.line(/^cleaning/));
  await supervisors(gsup, 2);
  expect((await gsup.ended()).code).toBe(3);
  expect(gsup.find('node')).not.toContain(stopped);
  const second = gsup.records().filter((line) => line.type === 'supervisor-started')[1];
  expectWithin(cleaning, second as never, 10_000 + 3 * LATE_MS);
  expectGraceful(gsup);
});

scenario('S69 two crashes in a row do not cut a pre-stop hook short', SUPERVISED, async (trial) => {
  const hook = join(trial.folder, 'hook');
  const options = ['--pre-stop', `sleep 2.5; touch ${hook}`, '-g', '10s'];
  const gsup = await trial.start(options, [fixture('reports-signals'), '--code', '3']);
  await gsup.ready();
  gsup.signal('SIGTERM');
  await gsup.record('hook');
  await killSupervisor(gsup);
  await supervisors(gsup, 2);
  await pause(300);
  await killSupervisor(gsup);
  await supervisors(gsup, 3);
  const told = moment(await gsup.stdout.line(/^got SIGTERM/));
  expect(existsSync(hook), 'the hook was over before the signal').toBe(true);
  expect((await gsup.ended()).code).toBe(3);
  expect(msBetween(await gsup.record('hook'), told)).toBeGreaterThan(2000);
  const hooks = gsup
    .records()
    .filter((line) => line.type === 'run-started' && /pre-stop/.test(`${line.run}`));
  expect(hooks).toHaveLength(1);
  theOne(gsup.records(), 'outcome');
});

scenario(
  'S69 S52 the log is lost while a pre-stop hook runs: the hook is found by its name',
  SUPERVISED,
  async (trial) => {
    const file = join(trial.folder, 'hooks');
    const go = join(trial.folder, 'go');
    const hook = `while ! test -e ${go}; do sleep 0.05; done; echo hook >> ${file}`;
    const options = ['--pre-stop', hook, '--pre-stop-timeout', '60s', '-g', '10s'];
    const gsup = await trial.start(options, [fixture('reports-signals'), '--code', '3']);
    await gsup.ready();
    gsup.signal('SIGTERM');
    await gsup.record('hook');
    truncateSync(join(gsup.folder, 'checkpoint.log'));
    await killSupervisor(gsup);
    await gsup.record('hook'); // the next one has found it
    writeFileSync(go, '');
    await gsup.stdout.line(/^got SIGTERM/);
    expect(readFileSync(file, 'utf8'), 'the hook was over before the signal, and ran once').toBe('hook\n');
    expect((await gsup.ended()).code).toBe(3);
    const hooks = gsup.records().filter((line) => line.type === 'hook');
    expect(hooks.map(({ hook, state, code }) => [hook, state, code])).toEqual([
      ['t#1/pre-stop.1', 'started', null],
      ['t#1/pre-stop.1', 'ended', 0],
    ]);
  },
);

scenario('S42 restarts that only --max-failures asks for survive crashes', SUPERVISED, async (trial) => {
  const file = join(trial.folder, 'runs');
  const options = ['--max-failures', '3', '--min-duration', '1s'];
  const gsup = await trial.start(options, [fixture('fails-until'), file, '3', '--code', '9']);
  await gsup.record('run-ended');
  await killSupervisor(gsup);
  await supervisors(gsup, 2);
  await killSupervisor(gsup);
  expect((await gsup.ended()).code).toBe(0);
  expect(gsup.records().filter((line) => line.type === 'run-ended')).toHaveLength(3);
});
