import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { fixture } from '../support/fixtures.ts';
import { moment } from '../support/output.ts';
import { LATE_MS, scenario } from '../support/scenario.ts';
import { expectGraceful, expectWait, theOne, types } from '../support/story.ts';

/** Hooks need more than an order, so they bring the supervisor by themselves. */
const SUPERVISED = { modes: ['supervisor'] } as const;

scenario('S23 a pre-stop hook runs before the first signal', SUPERVISED, async (trial) => {
  const file = join(trial.folder, 'hook');
  const hook = `echo "$GSUP_HOOK $GSUP_RUN" > ${file}`;
  const gsup = await trial.start(['--pre-stop', hook], [fixture('cleans-up-for'), '1', '--code', '3']);
  await gsup.ready();
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(3);
  expect(readFileSync(file, 'utf8')).toMatch(/^\S+ t#1\n$/);
  expectGraceful(gsup);
  const order = types(gsup.records()).filter((type) => ['hook', 'rung'].includes(type));
  expect(order[0] === 'hook' || order[0] === 'rung').toBe(true);
  const signal = gsup.records().find((line) => line.type === 'rung' && line.action === 'signal');
  expect(signal).toBeDefined();
});

scenario(
  'S23 a hook that hangs is ended at its time-out, and the stop goes on',
  SUPERVISED,
  async (trial) => {
    const hook = ['--pre-stop', `exec ${fixture('ignores-sigterm')} --name hook`, '--pre-stop-timeout', '1s'];
    const gsup = await trial.start([...hook, '-g', '10s'], [fixture('reports-signals')]);
    await gsup.ready();
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(0);
    const got = moment(await gsup.stdout.line(/^got SIGTERM/));
    expectWait(theOne(gsup.records(), 'stop-requested'), got, 1000, 2 * LATE_MS);
  },
);

scenario('S23 a hook that fails is a warning, and the stop goes on at once', SUPERVISED, async (trial) => {
  const gsup = await trial.start(['--pre-stop', 'exit 3'], [fixture('reports-signals')]);
  await gsup.ready();
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(0);
  expectWait(
    theOne(gsup.records(), 'stop-requested'),
    moment(await gsup.stdout.line(/^got SIGTERM/)),
    0,
    2000,
  );
  expect(gsup.stderr.text()).toContain('pre-stop');
});

scenario('S23 a command that ends while its hook runs is not waited for', SUPERVISED, async (trial) => {
  const command = "trap 'exit 4' USR1; echo ready; while :; do sleep 0.05; done";
  const gsup = await trial.start(
    ['--pre-stop', 'kill -USR1 $(cat pid); sleep 30', '--pre-stop-timeout', '30s'],
    ['sh', '-c', `echo $$ > pid; ${command}`],
  );
  await gsup.ready();
  gsup.signal('SIGTERM');
  const ended = await gsup.ended();
  expect(ended.code).toBe(4);
  expectWait(theOne(gsup.records(), 'stop-requested'), { mono_ns: ended.at }, 0, 5000);
  expectGraceful(gsup);
});

scenario('S23 an exec rung that succeeds, and then one that hangs', SUPERVISED, async (trial) => {
  const file = join(trial.folder, 'drained');
  const ladder = ['--rung', `exec:touch ${file}:5s`, '--rung', 'exec:sleep 60:500ms', '--rung', 'INT:10s'];
  const gsup = await trial.start(ladder, [fixture('reports-signals'), '--exit-on', 'SIGINT', '--code', '6']);
  await gsup.ready();
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(6);
  expect(existsSync(file)).toBe(true);
  const rungs = gsup.records().filter((line) => line.type === 'rung');
  expect(rungs.map((rung) => rung.action)).toContain('exec');
});

scenario(
  'S24 a post-stop hook runs after the tree has gone, and is told how it ended',
  SUPERVISED,
  async (trial) => {
    const file = join(trial.folder, 'after');
    const daemon = join(trial.folder, 'daemon');
    // The hook notes whether the daemon's file is still there: it must not be.
    const hook = `echo "$GSUP_RUN $GSUP_OUTCOME $GSUP_EXIT_CODE [$GSUP_EXIT_SIGNAL] $(ls ${daemon} 2>/dev/null)" > ${file}`;
    const command = [fixture('cleans-up-for'), '100', '--code', '3', '--file', daemon];
    const gsup = await trial.start(['--post-stop', hook], command);
    await gsup.ready();
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(3);
    expect(readFileSync(file, 'utf8')).toMatch(/^t#1 killed 3 \[\] \n$/);
  },
);

scenario('S24 its failure is a warning', SUPERVISED, async (trial) => {
  const gsup = await trial.start(['--post-stop', 'exit 9'], [fixture('exits-with'), '0']);
  expect((await gsup.ended()).code).toBe(0);
  expect(gsup.stderr.text()).toContain('post-stop');
});

scenario('S24 it is bounded', { ...SUPERVISED, timeoutMs: 120_000 }, async (trial) => {
  const hook = `exec ${fixture('ignores-sigterm')}`;
  const gsup = await trial.start(['--post-stop', hook], [fixture('exits-with'), '5']);
  expect((await gsup.ended(60_000)).code).toBe(5);
  const end = gsup.records().find((line) => line.type === 'run-ended' && line.run === 't#1');
  const last = gsup.records().at(-1);
  expectWait(end as never, last as never, 10_000, 5000);
});
