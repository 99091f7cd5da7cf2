// `gsup top` on a real terminal.
import { spawn } from 'node:child_process';
import { renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect } from 'vitest';
import { gsupCommand } from '../support/cli.ts';
import { answered, socketOf } from '../support/control.ts';
import { fixture } from '../support/fixtures.ts';
import { BINARY, type Gsup } from '../support/gsup.ts';
import { collect } from '../support/output.ts';
import { descendants, look, program } from '../support/processes.ts';
import { scenario, type Trial } from '../support/scenario.ts';
import { atTerminal, openTmux, type Tmux } from '../support/tmux.ts';
import { until } from '../support/until.ts';
import { firstOf, recordsOf } from '../support/up.ts';

const WHERE = { rings: ['subreaper'], modes: ['supervisor'] } as const;

const STUBBORN = [fixture('ignores-sigterm')];
const SLEEPS = ['sleep', '1000'];
const SHOP = {
  processes: {
    web: { command: STUBBORN, replicas: 2, stop: { grace: '600s' }, logging: { driver: 'prefix' } },
    db: { command: SLEEPS },
  },
};

async function shop(trial: Trial, config: unknown = SHOP): Promise<Gsup> {
  const gsup = await trial.up(config);
  await answered(gsup);
  return gsup;
}

async function terminal(trial: Trial, gsup: Gsup, columns = 80, rows = 24): Promise<Tmux> {
  const tmux = openTmux(columns, rows, { GSUP_STATE_DIR: dirname(gsup.folder), GSUP: BINARY });
  trial.afterwards(tmux.close);
  await tmux.line(/PROMPT>/);
  return tmux;
}

/** `gsup top` in it, with its table on the screen; its exit code follows it. */
async function top(trial: Trial, gsup: Gsup, columns = 80, rows = 24): Promise<Tmux> {
  const tmux = await terminal(trial, gsup, columns, rows);
  tmux.keys('$GSUP top; echo "ended with $?"', 'Enter');
  await tmux.line(/^\S+ +running/);
  return tmux;
}

function pidOfTop(tmux: Tmux): number {
  const found = descendants(tmux.pid).find((pid) => program(pid) === 'node');
  if (found === undefined) throw new Error('top does not run');
  return found;
}

/** The shell has its terminal back as it gave it: its own screen, a cursor, lines that are edited, characters that are shown. */
async function isAsBefore(tmux: Tmux): Promise<void> {
  expect(tmux.modes()).toBe('alternate_on=0 cursor_flag=1 wrap_flag=1');
  // bash sets modes of its own while it edits a line; what a command finds is what was restored.
  tmux.keys(
    'echo "modes $(stty -a | grep -oE -- "-?(icanon|echo|isig|icrnl) " | sort | tr -d "\\n")"',
    'Enter',
  );
  await tmux.line(/^modes echo icanon icrnl isig$/);
  tmux.keys('clear', 'Enter');
  await until('a clear screen', () => tmux.screen().every((line) => !line.startsWith('modes')));
}

/** Ends what a stop of the task would wait 10 minutes for. */
async function finish(gsup: Gsup): Promise<void> {
  await gsupCommand(gsup, 'shutdown', '--now');
  await gsup.ended();
}

atTerminal(
  'top stops, restarts, signals and starts who is chosen, after it has been asked',
  async (trial) => {
    const gsup = await shop(trial, {
      processes: { web: { command: SLEEPS, replicas: 2 }, db: { command: SLEEPS } },
    });
    const tmux = await top(trial, gsup);
    tmux.keys('Down', 's');
    await tmux.line(/^stop web\.2\? \[y\/N\]$/);
    tmux.keys('Enter');
    await tmux.line(/^nothing is done$/);
    expect(recordsOf(gsup, 'stop-requested')).toEqual([]);
    tmux.keys('s', 'y');
    await tmux.line(/^web\.2 +killed/);
    expect(recordsOf(gsup, 'stop-requested')).toMatchObject([{ process: 'web.2', cause: 'api' }]);
    tmux.keys('u');
    await tmux.line(/^web\.2 +running .* 1 /);
    tmux.keys('Up', 'r');
    await tmux.line(/^restart web\.1\? \[y\/N\]$/);
    tmux.keys('y');
    await tmux.line(/^web\.1 +running .* 1 /);
    tmux.keys('End', 'k');
    await tmux.line(/^ SIGTERM$/);
    tmux.keys('Home', 'Enter');
    // With that one the task has failed.
    await tmux.line(/^t has ended: failed, exit code 129$/);
    expect(firstOf(gsup, 'run-ended', 'db#1')).toMatchObject({ signal: 'SIGHUP' });
    await tmux.line(/^ended with 0$/);
    await isAsBefore(tmux);
    await gsup.ended();
  },
);

