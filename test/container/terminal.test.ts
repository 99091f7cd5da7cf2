// `podman run -it`: gsup as PID 1 is the session leader of a terminal, and a person types.
import { type ChildProcess, spawn } from 'node:child_process';
import { expect, onTestFinished } from 'vitest';
import type { Mode } from '../support/gsup.ts';
import { until } from '../support/until.ts';
import { gsup, mountGsup, optionsOf } from './container.ts';
import { baseImage, containerRing, freshName, podmanEnv, tryPodman } from './podman.ts';

const { scenario } = await containerRing();

/** util-linux' script lends the terminal that podman -t asks for: what is written to its stdin is typed there. */
function openTerminal(mode: Mode, command: readonly string[]) {
  const name = freshName();
  const words = [
    'podman',
    'run',
    '-it',
    '--name',
    name,
    ...mountGsup,
    baseImage,
    gsup,
    'run',
    ...optionsOf(mode),
    '--',
    ...command,
  ];
  const quoted = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  const script: ChildProcess = spawn('script', ['-qefc', quoted, '/dev/null'], {
    env: { ...podmanEnv, TERM: 'dumb' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(async () => {
    await tryPodman('rm', '-f', '-t', '0', name);
    script.kill('SIGKILL');
  });
  let screen = '';
  script.stdout?.setEncoding('utf8').on('data', (text) => {
    screen += text;
  });
  const code = new Promise<number | null>((resolve) => script.on('close', resolve));
  let seen = 0;
  return {
    code,
    screen: () => screen,
    type: (keys: string) => script.stdin?.write(keys),
    /** Waits for the text to come up behind what earlier calls have found. */
    async shows(pattern: RegExp): Promise<void> {
      await until(
        `the terminal to show ${pattern}`,
        () => {
          const match = pattern.exec(screen.slice(seen));
          if (match) seen += match.index + match[0].length;
          return match !== null;
        },
        20_000,
        () => `behind:\n${screen.slice(0, seen)}\nthere is:\n${screen.slice(seen)}`,
      );
    },
  };
}

const ctrlC = '\x03';
const ctrlZ = '\x1a';
const ctrlBackslash = '\x1c';

scenario('S66 bash has job control', async (mode) => {
  const shell = ['env', 'TERM=dumb', 'PS1=$? prompt> ', 'bash', '--norc', '--noprofile', '-i'];
  const terminal = openTerminal(mode, shell);
  await terminal.shows(/0 prompt> /);
  terminal.type('case $- in *m*) echo monitor=$((40+2));; esac; tty\r');
  await terminal.shows(/monitor=42\r\n\/dev\/(pts\/0|console)\r\n0 prompt> /);

  // It is the job itself that says so: it has the foreground by then.
  const job = `sh -c 'echo up; exec sleep 1000'`;
  terminal.type(`${job}\r`);
  await terminal.shows(/\r\nup\r\n/);
  terminal.type(ctrlC);
  await terminal.shows(/130 prompt> /);

  terminal.type(`${job}\r`);
  await terminal.shows(/\r\nup\r\n/);
  terminal.type(ctrlZ);
  await terminal.shows(/Stopped/);
  await terminal.shows(/148 prompt> /);
  terminal.type('fg\r');
  await terminal.shows(/sleep 1000'\r\n/);
  terminal.type(ctrlC);
  await terminal.shows(/130 prompt> /);

  terminal.type('exit 7\r');
  expect(await terminal.code).toBe(7);
  expect(terminal.screen()).not.toMatch(/no job control|cannot set terminal/);
});

scenario('S66 ^C and ^\\ reach the command', async (mode) => {
  const script =
    'trap "echo got INT" INT; trap "echo got QUIT; exit 5" QUIT; echo ready; while :; do sleep 0.1; done';
  const terminal = openTerminal(mode, ['sh', '-c', script]);
  await terminal.shows(/ready\r\n/);
  terminal.type(ctrlC);
  await terminal.shows(/got INT\r\n/);
  terminal.type(ctrlBackslash);
  await terminal.shows(/got QUIT\r\n/);
  expect(await terminal.code).toBe(5);
});

scenario('S66 the size of the terminal reaches the command when it changes', async (mode) => {
  const script =
    'trap "stty size; exit 6" WINCH; stty rows 10 cols 20; echo ready; while :; do sleep 0.1; done';
  const terminal = openTerminal(mode, ['sh', '-c', script]);
  await terminal.shows(/10 20\r\n/);
  expect(await terminal.code).toBe(6);
});
