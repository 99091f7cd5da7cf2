// Too little memory. Whoever must go, the supervisor goes first, and comes back when there is room.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { fixture } from '../support/fixtures.ts';
import { children, findPrograms, startTime } from '../support/processes.ts';
import type { Line } from '../support/records.ts';
import { theOne } from '../support/story.ts';
import { until } from '../support/until.ts';
import { type Container, gsup, mountGsup, start, startContainer } from './container.ts';
import { containerRing } from './podman.ts';

const { reason, scenario } = await containerRing();
const MEMORY = ['--memory', '96m', '--memory-swap', '96m'];
const holds = (mib: number) => ['/fixtures/holds-memory', String(mib), '--code', '42'];

const adjustment = (pid: number): number => Number(readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8'));
const commandOf = (container: Container): number[] => findPrograms(container.pid(), 'holds-memory');
const started = (records: readonly Line[]): number =>
  records.filter((record) => record.type === 'supervisor-started').length;

scenario('S46 the supervisor volunteers to the OOM killer, and nobody else does', async (mode) => {
  const container = await start(mode, [], holds(1), { fixtures: ['holds-memory'] });
  await container.line(/^ready$/);
  const [init] = [container.pid()];
  const supervisors = findPrograms(init, 'node');
  expect(supervisors).toHaveLength(mode === 'supervisor' ? 1 : 0);
  for (const supervisor of supervisors)
    await until('the supervisor to volunteer', () => adjustment(supervisor) === 1000);
  const others = [...children(init), ...commandOf(container)].filter((pid) => !supervisors.includes(pid));
  expect(others.length).toBeGreaterThan(0);
  for (const pid of others) expect(adjustment(pid), `${pid}`).toBe(adjustment(init));
  // Where PID 1 had been started it had the container's own; it has not raised it.
  expect(adjustment(init)).toBe(Number(await container.exec('cat', '/proc/self/oom_score_adj')));
  await container.stop(10);
  expect(await container.ended()).toBe(42);
});

/**
 * The supervisor as it is, which needs more and more memory as long as /hoards/yes is there. The command is done with taking
 * memory by then: a process that takes some just when the kernel has killed another one can be killed as well, because what
 * that one had is not free yet (seen with Linux 6.18).
 */
function hoardingSupervisor(): string {
  const folder = mkdtempSync(join(tmpdir(), 'gsup-hoards-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const hoards = "existsSync('/hoards/yes') && hoard.push(Buffer.alloc(4 << 20, 1))";
  const script = `import { existsSync } from 'node:fs';
    const hoard = [];
    setInterval(() => ${hoards}, 5);
    await import('/opt/gsup/dist/main.js');`;
  writeFileSync(join(folder, 'main.mjs'), script);
  return folder;
}

/** The supervisor takes memory until the kernel kills it; another one comes, and the commands are who they were. */
async function losesSupervisor(
  container: Container,
  folder: string,
  records: () => Promise<Line[]>,
): Promise<void> {
  const before = commandOf(container).map((pid) => `${pid} ${startTime(pid)}`);
  writeFileSync(join(folder, 'yes'), '');
  await container.line(/the supervisor ended \(killed by signal 9, for lack of memory\)/);
  rmSync(join(folder, 'yes'));
  const crashes = started(await records());
  while (started(await records()) <= crashes)
    await until('another supervisor', () => findPrograms(container.pid(), 'node').length === 1);
  expect(commandOf(container).map((pid) => `${pid} ${startTime(pid)}`)).toEqual(before);
}

test.skipIf(reason)(
  'S46 the supervisor takes all memory: it goes, the command stays, and a stop is the same [container, supervisor]',
  async () => {
    const folder = hoardingSupervisor();
    const more = ['-v', `${folder}:/hoards:ro`, '-e', 'GSUP_SUPERVISOR=/hoards/main.mjs'];
    const container = await start('supervisor', [], holds(32), {
      podman: [...MEMORY, ...more],
      fixtures: ['holds-memory'],
    });
    const records = () => container.records('/run/gsup/holds-memory');
    await container.line(/^ready$/);
    await losesSupervisor(container, folder, records);
    writeFileSync(join(folder, 'yes'), '');
    await container.stop(10);
    expect(await container.ended()).toBe(42);
    expect(theOne(await records(), 'run-ended')).toMatchObject({ code: 42, forced: false });
    expect((await records()).filter((record) => record.type === 'oom')).toEqual([]);
  },
);

/** What is in the folder /hoards: the supervisor above, and a config. */
const TASK = {
  name: 't',
  logging: { driver: 'prefix' },
  processes: {
    db: { command: holds(16) },
    web: { command: holds(16), depends_on: ['db'] },
  },
};

test.skipIf(reason)(
  'S46 S42 up: the supervisor takes all memory: it goes, no process does, and the stop is the same [container]',
  async () => {
    const folder = hoardingSupervisor();
    writeFileSync(join(folder, 'gsup.json'), JSON.stringify(TASK));
    const fixtures = dirname(fixture('holds-memory'));
    const mounts = ['-v', `${folder}:/hoards:ro`, '-v', `${fixtures}:/fixtures:ro`];
    const container = await startContainer([gsup, 'up', '-f', '/hoards/gsup.json'], {
      podman: [...mountGsup, ...MEMORY, ...mounts, '-e', 'GSUP_SUPERVISOR=/hoards/main.mjs'],
    });
    const records = () => container.records('/run/gsup/t');
    await container.line(/^web +\| ready$/);
    expect(commandOf(container)).toHaveLength(2);
    await losesSupervisor(container, folder, records);
    await container.stop(10);
    expect(await container.ended()).toBe(0);
    const ended = (await records()).filter((record) => record.type === 'run-ended');
    expect(ended.map(({ run, code, forced }) => `${run} ${code} ${forced}`)).toEqual([
      'web#1 42 false',
      'db#1 42 false',
    ]);
    expect((await records()).filter((record) => record.type === 'oom')).toEqual([]);
  },
);

scenario('S38 the kernel kills the command for lack of memory: that is its cause', async (mode) => {
  const container = await start(mode, [], ['tail', '/dev/zero'], { podman: MEMORY });
  expect(await container.ended()).toBe(137);
  const records = await container.records('/run/gsup/tail');
  expect(theOne(records, 'run-ended')).toMatchObject({ code: null, signal: 'SIGKILL', forced: false });
  expect(theOne(records, 'oom')).toMatchObject({ run: 'tail#1' });
  expect(container.text()).toMatch(/tail#1: .*killed (it )?for lack of memory/);
  const judged = records.filter((record) => record.type === 'outcome');
  for (const outcome of judged) expect(outcome).toMatchObject({ outcome: 'failed', cause: 'oom' });
});

scenario('S38 a SIGKILL by hand has another cause', async (mode) => {
  const container = await start(mode, [], holds(1), { fixtures: ['holds-memory'] });
  await container.line(/^ready$/);
  for (const pid of commandOf(container)) process.kill(pid, 'SIGKILL');
  expect(await container.ended()).toBe(137);
  const records = await container.records('/run/gsup/holds-memory');
  expect(records.filter((record) => record.type === 'oom')).toEqual([]);
  for (const outcome of records.filter((record) => record.type === 'outcome'))
    expect(outcome).toMatchObject({ outcome: 'failed', cause: 'signal' });
});
