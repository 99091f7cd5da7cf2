// What is wrong is refused with file, line and the exit codes of SPEC 2; what is hostile is bounded.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { evaluate } from '../../src/import/pm2/evaluate.ts';
import { folderWith, importIn, importText } from './written.ts';

const CASES: ReadonlyArray<readonly [title: string, file: string, text: string, code: number, said: RegExp]> =
  [
    [
      'ini: a line that is none',
      's.conf',
      '[program:a]\ncommand=x\nnonsense',
      78,
      /^gsup: s\.conf:3:1: .*"key=value" is needed/,
    ],
    [
      'ini: a key before any section',
      's.conf',
      'a=b\n[program:a]\ncommand=x',
      78,
      /^gsup: s\.conf:1:1: .*section is needed/,
    ],
    ['ini: a NUL byte', 's.conf', '[program:a]\ncommand=\0', 78, /s\.conf:2:1: .*NUL/],
    [
      'supervisord: no command',
      's.conf',
      '[program:a]\nuser=b',
      78,
      /s\.conf:1:1: .*\[program:a\] command: a command is needed/,
    ],
    ['supervisord: an open quote', 's.conf', '[program:a]\ncommand=x "y', 78, /s\.conf:2:1: .*closing quote/],
    [
      'supervisord: an unknown reference',
      's.conf',
      '[program:a]\ncommand=x %(nope)s',
      78,
      /s\.conf:2:1: .*there is no "nope"/,
    ],
    [
      'supervisord: a percent sign',
      's.conf',
      '[program:a]\ncommand=x 5%',
      78,
      /s\.conf:2:1: .*%% for a percent sign/,
    ],
    [
      'supervisord: a signal',
      's.conf',
      '[program:a]\ncommand=x\nstopsignal=NOPE',
      78,
      /s\.conf:3:1: .*stopsignal: a signal is needed/,
    ],
    [
      'supervisord: copies without number',
      's.conf',
      '[program:a]\ncommand=x\nnumprocs=1000000000',
      78,
      /s\.conf:3:1: .*numprocs: a .*number/,
    ],
    [
      'supervisord: a group of nobody',
      's.conf',
      '[program:a]\ncommand=x\n[group:g]\nprograms=b',
      78,
      /s\.conf:3:1: .*there is no \[program:b\]/,
    ],
    ['compose: no YAML', 'compose.yaml', 'services:\n  a: [', 78, /compose\.yaml:\d+:\d+: /],
    ['compose: no services', 'compose.yaml', 'name: x', 78, /compose\.yaml:1:1: .*services is needed/],
    [
      'compose: nothing that can be run',
      'compose.yaml',
      'services:\n  a: {image: foo/bar}',
      78,
      /at least one process is needed/,
    ],
    [
      'compose: aliases of aliases',
      'compose.yaml',
      `a: &a [x,x,x,x,x,x,x,x,x,x]\n${bombOf(9)}services: {}`,
      78,
      /at most 100000 values/,
    ],
    ['pm2: no apps', 'x.json', '{"apps": 3}', 78, /list of apps is needed/],
    ['pm2: a config that throws', 'e.config.js', '\n\nthrow new Error("no")', 78, /e\.config\.js:3:1: .*no$/],
    [
      'pm2: a config that does not parse',
      'e.config.cjs',
      'module.exports = {\n',
      78,
      /e\.config\.cjs:\d+:1: /,
    ],
    [
      'pm2: a config that starts something',
      'e.config.cjs',
      "require('child_process').execSync('touch /tmp/x')",
      78,
      /may read files, and do nothing else/,
    ],
    ['pm2: a config that ends itself', 'e.config.cjs', 'process.exit(0)', 78, /ended its own process/],
    ['procfile: a line that is none', 'Procfile', 'web: x\nnonsense\n', 78, /^gsup: Procfile:2:1: /],
    ['a config of gsup', 'gsup.yaml', 'processes: {}', 64, /is a config of gsup/],
    ['nobody knows what', 'file.txt', 'hello', 64, /nobody can tell its format.*--from/],
  ];

