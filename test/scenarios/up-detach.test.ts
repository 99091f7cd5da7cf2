// `gsup up -d`: in the background, found by all commands, and whoever has asked for it is told what has become of it.
import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { gsupCommand } from '../support/cli.ts';
import { BINARY } from '../support/gsup.ts';
import { isAlive } from '../support/processes.ts';
import { readRecords } from '../support/records.ts';
import { scenario, type Trial } from '../support/scenario.ts';
import { until } from '../support/until.ts';

/** Of a namespace nobody outside can say which task lives. */
const WHERE = { modes: ['supervisor'], rings: ['subreaper'] } as const;
const sleeper = { command: ['sleep', '600'] };

function place(trial: Trial, config: object) {
  const folder = join(trial.folder, 'state', 't');
  mkdirSync(join(trial.folder, 'state'), { mode: 0o711 });
  const file = join(trial.folder, 'gsup.json');
  writeFileSync(file, JSON.stringify(config));
  trial.afterwards(async () => {
    await gsupCommand({ folder }, 'down', '--now', '--wait', '--name', 't');
  });
  const gsup = (...words: string[]) => gsupCommand({ folder }, '--name', 't', ...words);
  const messages = () => readFileSync(join(folder, 'messages.log'), 'utf8');
  return { folder, file, gsup, messages, up: () => gsup('up', '-d', '-f', file) };
}

/** Field n of proc_pid_stat(5), behind the name. */
function statField(pid: number, n: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[n - 3]);
}

scenario('up -d returns when all is ready; status, logs and down find it', WHERE, async (trial) => {
  const sign = join(trial.folder, 'sign');
  const { folder, up, gsup, messages } = place(trial, {
    processes: {
      db: {
        command: `echo begun; echo grumble >&2; sleep 0.5; touch ${sign}; exec sleep 600`,
        ready: { exec: ['test', '-e', sign] },
      },
      web: { ...sleeper, depends_on: ['db'] },
    },
  });
  const said = await up();
  expect(said.stdout).toBe(`t: ready, in the background; messages are in ${folder}/messages.log\n`);
  expect([said.code, said.stderr]).toEqual([0, '']);
  const types = readRecords(folder).map(({ type, run }) => `${type} ${run ?? ''}`);
  expect(types).toContain('run-ready db#1');
  expect(types).toContain('run-started web#1');

  const { task, processes } = JSON.parse((await gsup('status', '--json')).stdout);
  expect(processes.map(({ state }: { state: string }) => state)).toEqual(['ready', 'running']);
  expect([statField(task.pid, 6), statField(task.pid, 7)], 'a session without a terminal').toEqual([
    task.pid,
    0,
  ]);
  expect([0, 1, 2].map((fd) => readlinkSync(`/proc/${task.pid}/fd/${fd}`))).toEqual(
    Array(3).fill('/dev/null'),
  );
  const logs = await gsup('logs');
  expect(logs.stdout).toMatch(/begun/);
  expect(logs.stderr).toMatch(/grumble/);
  expect(messages(), 'what processes write would fill it').not.toMatch(/begun|grumble/);

  // A later supervisor speaks there as well.
  const supervisor = readRecords(folder).find(({ type }) => type === 'supervisor-started')?.pid as number;
  process.kill(supervisor, 'SIGKILL');
  await until('a word about it', () => messages().includes('supervisor'));

  expect((await gsup('down', '--wait')).stdout).toContain('t: killed, exit code 0\n');
  expect(messages()).toMatch(/^gsup: stopped, exit code 0/m);
  await until('gsup has gone', () => !isAlive(task.pid));
});

scenario('up -d of a task that is up already is refused, and changes nothing', WHERE, async (trial) => {
  const { folder, up, gsup, messages } = place(trial, { processes: { web: sleeper } });
  expect((await up()).code).toBe(0);
  const before = [readRecords(folder).length, messages()];
  const again = await up();
  expect([again.code, again.stdout]).toEqual([75, '']);
  expect(again.stderr).toContain('cannot start "t": another gsup holds this task');
  expect((await gsup('down', '--wait')).code).toBe(0);
  expect(readRecords(folder).length).toBeGreaterThan(before[0] as number);
});

