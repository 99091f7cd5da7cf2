import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import type { CommandRow } from '../../src/cli/command-row.ts';
import { COMMANDS } from '../../src/cli/commands.ts';
import { completion, SHELLS } from '../../src/cli/completion.ts';
import { OPTION_ROWS } from '../../src/cli/options.ts';

const scriptFor = (shell: string): string => completion(shell).stdout ?? '';

const isInstalled = (shell: string) => spawnSync(shell, ['-c', 'true']).status === 0;

/** What bash offers for the last word. */
function offered(...words: string[]): string[] {
  const line = words.map((word) => `'${word}'`).join(' ');
  const ask = `COMP_WORDS=(gsup ${line}); COMP_CWORD=${words.length}; _gsup; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync('bash', ['-c', `${scriptFor('bash')}\n${ask}`], { encoding: 'utf8' });
  expect(stderr).toBe('');
  return stdout.split('\n').filter((word) => word !== '');
}

describe('bash', () => {
  it('offers every command, and no option, where a command is expected', () => {
    const found = offered('');
    expect(found).toEqual(expect.arrayContaining(COMMANDS.map(({ name }) => name)));
    expect(offered('sta')).toEqual(
      ['status', 'start']
        .filter((name) => found.includes(name))
        .sort((a, b) => found.indexOf(a) - found.indexOf(b)),
    );
  });

  it('offers the options of the command that was typed, also behind common ones with values', () => {
    const found = offered('--name', 'run', 'run', '--');
    const wanted = OPTION_ROWS.filter(({ up }) => up !== 'only').map(({ long }) => `--${long}`);
    expect(found.sort()).toEqual(wanted.sort());
    expect(offered('wait', '--f')).toEqual(['--for']);
    expect(offered('stop', '--g')).toEqual([]);
  });

  it('offers nothing of its own for a value or a word', () => {
    expect(offered('run', '--grace', '')).toEqual([]);
    expect(offered('stop', '')).toEqual([]);
  });
});

/** A folder of its own, with the script in it as `file`. */
function withScript<T>(shell: string, file: string, body: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'gsup-completion-'));
  try {
    writeFileSync(join(folder, file), scriptFor(shell));
    return body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const around = (folder: string) => ({
  PATH: process.env.PATH ?? '',
  HOME: folder,
  TERM: 'dumb',
  LC_ALL: 'C',
});

/** What fish offers for a line. */
function offeredByFish(line: string): string[] {
  return withScript('fish', 'script', (folder) => {
    const ask = ['--no-config', '-c', 'source $argv[1]; complete -C $argv[2]', join(folder, 'script'), line];
    const { stdout, stderr } = spawnSync('fish', ask, {
      cwd: folder,
      encoding: 'utf8',
      env: around(folder),
    });
    expect(stderr).toBe('');
    return stdout.split('\n').flatMap((each) => each.split('\t')[0] || []);
  });
}

/** What zsh offers for a line, on a terminal. */
function offeredByZsh(line: string): string[] {
  return withScript('zsh', '_gsup', (folder) => {
    const support = join(import.meta.dirname, '../support');
    const env = {
      ...around(folder),
      OFFERS_FOLDER: folder,
      OFFERS_ASKED: join(support, 'zsh-asked.zsh'),
    };
    const ask = ['-f', join(support, 'zsh-asks.zsh'), line];
    const { stdout, stderr } = spawnSync('zsh', ask, {
      cwd: folder,
      encoding: 'utf8',
      env,
      timeout: 60_000,
    });
    expect(stderr).toBe('');
    return stdout.split('\n').filter((word) => word !== '');
  });
}

const longOptionsOf = (name: string): string[] => {
  const { options = [] } = COMMANDS.find((row) => row.name === name) as CommandRow;
  const common = OPTION_ROWS.filter((row) => row.common);
  return [...options, ...common].map(({ long }) => `--${long}`).sort();
};

for (const [shell, ask] of [
  ['zsh', offeredByZsh],
  ['fish', offeredByFish],
] as const) {
  if (!isInstalled(shell)) {
    test.skip(`${shell} offers commands and options: needs ${shell}`, () => {});
    continue;
  }
  describe(shell, { timeout: 240_000 }, () => {
    it('offers every command, and no option, where a command is expected', () => {
      const all = COMMANDS.map(({ name }) => name).sort();
      expect(ask('gsup ').sort()).toEqual(all);
      expect(ask('gsup --name web ').sort()).toEqual(all);
      expect(ask('gsup sta').sort()).toEqual(['start', 'status']);
    });

    it('offers the options of the command that was typed, whatever the words beside it are', () => {
      const run = OPTION_ROWS.filter(({ up }) => up !== 'only').map(({ long }) => `--${long}`);
      expect(ask('gsup run --').sort()).toEqual(run.sort());
      expect(ask('gsup --name run stop --').sort()).toEqual(longOptionsOf('stop'));
      expect(ask('gsup stop run --').sort()).toEqual(longOptionsOf('stop'));
      expect(ask('gsup wait --f')).toEqual(['--for']);
    });

    it('offers nothing of its own for a value or a word', () => {
      const found = [...ask('gsup wait --for '), ...ask('gsup stop ')];
      const own = [...COMMANDS.map(({ name }) => name), ...OPTION_ROWS.map(({ long }) => `--${long}`)];
      expect(found.filter((word) => own.includes(word))).toEqual([]);
    });
  });
}

for (const shell of SHELLS) {
  if (!isInstalled(shell)) test.skip(`${shell} takes the script: needs ${shell}`, () => {});
  else
    test(`${shell} takes the script`, () => {
      // fish does not read one from its standard input.
      const check = withScript(shell, 'script', (folder) =>
        spawnSync(shell, ['-n', join(folder, 'script')], { encoding: 'utf8' }),
      );
      expect([check.status, check.stderr]).toEqual([0, '']);
    });

  test(`the script for ${shell} has every option of every command`, () => {
    for (const { options = [] } of COMMANDS)
      for (const { long } of options)
        expect(scriptFor(shell)).toContain(shell === 'fish' ? ` -l ${long} ` : `--${long}`);
  });
}

test('another shell is wrong usage', () => {
  expect(completion('csh').exitCode).toBe(64);
  expect(completion(undefined).exitCode).toBe(64);
});
