import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { fixture } from '../support/fixtures.ts';
import { type Gsup, gsupCommandLine } from '../support/gsup.ts';
import { descendants, look, program } from '../support/processes.ts';
import { scenario, type Trial } from '../support/scenario.ts';
import { theOne, types } from '../support/story.ts';
import { until } from '../support/until.ts';

const [CTRL_C, CTRL_D, CTRL_Z] = ['\u0003', '\u0004', '\u001a'];

/** gsup leads the session of a terminal, as with `docker run -it`. */
const terminal = { warden: ['--pty'], stdin: 'pipe' } as const;
/** gsup below a shell that somebody types at: never PID 1. */
const AT_A_SHELL = { rings: ['subreaper'] } as const;

function type(gsup: Gsup, text: string): void {
  gsup.stdin?.write(text);
}

/** An interactive shell on a terminal, with a prompt to wait for, in which GSUP is the command line of a run. */
async function shell(trial: Trial, options: string[] = []): Promise<Gsup> {
  const words = gsupCommandLine(trial.ring, trial.mode, options, `${trial.folder}/state`, 't');
  const bash = await trial.start([], [], {
    ...terminal,
    instead: ['bash', '--norc', '--noprofile', '-i'],
    env: { PS1: 'PROMPT> ', GSUP: words.join(' '), HISTFILE: '' },
  });
  await bash.stdout.line(/PROMPT>/);
  return bash;
}

async function running(gsup: Gsup, name: string): Promise<number> {
  return until(`${name} to run`, () => descendants(gsup.pid).find((pid) => program(pid) === name));
}

async function inState(pid: number, states: string): Promise<void> {
  await until(
    `state ${states} of ${pid}`,
    () => states.includes(look(pid)?.state ?? '?'),
    15_000,
    () => `it is ${look(pid)?.state}`,
  );
}

scenario('S66 ^C on the terminal reaches the command, and gsup leaves it to that', {}, async (trial) => {
  const gsup = await trial.start(
    [],
    [fixture('reports-signals'), '--exit-on', 'SIGINT', '--code', '5'],
    terminal,
  );
  await gsup.ready();
  type(gsup, CTRL_C);
  expect((await gsup.ended()).code).toBe(5);
  expect(gsup.stdout.lines(/got SIGINT/)).toHaveLength(1);
  expect(types(gsup.records())).not.toContain('stop-requested');
});

scenario('S66 TERM stops a command on a terminal', {}, async (trial) => {
  const gsup = await trial.start([], [fixture('cleans-up-for'), '100', '--code', '6'], terminal);
  await gsup.ready();
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(6);
  expect(theOne(gsup.records(), 'run-ended').forced).toBe(false);
});

scenario('S66 the command has the terminal', {}, async (trial) => {
  const gsup = await trial.start([], [fixture('prints-context')], terminal);
  expect((await gsup.ended()).code).toBe(0);
  const line = await gsup.stdout.line(/^\{.*\}\r?$/);
  expect(JSON.parse(line[0])).toMatchObject({
    terminal: true,
    descriptors: { 0: expect.stringMatching(/^\/dev\/(pts|tty)/) },
  });
});

scenario('S66 bash has job control', {}, async (trial) => {
  const gsup = await trial.start([], ['bash', '--norc', '--noprofile', '-i'], {
    ...terminal,
    env: { PS1: 'PROMPT> ', HISTFILE: '' },
  });
  await gsup.stdout.line(/PROMPT>/);
  expect(gsup.stdout.text()).not.toMatch(/no job control|cannot set terminal/);
  type(gsup, 'sleep 60\n');
  const sleeper = await running(gsup, 'sleep');
  type(gsup, CTRL_Z);
  await inState(sleeper, 'T');
  await gsup.stdout.line(/Stopped/);
  type(gsup, 'fg\n');
  await inState(sleeper, 'S');
  type(gsup, CTRL_C);
  await until('sleep to end', () => look(sleeper) === undefined);
  type(gsup, 'exit 4\n');
  expect((await gsup.ended()).code).toBe(4);
});

scenario('S25 ^Z and fg work at a shell', AT_A_SHELL, async (trial) => {
  const bash = await shell(trial);
  type(bash, '$GSUP cat\n');
  const cat = await running(bash, 'cat');
  type(bash, 'first\n');
  await until('an echo and an answer', () => bash.stdout.lines(/^first\r$/).length === 2);
  type(bash, CTRL_Z);
  await inState(cat, 'T');
  await bash.stdout.line(/Stopped/);
  type(bash, 'echo at the $((1 + 1))nd prompt\n');
  await bash.stdout.line(/^at the 2nd prompt/);
  type(bash, 'fg\n');
  await inState(cat, 'SR');
  type(bash, 'second\n');
  await until('an echo and an answer', () => bash.stdout.lines(/^second\r$/).length === 2);
  type(bash, CTRL_D);
  await bash.stdout.line(/PROMPT> $/);
  await until('cat to end', () => look(cat) === undefined);
  type(bash, 'echo code $?\n');
  await bash.stdout.line(/^code 0/);
  type(bash, 'exit\n');
  expect((await bash.ended()).code).toBe(0);
});

scenario('S66 ^C at a shell ends the command, with its code', AT_A_SHELL, async (trial) => {
  const bash = await shell(trial);
  type(bash, `$GSUP ${fixture('reports-signals')} --exit-on SIGINT --code 5; echo code $?\n`);
  await bash.ready();
  type(bash, CTRL_C);
  await bash.stdout.line(/^code 5/);
  expect(bash.stdout.lines(/got SIGINT/)).toHaveLength(1);
  type(bash, 'exit 0\n');
  expect((await bash.ended()).code).toBe(0);
});