scenario('up -d says what has failed, and ends with its code', WHERE, async (trial) => {
  const { file, up, gsup } = place(trial, { processes: { web: { commnd: 'x' } } });
  const bad = await up();
  expect([bad.code, bad.stdout]).toEqual([78, '']);
  expect(bad.stderr).toMatch(/gsup\.json:1:\d+: .*commnd/);

  writeFileSync(file, JSON.stringify({ processes: { web: sleeper, db: { command: ['/no/such'] } } }));
  const missing = await up();
  expect([missing.code, missing.stdout]).toEqual([127, '']);
  expect(missing.stderr).toMatch(/db.*\/no\/such/);
  expect(missing.stderr).toContain('"t" has ended before it was ready: failed, exit code 127');

  const late = { command: 'sleep 0.2; exit 3', ready: { exec: ['false'] } };
  writeFileSync(file, JSON.stringify({ processes: { web: sleeper, late } }));
  expect(await up()).toMatchObject({ code: 3, stdout: '' });

  writeFileSync(file, JSON.stringify({ max_failures: 0, processes: { web: sleeper, late } }));
  const without = await up();
  expect([without.code, without.stdout]).toEqual([69, '']);
  expect(without.stderr).toContain('"late" is failed; "t" goes on without it, in the background');
  expect((await gsup('down', '--wait')).code).toBe(0);

  const mute = { ...sleeper, logging: { driver: 'inherit' } };
  writeFileSync(file, JSON.stringify({ processes: { mute, web: sleeper } }));
  const warned = await up();
  expect(warned.code).toBe(0);
  expect(warned.stderr).toContain('warning: the output of mute is lost in the background');
  expect((await gsup('down', '--wait')).code).toBe(0);

  writeFileSync(file, JSON.stringify({ processes: { once: { command: 'true' } } }));
  expect(await up()).toEqual({
    code: 0,
    stdout: 't: success, and nothing is left to run\n',
    stderr: expect.any(String),
  });
});

scenario('up -d whose caller gives up waiting goes on', WHERE, async (trial) => {
  const { folder, file, gsup } = place(trial, {
    processes: { web: { ...sleeper, ready: { exec: ['false'], timeout: '10m' } } },
  });
  const env = { PATH: process.env.PATH ?? '', GSUP_STATE_DIR: join(trial.folder, 'state') };
  const client = spawn(BINARY, ['up', '-d', '--name', 't', '-f', file], { env, stdio: 'ignore' });
  await until(
    'the process runs',
    () => existsSync(folder) && readRecords(folder).some(({ type }) => type === 'run-started'),
  );
  await until('who waits is a client by now', () => readlinkSync(`/proc/${client.pid}/exe`) !== BINARY);
  const gone = new Promise((resolve) => client.on('exit', (code, signal) => resolve(signal ?? code)));
  client.kill('SIGINT');
  expect(await gone).toBe('SIGINT');
  const { processes } = JSON.parse((await gsup('status', '--json')).stdout);
  expect(processes[0].state).toBe('running');
  expect((await gsup('down', '--wait')).code).toBe(0);
});

scenario('up -d without a state directory begins nothing', WHERE, async (trial) => {
  const { folder, file } = place(trial, { processes: { web: sleeper } });
  const said = await gsupCommand(
    { folder },
    'up',
    '-d',
    '--state-dir',
    '/proc/none',
    '--name',
    't',
    '-f',
    file,
  );
  expect([said.code, said.stdout]).toEqual([73, '']);
  expect(said.stderr).toContain('cannot use the state directory "/proc/none"');
});

test.skipIf(process.getuid?.() !== 0)('up -d as PID 1 is refused, and says why', () => {
  const words = [
    '--pid',
    '--fork',
    '--kill-child',
    '--mount-proc',
    BINARY,
    'up',
    '-d',
    '--name',
    't',
    '-f',
    '-',
  ];
  const input = 'processes: {web: {command: [sleep, "600"]}}\n';
  const stateDir = mkdtempSync(join(tmpdir(), 'gsup-'));
  const env = { PATH: process.env.PATH ?? '', GSUP_LOG_FORMAT: 'text', GSUP_STATE_DIR: stateDir };
  const said = spawnSync('unshare', words, { input, env, encoding: 'utf8' });
  rmSync(stateDir, { recursive: true, force: true });
  expect(said.stderr).toContain(
    'cannot go into the background as PID 1: the container, or namespace, would end at once',
  );
  expect([said.status, said.stdout]).toEqual([64, '']);
});
