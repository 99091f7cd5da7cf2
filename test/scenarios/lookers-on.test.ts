// Who looks on goes on: on a plain run, over an upgrade, and over a supervisor that is killed.
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { gsupCommand } from '../support/cli.ts';
import { answered } from '../support/control.ts';
import { fixture } from '../support/fixtures.ts';
import { BINARY, type Gsup } from '../support/gsup.ts';
import { copyInstallation } from '../support/installation.ts';
import { collect } from '../support/output.ts';
import { findPrograms } from '../support/processes.ts';
import { scenario, type Trial } from '../support/scenario.ts';
import { atTerminal, openTmux, type Tmux } from '../support/tmux.ts';
import { until } from '../support/until.ts';
import { recordsOf } from '../support/up.ts';

const UP = { modes: ['supervisor'], rings: ['subreaper'] } as const;
const PLAIN = { modes: ['order'], rings: ['subreaper'] } as const;
const VISITED = { withNode: true, mayVisit: true, env: { GSUP_STAY_MS: '300' } } as const;

/** Of a plain run. */
const visitors = (gsup: Gsup): number[] => findPrograms(gsup.pid, 'node');

/** One may be leaving just then. */
async function killVisitor(gsup: Gsup): Promise<void> {
  const killed = await until('a visitor', () => visitors(gsup).find(isKilled));
  await until('another one', () => visitors(gsup).some((pid) => pid !== killed), 60_000);
}

function isKilled(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}

