import { expect } from 'vitest';
import { fixture } from '../support/fixtures.ts';
import { moment } from '../support/output.ts';
import { isAlive, look } from '../support/processes.ts';
import { msBetween } from '../support/records.ts';
import { LATE_MS, scenario } from '../support/scenario.ts';
import { expectGraceful, expectKilledAfter, expectWait, theOne, types } from '../support/story.ts';
import { pause, until } from '../support/until.ts';

scenario('S01 a clean-up below a shell completes, and nobody is killed', {}, async (trial) => {
  const gsup = await trial.start(['--grace', '10s'], ['sh', '-c', `${fixture('cleans-up-for')} 2000; true`]);
  await gsup.ready();
  gsup.signal('SIGTERM');
  const ended = await gsup.ended();
  expect(ended.code).toBe(143); // the shell itself has died of TERM
  const cleaning = await gsup.stdout.line(/^cleaning/);
  const cleaned = await gsup.stdout.line(/^cleaned/);
  expectGraceful(gsup);
  expectWait(moment(cleaning), moment(cleaned), 2000);
  expectWait(moment(cleaned), { mono_ns: ended.at }, 0);
});

for (const [number, grace, ms] of [
  ['S02', '1s', 1000],
  ['S03', '3s', 3000],
] as const)
  scenario(`${number} what ignores TERM is killed once, after ${grace}`, {}, async (trial) => {
    const gsup = await trial.start(['-g', grace], [fixture('ignores-sigterm')]);
    await gsup.ready();
    gsup.signal('SIGTERM');
    const ended = await gsup.ended();
    expect(ended.code).toBe(137);
    const end = expectKilledAfter(gsup, ms, 500);
    expect(end.code).toBe(null);
    expect(end.signal).toBe('SIGKILL');
    const told = types(gsup.records()).filter((type) => ['rung', 'kill', 'run-ended'].includes(type));
    expect(told).toEqual(['rung', 'kill', 'run-ended']);
    const kills = gsup
      .records()
      .filter((line) => line.type === 'signal' && line.signal === 'SIGKILL' && line.target === 'group');
    expect(kills.length, 'SIGKILL to the group').toBeLessThanOrEqual(1);
    expect(gsup.stderr.text()).toContain('ignores-sigterm'); // who ignored what is said
  });

scenario('S04 a grace is a ceiling and never slept out', {}, async (trial) => {
  const gsup = await trial.start(['--grace=60s'], [fixture('cleans-up-for'), '200']);
  await gsup.ready();
  gsup.signal('SIGTERM');
  const ended = await gsup.ended();
  expect(ended.code).toBe(0);
  expectGraceful(gsup);
  expectWait(theOne(gsup.records(), 'rung'), { mono_ns: ended.at }, 200);
});

scenario('S05 waits for the group after its leader has gone', {}, async (trial) => {
  const background = [fixture('cleans-up-for'), '2000'];
  const leader = [fixture('leaves-background-child'), '--code', '7', '--', ...background];
  const gsup = await trial.start(['-g10s'], leader);
  await gsup.stdout.line(/^leader ready/);
  gsup.signal('SIGTERM');
  const ended = await gsup.ended();
  expect(ended.code).toBe(7);
  const cleaned = await gsup.stdout.line(/^cleaned/);
  expectGraceful(gsup);
  expectWait(theOne(gsup.records(), 'rung'), { mono_ns: ended.at }, 2000);
  expectWait(moment(cleaned), { mono_ns: ended.at }, 0);
  expect(msBetween(moment(await gsup.stdout.line(/^leader gone/)), moment(cleaned))).toBeGreaterThan(0);
});

scenario('S06 kills the group that outlives its leader, whose code stays', {}, async (trial) => {
  const leader = [fixture('leaves-background-child'), '--code', '7', '--', fixture('ignores-sigterm')];
  const gsup = await trial.start(['--grace', '1s'], leader);
  await gsup.stdout.line(/^leader ready/);
  gsup.signal('SIGTERM');
  const ended = await gsup.ended();
  expect(ended.code).toBe(7);
  const end = expectKilledAfter(gsup, 1000);
  expect(end.code).toBe(7);
});

