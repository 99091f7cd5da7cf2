import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { gsupCommand } from '../support/cli.ts';
import { fixture, pathWithoutNode } from '../support/fixtures.ts';
import { type Gsup, gsupCommandLine } from '../support/gsup.ts';
import { copyInstallation } from '../support/installation.ts';
import { look } from '../support/processes.ts';
import { scenario, type Trial } from '../support/scenario.ts';
import { expectGraceful, expectKilledAfter, expectWait, theOne } from '../support/story.ts';
import { pause, until, untilAsync } from '../support/until.ts';

const SUPERVISED = { modes: ['supervisor'] } as const;

/** gsup with a Node that can be taken away and put back. */
async function begin(trial: Trial, options: string[], command: string[]) {
  const folder = join(trial.folder, 'bin');
  const node = join(folder, 'node');
  mkdirSync(folder);
  linkSync(process.execPath, node);
  const gsup = await trial.start(options, command, { env: { PATH: `${folder}:${pathWithoutNode()}` } });
  return { gsup, remove: () => unlinkSync(node), restore: () => linkSync(process.execPath, node) };
}

async function start(trial: Trial, options: string[], command: string[]) {
  const begun = await begin(trial, options, command);
  await begun.gsup.ready();
  return begun;
}

async function lose(gsup: Gsup, remove: () => void): Promise<void> {
  const supervisor = await gsup.supervisor();
  remove();
  process.kill(supervisor, 'SIGKILL');
  await until('the supervisor to be gone', () => look(supervisor) === undefined);
}

scenario('S46 without a Node a stop is carried out by order alone', SUPERVISED, async (trial) => {
  const { gsup, remove } = await start(trial, ['-g', '1s'], [fixture('ignores-sigterm')]);
  await lose(gsup, remove);
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(137);
  expectKilledAfter(gsup, 1000);
});

scenario('S46 the command runs on untouched, and it is said once', SUPERVISED, async (trial) => {
  const { gsup, remove } = await start(trial, [], [fixture('reports-signals'), '--code', '3']);
  const before = gsup.find('reports-signals');
  await lose(gsup, remove);
  await until('a message', () => /supervisor/i.test(gsup.stderr.text()));
  gsup.signal('SIGUSR1');
  await gsup.stdout.line(/^got SIGUSR1/);
  expect(gsup.find('reports-signals')).toEqual(before);
  // Of a namespace nobody outside can say which task lives.
  if (trial.ring === 'subreaper')
    await untilAsync('health to fail', async () => {
      const { code, stdout } = await gsupCommand(gsup, 'health');
      return code === 1 && stdout === 't: it has no supervisor (yet)\n';
    });
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(3);
  expectGraceful(gsup);
});

scenario(
  'S46 when Node is back, so is the supervisor',
  { ...SUPERVISED, timeoutMs: 120_000 },
  async (trial) => {
    const { gsup, remove, restore } = await start(
      trial,
      ['-g', '10s'],
      [fixture('cleans-up-for'), '1', '--code', '3'],
    );
    await lose(gsup, remove);
    restore();
    await until(
      'another supervisor',
      () => gsup.records().filter((line) => line.type === 'supervisor-started').length === 2,
      30_000,
    );
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(3);
  },
);