function bombOf(levels: number): string {
  const names = 'abcdefghijkl';
  const line = (at: number) => `${names[at]}: &${names[at]} [${`*${names[at - 1]},`.repeat(10)}]\n`;
  return Array.from({ length: levels }, (_, at) => line(at + 1)).join('');
}

test.each(CASES)('%s', (_, file, text, code, said) => {
  const result = importText(file, text);
  expect(result.said[0]).toMatch(said);
  expect(result.code).toBe(code);
  expect(result.text).toBe('');
});

describe('files', () => {
  test('one that is not there, a folder that is none of s6, a format that is none', () => {
    const folder = folderWith({ 'empty/file': '', 's.conf': '[program:a]\ncommand=x' });
    expect(importIn(folder, 'none.conf')).toMatchObject({
      code: 78,
      said: [expect.stringContaining('ENOENT')],
    });
    expect(importIn(folder, 'empty').said[0]).toContain('service directory');
    expect(importIn(folder, 's.conf', { from: 'supervisor' })).toMatchObject({
      code: 64,
      said: [expect.stringContaining('did you mean supervisord?')],
    });
    expect(importIn(folder, 's.conf', { from: 's6' })).toMatchObject({ code: 64 });
  });

  test('never over something that is there', () => {
    const folder = folderWith({ 's.conf': '[program:a]\ncommand=x', 'gsup.yaml': 'mine' });
    const output = join(folder, 'gsup.yaml');
    expect(importIn(folder, 's.conf', { output })).toMatchObject({ code: 64, text: '' });
    expect(readFileSync(output, 'utf8')).toBe('mine');
    expect(importIn(folder, 's.conf', { output: join(folder, 'new.yaml') }).code).toBe(0);
    expect(existsSync(join(folder, 'new.yaml'))).toBe(true);
  });

  test('one that is too long', () => {
    const text = `[program:a]\ncommand=x\n;${'x'.repeat(512 * 1024)}`;
    expect(importText('s.conf', text)).toMatchObject({
      code: 78,
      said: [expect.stringContaining('at most 524288 bytes')],
    });
  });

  test('a program is named by what it is, whatever it is called', () => {
    const result = importText(
      's.conf',
      '[program:x-a/\u001b[31m]\ncommand=x\n[program:x-a__\u00e4]\ncommand=y',
    );
    expect(result.code).toBe(0);
    expect(result.text).not.toContain('\u001b');
    expect(result.text).toContain('  x_a/'.replace('/', '_'));
  });
});

describe('JavaScript', () => {
  test('is ended when it does not end', () => {
    const folder = folderWith({ 'e.config.cjs': 'for (;;) {}' });
    const answer = evaluate(join(folder, 'e.config.cjs'), 'module', {}, 1000);
    expect(answer).toMatchObject({
      kind: 'error',
      message: expect.stringContaining('has not come to an end'),
    });
  });

  test('may not write', () => {
    const folder = folderWith({ 'e.config.cjs': "require('fs').writeFileSync(__dirname + '/made', '')" });
    expect(importIn(folder, 'e.config.cjs').code).toBe(78);
    expect(existsSync(join(folder, 'made'))).toBe(false);
  });

  test('as module, with what it prints left out, and the environment', () => {
    const text =
      "console.log('noise');\nexport default { apps: [{ script: './a.js', env: { A: process.env.A } }] };";
    const result = importText('e.config.mjs', text, {}, { A: 'b' });
    expect(result.process('a')).toMatchObject({ command: ['node', './a.js'], environment: { A: 'b' } });
  });

  test('JSON with comments, as PM2 reads it', () => {
    const result = importText('process.json', '// apps\n{ apps: [{ script: "a.py", args: "1 2" }] }');
    expect(result.process('a')?.command).toEqual(['python3', 'a.py', '1', '2']);
  });
});