scenario('S66 the terminal is given back as it was', AT_A_SHELL, async (trial) => {
  const words = gsupCommandLine(trial.ring, trial.mode, ['-g', '50ms'], `${trial.folder}/state`, 't').join(
    ' ',
  );
  const script = `${words} sh -c 'stty -echo -icanon; exec ${fixture('exits-with')} 3'; echo code $?; stty -a; read line; echo "read $line"`;
  const sh = await trial.start([], [], { ...terminal, instead: ['sh', '-c', script] });
  await sh.stdout.line(/^code 3/);
  await sh.stdout.line(/\bicanon\b.*/);
  expect(sh.stdout.text()).not.toMatch(/-icanon|-echo\b/);
  type(sh, 'a line\n');
  await sh.stdout.line(/^read a line/);
  expect((await sh.ended()).code).toBe(0);
});

scenario('S66 also after it had to be killed', AT_A_SHELL, async (trial) => {
  const words = gsupCommandLine(trial.ring, trial.mode, ['-g', '50ms'], `${trial.folder}/state`, 't').join(
    ' ',
  );
  const deaf = `sh -c 'stty -echo -icanon; exec ${fixture('ignores-sigterm')}'`;
  const script = `${words} ${deaf}; echo code $?; stty -a; read line; echo "read $line"`;
  const sh = await trial.start([], [], { ...terminal, instead: ['sh', '-c', script] });
  await sh.ready();
  const gsup = look(descendants(sh.pid).find((pid) => program(pid) === 'gsup') ?? 0);
  process.kill(gsup?.pid as number, 'SIGTERM');
  await sh.stdout.line(/^code 137/);
  await sh.stdout.line(/\bicanon\b.*/);
  expect(sh.stdout.text()).not.toMatch(/-icanon|-echo\b/);
  type(sh, 'a line\n');
  await sh.stdout.line(/^read a line/);
  expect((await sh.ended()).code).toBe(0);
});

scenario('S66 in a pipeline the neighbours keep the foreground', AT_A_SHELL, async (trial) => {
  const bash = await shell(trial);
  // It reads what the command says first: with nobody left to read it the command would die of that.
  const neighbour = `sh -c 'read ready; read line </dev/tty; echo "neighbour read $line"'`;
  type(bash, `$GSUP ${fixture('cleans-up-for')} 1 | ${neighbour}\n`);
  const child = await running(bash, 'cleans-up-for');
  type(bash, 'typed\n');
  await bash.stdout.line(/^neighbour read typed/);
  expect(look(child)).toBeDefined();
  const gsup = descendants(bash.pid).find((pid) => program(pid) === 'gsup') as number;
  process.kill(gsup, 'SIGTERM');
  await until('gsup to end', () => look(gsup) === undefined);
  type(bash, 'exit 0\n');
  expect((await bash.ended()).code).toBe(0);
});

scenario(
  'S66 a command that ends in the background leaves the shell its terminal',
  AT_A_SHELL,
  async (trial) => {
    const bash = await shell(trial);
    type(bash, '$GSUP sleep 5\n');
    const sleeper = await running(bash, 'sleep');
    type(bash, CTRL_Z);
    await inState(sleeper, 'T');
    await bash.stdout.line(/Stopped/);
    type(bash, 'bg\n');
    await inState(sleeper, 'SR');
    type(bash, 'wait; echo still at the $((1 + 1))nd prompt\n');
    await bash.stdout.line(/^still at the 2nd prompt/);
    type(bash, 'echo and at the $((1 + 2))rd\n');
    await bash.stdout.line(/^and at the 3rd/);
    type(bash, 'exit\n');
    expect((await bash.ended()).code).toBe(0);
  },
);

scenario(
  'S25 ^Z below a wrapper stops the wrapper too, and the shell has its prompt',
  AT_A_SHELL,
  async (trial) => {
    const bash = await shell(trial);
    type(bash, 'sh -c "$GSUP cat; true"\n');
    const cat = await running(bash, 'cat');
    type(bash, 'first\n');
    await until('an echo and an answer', () => bash.stdout.lines(/^first\r$/).length === 2);
    type(bash, CTRL_Z);
    await inState(cat, 'T');
    type(bash, 'echo at the $((1 + 1))nd prompt\n');
    await bash.stdout.line(/^at the 2nd prompt/);
    type(bash, 'fg\n');
    await inState(cat, 'SR');
    type(bash, 'second\n');
    await until('an echo and an answer', () => bash.stdout.lines(/^second\r$/).length === 2);
    type(bash, CTRL_D);
    await until('cat to end', () => look(cat) === undefined);
    type(bash, 'exit\n');
    expect((await bash.ended()).code).toBe(0);
  },
);

scenario('S66 ^C between two runs ends gsup', { ...AT_A_SHELL, modes: ['supervisor'] }, async (trial) => {
  const bash = await shell(trial, ['--restart', 'always', '--min-duration', '60s']);
  type(bash, '$GSUP true; echo code $?\n');
  await until('the first run to be over', () => recorded(trial, 'run-ended'));
  type(bash, CTRL_C);
  await bash.stdout.line(/^code \d+/);
  type(bash, 'exit\n');
  expect((await bash.ended()).code).toBe(0);
});

function recorded(trial: Trial, kind: string): boolean {
  try {
    return readFileSync(`${trial.folder}/state/t/init.log`, 'utf8').includes(`"type":"${kind}"`);
  } catch {
    return false;
  }
}
