import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.ts';
import { completion, SHELLS } from '../../src/cli/completion.ts';
import { OPTION_ROWS } from '../../src/cli/options.ts';

const scriptFor = (shell: string): string => completion(shell).stdout ?? '';

const isInstalled = (shell: string) => spawnSync(shell, ['-c', 'true']).status === 0;

/** fish does not read a script from its standard input. */
function inFile(shell: string): [script: string, folder: string] {
  const folder = mkdtempSync(join(tmpdir(), 'gsup-completion-'));
  writeFileSync(join(folder, 'script'), scriptFor(shell));
  return [join(folder, 'script'), folder];
}

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

for (const shell of SHELLS) {
  test.skipIf(!isInstalled(shell))(`${shell} takes the script`, () => {
    const [script, folder] = inFile(shell);
    const check = spawnSync(shell, ['-n', script], { encoding: 'utf8' });
    rmSync(folder, { recursive: true });
    expect([check.status, check.stderr]).toEqual([0, '']);
  });

  test(`the script for ${shell} has every option of every command`, () => {
    for (const { options = [] } of COMMANDS)
      for (const { long } of options)
        expect(scriptFor(shell)).toContain(shell === 'fish' ? ` -l ${long} ` : `--${long}`);
  });
}

test.skipIf(!isInstalled('fish'))('fish offers commands by their begin', () => {
  const [script, folder] = inFile('fish');
  const ask = `source ${script}; complete -C 'gsup sta'`;
  const { stdout, stderr } = spawnSync('fish', ['-c', ask], {
    encoding: 'utf8',
    env: { ...process.env, HOME: folder },
  });
  rmSync(folder, { recursive: true });
  const words = stdout.split('\n').map((line) => line.split('\t')[0]);
  expect(words.filter((word) => word !== '').sort(), stderr).toEqual(['start', 'status']);
});

test('another shell is wrong usage', () => {
  expect(completion('csh').exitCode).toBe(64);
  expect(completion(undefined).exitCode).toBe(64);
});
