// Sockets that gsup was given by socket activation (sd_listen_fds(3)): who gets them, and under which pid.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fixture } from '../support/fixtures.ts';
import { BINARY, type Settings } from '../support/gsup.ts';
import { scenario, type Trial } from '../support/scenario.ts';
import { until } from '../support/until.ts';

const SUPERVISED = { modes: ['supervisor'] } as const;
const ANSWERS = fixture('answers');
const CONTEXT = fixture('prints-context');

/** gsup is given `a` and `b` in the folder of the trial, as its descriptors 3 and 4. */
const given = (trial: Trial, ...more: string[]): Settings => ({
  before: [fixture('starts-oddly'), '--listen', trial.folder, ...more, '--'],
});

/** All that whoever accepts has to say. */
function ask(trial: Trial, name: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(join(trial.folder, name));
    socket.on('data', (data) => {
      text += data;
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(text));
  });
}

/** What a process found, less what it had without activation. */
function foundIn(text: string): { descriptors: string[]; variables: string[]; pid: number } {
  const { descriptors, environment, pid } = JSON.parse(text);
  return {
    descriptors: Object.keys(descriptors).filter((fd) => Number(fd) > 2),
    variables: environment.filter((entry: string) => entry.startsWith('LISTEN_')).sort(),
    pid,
  };
}

for (const name of ['a', 'b'])
  scenario(`S58 on a socket that gsup was given its command answers: ${name}`, {}, async (trial) => {
    const gsup = await trial.start([], [ANSWERS, '--code', '7'], given(trial));
    await gsup.ready();
    expect(await ask(trial, name)).toBe(name);
    expect((await gsup.ended()).code).toBe(7);
  });

scenario('S58 the command has the sockets, their names, and its own pid in LISTEN_PID', {}, async (trial) => {
  const gsup = await trial.start([], [CONTEXT], given(trial, '--leak'));
  expect((await gsup.ended()).code).toBe(0);
  const found = foundIn(gsup.stdout.text());
  expect(found.descriptors).toEqual(['3', '4', '9']);
  expect(found.variables).toEqual(['LISTEN_FDNAMES=a:b', 'LISTEN_FDS=2', `LISTEN_PID=${found.pid}`]);
});

scenario(
  'S58 after a restart the next run answers, also whom nobody has heard meanwhile, and after a crash of the supervisor',
  SUPERVISED,
  async (trial) => {
    const policy = ['--restart', 'on-failure', '--max-failures', '3', '--min-duration', '1ms'];
    const gsup = await trial.start(policy, [ANSWERS, '--code', '1'], given(trial));
    await gsup.ready();
    process.kill(await gsup.supervisor(), 'SIGKILL');
    expect(await Promise.all([ask(trial, 'a'), ask(trial, 'b'), ask(trial, 'a')])).toEqual(['a', 'b', 'a']);
    expect((await gsup.ended()).code).toBe(1);
    expect(gsup.records().filter(({ type }) => type === 'run-started')).toHaveLength(3);
  },
);

scenario('S58 what is meant for another pid is passed on as it is', {}, async (trial) => {
  const gsup = await trial.start([], [CONTEXT], given(trial, '--listen-pid', '4242'));
  expect((await gsup.ended()).code).toBe(0);
  const found = foundIn(gsup.stdout.text());
  expect(found.descriptors).toEqual(['3', '4']);
  expect(found.variables).toEqual([
    'LISTEN_FDNAMES=a:b',
    'LISTEN_FDS=2',
    'LISTEN_PID=4242',
    'LISTEN_PIDFDID=1',
  ]);
});

scenario("S58 sockets that are counted and not there are nobody's", {}, async (trial) => {
  const gsup = await trial.start([], [ANSWERS], given(trial, '--listen-count', '5'));
  expect((await gsup.ended()).code).toBe(98);
  expect(gsup.stderr.text()).toContain('not all of these descriptors are open');
});

