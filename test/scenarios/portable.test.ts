import { expect } from 'vitest';
import { fixture } from '../support/fixtures.ts';
import { msBetween } from '../support/records.ts';
import { scenario } from '../support/scenario.ts';
import { beginOf, expectGraceful, theOne, types } from '../support/story.ts';
import { pause } from '../support/until.ts';

/**
 * The scenarios that need no C part, over the portable host. How late Node is on a busy machine is not asked here: only
 * that nothing comes too early, that nothing is left, and that codes and records are the same.
 */
const PORTABLE = { rings: ['portable'], modes: ['supervisor'] } as const;

scenario('S01 a clean-up below a shell completes, and nobody is killed', PORTABLE, async (trial) => {
  const gsup = await trial.start(['--grace', '30s'], ['sh', '-c', `${fixture('cleans-up-for')} 500; true`]);
  await gsup.ready();
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(143);
  expect(gsup.stdout.text()).toMatch(/^cleaned/m);
  expectGraceful(gsup);
});

scenario('S02 what ignores TERM is killed once, not before its grace is over', PORTABLE, async (trial) => {
  const gsup = await trial.start(['-g', '1s'], [fixture('ignores-sigterm')]);
  await gsup.ready();
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(137);
  const records = gsup.records();
  expect(msBetween(theOne(records, 'stop-requested'), theOne(records, 'kill'))).toBeGreaterThanOrEqual(990);
  expect(theOne(records, 'run-ended').forced).toBe(true);
});

scenario('S05 waits for the group after its leader has gone', PORTABLE, async (trial) => {
  const background = [fixture('cleans-up-for'), '800'];
  const leader = [fixture('leaves-background-child'), '--code', '7', '--', ...background];
  const gsup = await trial.start(['-g30s'], leader);
  await gsup.stdout.line(/^leader ready/);
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(7);
  expect(gsup.stdout.text()).toMatch(/^cleaned/m);
  expectGraceful(gsup);
});

scenario('S06 kills the group that outlives its leader, whose code stays', PORTABLE, async (trial) => {
  const leader = [fixture('leaves-background-child'), '--code', '7', '--', fixture('ignores-sigterm')];
  const gsup = await trial.start(['--grace', '300ms'], leader);
  await gsup.stdout.line(/^leader ready/);
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(7);
  expect(types(gsup.records())).toContain('kill');
});

scenario('S07 the ladder runs for what a leader leaves when it ends by itself', PORTABLE, async (trial) => {
  const leader = [
    fixture('leaves-background-child'),
    '--at-once',
    '--code',
    '3',
    '--',
    fixture('prints-ready'),
  ];
  const gsup = await trial.start(['--grace', '20s'], leader);
  expect((await gsup.ended()).code).toBe(3);
  expectGraceful(gsup);
  expect(beginOf(gsup.records()).type).toBe('leader-exited');
});

scenario('S14 a third TERM is SIGKILL', PORTABLE, async (trial) => {
  const ladder = ['--rung', 'TERM:60s', '--rung', 'INT:60s'];
  const gsup = await trial.start(ladder, [fixture('reports-signals'), '--exit-on', 'none']);
  await gsup.ready();
  for (const seen of [/^got SIGTERM/, /^got SIGINT/]) {
    gsup.signal('SIGTERM');
    await gsup.stdout.line(seen);
    await pause(400); // after 250 ms it is no longer the same request
  }
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(137);
});

scenario('S23 hooks, rungs and restarts come with their order', PORTABLE, async (trial) => {
  const ladder = ['--rung', 'exec:true:20s', '--rung', 'USR1:20s'];
  const gsup = await trial.start(ladder, [fixture('reports-signals'), '--exit-on', 'SIGUSR1', '--code', '4']);
  await gsup.ready();
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(4);
  expect(gsup.stdout.text()).not.toContain('SIGTERM');
});

scenario('S55 codes are the same', PORTABLE, async (trial) => {
  const code = async (name: string, command: string[]) =>
    (await (await trial.start([], command, { name })).ended()).code;
  expect(await code('a', [fixture('exits-with'), '0'])).toBe(0);
  expect(await code('b', [fixture('exits-with'), '255'])).toBe(255);
  expect(await code('c', [fixture('dies-of-signal'), '9'])).toBe(137);
  expect(await code('d', ['/nowhere/at-all'])).toBe(127);
  expect(await code('e', [trial.folder])).toBe(126);
});

scenario(
  'S57 the last line, without newline, written in the TERM handler, arrives',
  PORTABLE,
  async (trial) => {
    const gsup = await trial.start([], [fixture('last-words')]);
    await gsup.ready();
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(0);
    expect(gsup.stdout.text()).toBe('ready\nlast words');
  },
);
