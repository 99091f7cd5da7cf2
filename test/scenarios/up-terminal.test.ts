import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { fixture } from '../support/fixtures.ts';
import { BINARY, type Gsup, type Settings } from '../support/gsup.ts';
import { descendants, look, program } from '../support/processes.ts';
import { type Line, readRecords } from '../support/records.ts';
import { scenario, type Trial } from '../support/scenario.ts';
import { until } from '../support/until.ts';
import { outcomesOf } from '../support/up.ts';

const SUPERVISED = { modes: ['supervisor'] } as const;
const AT_A_SHELL = { ...SUPERVISED, rings: ['subreaper'] } as const;
const CTRL_C = '\u0003';
const cleansUp = { processes: { app: { command: [fixture('cleans-up-for'), '300'] } } };

/** The terminal is gone when `stdin` ends, as when its window is closed. */
const terminal: Settings = { warden: ['--pty', '--hangs-up'], stdin: 'pipe' };

function stops(records: readonly Line[]): string[] {
  return records
    .filter(({ type }) => type === 'stop-requested')
    .map(({ cause, signal }) => `${cause} ${signal}`);
}

function upCommandLine(trial: Trial, config: unknown): string {
  const file = join(trial.folder, 'gsup.json');
  writeFileSync(file, JSON.stringify({ logging: { driver: 'inherit' }, ...(config as object) }));
  return [BINARY, 'up', '--state-dir', `${trial.folder}/state`, '--name', 't', '-f', file].join(' ');
}

/** The shell is gone before gsup is: what is left has the time to end by itself. */
const shell: Settings = {
  ...terminal,
  warden: [...(terminal.warden ?? []), '--linger', '30000'],
  mayLeave: true,
  brokenLogs: true,
};

/** A shell on a terminal, at which `gsup up` has been typed: `before` and `after` are what stands around it. */
async function atAShell(trial: Trial, before: string, after: string): Promise<Gsup> {
  const bash = await trial.start([], [], {
    ...shell,
    instead: ['bash', '--norc', '--noprofile', '-i'],
    env: { PS1: 'PROMPT> ', GSUP: upCommandLine(trial, cleansUp), HISTFILE: '' },
  });
  await bash.stdout.line(/PROMPT>/);
  bash.stdin?.write(`${before} $GSUP ${after}\n`);
  await until('the process', () => records(trial).some(({ type }) => type === 'run-started'));
  await bash.stdout.line(/ready\r?$/);
  return bash;
}

function records(trial: Trial): Line[] {
  return readRecords(join(trial.folder, 'state', 't'));
}

async function endOf(trial: Trial): Promise<Line> {
  const found = () => records(trial).find((line) => line.type === 'task-state' && line.exit_code !== null);
  return until('the end of the task', found, 30_000);
}

function initOf(bash: Gsup): number {
  return descendants(bash.pid).find((pid) => program(pid) === 'gsup') as number;
}

scenario('S66 up: ^C on a terminal that gsup leads stops the task', SUPERVISED, async (trial) => {
  const gsup = await trial.up(cleansUp, terminal);
  await gsup.ready();
  gsup.stdin?.write(CTRL_C);
  expect((await gsup.ended()).code).toBe(0);
  expect(stops(gsup.records())).toEqual(['signal SIGINT']);
  expect(outcomesOf(gsup)).toEqual(['app#1 killed stopped 0']);
});

scenario('up: a terminal that goes away stops the task, by the whole ladder', SUPERVISED, async (trial) => {
  const gsup = await trial.up(cleansUp, terminal);
  await gsup.ready();
  gsup.stdin?.end();
  expect((await gsup.ended()).code).toBe(0);
  expect(stops(gsup.records())).toEqual(['signal SIGTERM']);
  expect(outcomesOf(gsup)).toEqual(['app#1 killed stopped 0']);
});

scenario('up: SIGHUP on a terminal that is there is a reload', SUPERVISED, async (trial) => {
  const gsup = await trial.up(cleansUp, terminal);
  await gsup.ready();
  gsup.signal('SIGHUP');
  await gsup.record('reload');
  expect(stops(gsup.records())).toEqual([]);
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(0);
});

for (const [where, after] of [
  ['in the foreground', ''],
  ['in the background', '&'],
] as const)
  scenario(`up: closing the window of its shell stops the task ${where}, once`, AT_A_SHELL, async (trial) => {
    const bash = await atAShell(trial, '', after);
    bash.stdin?.end();
    expect(await endOf(trial)).toMatchObject({ state: 'killed', exit_code: 0 });
    await bash.ended();
    expect(stops(records(trial))).toEqual(['signal SIGTERM']);
  });

scenario('up: shell and kernel tell of the same end, however far apart', AT_A_SHELL, async (trial) => {
  // gsup is in the foreground, so the kernel tells it once more when the shell that leads the session ends.
  const app = { command: [fixture('cleans-up-for'), '3000'], stop: { grace: '30s' } };
  const gsup = upCommandLine(trial, { processes: { app } });
  const script = `trap 'kill -HUP $gsup; sleep 1; exit' HUP; ${gsup} & gsup=$!; while :; do wait; done`;
  const sh = await trial.start([], [], { ...shell, instead: ['sh', '-c', script] });
  await sh.ready();
  sh.stdin?.end();
  expect(await endOf(trial)).toMatchObject({ state: 'killed', exit_code: 0 });
  await sh.ended();
  const told = records(trial).filter(
    ({ type, signal, run }) => type === 'signal' && signal === 'SIGHUP' && !run,
  );
  expect(told).toHaveLength(2);
  expect(stops(records(trial))).toEqual(['signal SIGTERM']);
});

scenario('up: nohup outlives its terminal, and still stops when it is told to', AT_A_SHELL, async (trial) => {
  const bash = await atAShell(trial, 'nohup', '</dev/null 2>/dev/null | cat &');
  const init = initOf(bash);
  bash.stdin?.end();
  const heard = () => records(trial).some(({ type, signal }) => type === 'signal' && signal === 'SIGHUP');
  await until('SIGHUP', heard);
  await until('the shell to be gone', () => look(bash.pid) === undefined || look(bash.pid)?.state === 'Z');
  process.kill(init, 'SIGTERM');
  expect(await endOf(trial)).toMatchObject({ exit_code: 0 });
  await bash.ended();
  const asked = records(trial).filter(({ type }) => type === 'stop-requested');
  expect(asked.map(({ by }) => by)).toEqual([{ pid: process.pid, uid: process.getuid?.() }]);
  expect(records(trial).filter(({ type }) => type === 'reload')).toEqual([]);
});
