/** A real terminal, of any size, that can be typed at and looked at: a server of tmux that belongs to one test. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'vitest';
import type { Mode } from './gsup.ts';
import { scenario, type Trial } from './scenario.ts';
import { until } from './until.ts';

const HAS_TMUX = spawnSync('tmux', ['-V']).status === 0;

const WHERE = { rings: ['subreaper'], modes: ['supervisor'], timeoutMs: 180_000 } as const;

/** A scenario at a terminal; where there is no tmux it says so, and is skipped. */
export function atTerminal(
  title: string,
  body: (trial: Trial) => Promise<void>,
  modes: readonly Mode[] = WHERE.modes,
): void {
  if (HAS_TMUX) scenario(title, { ...WHERE, modes }, body);
  else test.skip(`${title}: needs tmux`, () => {});
}

export interface Tmux {
  /** As `tmux send-keys` takes them: `Down`, `Enter`, `C-c`, `s`. */
  readonly keys: (...keys: readonly string[]) => void;
  readonly resize: (columns: number, rows: number) => void;
  /** What is on the screen, a line for each row, without spaces at the end. */
  readonly screen: () => string[];
  /** The screen with its colours, as sequences. */
  readonly painted: () => string;
  /** A line of the screen that matches, now or later. */
  readonly line: (pattern: RegExp) => Promise<string>;
  /** Which screen it shows, and how. */
  readonly modes: () => string;
  /** The pid of the shell in it. */
  readonly pid: number;
  readonly close: () => void;
}

const PROMPT = 'PROMPT>';

/** A shell with a prompt to wait for, `columns` by `rows`. */
export function openTmux(columns: number, rows: number, env: Readonly<Record<string, string>>): Tmux {
  // Of its own, and short: the path of a socket has 107 bytes.
  const folder = mkdtempSync(join(tmpdir(), 'tmux-'));
  const around = { PATH: process.env.PATH ?? '', HOME: folder, LANG: 'C.UTF-8', TMUX_TMPDIR: folder, ...env };
  const tmux = (...words: readonly string[]): string =>
    execFileSync('tmux', ['-L', 't', '-f', '/dev/null', ...words], { env: around, encoding: 'utf8' });
  const shell = `env PS1='${PROMPT} ' HISTFILE= bash --norc --noprofile -i`;
  tmux('new-session', '-d', '-x', `${columns}`, '-y', `${rows}`, '-s', 's', shell);
  const screen = (): string[] =>
    tmux('capture-pane', '-p', '-t', 's')
      .split('\n')
      .map((line) => line.trimEnd());
  return {
    keys: (...keys) => void tmux('send-keys', '-t', 's', ...keys),
    resize: (toColumns, toRows) =>
      void tmux('resize-window', '-t', 's', '-x', `${toColumns}`, '-y', `${toRows}`),
    screen,
    painted: () => tmux('capture-pane', '-p', '-e', '-t', 's'),
    line: (pattern) =>
      until(
        `${pattern} on the screen`,
        () => screen().find((line) => pattern.test(line)),
        60_000,
        () => screen().join('\n'),
      ),
    modes: () =>
      tmux(
        'display-message',
        '-p',
        '-t',
        's',
        'alternate_on=#{alternate_on} cursor_flag=#{cursor_flag} wrap_flag=#{wrap_flag}',
      ).trim(),
    pid: Number(tmux('display-message', '-p', '-t', 's', '#{pane_pid}')),
    close() {
      spawnSync('tmux', ['-L', 't', 'kill-server'], { env: around });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