scenario('S46 a rung that only a supervisor can climb is skipped at once', SUPERVISED, async (trial) => {
  const options = ['--pre-stop', 'sleep 30', '--pre-stop-timeout', '30s', '-g', '10s'];
  const { gsup, remove } = await start(trial, options, [fixture('cleans-up-for'), '1', '--code', '3']);
  await lose(gsup, remove);
  gsup.signal('SIGTERM');
  const request = await gsup.record('stop-requested');
  const ended = await gsup.ended();
  expect(ended.code).toBe(3);
  expectWait(request, { mono_ns: ended.at }, 0, 5000);
  expect(unkept(gsup)).toEqual(['t#1 pre-stop hook']);
  expect(gsup.stderr.text()).toMatch(/t#1: its pre-stop hook is not kept/);
});

/** What was promised for the stop and needs a supervisor. */
function unkept(gsup: Gsup): string[] {
  return gsup
    .records()
    .filter((line) => line.type === 'unkept')
    .map((line) => `${line.run} ${line.what}`);
}

scenario(
  'S46 a hook that runs when the last supervisor goes is given up, and it is said',
  SUPERVISED,
  async (trial) => {
    const options = ['--pre-stop', 'sleep 30', '--pre-stop-timeout', '30s', '-g', '10s'];
    const { gsup, remove } = await start(trial, options, [fixture('cleans-up-for'), '1', '--code', '3']);
    gsup.signal('SIGTERM');
    await gsup.record('run-started', (line) => line.run === 't#1/pre-stop.1');
    await lose(gsup, remove);
    expect((await gsup.ended()).code).toBe(3);
    expect(unkept(gsup)).toEqual(['t#1 pre-stop hook']);
  },
);

scenario(
  'S46 a post-stop hook that nobody can start is left out, and it is said',
  SUPERVISED,
  async (trial) => {
    const file = join(trial.folder, 'hook');
    const options = ['--post-stop', `touch ${file}`];
    const { gsup, remove } = await start(trial, options, [fixture('cleans-up-for'), '1', '--code', '3']);
    await lose(gsup, remove);
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(3);
    expect(existsSync(file)).toBe(false);
    expect(unkept(gsup)).toEqual(['t#1 post-stop hook']);
  },
);

scenario('S46 a second and a third signal climb the order, too', SUPERVISED, async (trial) => {
  const ladder = ['--rung', 'USR1:60s', '--rung', 'USR2:60s'];
  const command = [fixture('reports-signals'), '--exit-on', 'none'];
  const { gsup, remove } = await start(trial, ladder, command);
  await lose(gsup, remove);
  gsup.signal('SIGTERM');
  await gsup.stdout.line(/^got SIGUSR1/);
  await pause(300); // within 250 ms it would be the same request
  gsup.signal('SIGTERM');
  await gsup.stdout.line(/^got SIGUSR2/);
  await pause(300);
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(137);
  expect(gsup.stdout.lines(/^got SIGUSR[12]/)).toHaveLength(2);
});

scenario(
  'S46 a stop between two runs ends it, also when nobody is there to decide',
  SUPERVISED,
  async (trial) => {
    const file = join(trial.folder, 'runs');
    const policy = ['--restart', 'on-failure', '--max-failures', '0', '--min-duration', '60s'];
    const { gsup, remove } = await begin(trial, policy, [fixture('fails-until'), file, '99', '--code', '9']);
    await gsup.record('backoff');
    await lose(gsup, remove);
    await until('a message', () => /cannot be started/.test(gsup.stderr.text()));
    gsup.signal('SIGTERM');
    expect((await gsup.ended(15_000)).code).toBe(9);
    expect(readFileSync(file, 'utf8').trim().split('\n')).toHaveLength(1);
    expect(gsup.records().findLast((line) => line.type === 'task-state')).toMatchObject({ exit_code: 9 });
  },
);

scenario('S46 so does the end of a run whose hook was still to be waited for', SUPERVISED, async (trial) => {
  const options = ['--post-stop', 'echo hooked; sleep 6'];
  const { gsup, remove } = await begin(trial, options, [fixture('exits-with'), '7']);
  await gsup.stdout.line(/^hooked/);
  await lose(gsup, remove);
  expect((await gsup.ended(30_000)).code).toBe(7);
  expect(unkept(gsup)).toEqual([]);
});

scenario(
  'S46 a run that needs Node where there is none is refused with 69',
  { modes: ['order'] },
  async (trial) => {
    const gsup = await trial.start(['--stay'], [fixture('exits-with'), '0', '--say', 'ran'], {
      brokenLogs: true,
    });
    expect((await gsup.ended()).code).toBe(69);
    expect(gsup.stdout.text()).toBe('');
    expect(gsup.stderr.text()).toMatch(/node/i);
  },
);

test('S46 so it is where its stderr is a pipe, which init has opened anew: the reason is said there, and not to init', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gsup-alone-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const gsup = join(folder, 'gsup');
  copyFileSync(join(import.meta.dirname, '../../dist/native/gsup'), gsup);
  const script = '{ "$0" run --stay --state-dir "$1" -- true; echo "code $?"; } 2>&1 | cat';
  const { stdout } = spawnSync('sh', ['-c', script, gsup, join(folder, 'state')], { encoding: 'utf8' });
  expect(stdout).toMatch(/cannot find the JavaScript part of gsup.*\ncode 69\n$/);
  expect(stdout).not.toContain('protocol');
});