atTerminal('top shows a stop that waits: for whom, how long, and that the task has ended', async (trial) => {
  const gsup = await shop(trial);
  const tmux = await top(trial, gsup);
  gsup.signal('SIGTERM');
  await tmux.line(/^t: cleaning, stop waits at most (9m|10m) \d+s until the next rung, for web\.1, web\.2/);
  await tmux.line(/^web\.1 +stopping (9m|10m) \d+s/);
  await tmux.line(/^web\.1#1: stopping: SIGTERM, waits for ignores-sigterm \(\d+\), (9m|10m) \d+s left/);
  gsup.signal('SIGINT');
  await tmux.line(/^t has ended: killed, exit code 137$/);
  await tmux.line(/^ended with 0$/);
  await isAsBefore(tmux);
  await gsup.ended();
});

atTerminal('top shows output as it comes', async (trial) => {
  const gsup = await shop(trial);
  const tmux = await top(trial, gsup);
  tmux.keys('l');
  await tmux.line(/^output of web\.1/);
  await tmux.line(/^ready$/);
  tmux.keys('q', 'End', 'l');
  await tmux.line(/^what db writes is not captured|^db has written nothing that is kept/);
  tmux.keys('C-c');
  await tmux.line(/^ended with 0$/);
  await finish(gsup);
});

atTerminal('top is of use in 20 columns and 5 rows, in 300 and 100, and follows the size', async (trial) => {
  const gsup = await shop(trial);
  const tmux = await top(trial, gsup, 20, 5);
  expect(tmux.screen()[0]).toMatch(/^t: active, .*\+$/);
  tmux.resize(300, 100);
  await tmux.line(/^db +running +\d+\.\d +\d+ [kM]B +0 +[\d.m s]+ \d+ +-$/);
  tmux.resize(12, 2);
  await until('two rows', () => tmux.screen().filter((line) => line !== '').length === 2);
  tmux.resize(80, 24);
  await tmux.line(/^\? help {2}q quit {2}s stop/);
  tmux.keys('q');
  await tmux.line(/^ended with 0$/);
  await finish(gsup);
});

atTerminal('top goes on when its supervisor is killed, and says when none answers', async (trial) => {
  const gsup = await shop(trial);
  const tmux = await top(trial, gsup);
  const first = await gsup.supervisor();
  process.kill(first, 'SIGKILL');
  await until('another supervisor', () => recordsOf(gsup, 'supervisor-started').length === 2);
  tmux.keys('s', 'y');
  await tmux.line(/^web\.1 +stopping/);
  const socket = socketOf(gsup);
  renameSync(socket, `${socket}.away`);
  await tmux.line(/^t: active, its supervisor does not answer, asking again/);
  await tmux.line(/^web\.1 +stopping/);
  await tmux.line(/^db +running/);
  renameSync(`${socket}.away`, socket);
  await tmux.line(/^t: active, pid/);
  tmux.keys('q');
  await tmux.line(/^ended with 0$/);
  await finish(gsup);
});

for (const [signal, code] of [
  ['SIGTERM', 143],
  ['SIGINT', 130],
  ['SIGHUP', 129],
  ['SIGQUIT', 131],
] as const)
  atTerminal(`top gives the terminal back on ${signal}`, async (trial) => {
    const gsup = await shop(trial);
    const tmux = await top(trial, gsup);
    process.kill(pidOfTop(tmux), signal);
    await tmux.line(new RegExp(`^ended with ${code}$`));
    await isAsBefore(tmux);
    await finish(gsup);
  });

atTerminal('top is suspended by ^Z and by SIGTSTP, and draws itself anew', async (trial) => {
  const gsup = await shop(trial);
  const tmux = await top(trial, gsup);
  tmux.keys('C-z');
  await tmux.line(/Stopped +\$GSUP top/);
  await isAsBefore(tmux);
  tmux.keys('fg', 'Enter');
  await tmux.line(/^db +running/);
  const pid = pidOfTop(tmux);
  process.kill(pid, 'SIGTSTP');
  await tmux.line(/Stopped +\$GSUP top/);
  tmux.keys('fg', 'Enter');
  await tmux.line(/^db +running/);
  // Stopped by somebody else, it cannot give anything back; when it goes on it sets everything anew.
  process.kill(pid, 'SIGSTOP');
  await tmux.line(/Stopped +\$GSUP top/);
  tmux.keys('fg', 'Enter');
  await tmux.line(/^db +running/);
  tmux.keys('q');
  await until('its end', () => look(pid) === undefined);
  await isAsBefore(tmux);
  await finish(gsup);
});

scenario(
  'top without a terminal prints the table once, and with -b one after the other',
  WHERE,
  async (trial) => {
    const gsup = await shop(trial);
    const once = await gsupCommand(gsup, 'top', '--sort', 'name');
    expect(once).toMatchObject({ code: 0, stderr: '' });
    const names = (text: string) => [...text.matchAll(/^(web\.\d|db)\b/gm)].map(([name]) => name);
    expect(names(once.stdout)).toEqual(['db', 'web.1', 'web.2']);
    const twice = await gsupCommand(gsup, 'top', '-b', '-n', '2', '-d', '100ms');
    expect(names(twice.stdout)).toEqual(['web.1', 'web.2', 'db', 'web.1', 'web.2', 'db']);
    expect(twice.stdout).not.toContain('\u001b');
    expect(await gsupCommand(gsup, 'top', '--sort', 'size')).toMatchObject({
      code: 64,
      stderr:
        'gsup: cannot use "--sort": config, name, state, cpu, memory, restarts, uptime is needed, got "size"\n',
    });
    expect((await gsupCommand(gsup, 'top', '-n', '0')).code).toBe(64);
    expect((await gsupCommand(gsup, 'top', '-d', '2')).code).toBe(64);
    const env = { PATH: process.env.PATH ?? '', GSUP_STATE_DIR: dirname(gsup.folder) };
    const last = spawn(BINARY, ['top', '-b', '-d', '100ms'], { env, stdio: ['ignore', 'pipe', 'ignore'] });
    const ended = new Promise((resolve) => last.once('close', resolve));
    await collect(last.stdout).line(/^db +running/);
    await finish(gsup);
    expect(await ended).toBe(0);
    expect((await gsupCommand(gsup, 'top')).code).toBe(69);
  },
);