scenario('S58 hooks and probes have none of it', SUPERVISED, async (trial) => {
  const to = (name: string) => `exec:${CONTEXT} >${join(trial.folder, name)}`;
  const gsup = await trial.start(
    ['--ready', to('probe'), '--pre-stop', to('hook').slice('exec:'.length)],
    [ANSWERS],
    given(trial, '--leak'),
  );
  await gsup.record('run-ready');
  gsup.signal('SIGTERM');
  await gsup.ended();
  for (const name of ['probe', 'hook']) {
    const found = foundIn(readFileSync(join(trial.folder, name), 'utf8'));
    expect(found.descriptors, name).toEqual(['9']);
    expect(found.variables, name).toEqual([]);
  }
});

scenario('S58 up gives them to nobody, and says so', SUPERVISED, async (trial) => {
  const gsup = await trial.up({ processes: { web: { command: [CONTEXT] } } }, given(trial, '--leak'));
  expect((await gsup.ended()).code).toBe(0);
  const found = foundIn(gsup.stdout.text());
  expect(found.descriptors).toEqual(['9']);
  expect(found.variables).toEqual([]);
  expect(gsup.stderr.text()).toContain('up has nobody who gets them');
});

scenario('S58 nobody can connect to a socket that up has closed', SUPERVISED, async (trial) => {
  const gsup = await trial.up({ processes: { web: { command: ['sleep', '60'] } } }, given(trial));
  await gsup.record('run-started');
  await expect(ask(trial, 'a')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(0);
});

scenario('--ready fd:3 is refused where that is a socket of the command', SUPERVISED, async (trial) => {
  const gsup = await trial.start(['--ready', 'fd:4'], [ANSWERS], { ...given(trial), brokenLogs: true });
  expect((await gsup.ended()).code).toBe(64);
  expect(gsup.stderr.text()).toContain('cannot use --ready fd:4');
});

scenario('--clear-env: what --env names is there, under the pid of the command', {}, async (trial) => {
  const options = ['--clear-env', '--env', 'LISTEN_PID', '--env', 'LISTEN_FDS'];
  const gsup = await trial.start(options, [CONTEXT], given(trial));
  expect((await gsup.ended()).code).toBe(0);
  const found = foundIn(gsup.stdout.text());
  expect(found.variables).toEqual(['LISTEN_FDS=2', `LISTEN_PID=${found.pid}`]);
});

scenario(
  'S58 the portable host passes none on, as it says',
  { rings: ['portable'], modes: ['supervisor'] },
  async (trial) => {
    const gsup = await trial.start([], [CONTEXT], given(trial, '--leak'));
    expect((await gsup.ended()).code).toBe(0);
    expect(foundIn(gsup.stdout.text()).descriptors).toEqual([]);
    expect(gsup.stderr.text()).toContain('no sockets of LISTEN_FDS');
  },
);

for (const name of ['tini', 'dumb-init'])
  scenario(`as ${name} with a grace the command answers`, { modes: ['order'] }, async (trial) => {
    mkdirSync(join(trial.folder, 'bin'));
    symlinkSync(BINARY, join(trial.folder, 'bin', name));
    const gsup = await trial.start([], [], {
      ...given(trial),
      instead: [join(trial.folder, 'bin', name), ANSWERS],
      env: { GSUP_STATE_DIR: join(trial.folder, 'state'), GSUP_GRACE: '20s' },
      brokenLogs: true,
    });
    await gsup.ready();
    expect(await ask(trial, 'b')).toBe('b');
    expect((await gsup.ended()).code).toBe(0);
  });

const activate = spawnSync('sh', ['-c', 'command -v systemd-socket-activate'], { encoding: 'utf8' });
if (activate.status !== 0) test.skip('systemd-socket-activate: it is not installed', () => {});
else
  scenario('S58 below systemd-socket-activate the command answers who has woken it', {}, async (trial) => {
    const place = join(trial.folder, 'a');
    const gsup = await trial.start([], [ANSWERS], {
      before: [activate.stdout.trim(), '--fdname=a', '-l', place, '--'],
    });
    await until('the socket', () => gsup.stderr.text().includes('Listening on'));
    expect(await ask(trial, 'a')).toBe('a');
    expect((await gsup.ended()).code).toBe(0);
  });
