import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { gsupCommand } from '../support/cli.ts';
import { answered, ask, socketOf } from '../support/control.ts';
import { fixture } from '../support/fixtures.ts';
import type { Gsup, Settings } from '../support/gsup.ts';
import { findPrograms } from '../support/processes.ts';
import { scenario, type Where } from '../support/scenario.ts';
import { until } from '../support/until.ts';

/** A plain run has a supervisor for as long as somebody asks something, and goes on by its order before and after. */
const WHERE: Where = { modes: ['order'] };
/** Commands find a task of their own namespace. */
const HERE: Where = { ...WHERE, rings: ['subreaper'] };
const SOON: Settings = { env: { GSUP_STAY_MS: '300' }, withNode: true, mayVisit: true };

function supervisors(gsup: Gsup): number[] {
  return findPrograms(gsup.pid, 'node');
}

function gone(gsup: Gsup): Promise<unknown> {
  return until('nobody to be there any more', () => supervisors(gsup).length === 0);
}

/** Its command runs, and its socket is there. */
async function began(gsup: Gsup): Promise<void> {
  await gsup.ready();
  await gsup.record('run-started');
}

function typesOf(gsup: Gsup): string[] {
  return gsup.records().map(({ type }) => type);
}

scenario(
  'a client of a plain run starts its supervisor, which answers and leaves again',
  HERE,
  async (trial) => {
    const gsup = await trial.start(['--grace', '30s'], [fixture('reports-signals'), '--code', '3'], SOON);
    await began(gsup);
    const started = await gsup.record('run-started');
    expect(supervisors(gsup), 'before').toEqual([]);
    const answer = await ask(socketOf(gsup), 'GET', '/v1/status?usage=false');
    expect(answer.status).toBe(200);
    expect(answer.json.processes[0]).toMatchObject({ run: 't#1', state: 'running', pid: started.pid });
    await gone(gsup);
    // And once more, behind what the first has left.
    expect((await ask(socketOf(gsup), 'GET', '/v1/processes/t')).json.processes[0]).toMatchObject({
      state: 'running',
    });
    await gone(gsup);
    expect(await gsupCommand(gsup, 'health')).toMatchObject({ code: 0 });
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(3);
    expect(gsup.stdout.lines(/^got SIGTERM/)).toHaveLength(1);
    expect(supervisors(gsup)).toEqual([]);
    expect(typesOf(gsup)).not.toContain('supervisor-started');
    const told = await gsupCommand(gsup, 'history', '--json');
    const { task, events } = JSON.parse(told.stdout);
    expect(task).toMatchObject({ state: 'killed', exit_code: 3, supervisor_restarts: 0 });
    expect(events.filter(({ type }: { type: string }) => type === 'task')).toHaveLength(1);
    // What it has used is none of the command's.
    const ended = gsup.records().find(({ type }) => type === 'run-ended');
    expect((ended as { rusage: { max_rss_kb: number } } | undefined)?.rusage.max_rss_kb).toBeLessThan(20_000);
  },
);

scenario('a client stops a plain run with its ladder, and its code is the command’s', HERE, async (trial) => {
  const gsup = await trial.start([], [fixture('reports-signals'), '--code', '4'], SOON);
  await began(gsup);
  expect(await gsupCommand(gsup, 'shutdown')).toMatchObject({ code: 0 });
  expect((await gsup.ended()).code).toBe(4);
  expect(gsup.stdout.lines(/^got SIGTERM/)).toHaveLength(1);
  const stop = gsup.records().find(({ type }) => type === 'stop-requested');
  expect(stop?.cause).toBe('api');
});

scenario(
  'a signal of a client reaches a plain run; a second run of it is refused, with why',
  HERE,
  async (trial) => {
    const gsup = await trial.start([], [fixture('reports-signals')], SOON);
    await began(gsup);
    expect(await gsupCommand(gsup, 'signal', 'USR1', 't')).toMatchObject({ code: 0 });
    await gsup.stdout.line(/^got SIGUSR1/);
    const refused = await gsupCommand(gsup, 'restart', 't');
    expect(refused.code).toBe(69);
    expect(refused.stderr).toContain('started without a supervisor');
    expect(refused.stderr).toContain('--stay');
    await gone(gsup);
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(0);
  },
);