scenario('S46 a Node that may not be executed is the same, until it may again', SUPERVISED, async (trial) => {
  const folder = join(trial.folder, 'bin');
  mkdirSync(folder);
  copyFileSync(process.execPath, join(folder, 'node'));
  const env = { PATH: `${folder}:${pathWithoutNode()}` };
  const gsup = await trial.start([], [fixture('reports-signals'), '--code', '3'], { env });
  await gsup.ready();
  const before = gsup.find('reports-signals');
  await lose(gsup, () => chmodSync(join(folder, 'node'), 0o644));
  await gsup.stderr.line(/the supervisor cannot be started/);
  expect(gsup.find('reports-signals')).toEqual(before);
  chmodSync(join(folder, 'node'), 0o755);
  await untilStarted(gsup, 2);
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(3);
  theOne(gsup.records(), 'run-started');
});

/** The JavaScript part of gsup's own installation is away, or broken. Returns how it is repaired. */
const damages: Readonly<Record<string, (dist: string) => () => void>> = {
  'is removed': (dist) => {
    renameSync(join(dist, 'main.cjs'), join(dist, 'away.cjs'));
    return () => renameSync(join(dist, 'away.cjs'), join(dist, 'main.cjs'));
  },
  'has lost what it loads': (dist) => {
    renameSync(join(dist, 'dispatch.cjs'), join(dist, 'away.cjs'));
    return () => renameSync(join(dist, 'away.cjs'), join(dist, 'dispatch.cjs'));
  },
  'is half written': (dist) => {
    const whole = readFileSync(join(dist, 'dispatch.cjs'));
    writeFileSync(join(dist, 'dispatch.cjs'), whole.subarray(0, whole.length / 2));
    return () => writeFileSync(join(dist, 'dispatch.cjs'), whole);
  },
};
for (const [what, damage] of Object.entries(damages))
  scenario(`S46 the installation ${what}: a stop is carried out`, SUPERVISED, async (trial) => {
    const { gsup, dist } = await installed(trial);
    await lose(gsup, () => void damage(dist));
    await gsup.stderr.line(/the supervisor cannot be started/);
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(3);
    expect(gsup.stdout.lines(/^got SIGTERM/)).toHaveLength(1);
    expectGraceful(gsup);
  });
for (const [what, damage] of Object.entries(damages))
  scenario(`S46 the installation ${what}, and is repaired`, SUPERVISED, async (trial) => {
    const { gsup, dist } = await installed(trial);
    const before = gsup.find('reports-signals');
    let repair = (): void => {};
    await lose(gsup, () => {
      repair = damage(dist);
    });
    await gsup.stderr.line(/the supervisor cannot be started/);
    repair();
    await untilStarted(gsup, 2);
    expect(gsup.find('reports-signals')).toEqual(before);
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(3);
    expect(gsup.stderr.lines(/the supervisor cannot be started/)).toHaveLength(1);
    theOne(gsup.records(), 'run-started');
  });

scenario(
  'S46 what Node has compiled is kept for the next supervisor, and one that is damaged is made anew',
  SUPERVISED,
  async (trial) => {
    const { gsup, dist } = await installed(trial);
    const kept = join(dist, 'cache');
    const names = (): string[] => readdirSync(kept).filter((name) => /^supervisor-.*[.]bin$/.test(name));
    await until('what was compiled to be kept', () => existsSync(kept) && names().length === 1);
    const file = join(kept, ...names());
    const whole = readFileSync(file);
    const damaged = whole.map((byte, at) => (at % 5000 === 2500 ? byte ^ 0x55 : byte));
    await lose(gsup, () => writeFileSync(file, damaged));
    await untilStarted(gsup, 2);
    await until('it to be replaced', () => !readFileSync(file).equals(damaged));
    await lose(gsup, () => {});
    await untilStarted(gsup, 3);
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(3);
    expect(gsup.stdout.lines(/^got SIGTERM/)).toHaveLength(1);
    expect(names()).toHaveLength(1);
  },
);

/** A gsup of an installation of its own. */
async function installed(trial: Trial): Promise<{ gsup: Gsup; dist: string }> {
  const dist = join(copyInstallation(join(trial.folder, 'installation')), 'dist');
  rmSync(join(dist, 'cache'), { recursive: true, force: true });
  const command = [fixture('reports-signals'), '--code', '3'];
  const [, ...words] = gsupCommandLine(trial.ring, trial.mode, [], join(trial.folder, 'state'), 't');
  const instead = [join(dist, 'native/gsup'), ...words, ...command];
  const gsup = await trial.start([], [], { instead });
  await gsup.ready();
  return { gsup, dist };
}

function untilStarted(gsup: Gsup, count: number): Promise<boolean> {
  const started = () => gsup.records().filter((line) => line.type === 'supervisor-started');
  return until(`${count} supervisors`, () => started().length === count);
}
