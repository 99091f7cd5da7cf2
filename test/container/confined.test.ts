// Containers that are given little: memory, a user without rights, no place to write.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { descendants, findPrograms, look, statusField } from '../support/processes.ts';
import { theOne } from '../support/story.ts';
import { pause, until } from '../support/until.ts';
import { type Container, start } from './container.ts';
import { containerRing } from './podman.ts';

const { scenario } = await containerRing();
const obeys = ['sh', '-c', 'trap "exit 42" TERM; echo ready; while :; do sleep 0.1; done'];

async function expectObeys(container: Container): Promise<void> {
  await container.stop(10);
  expect(await container.ended()).toBe(42);
}

scenario('S54 a hundred orphans at once are all reaped, and gsup sleeps afterwards', async (mode) => {
  const orphans = 'for i in $(seq 100); do sleep 0.3 & done';
  const container = await start(mode, [], ['sh', '-c', `sh -c '${orphans}'; echo orphaned; exec sleep 1000`]);
  await container.line(/^orphaned$/);
  const pid = container.pid();
  await until('only the command to be left', () => findPrograms(pid, 'sleep').length === 1);
  await until('no zombie', () => descendants(pid).every((child) => look(child)?.state !== 'Z'));
  if (mode === 'supervisor') await until('the supervisor', () => findPrograms(pid, 'node').length === 1);
  // No fact says that a start-up is over; so PID 1 gets several chances to sleep through a whole second.
  const quiet: number[] = [];
  for (let chance = 0; chance < 8 && !quiet.includes(0); chance++) {
    const before = Number(statusField(pid, 'voluntary_ctxt_switches'));
    await pause(1000);
    quiet.push(Number(statusField(pid, 'voluntary_ctxt_switches')) - before);
  }
  expect(quiet, 'wake-ups of PID 1 per second').toContain(0);
  await container.stop(10);
  expect(await container.ended()).toBe(143);
});

scenario('S18 a user without rights: state under /tmp, stop as for root', async (mode) => {
  const container = await start(mode, [], obeys, { podman: ['--user', '1000:1000'] });
  await container.line(/^ready$/);
  await expectObeys(container);
  const records = await container.records('/tmp/gsup-1000/sh');
  expect(theOne(records, 'run-ended')).toMatchObject({ code: 42, forced: false });
});

scenario('S52 read-only root with tmpfs: state under /run', async (mode) => {
  const container = await start(mode, [], obeys, { podman: ['--read-only'] });
  await container.line(/^ready$/);
  expect(readdirSync(join(await container.files(), 'run/gsup/sh'))).toContain('init.log');
  await expectObeys(container);
});

scenario('S52 read-only root without tmpfs: state in the shared memory', async (mode) => {
  const container = await start(mode, [], obeys, { podman: ['--read-only', '--read-only-tmpfs=false'] });
  await container.line(/^ready$/);
  expect(readdirSync(join(await container.files(), 'dev/shm/gsup-0/sh'))).toContain('init.log');
  await expectObeys(container);
});

scenario('S52 a state directory that cannot be had is warned of, and the stop is the same', async (mode) => {
  const container = await start(mode, ['--state-dir', '/var/lib/gsup'], obeys, { podman: ['--read-only'] });
  await container.line(/^ready$/);
  expect((await container.line(/cannot .*\/var\/lib\/gsup/)).stream).toBe('stderr');
  await expectObeys(container);
});

scenario('S52 --require-state: 73, and nothing is started', async (mode) => {
  const options = ['--state-dir', '/var/lib/gsup', '--require-state'];
  const container = await start(mode, options, ['echo', 'started'], { podman: ['--read-only'] });
  expect(await container.ended()).toBe(73);
  expect(container.lines().filter((line) => line.stream === 'stdout')).toEqual([]);
  expect(container.text()).toContain('/var/lib/gsup');
});

scenario('S50 a second gsup for the same task ends with 75, the first is unaffected', async (mode) => {
  const container = await start(mode, ['--name', 'only'], obeys);
  await container.line(/^ready$/);
  const second = 'gsup=/proc/1/exe; $gsup run --name only -- echo started; echo code $?';
  expect(await container.exec('sh', '-c', second)).toBe('code 75');
  await expectObeys(container);
});

scenario('S50 after SIGKILL of PID 1 the container starts again, and the old log is kept', async (mode) => {
  const container = await start(mode, ['--name', 'again'], obeys);
  await container.line(/^ready$/);
  await container.kill('SIGKILL');
  expect(await container.ended()).toBe(137);
  const old = container.lines().length;
  await container.restart();
  await container.line(/^ready$/, old);
  await expectObeys(container);
  const folder = join(await container.files(), 'run/gsup/again');
  expect(readdirSync(folder)).toContain('init.log.1');
  expect(theOne(await container.records('/run/gsup/again'), 'run-ended')).toMatchObject({ code: 42 });
});

/** `ulimit -u` is bash's. */
const asBoundedUser = 'ulimit -u 100; exec setpriv --reuid 33 --regid 33 --clear-groups "$@"';

scenario('S67 a fork bomb of another uid, each process in a session of its own, ends', async (mode) => {
  const command = ['bash', '-c', asBoundedUser, '-', '/fixtures/fork-bomb', '--setsid'];
  const container = await start(mode, ['-g', '1s'], command, { fixtures: ['fork-bomb'] });
  await container.line(/ready/);
  await container.stop(20);
  expect(await container.ended()).toBe(137);
  const records = await container.records('/run/gsup/bash');
  expect(theOne(records, 'run-ended')).toMatchObject({ signal: 'SIGKILL', forced: true });
});

scenario('S67 a tree a thousand deep ends', async (mode) => {
  const command = ['/fixtures/forks-deep', '1000', '--ignore-term'];
  const container = await start(mode, ['-g', '500ms'], command, { fixtures: ['forks-deep'] });
  await container.line(/ready/);
  await container.stop(20);
  expect(await container.ended()).toBe(137);
  const records = await container.records('/run/gsup/forks-deep');
  expect(theOne(records, 'run-ended')).toMatchObject({ signal: 'SIGKILL', forced: true });
});