scenario(
  'S43 a visit in the middle of a grace changes neither its end nor what is sent',
  WHERE,
  async (trial) => {
    const gsup = await trial.start(['--grace', '6s'], [fixture('ignores-sigterm')], SOON);
    await began(gsup);
    gsup.signal('SIGTERM');
    const rung = await gsup.record('rung');
    expect((await ask(socketOf(gsup), 'GET', '/livez')).status).toBe(200);
    const ended = await gsup.ended();
    expect(ended.code).toBe(137);
    const kill = gsup.records().find(({ type }) => type === 'kill');
    const lateMs = Number((BigInt(String(kill?.mono_ns)) - BigInt(String(rung.deadline_ns))) / 1_000_000n);
    expect(lateMs).toBeGreaterThanOrEqual(0);
    expect(lateMs).toBeLessThan(4000);
    const sent = gsup
      .records()
      .filter(({ type, target, signal }) => type === 'signal' && target && signal === 'SIGTERM');
    expect(sent.length, 'once, by the order or by its record of a rung').toBeLessThanOrEqual(1);
  },
);

scenario('a stop signal while the supervisor is present is its own to act on', HERE, async (trial) => {
  const settings = { ...SOON, env: { GSUP_STAY_MS: '60000' } };
  const gsup = await trial.start(['--grace', '1s'], [fixture('ignores-sigterm')], settings);
  await began(gsup);
  await ask(socketOf(gsup), 'GET', '/livez');
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(137);
  const { stdout } = await gsupCommand(gsup, 'history', '--json');
  expect(JSON.parse(stdout).task).toMatchObject({ state: 'killed', exit_code: 137, supervisor_restarts: 0 });
});

scenario(
  'S42 a supervisor that is killed on its visit comes again, and its task ends as without it',
  WHERE,
  async (trial) => {
    const settings = { ...SOON, env: { GSUP_STAY_MS: '60000' } };
    const gsup = await trial.start([], [fixture('reports-signals'), '--code', '5'], settings);
    await began(gsup);
    await ask(socketOf(gsup), 'GET', '/livez');
    const [first] = supervisors(gsup);
    process.kill(first as number, 'SIGKILL');
    await until('another one', () => supervisors(gsup).some((pid) => pid !== first));
    expect((await ask(socketOf(gsup), 'GET', '/livez')).status).toBe(200);
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(5);
    expect(gsup.stdout.lines(/^got SIGTERM/)).toHaveLength(1);
  },
);

scenario('a command that ends while a client waits for its supervisor ends gsup', WHERE, async (trial) => {
  const flag = join(trial.folder, 'end');
  const command = ['sh', '-c', `echo ready; until [ -e ${flag} ]; do sleep 0.02; done; exit 6`];
  // A supervisor that never says anything.
  const script = join(trial.folder, 'silent.mjs');
  writeFileSync(script, 'setInterval(() => {}, 1000);');
  const gsup = await trial.start([], command, { ...SOON, env: { GSUP_SUPERVISOR: script } });
  await began(gsup);
  const cut = ask(socketOf(gsup), 'GET', '/livez').catch((error) => error.code);
  await until('a supervisor', () => supervisors(gsup).length > 0);
  writeFileSync(flag, '');
  expect((await gsup.ended()).code).toBe(6);
  expect(['ECONNRESET', 'EPIPE']).toContain(await cut);
});

scenario(
  'S46 where there is no Node.js a client is told so, again and again, and the run is untouched',
  HERE,
  async (trial) => {
    const { withNode: _, ...settings } = SOON;
    const gsup = await trial.start([], [fixture('reports-signals')], settings);
    await began(gsup);
    for (let time = 0; time < 5; time++) {
      const answer = await ask(socketOf(gsup), 'POST', '/v1/shutdown', {});
      expect(answer.status).toBe(503);
      expect(answer.json).toMatchObject({
        code: 'no-supervisor',
        message: expect.stringContaining('cannot'),
      });
      expect(answer.json.message + answer.json.hint).toContain('Node.js');
    }
    const said = await gsupCommand(gsup, 'stop', 't');
    expect(said.code).toBe(69);
    expect(said.stderr).toContain('none can be started');
    expect(await gsupCommand(gsup, 'health')).toMatchObject({ code: 0 });
    expect(gsup.stderr.lines(/cannot run Node\.js/).length, 'said once').toBe(1);
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(0);
    expect(existsSync(join(gsup.folder, 'control.sock'))).toBe(false);
  },
);

