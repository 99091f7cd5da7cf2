import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { fixture } from '../support/fixtures.ts';
import type { Gsup } from '../support/gsup.ts';
import { moment } from '../support/output.ts';
import { type Line, msBetween } from '../support/records.ts';
import { scenario } from '../support/scenario.ts';
import { expectGraceful, expectWait, theOne } from '../support/story.ts';
import { pause, until } from '../support/until.ts';

const RTMIN_PLUS_3 = 37;

/** From a process of its own, as npm or a shell sends it. */
function signalFromElsewhere(pid: number, name: string): void {
  spawnSync('kill', [`-${name}`, String(pid)]);
}

scenario('S25 what is no stop signal reaches the command', {}, async (trial) => {
  const gsup = await trial.start([], [fixture('reports-signals')]);
  await gsup.ready();
  for (const [signal, name] of [
    ['SIGHUP', 'SIGHUP'],
    ['SIGUSR1', 'SIGUSR1'],
    ['SIGUSR2', 'SIGUSR2'],
    ['SIGWINCH', 'SIGWINCH'],
    [RTMIN_PLUS_3, 'SIGRTMIN\\+3'],
  ] as const) {
    gsup.signal(signal);
    await gsup.stdout.line(new RegExp(`^got ${name} `));
  }
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(0);
  expect(gsup.stdout.lines(/^got (SIGHUP|SIGUSR1|SIGUSR2|SIGWINCH|SIGRTMIN\+3) /)).toHaveLength(5);
});

scenario(
  'S25 real-time signals that queue reach the command every one, and are counted',
  {},
  async (trial) => {
    const gsup = await trial.start([], [fixture('reports-signals')]);
    await gsup.ready();
    const sender = `n=0; while [ $n -lt 100 ]; do kill -${RTMIN_PLUS_3} ${gsup.pid}; n=$((n + 1)); done`;
    spawnSync('sh', ['-c', sender]);
    await until('all of them', () => gsup.stdout.lines(/^got SIGRTMIN\+3 /).length === 100);
    gsup.signal('SIGTERM');
    await gsup.ended();
    const told = gsup.records().filter((line) => line.type === 'signal' && line.signal === 'SIGRTMIN+3');
    const times = (lines: readonly Line[]) => lines.reduce((sum, line) => sum + Number(line.times ?? 1), 0);
    expect(times(told.filter((line) => line.uid !== undefined))).toBe(100);
    expect(times(told.filter((line) => line.run !== undefined))).toBe(100);
  },
);

scenario('S25 a signal is forwarded to the whole group', {}, async (trial) => {
  const leader = [fixture('leaves-background-child'), '--', fixture('reports-signals')];
  const gsup = await trial.start(['--rewrite', 'USR1:USR2', '--rewrite', 'HUP:0'], leader);
  await gsup.stdout.line(/^leader ready/);
  gsup.signal('SIGWINCH'); // ignored by default in the leader
  await gsup.stdout.line(/^got SIGWINCH /);
  gsup.signal('SIGTERM');
  await gsup.ended();
});

scenario('S25 a signal can be translated or dropped on its way', {}, async (trial) => {
  const gsup = await trial.start(
    ['--rewrite', 'USR1:USR2', '--rewrite', '1:0', '--rewrite', '15:3'],
    [fixture('reports-signals'), '--exit-on', 'SIGQUIT'],
  );
  await gsup.ready();
  gsup.signal('SIGHUP');
  gsup.signal('SIGUSR1');
  await gsup.stdout.line(/^got SIGUSR2 /);
  gsup.signal('SIGTERM'); // changed, and still a stop
  expect((await gsup.ended()).code).toBe(0);
  expect(gsup.stdout.text()).not.toMatch(/got SIG(HUP|USR1|TERM)/);
  theOne(gsup.records(), 'stop-requested');
});

