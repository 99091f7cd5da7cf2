// `gsup status --watch`: on a terminal, and where its output is read by something else.
import { spawn } from 'node:child_process';
import { dirname } from 'node:path';
import { expect } from 'vitest';
import { gsupCommand } from '../support/cli.ts';
import { answered } from '../support/control.ts';
import { BINARY, type Gsup } from '../support/gsup.ts';
import { collect, type Output } from '../support/output.ts';
import { scenario, type Trial } from '../support/scenario.ts';
import { atTerminal, openTmux } from '../support/tmux.ts';
import { until } from '../support/until.ts';
import { recordsOf } from '../support/up.ts';

const WHERE = { rings: ['subreaper'], modes: ['supervisor'] } as const;
const SLEEPS = { command: ['sleep', '1000'] };
const SHOP = { processes: { web: { ...SLEEPS, replicas: 2 }, db: SLEEPS } };

async function shop(trial: Trial): Promise<Gsup> {
  const gsup = await trial.up(SHOP);
  await answered(gsup);
  return gsup;
}

async function replaceSupervisor(gsup: Gsup): Promise<void> {
  const before = recordsOf(gsup, 'supervisor-started').length;
  process.kill(await gsup.supervisor(), 'SIGKILL');
  await until('another supervisor', () => recordsOf(gsup, 'supervisor-started').length > before);
}

/** Until it has ended; what it has written so far is in `output`. */
function watching(gsup: Gsup, ...words: string[]): { output: Output; ended: Promise<number | null> } {
  const env = { PATH: process.env.PATH ?? '', GSUP_STATE_DIR: dirname(gsup.folder) };
  const child = spawn(BINARY, ['status', '--watch', ...words], { env, stdio: ['ignore', 'pipe', 'ignore'] });
  return { output: collect(child.stdout), ended: new Promise((resolve) => child.once('close', resolve)) };
}

atTerminal(
  'status --watch draws one table, as wide and as high as the terminal, until the end',
  async (trial) => {
    const gsup = await shop(trial);
    const tmux = openTmux(52, 20, { GSUP_STATE_DIR: dirname(gsup.folder), GSUP: BINARY });
    trial.afterwards(tmux.close);
    await tmux.line(/PROMPT>/);
    tmux.keys('$GSUP status --watch; echo "ended with $?"', 'Enter');
    await tmux.line(/^PROCESS +STATE +UPTIME +RESTARTS +CPU +MEMORY$/);
    await tmux.line(/^db +running +\S+ +0 +\S+ % +\d+ [kM]B$/);
    await replaceSupervisor(gsup);
    expect(await gsupCommand(gsup, 'stop', '--wait', 'web.1')).toMatchObject({ code: 0 });
    await tmux.line(/^web\.1 +killed/);
    expect(tmux.screen().filter((line) => line.startsWith('PROCESS'))).toHaveLength(1);
    expect(tmux.screen()[0]).toMatch(/^t: active, pid \d+, since/);
    tmux.resize(52, 5);
    await tmux.line(/^\.\.\. and \d more lines$/);
    tmux.resize(30, 20);
    await tmux.line(/^PROCESS +STATE +UPTIME$/);
    await gsupCommand(gsup, 'shutdown');
    await tmux.line(/^t: killed, exit code 0/);
    await tmux.line(/^ended with 0$/);
    await gsup.ended();
  },
);

scenario(
  'status --watch writes a table again when there is news, and a new supervisor is none',
  WHERE,
  async (trial) => {
    const gsup = await shop(trial);
    const { output, ended } = watching(gsup);
    await output.line(/^db +running/);
    await replaceSupervisor(gsup);
    await gsupCommand(gsup, 'stop', '--wait', 'web.1');
    await output.line(/^web\.1 +killed/);
    await gsupCommand(gsup, 'shutdown', '--wait');
    await output.line(/^t: killed, exit code 0/);
    expect(await ended).toBe(0);
    expect(output.text()).not.toContain('\u001b');
    // At the begin, while and after web.1 was stopped, while the task was, and at its end.
    const tables = output.lines(/^PROCESS/).length;
    expect(tables).toBeGreaterThanOrEqual(3);
    expect(tables).toBeLessThanOrEqual(5);
    expect(output.lines(/^web\.2 .*running/).length).toBeLessThanOrEqual(4);
    await gsup.ended();
  },
);

scenario(
  'status --watch --json is an object a line, each of which says what status does',
  WHERE,
  async (trial) => {
    const gsup = await shop(trial);
    const { output, ended } = watching(gsup, '--json');
    await output.line(/"state":"running"/);
    await gsupCommand(gsup, 'shutdown', '--wait');
    expect(await ended).toBe(0);
    const told = output
      .text()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(told[0]).toMatchObject({ version: 1, task: { name: 't', state: 'active' } });
    expect(told.at(-1)).toMatchObject({ task: { state: 'killed', exit_code: 0 } });
    const names = told.map(({ processes }) => processes.map(({ name }: { name: string }) => name).join());
    expect(new Set(names)).toEqual(new Set(['web.1,web.2,db']));
    await gsup.ended();
  },
);