scenario(
  'S61 the socket that a plain run has left refuses, and the next run of its name has its own',
  HERE,
  async (trial) => {
    const first = await trial.start([], [fixture('reports-signals')], SOON);
    await began(first);
    first.signal('SIGTERM');
    expect((await first.ended()).code).toBe(0);
    await expect(ask(socketOf(first), 'GET', '/livez')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(await gsupCommand(first, 'stop', 't')).toMatchObject({ code: 69 });
    const next = await trial.start([], [fixture('reports-signals')], SOON);
    await next.ready();
    await answered(next); // the log of the first is there until this one puts it aside
    expect((await ask(socketOf(next), 'GET', '/v1/status?usage=false')).json.task).toMatchObject({
      name: 't',
      pid: next.pid,
    });
    await gone(next);
    next.signal('SIGTERM');
    expect((await next.ended()).code).toBe(0);
    expect(existsSync(socketOf(next)), 'it was asked, and clears up').toBe(false);
  },
);

scenario(
  'a client of a plain run that waits for signals alone is heard, also where no more of them can be queued',
  HERE,
  async (trial) => {
    const gsup = await trial.start([], [fixture('reports-signals'), '--code', '3'], SOON);
    await began(gsup);
    const { status, stderr } = spawnSync('prlimit', [`--pid=${gsup.pid}`, '--sigpending=0'], {
      encoding: 'utf8',
    });
    expect(status, stderr).toBe(0);
    expect((await ask(socketOf(gsup), 'GET', '/livez')).status).toBe(200);
    await gone(gsup);
    expect((await ask(socketOf(gsup), 'GET', '/livez')).status).toBe(200);
    await gone(gsup);
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(3);
    expect(gsup.stdout.lines(/^got (?!SIGTERM|SIGCONT)/), 'of how init hears of clients').toEqual([]);
  },
);

scenario(
  'S25 SIGIO from a process is the command’s, and a client is heard behind it',
  HERE,
  async (trial) => {
    const gsup = await trial.start([], [fixture('reports-signals'), '--code', '3'], SOON);
    await began(gsup);
    gsup.signal('SIGIO');
    await until('SIGIO', () => gsup.stdout.lines(/^got SIG(IO|POLL) /).length === 1);
    expect((await ask(socketOf(gsup), 'GET', '/livez')).status).toBe(200);
    gsup.signal('SIGIO');
    await until('SIGIO', () => gsup.stdout.lines(/^got SIG(IO|POLL) /).length === 2);
    await gone(gsup);
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(3);
  },
);

scenario('S74 600 health probes of a plain run start nobody', HERE, async (trial) => {
  const gsup = await trial.start([], [fixture('reports-signals')], SOON);
  await began(gsup);
  for (let probe = 0; probe < 600; probe++)
    expect((await gsupCommand(gsup, 'health', ['--live', '--ready'][probe % 2] as string)).code).toBe(0);
  expect(existsSync(join(gsup.folder, 'checkpoint.log')), 'nobody was started').toBe(false);
  expect(readFileSync(join(gsup.folder, 'init.log'), 'utf8')).not.toContain('supervisor');
  gsup.signal('SIGTERM');
  await gsup.ended();
});

scenario(
  'the environment file of a plain run may be gone when a client comes',
  { ...WHERE, rings: ['subreaper'] },
  async (trial) => {
    const file = join(trial.folder, 'variables');
    writeFileSync(file, 'A=1\n');
    const gsup = await trial.start(['--env-file', file], [fixture('reports-signals')], SOON);
    await began(gsup);
    writeFileSync(file, 'no variable\n');
    expect((await ask(socketOf(gsup), 'GET', '/livez')).status).toBe(200);
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(0);
  },
);
