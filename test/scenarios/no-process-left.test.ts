/** init may not fork any more: RLIMIT_NPROC of its user is reached, as it would be by somebody else's processes. */
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fixture } from '../support/fixtures.ts';
import { BINARY, type Gsup } from '../support/gsup.ts';
import { startTime } from '../support/processes.ts';
import type { Line } from '../support/records.ts';
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

const AGAIN = ['--restart', 'on-failure', '--min-duration', '10ms'];

scenario(
  'S46 S30 no process is left for a run of `run --restart`: its start is tried again',
  AS_USER,
  async (trial) => {
    const gsup = await start(trial, [...AGAIN, '--max-failures', '0']);
    limitForks(gsup, 1);
    for (const pid of gsup.find('reports-signals')) process.kill(pid, 'SIGKILL');
    const isFailed = (line: Line) => line.type === 'outcome' && line.cause === 'start';
    await until('two starts that fail', () => gsup.records().filter(isFailed).length >= 2, 60_000);
    limitForks(gsup, 'hard');
    await gsup.record('run-started', ({ run }) => run !== 't#1');
    const outcomes = recordsOf(gsup, 'outcome');
    expect(outcomes[0]).toMatchObject({ run: 't#1', cause: 'signal', failures: 1 });
    for (const [at, line] of outcomes.slice(1).entries())
      expect(line).toMatchObject({ cause: 'start', code: 126, transient: true, failures: at + 2 });
    // Each waits longer than the one before; ours have a jitter of 10 %.
    const waits = recordsOf(gsup, 'backoff').map(({ wait_ms }) => Number(wait_ms));
    for (const [at, wait] of waits.entries()) expect(wait).toBeGreaterThanOrEqual(450 * 2 ** Math.min(at, 5));
    expect(gsup.stderr.text()).toMatch(
      /cannot start .*: no new process: .*\(EAGAIN\); the limit of processes/,
    );
    expect(recordsOf(gsup, 'supervisor-started')).toHaveLength(1);
    await until('its command', () => gsup.find('reports-signals').length === 1);
    gsup.signal('SIGTERM');
    await gsup.ended();
  },
);

scenario('S46 S30 starts for which no process is left count for max_failures', AS_USER, async (trial) => {
  const gsup = await start(trial, [...AGAIN, '--max-failures', '3']);
  limitForks(gsup, 1);
  for (const pid of gsup.find('reports-signals')) process.kill(pid, 'SIGKILL');
  expect((await gsup.ended(60_000)).code).toBe(126);
  const outcomes = recordsOf(gsup, 'outcome').map(({ run, cause }) => `${run} ${cause}`);
  expect(outcomes).toEqual(['t#1 signal', 't#2 start', 't#3 start']);
});

test.skipIf(process.getuid?.() !== 0)('S46 no process is left for a plain run: it says so, with 126', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gsup-'));
  try {
    const asked = ['--nproc=1:', BINARY, 'run', '--state-dir', folder, '--', '/bin/true'];
    const env = { PATH: process.env.PATH ?? '', GSUP_LOG_FORMAT: 'text' };
    chmodSync(folder, 0o700);
    chownSync(folder, UID + 1, UID + 1);
    const ids = { uid: UID + 1, gid: UID + 1 };
    const { status, stdout, stderr } = spawnSync('prlimit', asked, { ...ids, env, encoding: 'utf8' });
    expect(stdout).toBe('');
    expect(stderr).toMatch(
      /cannot start "\/bin\/true": no new process: Resource temporarily unavailable; the limit of processes, or of memory, may be too low\n$/,
    );
    expect(status).toBe(126);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