scenario('S14 a second TERM goes to the next rung, a third one to SIGKILL', {}, async (trial) => {
  const ladder = ['--rung', 'TERM:30s', '--rung', 'INT:30s'];
  const gsup = await trial.start(ladder, [fixture('reports-signals'), '--exit-on', 'none']);
  await gsup.ready();
  gsup.signal('SIGTERM');
  const first = moment(await gsup.stdout.line(/^got SIGTERM/));
  await pause(500);
  gsup.signal('SIGTERM');
  const second = moment(await gsup.stdout.line(/^got SIGINT/));
  expect(msBetween(first, second)).toBeGreaterThan(450);
  await pause(500);
  gsup.signal('SIGTERM');
  const ended = await gsup.ended();
  expect(ended.code).toBe(137);
  // Counted from when gsup had the signal: on a busy machine the test itself is late.
  const [, again, third] = received(gsup) as [Line, Line, Line];
  expectWait(again, second, 0);
  expectWait(third, { mono_ns: ended.at }, 0);
  expect(theOne(gsup.records(), 'run-ended').forced).toBe(true);
});

scenario('S14b two TERMs within 250 ms from two senders are one request', {}, async (trial) => {
  // On a busy machine the second one may come later than that, and is another request then, or the kernel makes one of
  // both before gsup looks: tried again.
  for (let tries = 1; ; tries++) {
    const name = `t${tries}`;
    const gsup = await trial.start(['-g', '20s'], [fixture('cleans-up-for'), '900'], { name });
    await gsup.ready();
    gsup.signal('SIGTERM');
    signalFromElsewhere(gsup.pid, 'TERM');
    const ended = await gsup.ended();
    const [first, second] = received(gsup);
    const asMeant = first !== undefined && second !== undefined && msBetween(first, second) < 240;
    if (!asMeant && tries < 10) continue;
    expect(ended.code).toBe(0);
    expectGraceful(gsup);
    theOne(gsup.records(), 'stop-requested');
    theOne(gsup.records(), 'rung');
    return;
  }
});

/** The signals that reached gsup itself. */
function received(gsup: Gsup): Line[] {
  return gsup.records().filter((line) => line.type === 'signal' && line.run === undefined);
}

scenario('S14b nor does a burst of the same TERM escalate', {}, async (trial) => {
  const gsup = await trial.start(['-g', '20s'], [fixture('cleans-up-for'), '900']);
  await gsup.ready();
  for (let count = 0; count < 5; count++) gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(0);
  expectGraceful(gsup);
});

scenario('S14 a stop says who asked for it', {}, async (trial) => {
  const gsup = await trial.start([], [fixture('prints-ready')]);
  await gsup.ready();
  gsup.signal('SIGTERM');
  await gsup.ended();
  const request = theOne(gsup.records(), 'stop-requested');
  // 0: from outside of the namespace, where no pid of the sender exists.
  const sender = trial.ring === 'pid1' ? 0 : process.pid;
  expect(request).toMatchObject({ cause: 'signal', by: { pid: sender, uid: process.getuid?.() } });
});

scenario('S15 --stop-on makes another signal a stop', {}, async (trial) => {
  const gsup = await trial.start(
    ['--stop-on', 'WINCH', '--stop-on', 'USR1'],
    [fixture('cleans-up-for'), '1', '--code', '8'],
  );
  await gsup.ready();
  gsup.signal('SIGWINCH');
  const rung = await gsup.record('rung');
  expect(rung.signal).toBe('SIGWINCH');
  await until('the stop', () => gsup.records().some((line) => line.type === 'stop-requested'));
  gsup.signal('SIGTERM'); // WINCH does not end the fixture: the second ask escalates
  expect([8, 137]).toContain((await gsup.ended()).code);
});

scenario('S25 a signal target of leader leaves the background alone until it has gone', {}, async (trial) => {
  const leader = [fixture('leaves-background-child'), '--', fixture('reports-signals')];
  const gsup = await trial.start(['--target', 'leader', '-g', '10s'], leader);
  await gsup.stdout.line(/^leader ready/);
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(0);
  const gone = moment(await gsup.stdout.line(/^leader gone/));
  expect(msBetween(gone, moment(await gsup.stdout.line(/^got SIGTERM/)))).toBeGreaterThan(-5);
  expectGraceful(gsup);
});

scenario(
  'S25 a signal that comes before the first run is for that run',
  { modes: ['supervisor'] },
  async (trial) => {
    const gsup = await trial.start([], [fixture('prints-ready')]);
    // What comes before its first act never reaches a PID 1. The lock is a later one.
    await until('gsup to be there', () => existsSync(join(gsup.folder, 'lock')));
    // Node needs tens of milliseconds; where it was quicker, this is an ordinary signal and must arrive as well.
    gsup.signal('SIGUSR1');
    expect((await gsup.ended()).code).toBe(128 + 10);
  },
);
