// `gsup up` starts Node once: who has read the config becomes the first supervisor. Whatever goes wrong with that, an ordinary one is started.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { gsupCommand } from '../support/cli.ts';
import { fixture } from '../support/fixtures.ts';
import { BINARY, type Gsup, type Settings } from '../support/gsup.ts';
import { findPrograms, isAlive } from '../support/processes.ts';
import { scenario, type Trial, type Where } from '../support/scenario.ts';
import { until } from '../support/until.ts';
import { outcomesOf, recordsOf } from '../support/up.ts';

const SUPERVISED: Where = { modes: ['supervisor'] };
const OUTSIDE: Where = { ...SUPERVISED, rings: ['subreaper'] };
const LEFT = { warden: ['--linger', '30000'], mayLeave: true, brokenLogs: true } as const;

const web = { command: [fixture('reports-signals')] };

/**
 * A Node that notes for what it is started (GSUP_INIT) and by which pid. `hook`: what is done in the first supervisor in place of its
 * first look at what init has, which `open` is. `failing`: so many later ones end at once.
 */
function notingNode(trial: Trial, hook = '', failing = 0) {
  const [node, notes, preload] = ['node.sh', 'notes', 'hook.cjs'].map((name) => join(trial.folder, name)) as [
    string,
    string,
    string,
  ];
  const body = `const fs = require('node:fs');
const open = fs.openSync;
fs.openSync = (path, ...rest) => {
  if (/^\\/proc\\/\\d+\\/fd\\/\\d+$/.test(path)) { ${hook} }
  return open(path, ...rest);
};
require('node:module').syncBuiltinESMExports();
`;
  writeFileSync(preload, hook === '' ? '' : `if (process.env.GSUP_INIT === 'first') {\n${body}}\n`);
  const fails = `[ "$GSUP_INIT" = 1 ] && [ "$(grep -c '^1' '${notes}')" -le ${failing} ] && exit 1`;
  const start = `exec '${process.execPath}' --require '${preload}' "$@"`;
  const script = `#!/bin/sh\necho "$GSUP_INIT $$" >> '${notes}'\n${fails}\n${start}\n`;
  writeFileSync(node, script, { mode: 0o755 });
  const lines = () => (existsSync(notes) ? readFileSync(notes, 'utf8').trim().split('\n') : []);
  return {
    env: { GSUP_NODE: node },
    startedFor: () => lines().map((line) => line.split(' ')[0]),
    pids: () => lines().map((line) => Number(line.split(' ')[1])),
  };
}

/** All that it has begun is stopped, and went as ever. */
async function stops(gsup: Gsup): Promise<void> {
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(0);
  expect(outcomesOf(gsup)).toEqual(['web#1 killed stopped 0']);
  expect(recordsOf(gsup, 'run-started')).toHaveLength(1);
  expect(recordsOf(gsup, 'task')).toHaveLength(1);
}

