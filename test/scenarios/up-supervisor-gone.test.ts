// S46, S47 and S49 with the processes of a config: what init and coordinators do when nobody decides.
import { existsSync, linkSync, mkdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { gsupCommand } from '../support/cli.ts';
import { fixture, pathWithoutNode } from '../support/fixtures.ts';
import type { Gsup } from '../support/gsup.ts';
import { isAlive, look } from '../support/processes.ts';
import { scenario, type Trial } from '../support/scenario.ts';
import { expectWait } from '../support/story.ts';
import { until } from '../support/until.ts';
import { firstOf, isBefore, recordsOf } from '../support/up.ts';

const SUPERVISED = { modes: ['supervisor'] } as const;
const OUTSIDE = { ...SUPERVISED, rings: ['subreaper'] } as const;
const LEFT = { warden: ['--linger', '30000'], mayLeave: true, brokenLogs: true } as const;

const db = { command: [fixture('reports-signals'), '--code', '3'], stop: { grace: '20s' } };
const web = { command: [fixture('cleans-up-for'), '300'], stop: { grace: '20s' }, depends_on: ['db'] };
const stubborn = { command: [fixture('ignores-sigterm')], stop: { grace: '1s' }, depends_on: ['db'] };

/** A task whose processes all run, with a Node that can be taken away and put back. */
async function start(trial: Trial, processes: Readonly<Record<string, unknown>>) {
  const folder = join(trial.folder, 'bin');
  const node = join(folder, 'node');
  mkdirSync(folder);
  linkSync(process.execPath, node);
  const gsup = await trial.up({ processes }, { env: { PATH: `${folder}:${pathWithoutNode()}` } });
  await untilReady(gsup, Object.values(processes).filter((each) => !isFinal(each)).length);
  return { gsup, remove: () => unlinkSync(node), restore: () => linkSync(process.execPath, node) };
}

const isFinal = (process: unknown): boolean => (process as { readonly final?: boolean }).final === true;

function untilReady(gsup: Gsup, count: number): Promise<unknown> {
  return until(`${count} commands`, () => gsup.stdout.lines(/^ready$/).length === count, 60_000);
}

async function lose(gsup: Gsup, remove: () => void): Promise<void> {
  const supervisor = await gsup.supervisor();
  remove();
  process.kill(supervisor, 'SIGKILL');
  await until('the supervisor to be gone', () => look(supervisor) === undefined);
}

scenario(
  'S46 no supervisor can be started: a stop goes by level, each run by its own order, and all of it is recorded',
  SUPERVISED,
  async (trial) => {
    const { gsup, remove } = await start(trial, { db, web, stubborn });
    await lose(gsup, remove);
    await gsup.stderr.line(/the supervisor cannot be started/);
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(137);
    for (const above of ['web#1', 'stubborn#1'])
      expect(isBefore(firstOf(gsup, 'run-ended', above), firstOf(gsup, 'rung', 'db#1')), above).toBe(true);
    const ended = recordsOf(gsup, 'run-ended').map(({ run, code, forced }) => `${run} ${code} ${forced}`);
    expect(ended.sort()).toEqual(['db#1 3 false', 'stubborn#1 null true', 'web#1 0 false']);
    const rung = firstOf(gsup, 'rung', 'stubborn#1');
    expectWait({ mono_ns: String(rung.deadline_ns) }, firstOf(gsup, 'kill', 'stubborn#1'), 0);
    const told = gsup.records().filter((line) => ['stop-requested', 'task-state'].includes(line.type));
    expect(told.at(-1)).toMatchObject({ type: 'task-state', state: 'killed', exit_code: 137 });
    expect(told.filter((line) => line.type === 'stop-requested')).not.toEqual([]);
    expect(recordsOf(gsup, 'supervisor-started')).toHaveLength(1);
  },
);

const unkept = (gsup: Gsup): string[] =>
  recordsOf(gsup, 'unkept').map(({ run, what }) => (run === undefined ? `${what}` : `${run} ${what}`));

scenario(
  'S46 hooks after the end and final processes that nobody can start are left out, and it is said',
  SUPERVISED,
  async (trial) => {
    const file = (name: string) => join(trial.folder, name);
    const hooked = (name: string) => ({ grace: '20s', post_stop: `touch ${file(name)}` });
    const { gsup, remove } = await start(trial, {
      // Its place with init is free for the hook of what ends after it.
      first: { command: ['sh', '-c', 'echo ready'] },
      web: { ...web, depends_on: [], stop: hooked('web') },
      db: { ...db, stop: hooked('db') },
      plain: db,
      early: {
        command: ['sh', '-c', `echo ready; until test -e ${file('gate')}; do sleep 0.05; done`],
        stop: hooked('early'),
      },
      upload: { command: ['touch', file('upload')], final: true },
    });
    await gsup.record('outcome', (line) => line.run === 'first#1');
    writeFileSync(file('gate'), '');
    await until('the hook of what ended before', () => existsSync(file('early')));
    await gsup.record('hook', (line) => line.run === 'early#1' && line.state === 'ended');
    await lose(gsup, remove);
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(0);
    expect(unkept(gsup).sort()).toEqual(['db#1 post-stop hook', 'final processes', 'web#1 post-stop hook']);
    expect(gsup.stderr.text()).toMatch(/web#1: its post-stop hook is not kept/);
    expect(gsup.stderr.text()).toMatch(/final processes are not run, because no supervisor is there/);
    for (const name of ['web', 'db', 'upload']) expect(existsSync(file(name)), name).toBe(false);
    const story = await gsupCommand(gsup, 'history');
    expect(story.stdout).toMatch(/no supervisor was there: final processes are left out/);
  },
);

for (const behind of [[], ['sign_off']])
  scenario(
    `S46 of final processes that have begun nothing is left out but those behind them: ${behind.length}`,
    SUPERVISED,
    async (trial) => {
      const file = join(trial.folder, 'gate');
      const upload = { command: `echo uploads; until test -e ${file}; do sleep 0.05; done`, final: true };
      const depends_on = { upload: { condition: 'completed_successfully' } };
      const after = behind.map((name) => [name, { command: ['true'], final: true, depends_on }]);
      const { gsup, remove } = await start(trial, { db, upload, ...Object.fromEntries(after) });
      gsup.signal('SIGTERM');
      await gsup.stdout.line(/^uploads$/);
      await lose(gsup, remove);
      await gsup.stderr.line(/the supervisor cannot be started/);
      writeFileSync(file, '');
      expect((await gsup.ended()).code).toBe(0);
      expect(unkept(gsup)).toEqual(behind.length === 0 ? [] : ['final processes']);
    },
  );

scenario('S46 when all end in time, that is an end with 0', SUPERVISED, async (trial) => {
  const { gsup, remove } = await start(trial, { db, web });
  await lose(gsup, remove);
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(0);
  expect(isBefore(firstOf(gsup, 'run-ended', 'web#1'), firstOf(gsup, 'rung', 'db#1'))).toBe(true);
});

scenario(
  'S46 what ends while no supervisor can be started gets its next run when Node is back, and all is as before',
  SUPERVISED,
  async (trial) => {
    const file = join(trial.folder, 'gate');
    const flaky = {
      command: ['sh', '-c', `echo ready; until test -e ${file}; do sleep 0.05; done; rm ${file}; exit 9`],
      restart: 'on-failure',
      min_duration: '10ms',
    };
    const { gsup, remove, restore } = await start(trial, { db, web, flaky });
    const before = ['reports-signals', 'cleans-up-for'].flatMap(gsup.find);
    await lose(gsup, remove);
    await gsup.stderr.line(/the supervisor cannot be started/);
    writeFileSync(file, '');
    await gsup.record('run-ended', (line) => line.run === 'flaky#1');
    restore();
    await gsup.record('run-started', (line) => line.run === 'flaky#2');
    expect(firstOf(gsup, 'outcome', 'flaky#1')).toMatchObject({ outcome: 'failed', code: 9, failures: 1 });
    expect(['reports-signals', 'cleans-up-for'].flatMap(gsup.find)).toEqual(before);
    expect(gsup.stderr.lines(/the supervisor cannot be started/)).toHaveLength(1);
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(0);
  },
);

scenario('S47 a supervisor that is stopped holds up no level of a stop', SUPERVISED, async (trial) => {
  const { gsup } = await start(trial, { db, web });
  process.kill(await gsup.supervisor(), 'SIGSTOP');
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(0);
  expect(isBefore(firstOf(gsup, 'run-ended', 'web#1'), firstOf(gsup, 'rung', 'db#1'))).toBe(true);
  expect(gsup.stdout.lines(/^got SIGTERM/)).toHaveLength(1);
});

scenario(
  'S47 a supervisor that is stopped is replaced when something is due, and the next run begins',
  SUPERVISED,
  async (trial) => {
    const file = join(trial.folder, 'runs');
    const flaky = {
      command: [fixture('fails-until'), file, '2', '--code', '9'],
      restart: 'on-failure',
      min_duration: '1s',
    };
    const gsup = await trial.up({ processes: { db: { ...db, ephemeral: true }, flaky } });
    await gsup.record('backoff');
    const supervisor = await gsup.supervisor();
    process.kill(supervisor, 'SIGSTOP');
    expect((await gsup.ended()).code).toBe(0);
    expect(look(supervisor)).toBeUndefined();
    expect(recordsOf(gsup, 'supervisor-started')).toHaveLength(2);
    const runs = recordsOf(gsup, 'run-started').map(({ run }) => run);
    expect(runs.sort()).toEqual(['db#1', 'flaky#1', 'flaky#2']);
  },
);

scenario(
  'S49 init and supervisor are killed at once: each coordinator carries out its order, and the next gsup waits',
  OUTSIDE,
  async (trial) => {
    const gate = join(trial.folder, 'gate');
    const end = `until test -e ${gate}; do sleep 0.05; done; exit 0`;
    const script = `trap '${end}' TERM; echo ready; while :; do sleep 0.05; done`;
    const slow = { command: ['sh', '-c', script], stop: { grace: '60s' } };
    const first = await trial.up({ processes: { slow, db, stubborn } }, LEFT);
    await untilReady(first, 3);
    for (const run of ['slow#1', 'db#1', 'stubborn#1'])
      await first.record('run-started', (line) => line.run === run);
    const commands = ['reports-signals', 'ignores-sigterm'].flatMap(first.find);
    const leader = Number((await first.record('run-started', (line) => line.run === 'slow#1')).pid);
    expect(commands).toHaveLength(2);
    for (const pid of [await first.supervisor(), first.pid]) process.kill(pid, 'SIGKILL');
    await until('gsup to be dead', () => !isAlive(first.pid));
    const next = await trial.up({ processes: { db } }, { brokenLogs: true });
    await next.stderr.line(/waiting for what it left/);
    await until('the others to have ended', () => commands.filter(isAlive).length === 0);
    expect([isAlive(leader), next.find('reports-signals')]).toEqual([true, []]);
    writeFileSync(gate, '');
    await next.ready();
    expect(isAlive(leader)).toBe(false);
    expect(first.stdout.lines(/^got SIGTERM/)).toHaveLength(1);
    next.signal('SIGTERM');
    expect((await next.ended()).code).toBe(0);
    await first.ended();
  },
);
