import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { fixture } from '../support/fixtures.ts';
import { collect, moment } from '../support/output.ts';
import { isAlive, look, startTime } from '../support/processes.ts';
import { msBetween } from '../support/records.ts';
import { LATE_MS, scenario, type Trial } from '../support/scenario.ts';
import { expectWait } from '../support/story.ts';
import { until } from '../support/until.ts';

/** As PID 1 gsup takes everything with it, and there is nothing to deal with. */
const OUTSIDE = { rings: ['subreaper'] } as const;

/** It is killed, and so are its logs; what it leaves may live on for a while. */
const LEFT = { warden: ['--linger', '15000'], mayLeave: true, brokenLogs: true } as const;

const WAITS = /waiting for what it left/;

/** A gsup that is killed itself; what it leaves may live on for a while below the warden. */
async function killed(trial: Trial, options: string[], command: string[]) {
  const gsup = await trial.start(options, command, LEFT);
  await gsup.ready();
  const pids = gsup.find(command[0]?.split('/').at(-1) ?? '');
  gsup.signal('SIGKILL');
  // Until it has gone the name is its own.
  await until('gsup to be dead', () => !isAlive(gsup.pid));
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

const BY_ORDER = { ...OUTSIDE, modes: ['order'] } as const;

scenario(
  'S49 init is killed before it does anything more than fork: the next gsup knows the command all the same',
  BY_ORDER,
  async (trial) => {
    const gsup = await trial.start(['-g', '1s'], [fixture('ignores-sigterm')], {
      ...LEFT,
      before: [fixture('stops-at-fork'), '1', '--'],
    });
    await gsup.ready();
    const pids = gsup.find('ignores-sigterm');
    expect(pids).toHaveLength(1);
    gsup.signal('SIGKILL');
    await until('gsup to be dead', () => !isAlive(gsup.pid));
    const next = await trial.start([], [fixture('exits-with'), '6'], { brokenLogs: true });
    expect((await next.ended()).code).toBe(6);
    expect(next.stderr.text()).toMatch(WAITS);
    expect(pids.filter(isAlive)).toEqual([]);
    await gsup.ended();
  },
);

scenario(
  'S49 init is killed before it has noted a coordinator: nothing is started that nobody would know',
  { ...OUTSIDE, modes: ['supervisor'] },
  async (trial) => {
    const before = [fixture('stops-at-fork'), '2', '--'];
    const gsup = await trial.start([], [fixture('prints-ready')], { ...LEFT, before });
    // Its supervisor, and the coordinator.
    await until(
      'init to be stopped at its second fork',
      () => gsup.tree().length >= 2 && look(gsup.pid)?.state === 't',
    );
    gsup.signal('SIGKILL');
    await gsup.ended();
    expect(gsup.stdout.text()).toBe('');
    const next = await trial.start([], [fixture('exits-with'), '6'], { brokenLogs: true });
    expect((await next.ended()).code).toBe(6);
    expect(next.stderr.text()).not.toMatch(WAITS);
  },
);

scenario(
  'S49 who is killed while it waits for what is left leaves that to the next',
  BY_ORDER,
  async (trial) => {
    const { gsup, pids } = await killed(trial, ['-g', '5s'], [fixture('ignores-sigterm')]);
    const second = await trial.start([], [fixture('exits-with'), '5'], LEFT);
    await second.stderr.line(WAITS);
    second.signal('SIGKILL');
    expect((await second.ended()).signal).toBe(9);
    expect(pids.filter(isAlive)).toHaveLength(1);
    const third = await trial.start([], [fixture('exits-with'), '6'], { brokenLogs: true });
    expect((await third.ended()).code).toBe(6);
    expect(third.stderr.text()).toMatch(WAITS);
    expect(pids.filter(isAlive)).toEqual([]);
    await gsup.ended();
  },
);

scenario(
  'S49 init and supervisor are killed at once: the order is carried out, and what it cannot keep is said',
  { ...OUTSIDE, modes: ['supervisor'] },
  async (trial) => {
    const file = join(trial.folder, 'hook');
    const options = ['--pre-stop', `touch ${file}`, '-g', '10s'];
    const gsup = await trial.start(options, [fixture('cleans-up-for'), '1500'], LEFT);
    await gsup.ready();
    for (const pid of [await gsup.supervisor(), gsup.pid]) process.kill(pid, 'SIGKILL');
    await until('gsup to be dead', () => !isAlive(gsup.pid));
    const next = await trial.start(['-g', '10s'], [fixture('cleans-up-for'), '1', '--code', '4'], {
      brokenLogs: true,
    });
    await next.ready();
    const cleaned = moment(gsup.stdout.lines(/^cleaned/)[0] ?? expect.fail('it has not waited'));
    expect(gsup.stdout.lines(/^cleaning/)).toHaveLength(1);
    expect(existsSync(file)).toBe(false);
    expect(gsup.stderr.text()).toMatch(/pre-stop hook is not kept/);
    next.signal('SIGTERM');
    expect((await next.ended()).code).toBe(4);
    expect(msBetween(cleaned, moment(await next.stdout.line(/^cleaning/)))).toBeGreaterThan(0);
    expect((await gsup.ended()).signal).toBe(9);
  },
);

scenario(
  'S49 init and supervisor are killed in the middle of a grace: it goes on where it was',
  { ...OUTSIDE, modes: ['supervisor'] },
  async (trial) => {
    const gsup = await trial.start(['-g', '3s'], [fixture('ignores-sigterm')], LEFT);
    await gsup.ready();
    const [command = 0] = gsup.find('ignores-sigterm');
    gsup.signal('SIGTERM');
    const rung = await gsup.record('rung');
    for (const pid of [await gsup.supervisor(), gsup.pid]) process.kill(pid, 'SIGKILL');
    await until('the command to be killed', () => !isAlive(command), 15_000);
    const now = { mono_ns: String(process.hrtime.bigint()) };
    expectWait({ mono_ns: rung.deadline_ns as string }, now, 0, 3 * LATE_MS);
    await gsup.ended();
  },
);

/** A process that has nothing to do with gsup, and a lock that names it as what a killed gsup has left. */
async function bystander(trial: Trial, exitOn: string, change: (lock: string) => string) {
  const child = spawn(fixture('reports-signals'), ['--exit-on', exitOn], {
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  });
  trial.afterwards(() => void child.kill('SIGKILL'));
  const heard = collect(child.stdout);
  await heard.line(/^ready/);
  const pid = child.pid ?? 0;
  const folder = join(trial.folder, 'state', 't');
  mkdirSync(folder, { recursive: true });
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const init = `${boot} ${statSync('/proc/self/ns/pid').ino} 4194000 5`;
  const run = `run 0 0 ${pid} ${startTime(pid)} 0 10:300 12:9000`;
  writeFileSync(join(folder, 'lock'), change(`${init}\n${run}\n`), { mode: 0o600 });
  const gsup = await trial.start([], [fixture('exits-with'), '6'], { brokenLogs: true });
  expect((await gsup.ended()).code).toBe(6);
  return { gsup, heard, pid };
}

const changes: Readonly<Record<string, (lock: string) => string>> = {
  'another start time': (lock) =>
    lock.replace(/(\d+) 0 10:300/, (_, ticks) => `${Number(ticks) - 7} 0 10:300`),
  'another boot id': (lock) => lock.replace(/^\S+/, '00000000-0000-4000-8000-000000000000'),
  'another pid namespace': (lock) =>
    lock.replace(/^(\S+) (\d+)/, (_, boot, ns) => `${boot} ${Number(ns) + 1}`),
};
for (const [what, change] of Object.entries(changes))
  scenario(`S48 what an earlier gsup left has ${what}: it is left alone`, OUTSIDE, async (trial) => {
    const { gsup, heard, pid } = await bystander(trial, 'none', change);
    expect(gsup.stderr.text()).not.toMatch(/waiting for what it left/);
    expect(heard.lines(/^got/)).toEqual([]);
    expect(isAlive(pid)).toBe(true);
  });

scenario('S48 what is verified is waited for, and climbs its recorded rungs', OUTSIDE, async (trial) => {
  const { gsup, heard } = await bystander(trial, 'SIGUSR2', (lock) => lock);
  expect(gsup.stderr.text()).toMatch(/waiting for what it left/);
  const got = heard.lines(/^got (\S+)/).map((line) => line[1]);
  expect(got).toEqual(['SIGUSR1', 'SIGUSR2']);
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
