// The manuals are made of the tables (test/cli/generated.test.ts says when they are out of date); here: that they are
// whole, shipped, and read well.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.ts';
import { OPTION_ROWS } from '../../src/cli/options.ts';
import { fromMarkdown, inline, plain } from '../../src/cli/troff.ts';
import { PROCESS_KEYS, STOP_KEYS, TASK_KEYS } from '../../src/config/keys.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { EXAMPLE } from '../../src/config/manual.ts';
import { page, root } from './pages.ts';

const MANUALS: readonly string[] = JSON.parse(page('package.json')).man;

test('the package names both', () => {
  expect(MANUALS).toEqual(['man/gsup.1', 'man/gsup.yaml.5']);
  expect(JSON.parse(page('package.json')).files).toContain('man');
});

describe('words of troff', () => {
  test('what it would read as its own stands as it is', () => {
    expect(plain(".x '\\n' --a `b` ^~")).toBe('\\&.x \\(aq\\en\\(aq \\-\\-a \\(gab\\(ga \\(ha\\(ti');
    expect(inline('say `--a` **now**')).toBe('say \\fB\\-\\-a\\fR \\fBnow\\fR');
  });

  test('paragraphs and lists keep what belongs together', () => {
    expect(fromMarkdown(['one', 'two', '', '- a', '  b', '- c', '', 'three'])).toEqual([
      ...['one two', '.IP \\(bu 2', 'a b', '.IP \\(bu 2', 'c', '.PP', 'three'],
    ]);
  });
});

test('gsup.yaml(5) shows a config that is one', () => {
  const readFile = () => {
    throw Object.assign(new Error('it names no file'), { code: 'ENOENT' });
  };
  const loaded = loadConfig({
    env: {},
    cwd: '/',
    only: [],
    files: ['-'],
    readStdin: () => EXAMPLE,
    readFile,
  });
  expect(loaded).toMatchObject({ kind: 'config', warnings: [] });
});

/** Where there is no such program its cases are skipped. */
function has(program: string): boolean {
  return spawnSync(program, ['--version']).error === undefined;
}

describe.skipIf(!has('man'))('man', () => {
  function read(path: string): string {
    const env = { ...process.env, MANWIDTH: '300', MAN_KEEP_FORMATTING: '', LC_ALL: 'C' };
    const { stdout, stderr, status } = spawnSync('man', ['--warnings', '-l', path], {
      cwd: root,
      env,
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(status).toBe(0);
    return stdout;
  }

  test('gsup(1) has every command and every option', () => {
    const text = read('man/gsup.1');
    for (const { usage } of COMMANDS) expect(text).toContain(`gsup ${usage}`);
    for (const { long, help } of OPTION_ROWS) {
      expect(text).toContain(`--${long}`);
      expect(text).toContain(help);
    }
  });

  test('gsup.yaml(5) has every key', () => {
    const text = read('man/gsup.yaml.5');
    for (const table of [TASK_KEYS, PROCESS_KEYS, STOP_KEYS])
      for (const name of Object.keys(table)) expect(text).toMatch(new RegExp(`^ +${name}: `, 'm'));
  });
});

test.skipIf(!has('mandoc')).each(MANUALS)('mandoc has nothing to say of %s', (path) => {
  const { stdout } = spawnSync('mandoc', ['-Tlint', '-Wwarning', join(root, path)], { encoding: 'utf8' });
  expect(stdout).toBe('');
});