scenario('S07 the ladder runs for what a leader leaves when it ends by itself', {}, async (trial) => {
  const leader = [fixture('leaves-background-child'), '--at-once', '--', fixture('prints-ready')];
  const gsup = await trial.start(['--grace', '10s'], leader);
  const ended = await gsup.ended();
  expect(ended.code).toBe(0);
  expectGraceful(gsup);
  expect(theOne(gsup.records(), 'stop-requested').cause).toBe('main-ended');
  expectWait(theOne(gsup.records(), 'leader-exited'), { mono_ns: ended.at }, 0);
});

scenario('S07 what a leader leaves and ignores TERM is killed, and the code stays 0', {}, async (trial) => {
  const leader = [fixture('leaves-background-child'), '--at-once', '--', fixture('ignores-sigterm')];
  const gsup = await trial.start(['--grace', '500ms'], leader);
  const ended = await gsup.ended();
  expect(ended.code).toBe(0);
  expectKilledAfter(gsup, 500);
});

scenario('S11 grace 0 is the signal and SIGKILL at once, reaped and recorded', {}, async (trial) => {
  const gsup = await trial.start(['-g', '0'], [fixture('ignores-sigterm')]);
  await gsup.ready();
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(137);
  const end = expectKilledAfter(gsup, 0);
  expect(end.rusage).toHaveProperty('max_rss_kb');
});

scenario('S11 grace forever never escalates by itself, but does when asked again', {}, async (trial) => {
  const gsup = await trial.start(['-g', 'forever'], [fixture('ignores-sigterm')]);
  await gsup.ready();
  gsup.signal('SIGTERM');
  const rung = await gsup.record('rung');
  expect(rung.deadline_ns).toBe(null);
  await pause(2 * LATE_MS);
  expect(gsup.find('ignores-sigterm').filter(isAlive)).toHaveLength(1);
  expect(types(gsup.records())).not.toContain('kill');
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(137);
  theOne(gsup.records(), 'kill');
});

scenario('S12 a stop with a grace of 50 ms is over at once, and marked forced', {}, async (trial) => {
  const gsup = await trial.start(['-g', '50ms'], [fixture('ignores-sigterm')]);
  await gsup.ready();
  gsup.signal('SIGTERM');
  const ended = await gsup.ended();
  expect(ended.code).toBe(137);
  const end = expectKilledAfter(gsup, 50);
  expectWait(end, { mono_ns: ended.at }, 0);
});

scenario('S15 a stop signal of another name is sent instead of TERM', {}, async (trial) => {
  const gsup = await trial.start(['-s', 'SIGINT'], [fixture('reports-signals'), '--exit-on', 'SIGINT']);
  await gsup.ready();
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(0);
  expect(gsup.stdout.text()).toContain('got SIGINT');
  expect(gsup.stdout.text()).not.toContain('got SIGTERM');
  expect(theOne(gsup.records(), 'rung').signal).toBe('SIGINT');
});

scenario('S15 without a stop signal the one that was received is sent', {}, async (trial) => {
  const gsup = await trial.start([], [fixture('reports-signals'), '--exit-on', 'SIGQUIT', '--code', '4']);
  await gsup.ready();
  gsup.signal('SIGQUIT');
  expect((await gsup.ended()).code).toBe(4);
  expect(gsup.stdout.text()).not.toContain('got SIGTERM');
});

scenario('S26 a stopped child sees the stop and ends within its grace', {}, async (trial) => {
  const gsup = await trial.start(['-g', '20s'], [fixture('stops-itself'), '--code', '5']);
  await gsup.ready();
  await until('it to be stopped', () => gsup.find('stops-itself').some((pid) => look(pid)?.state === 'T'));
  gsup.signal('SIGTERM');
  const ended = await gsup.ended();
  expect(ended.code).toBe(5);
  expectGraceful(gsup);
  expectWait(theOne(gsup.records(), 'rung'), { mono_ns: ended.at }, 0);
});