function isPending(pid: number, signal: number): boolean {
  const [, mask = '0'] = /^ShdPnd:\s+(\S+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
  return ((BigInt(`0x${mask}`) >> BigInt(signal - 1)) & 1n) === 1n;
}

/** A gsup that was killed, and its command, which goes on: the next one of the name waits for it. */
async function leavesOne(trial: Trial): Promise<{ readonly first: Gsup; readonly command: number }> {
  const slow = { command: [fixture('ignores-sigterm')], stop: { grace: '60s' } };
  const first = await trial.up({ processes: { slow } }, LEFT);
  await first.ready();
  const [command = 0] = first.find('ignores-sigterm');
  for (const pid of [await first.supervisor(), first.pid]) process.kill(pid, 'SIGKILL');
  await until('gsup to be dead', () => !isAlive(first.pid));
  return { first, command };
}

const told = (gsup: Gsup): string[] => gsup.stderr.text().split('\n').filter(Boolean);

for (const [what, options] of Object.entries({ 'on disk': [], 'in memory': ['--no-checkpoint'] }))
  scenario(`Node is started once for up, with its log ${what}`, SUPERVISED, async (trial) => {
    const node = notingNode(trial);
    const settings: Settings = { env: node.env, ...(options.length > 0 && { brokenLogs: true }) };
    const gsup = await trial.up({ processes: { web } }, settings, options);
    await gsup.ready();
    expect(node.startedFor()).toEqual(['first']);
    const supervisor = await gsup.supervisor();
    const log = readlinkSync(`/proc/${supervisor}/fd/4`);
    expect(log).toMatch(options.length > 0 ? /^\/memfd:checkpoint\.log/ : /\/checkpoint\.log$/);
    expect(readlinkSync(`/proc/${supervisor}/fd/5`)).toBe(log.replace('checkpoint', 'init'));
    expect(readlinkSync(`/proc/${supervisor}/fd/0`)).toBe('/dev/null');
    if (options.length === 0) {
      expect(recordsOf(gsup, 'supervisor-started').map(({ pid }) => pid)).toEqual(node.pids());
      return stops(gsup);
    }
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(0);
  });

const HIDDEN = "throw Object.assign(new Error('hidden'), { code: 'EACCES' });";

/** What happens to it as it opens what init has, and how many later ones fail before one is there. */
const CANNOT: ReadonlyArray<readonly [what: string, hook: string, failing: number]> = [
  ['where it cannot get at what init has an ordinary supervisor is started', HIDDEN, 0],
  [
    'what it could not become counts as no failure: two later ones may fail, and the third is there',
    HIDDEN,
    2,
  ],
  [
    'a number of init that is another file there is not taken for its log',
    "return open('/dev/null', ...rest);",
    0,
  ],
  [
    'S43 killed as it becomes the supervisor it is replaced, and all is done once',
    "process.kill(process.pid, 'SIGKILL');",
    0,
  ],
];

for (const [what, hook, failing] of CANNOT)
  scenario(what, SUPERVISED, async (trial) => {
    const node = notingNode(trial, hook, failing);
    const gsup = await trial.up({ processes: { web } }, { env: node.env });
    await gsup.ready();
    expect(node.startedFor()).toEqual(['first', ...Array(failing + 1).fill('1')]);
    const began = recordsOf(gsup, 'supervisor-started').map(({ pid }) => pid);
    expect(began).toEqual(node.pids().slice(-1));
    if (hook === HIDDEN && failing === 0) expect(told(gsup), 'nothing is said of it').toEqual([]);
    await stops(gsup);
  });

scenario(
  'S43 killed when it has begun the task it is replaced, and nothing is lost',
  SUPERVISED,
  async (trial) => {
    const node = notingNode(trial);
    const gsup = await trial.up({ processes: { web } }, { env: node.env });
    await gsup.ready();
    process.kill(await gsup.supervisor(), 'SIGKILL');
    await until('another one', () => recordsOf(gsup, 'supervisor-started').length === 2);
    expect(node.startedFor()).toEqual(['first', '1']);
    await stops(gsup);
  },
);

scenario('a stop while it becomes the supervisor is a stop: nothing starts', SUPERVISED, async (trial) => {
  const wait = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);';
  const node = notingNode(trial, `fs.writeSync(7, 'becomes it\\n'); ${wait}`);
  const gsup = await trial.up({ processes: { web } }, { env: node.env, brokenLogs: true });
  await gsup.stderr.line(/^becomes it$/);
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(0);
  expect(recordsOf(gsup, 'run-forked')).toEqual([]);
  expect(node.startedFor()).toEqual(['first']);
});