/** A command that looks on until the task has ended. */
function lookOn(trial: Trial, gsup: Gsup, ...words: string[]) {
  const env = { PATH: process.env.PATH ?? '', GSUP_STATE_DIR: dirname(gsup.folder), GSUP_LOG_FORMAT: 'text' };
  const child = spawn(BINARY, words, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  trial.afterwards(() => void child.kill('SIGKILL'));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { stdout: collect(child.stdout), stderr: collect(child.stderr), ended };
}

function fourLookOn(trial: Trial, gsup: Gsup) {
  return {
    top: lookOn(trial, gsup, 'top', '-b', '-d', '100ms'),
    status: lookOn(trial, gsup, 'status', '--watch', '--json'),
    logs: lookOn(trial, gsup, 'logs', '-f'),
    wait: lookOn(trial, gsup, 'wait'),
  };
}

/** All of them have seen something, or wait. */
async function areThere({ top, status, logs }: ReturnType<typeof fourLookOn>, name: string): Promise<void> {
  await top.stdout.line(new RegExp(`^${name} +running`));
  await status.stdout.line(/"state":"running"/);
  await logs.stdout.line(/^ready/);
}

/** Another table is written, so the last supervisor or its files were asked. */
async function topGoesOn({ top }: ReturnType<typeof fourLookOn>, name: string): Promise<void> {
  const tables = () => top.stdout.lines(new RegExp(`^${name} +running`)).length;
  const before = tables();
  await until('two more tables', () => tables() >= before + 2);
}

/** `code`: of the task. Nobody has complained, and none has ever said that it does not run. */
async function allEnd(
  { top, status, logs, wait }: ReturnType<typeof fourLookOn>,
  { name, state, code }: { name: string; state: string; code: number },
  signals: number,
): Promise<void> {
  for (const [who, { ended, stderr }] of Object.entries({ top, status, logs, wait }))
    expect([who, await ended, stderr.text()]).toEqual([who, 0, '']);
  expect(wait.stdout.text()).toBe(`t: ${state}, exit code ${code}\n`);
  expect(logs.stdout.lines(/^got SIGUSR1/)).toHaveLength(signals);
  expect(logs.stdout.lines(/^got SIGTERM/)).toHaveLength(1);
  const told = status.stdout.lines(/^\{.*/).map(([line]) => JSON.parse(line));
  expect(told.at(-1).task).toMatchObject({ state, exit_code: code });
  const states = told.map(
    ({ processes }) => processes.find((one: { name: string }) => one.name === name)?.state,
  );
  const later = states.slice(states.indexOf('running'));
  expect(later.filter((one) => !['running', 'stopping', 'killing', 'killed'].includes(one))).toEqual([]);
  const rows = top.stdout.lines(new RegExp(`^${name} .*`)).map(([row]) => row);
  const laterRows = rows.slice(rows.findIndex((row) => / running/.test(row)));
  expect(laterRows.filter((row) => !/^\S+ +(running|stopping|killing|killed)/.test(row))).toEqual([]);
}

async function killSupervisor(gsup: Gsup): Promise<void> {
  const before = recordsOf(gsup, 'supervisor-started').length;
  process.kill(await gsup.supervisor(), 'SIGKILL');
  await until('another supervisor', () => recordsOf(gsup, 'supervisor-started').length > before, 60_000);
}

scenario(
  'S68 S42 top, status --watch, logs -f and wait go on over an upgrade and a killed supervisor',
  UP,
  async (trial) => {
    const gsup = await trial.up({
      logging: { driver: 'prefix' },
      processes: { web: { command: [fixture('reports-signals')] } },
    });
    await answered(gsup);
    const all = fourLookOn(trial, gsup);
    await areThere(all, 'web');
    const shipped = copyInstallation(join(trial.folder, 'shipped'));
    const changes = [
      async () =>
        expect(await gsupCommand(gsup, 'upgrade', '--installation', shipped)).toMatchObject({ code: 0 }),
      () => killSupervisor(gsup),
      () => killSupervisor(gsup),
      async () => expect(await gsupCommand(gsup, 'upgrade')).toMatchObject({ code: 0 }),
    ];
    for (const [at, change] of changes.entries()) {
      await change();
      await topGoesOn(all, 'web');
      expect(await gsupCommand(gsup, 'signal', 'USR1', 'web')).toMatchObject({ code: 0 });
      await until('what it has written', () => all.logs.stdout.lines(/^got SIGUSR1/).length === at + 1);
    }
    expect(recordsOf(gsup, 'supervisor-started')).toHaveLength(changes.length + 1);
    gsup.signal('SIGTERM');
    await gsup.ended();
    await allEnd(all, { name: 'web', state: 'killed', code: 0 }, changes.length);
  },
);

scenario(
  'top, status --watch, logs -f and wait of a plain run go on when its visitor is killed',
  PLAIN,
  async (trial) => {
    const command = [fixture('reports-signals'), '--code', '3'];
    const gsup = await trial.start(['--log', 'prefix'], command, VISITED);
    await gsup.record('run-started');
    const all = fourLookOn(trial, gsup);
    await areThere(all, 't');
    for (let times = 1; times <= 2; times++) {
      const [visitor] = await until('a visitor', () => visitors(gsup).length > 0 && visitors(gsup));
      process.kill(visitor as number, 'SIGKILL');
      await until('another one', () => visitors(gsup).some((pid) => pid !== visitor));
      await topGoesOn(all, 't');
      expect(await gsupCommand(gsup, 'signal', 'USR1', 't')).toMatchObject({ code: 0 });
      await until('what it has written', () => all.logs.stdout.lines(/^got SIGUSR1/).length === times);
    }
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(3);
    await allEnd(all, { name: 't', state: 'killed', code: 3 }, 2);
  },
);

/** `gsup top` on a terminal, with its table on the screen; its exit code follows it. */
async function topAt(trial: Trial, gsup: Gsup): Promise<Tmux> {
  const tmux = openTmux(100, 24, { GSUP_STATE_DIR: dirname(gsup.folder), GSUP: BINARY });
  trial.afterwards(tmux.close);
  await tmux.line(/PROMPT>/);
  tmux.keys('$GSUP top; echo "ended with $?"', 'Enter');
  await tmux.line(/^\S+ +running/);
  return tmux;
}

atTerminal(
  'top of a plain run starts a visitor, goes on when that is killed, and lets it go',
  async (trial) => {
    const command = [fixture('reports-signals'), '--code', '3'];
    const gsup = await trial.start(['--log', 'prefix'], command, VISITED);
    await gsup.record('run-started');
    expect(visitors(gsup)).toEqual([]);
    const tmux = await topAt(trial, gsup);
    await killVisitor(gsup);
    await tmux.line(/^t +running/);
    tmux.keys('l');
    await tmux.line(/^ready$/);
    expect(await gsupCommand(gsup, 'signal', 'USR1', 't')).toMatchObject({ code: 0 });
    await tmux.line(/^got SIGUSR1/);
    tmux.keys('q', 'q');
    await tmux.line(/^ended with 0$/);
    await until('nobody to be there any more', () => visitors(gsup).length === 0);
    tmux.keys('clear; $GSUP top; echo "ended with $?"', 'Enter');
    await tmux.line(/^t +running/);
    tmux.keys('s', 'y');
    await tmux.line(/^t has ended: killed, exit code 3$/);
    expect((await gsup.ended()).code).toBe(3);
    expect(gsup.stdout.lines(/got SIGTERM/)).toHaveLength(1);
  },
  PLAIN.modes,
);
