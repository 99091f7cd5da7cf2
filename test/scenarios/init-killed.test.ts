import { readdirSync } from 'node:fs';
import { expect } from 'vitest';
import { fixture } from '../support/fixtures.ts';
import { moment } from '../support/output.ts';
import { isAlive } from '../support/processes.ts';
import { msBetween } from '../support/records.ts';
import { LATE_MS, scenario, type Trial } from '../support/scenario.ts';
import { until } from '../support/until.ts';

/** As PID 1 gsup takes everything with it, and there is nothing to deal with. */
const OUTSIDE = { rings: ['subreaper'] } as const;

/** A gsup that is killed itself; what it leaves may live on for a while below the warden. */
async function killed(trial: Trial, options: string[], command: string[]) {
  const gsup = await trial.start(options, command, {
    warden: ['--linger', '15000'],
    mayLeave: true,
    brokenLogs: true,
  });
  await gsup.ready();
  const pids = gsup.find(command[0]?.split('/').at(-1) ?? '');
  gsup.signal('SIGKILL');
  return { gsup, pids };
}

scenario('S49 init is killed: the command gets its stop signal', OUTSIDE, async (trial) => {
  const { gsup } = await killed(trial, ['-g', '10s'], [fixture('cleans-up-for'), '500']);
  await gsup.stdout.line(/^cleaned/);
  expect((await gsup.ended()).signal).toBe(9);
});

scenario(
  'S49 the coordinator carries out the whole order',
  { ...OUTSIDE, modes: ['supervisor'] },
  async (trial) => {
    const { gsup, pids } = await killed(trial, ['-g', '1s'], [fixture('ignores-sigterm')]);
    const before = performance.now();
    await until('the command to be killed', () => !pids.some(isAlive), 10_000);
    expect(performance.now() - before).toBeGreaterThan(900);
    await until('the supervisor to be gone', () => gsup.find('node').length === 0);
    expect((await gsup.ended()).immortal).toBe(0);
  },
);

scenario('S49 the next gsup of that name waits for what is left, then starts', OUTSIDE, async (trial) => {
  const { gsup } = await killed(trial, ['-g', '10s'], [fixture('cleans-up-for'), '1500']);
  const next = await trial.start(['-g', '10s'], [fixture('cleans-up-for'), '1', '--code', '4'], {
    brokenLogs: true,
  });
  await next.ready();
  const cleaned = moment(gsup.stdout.lines(/^cleaned/)[0] ?? expect.fail('it has not waited'));
  next.signal('SIGTERM');
  expect((await next.ended()).code).toBe(4);
  expect(msBetween(cleaned, moment(await next.stdout.line(/^cleaning/)))).toBeGreaterThan(0);
  await gsup.ended();
});

scenario('S49 it kills what ignores its recorded rungs', OUTSIDE, async (trial) => {
  const { gsup, pids } = await killed(trial, ['-g', '1s'], [fixture('ignores-sigterm')]);
  const next = await trial.start(['-g', '10s'], [fixture('prints-ready')], { brokenLogs: true });
  await next.ready();
  expect(pids.filter(isAlive)).toEqual([]);
  next.signal('SIGTERM');
  expect((await next.ended()).code).toBe(143);
  await gsup.ended();
});

scenario('S50 a second gsup of the same name gets 75, and the first is unaffected', {}, async (trial) => {
  const first = await trial.start([], [fixture('reports-signals'), '--code', '3']);
  await first.ready();
  const second = await trial.start([], [fixture('exits-with'), '0', '--say', 'ran'], { brokenLogs: true });
  expect((await second.ended()).code).toBe(75);
  expect(second.stdout.text()).toBe('');
  expect(second.stderr.text()).toContain('t');
  first.signal('SIGUSR1');
  await first.stdout.line(/^got SIGUSR1/);
  first.signal('SIGTERM');
  expect((await first.ended()).code).toBe(3);
});

scenario('S50 after SIGKILL of the first the name is free', {}, async (trial) => {
  const { gsup } = await killed(trial, [], [fixture('prints-ready')]);
  await gsup.ended();
  const next = await trial.start([], [fixture('exits-with'), '6'], { brokenLogs: true });
  expect((await next.ended(5000 + LATE_MS)).code).toBe(6);
});

scenario('S50 without a name each gsup takes the first one that is free', {}, async (trial) => {
  const options = { name: null, brokenLogs: true } as const;
  const first = await trial.start([], [fixture('prints-ready')], options);
  await first.ready();
  const second = await trial.start([], [fixture('prints-ready')], options);
  await second.ready();
  expect(readdirSync(first.folder).sort()).toEqual(['prints-ready', 'prints-ready.2']);
  first.signal('SIGTERM');
  second.signal('SIGTERM');
  expect([(await first.ended()).code, (await second.ended()).code]).toEqual([143, 143]);
});