scenario(
  'S48 it waits while init waits for what an earlier gsup has left, and a stop ends both',
  OUTSIDE,
  async (trial) => {
    const { first, command } = await leavesOne(trial);
    const node = notingNode(trial);
    const next = await trial.up({ processes: { web } }, { env: node.env, brokenLogs: true });
    await next.stderr.line(/waiting for what it left/);
    expect(findPrograms(next.pid, 'node')).toEqual(node.pids());
    next.signal('SIGTERM');
    expect((await next.ended()).code).toBe(143);
    expect([node.startedFor(), isAlive(command)]).toEqual([['first'], true]);
    process.kill(command, 'SIGKILL');
    await first.ended();
  },
);

scenario('one that is killed while init waits is not missed', OUTSIDE, async (trial) => {
  const { first, command } = await leavesOne(trial);
  const node = notingNode(trial);
  const next = await trial.up({ processes: { web } }, { env: node.env });
  await next.stderr.line(/waiting for what it left/);
  process.kill(node.pids()[0] ?? 0, 'SIGKILL');
  await until('it to be dead', () => !isAlive(node.pids()[0] ?? 0));
  // And that init has read it, in a place where nobody is its supervisor.
  await until('its SIGCHLD to be read', () => !isPending(next.pid, 17));
  process.kill(command, 'SIGKILL');
  await next.ready();
  expect(node.startedFor()).toEqual(['first', '1']);
  await stops(next);
  await first.ended();
});

scenario('a config may use what a supervisor is not to obey', SUPERVISED, async (trial) => {
  const environment = ['NODE_OPTIONS', 'GSUP_TASK'].map((name) => `GOT_${name}=$\{${name}}`);
  const shown = { command: ['env'], environment };
  const env = { NODE_OPTIONS: '--require=/not/there', GSUP_TASK: 'outer' };
  const gsup = await trial.up({ processes: { shown } }, { env });
  expect((await gsup.ended()).code).toBe(0);
  expect(gsup.stdout.lines(/^GOT_(.*)/).map(([, got]) => got)).toEqual([
    'NODE_OPTIONS=--require=/not/there',
    'GSUP_TASK=outer',
  ]);
});

scenario(
  'in the background, where init is a fork of who was started, Node is started for each',
  OUTSIDE,
  async (trial) => {
    const node = notingNode(trial);
    const folder = join(trial.folder, 'state', 't');
    const down = () => gsupCommand({ folder }, 'down', '--now', '--wait', '--name', 't');
    trial.afterwards(async () => void (await down()));
    mkdirSync(dirname(folder), { mode: 0o711 });
    const file = join(trial.folder, 'gsup.json');
    writeFileSync(file, JSON.stringify({ processes: { web } }));
    const env = { PATH: process.env.PATH ?? '', GSUP_STATE_DIR: dirname(folder), ...node.env };
    await promisify(execFile)(BINARY, ['up', '-d', '--name', 't', '-f', file], { env });
    expect(node.startedFor().sort()).toEqual(['1', 'config', 'detached']);
    expect((await down()).code).toBe(0);
  },
);

scenario(
  'S42 who has read the config makes room for a supervisor that has not, where it could not leave for good',
  SUPERVISED,
  async (trial) => {
    const node = notingNode(trial);
    const healthcheck = { exec: ['true'], interval: '5s', start_interval: '5s' };
    const env = { ...node.env, GSUP_STAY_MS: '3000' };
    const gsup = await trial.up({ processes: { web: { ...web, healthcheck } } }, { env });
    await until('the next one', () => node.pids().length === 2);
    await until('it is there', () => findPrograms(gsup.pid, 'node').length === 1);
    expect(node.startedFor()).toEqual(['first', '1']);
    // It stays: what it does not hold it need not give back.
    await until('two more questions', () => recordsOf(gsup, 'run-started').length >= 4);
    expect(node.startedFor()).toEqual(['first', '1']);
    expect(recordsOf(gsup, 'supervisor-started'), 'nothing has happened').toHaveLength(1);
    expect(told(gsup).filter((line) => !line.includes('"event":"health"'))).toEqual([]);
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(0);
    expect(outcomesOf(gsup)).toContain('web#1 killed stopped 0');
  },
);
