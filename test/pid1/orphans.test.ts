import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect } from 'vitest';
import { fixture } from '../support/fixtures.ts';
import type { Gsup } from '../support/gsup.ts';
import { descendants, isAlive, look, program, statusField } from '../support/processes.ts';
import { scenario } from '../support/scenario.ts';
import { pause, until } from '../support/until.ts';

const IDLE_MS = 3000;

/** How often init and its coordinators have slept and been woken so far. */
function wakeUps(gsup: Gsup): string {
  const own = [gsup.pid, ...descendants(gsup.pid).filter((pid) => program(pid) === program(gsup.pid))];
  return own.map((pid) => `${pid}:${statusField(pid, 'voluntary_ctxt_switches')}`).join(' ');
}

async function expectIdle(gsup: Gsup): Promise<void> {
  let last = '';
  const atRest = () => {
    const before = last;
    last = wakeUps(gsup);
    return last === before;
  };
  await until('gsup to come to rest', atRest, 10_000);
  await pause(300);
  const before = wakeUps(gsup);
  await pause(IDLE_MS);
  expect(wakeUps(gsup), `wake-ups in ${IDLE_MS} ms of idleness`).toBe(before);
}

scenario(
  'S54 of 1,000 orphans at once none stays a zombie, and gsup is idle afterwards',
  {},
  async (trial) => {
    const gsup = await trial.start(['-g', '20s'], [fixture('orphans'), '1000', '--code', '4']);
    await gsup.ready();
    expect(gsup.find('orphans')).toHaveLength(1001);
    gsup.signal('SIGUSR1');
    await gsup.stdout.line(/^released/);
    const zombies = () => gsup.tree().filter((pid) => look(pid)?.state === 'Z');
    await until(
      'the orphans to be reaped',
      () => gsup.find('orphans').length === 1 && zombies().length === 0,
    );
    await expectIdle(gsup);
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(4);
  },
);

scenario('S54 gsup is idle while its command is', {}, async (trial) => {
  const gsup = await trial.start([], [fixture('prints-ready')]);
  await gsup.ready();
  await expectIdle(gsup);
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(143);
});

/** Starts a fixture in the namespace of gsup from outside, as `podman exec` does, and lets its daemon be orphaned. */
function exec(gsup: Gsup, words: readonly string[]): void {
  const entered = spawnSync('nsenter', ['-t', String(gsup.pid), '-p', '-m', ...words], {
    stdio: 'ignore', // a pipe would be waited for as long as the daemon lives
    timeout: 10_000,
  });
  expect(entered.status).toBe(0);
}

async function adopted(gsup: Gsup, name: string): Promise<number> {
  return until('gsup to adopt the orphan', () =>
    gsup.find(basename(name)).find((pid) => look(pid)?.parent === gsup.pid),
  );
}

const PID1 = { rings: ['pid1'] } as const;

scenario('S70 an orphan that exec left behind is reaped while gsup runs', PID1, async (trial) => {
  const gsup = await trial.start([], [fixture('prints-ready')]);
  await gsup.ready();
  exec(gsup, [fixture('daemonises')]);
  const orphan = await adopted(gsup, 'daemonises');
  process.kill(orphan, 'SIGTERM');
  await until('the orphan to be reaped', () => look(orphan) === undefined);
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(143);
});

scenario('S70 one that still lives at the end is stopped as well', PID1, async (trial) => {
  const file = join(trial.folder, 'held');
  writeFileSync(file, '');
  const gsup = await trial.start(['-g', '10s'], [fixture('prints-ready')]);
  await gsup.ready();
  exec(gsup, [fixture('daemonises'), '--remove', file]);
  expect(isAlive(await adopted(gsup, 'daemonises'))).toBe(true);
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(143);
  expect(existsSync(file)).toBe(false);
});

scenario('S70 one that ignores TERM is killed before gsup ends', PID1, async (trial) => {
  const gsup = await trial.start(['-g', '500ms'], [fixture('prints-ready')]);
  await gsup.ready();
  exec(gsup, [fixture('daemonises'), '--ignore-term']);
  await adopted(gsup, 'daemonises');
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(143);
});

