import { spawnSync } from 'node:child_process';
import { describe, expect, it, test } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.ts';
import { completion, SHELLS } from '../../src/cli/completion.ts';
import { OPTION_ROWS } from '../../src/cli/options.ts';

const scriptFor = (shell: string): string => completion(shell).stdout ?? '';

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
  const isThere = spawnSync(shell, ['-c', 'true']).status === 0;
  test.skipIf(!isThere)(`${shell} takes the script`, () => {
    const check = spawnSync(shell, ['-n'], { input: scriptFor(shell), encoding: 'utf8' });
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
