/** init may not fork any more: RLIMIT_NPROC of its user is reached, as it would be by somebody else's processes. */
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { fixture } from '../support/fixtures.ts';
import type { Gsup } from '../support/gsup.ts';
import { startTime } from '../support/processes.ts';
import { scenario, type Trial } from '../support/scenario.ts';
import { expectGraceful, theOne } from '../support/story.ts';
import { until } from '../support/until.ts';
import { recordsOf } from '../support/up.ts';

/** Root is above the limit. */
const UID = 61_501;
const AS_USER = { modes: ['supervisor'], root: true } as const;

function asUser(trial: Trial) {
  chmodSync(trial.folder, 0o755);
  const stateDir = join(trial.folder, 'own');
  mkdirSync(stateDir);
  chownSync(stateDir, UID, UID);
  return { stateDir, warden: ['--uid', String(UID)] };
}

async function start(trial: Trial, options: readonly string[]): Promise<Gsup> {
  const gsup = await trial.start(options, [fixture('reports-signals'), '--code', '3'], asUser(trial));
  await gsup.ready();
  return gsup;
}

/** Of init alone, and its soft limit: what it has forked before goes on as it was. As the user itself, who may do that. */
function limitForks({ pid }: Gsup, most: number | 'hard'): void {
  const asked = (...words: string[]) =>
    spawnSync('prlimit', [`--pid=${pid}`, ...words], { uid: UID, gid: UID, encoding: 'utf8' });
  const hard = asked('--nproc', '-o', 'HARD', '--noheadings', '--raw').stdout.trim();
  const { status, stderr } = asked(`--nproc=${most === 'hard' ? hard : most}:`);
  expect(status, stderr).toBe(0);
}

function identity(gsup: Gsup): string[] {
  return gsup.find('reports-signals').map((pid) => `${pid} ${startTime(pid)}`);
}

async function loseSupervisor(gsup: Gsup): Promise<void> {
  const supervisor = await gsup.supervisor();
  limitForks(gsup, 1);
  process.kill(supervisor, 'SIGKILL');
  await until('a message', () => /the supervisor cannot be started: /.test(gsup.stderr.text()));
}

scenario(
  'S46 no process is left for a supervisor: a stop is carried out without it',
  AS_USER,
  async (trial) => {
    const gsup = await start(trial, ['-g', '60s']);
    const before = identity(gsup);
    await loseSupervisor(gsup);
    expect(identity(gsup)).toEqual(before);
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(3);
    expect(recordsOf(gsup, 'supervisor-started')).toHaveLength(1);
    expectGraceful(gsup);
  },
);

scenario('S46 it is back as soon as there is room again', AS_USER, async (trial) => {
  const gsup = await start(trial, ['-g', '60s']);
  const before = identity(gsup);
  await loseSupervisor(gsup);
  limitForks(gsup, 'hard');
  await until('the next one', () => recordsOf(gsup, 'supervisor-started').length === 2, 60_000);
  expect(identity(gsup)).toEqual(before);
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(3);
  theOne(gsup.records(), 'run-started');
  expectGraceful(gsup);
});

scenario('S46 no process is left for a run of a config: its start is tried again', AS_USER, async (trial) => {
  const web = { command: [fixture('reports-signals')], restart: 'always' };
  const gsup = await trial.up({ processes: { web } }, asUser(trial));
  await gsup.record('run-started');
  await until('its command', () => gsup.find('reports-signals').length === 1);
  limitForks(gsup, 1);
  for (const pid of gsup.find('reports-signals')) process.kill(pid, 'SIGKILL');
  const failed = await gsup.record('outcome', ({ cause }) => cause === 'start');
  expect(failed.run).toBe('web#2');
  limitForks(gsup, 'hard');
  await gsup.record('run-started', ({ run }) => run !== 'web#1');
  expect(recordsOf(gsup, 'supervisor-started')).toHaveLength(1);
  gsup.signal('SIGTERM');
  await gsup.ended();
});