scenario(
  'S70 a stranger that comes late in a stop is stopped like the ones before it',
  { rings: ['pid1'], modes: ['supervisor'] },
  async (trial) => {
    const gsup = await trial.start(
      ['-g', '90s'],
      [fixture('reports-signals'), '--exit-on', 'SIGUSR2', '--code', '4'],
    );
    await gsup.ready();
    exec(gsup, [fixture('daemonises')]);
    const early = await adopted(gsup, 'daemonises');
    gsup.signal('SIGTERM');
    await until('the early one to have gone', () => !isAlive(early));
    const file = join(trial.folder, 'held');
    writeFileSync(file, '');
    exec(gsup, [fixture('daemonises'), '--remove', file]);
    await until(
      'the late one to have come, and been asked',
      () => !existsSync(file) || gsup.find('daemonises').length > 0,
    );
    gsup.signal('SIGUSR2');
    expect((await gsup.ended()).code).toBe(4);
    expect(existsSync(file), 'it was asked to end').toBe(false);
  },
);

scenario(
  'S70 a stranger that comes while another one has its grace gets one of its own',
  { rings: ['pid1'], modes: ['supervisor'] },
  async (trial) => {
    const gsup = await trial.start(
      ['-g', '90s'],
      [fixture('reports-signals'), '--exit-on', 'SIGUSR2', '--code', '4'],
    );
    await gsup.ready();
    exec(gsup, [fixture('daemonises'), '--ignore-term']);
    await adopted(gsup, 'daemonises');
    gsup.signal('SIGTERM');
    await gsup.record('stranger');
    const file = join(trial.folder, 'held');
    writeFileSync(file, '');
    exec(gsup, [fixture('daemonises'), '--remove', file]);
    gsup.signal('SIGUSR2');
    expect((await gsup.ended()).code).toBe(4);
    expect(existsSync(file), 'it was asked to end').toBe(false);
    expect(gsup.records().filter((record) => record.type === 'stranger')).toHaveLength(2);
  },
);

const UP = { rings: ['pid1'], modes: ['supervisor'] } as const;
/** Ends when it is told to, and what comes after it says whether `held` is there. */
const job = (code: number, held: string) => ({
  processes: {
    job: {
      command: [fixture('reports-signals'), '--exit-on', 'SIGUSR2', '--code', String(code)],
      on_signal: { SIGUSR2: 'SIGUSR2' },
    },
    upload: { command: ['sh', '-c', `if [ -e ${held} ]; then echo held; else echo free; fi`], final: true },
  },
});

scenario(
  'S36 S70 a task that ends by itself: its final begins when strangers have gone, too',
  UP,
  async (trial) => {
    const held = join(trial.folder, 'held');
    writeFileSync(held, '');
    const gsup = await trial.up(job(0, held));
    await gsup.ready();
    exec(gsup, [fixture('daemonises'), '--remove', held]);
    await adopted(gsup, 'daemonises');
    gsup.signal('SIGUSR2');
    expect((await gsup.ended()).code).toBe(0);
    expect(gsup.stdout.lines(/^(held|free)$/).map(([line]) => line)).toEqual(['free']);
    expect(gsup.records().filter(({ type }) => type === 'stranger')).toHaveLength(1);
  },
);

scenario(
  'S36 S70 a stop while strangers have their grace: the final runs, and the code is what it was',
  UP,
  async (trial) => {
    const held = join(trial.folder, 'held');
    const gsup = await trial.up(job(7, held));
    await gsup.ready();
    exec(gsup, [fixture('daemonises'), '--ignore-term']);
    await adopted(gsup, 'daemonises');
    gsup.signal('SIGUSR2');
    await gsup.record('stranger');
    const supervisor = await gsup.supervisor();
    process.kill(supervisor, 'SIGKILL'); // who takes over has to learn when they have gone, too
    gsup.signal('SIGTERM');
    gsup.signal('SIGINT');
    expect((await gsup.ended()).code).toBe(7);
    const records = gsup.records();
    const kill = records.find(({ type, run }) => type === 'kill' && run === undefined);
    const final = records.find(({ type, run }) => type === 'run-forked' && run === 'upload#1');
    expect(BigInt(kill?.mono_ns ?? 0) < BigInt(final?.mono_ns ?? 0), 'the kill before the final').toBe(true);
    expect(gsup.stdout.lines(/^free$/)).toHaveLength(1);
  },
);
