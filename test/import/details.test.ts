// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are what is tested
// Single rules of the conversions, which no case shows.
import { describe, expect, test } from 'vitest';
import { interpolate } from '../../src/config/interpolate.ts';
import { readDockerfile } from '../../src/import/dockerfile.ts';
import { literal, literalForShell, shellWord, splitWords } from '../../src/import/words.ts';
import { folderWith, importIn, importText } from './written.ts';

describe('words', () => {
  test.each([
    ['a  b', ['a', 'b']],
    [`a 'b c' "d \\" e" f\\ g`, ['a', 'b c', 'd " e', 'f g']],
    ['a"b"\'c\'', ['abc']],
    [`''`, ['']],
    ['a \\\n b', ['a', 'b']],
    ['"a', undefined],
    ['a\\', undefined],
  ])('%j', (text, words) => expect(splitWords(text)).toEqual(words));

  test.each(['$', '$$', '$A', '${A}', '$${A}', 'a$$$b', '$$$', '${', 'x$$y${z:-$$}'])(
    '%j stays what it is',
    (text) => {
      const set = { A: 'wrong', z: 'wrong' };
      expect(interpolate(literal(text), set, false)).toMatchObject({ text, unset: [], problems: [] });
      expect(interpolate(literalForShell(text), set, true)).toMatchObject({ text, unset: [], problems: [] });
    },
  );

  test('a word for a shell', () => {
    expect(shellWord("it's")).toBe(`'it'\\''s'`);
    expect(shellWord('/a-b.c')).toBe('/a-b.c');
  });
});

describe('supervisord', () => {
  const program = (lines: string, env = {}) =>
    importText('s.conf', `[program:a]\ncommand=x\n${lines}`, {}, env);

  test.each([
    ['autorestart=false', { success_exit_codes: undefined, restart: undefined, max_failures: undefined }],
    ['autorestart=true\nstartsecs=0', { restart: 'always', max_failures: undefined, backoff: undefined }],
    [
      'exitcodes=0,2\nstartretries=0',
      { restart: 'on-failure', max_failures: '1', success_exit_codes: ['0', '2'] },
    ],
    ['user=root', { user: undefined }],
    ['stopwaitsecs=0', { stop: { signal: 'SIGTERM', grace: '0s', target: 'leader' } }],
    [
      'stdout_logfile=/a\nstdout_logfile_maxbytes=0',
      { logging: { driver: 'file', path: '/a', max_size: '1024TB', max_files: '11' } },
    ],
    [
      'stdout_logfile=NONE\nstderr_logfile=/e',
      { logging: { driver: 'file', path: '/e', max_size: '50MB', max_files: '11' } },
    ],
    ['stdout_logfile=/dev/null\nstderr_logfile=off', { logging: { driver: 'none' } }],
    ['environment=A=\'x y\',B="%(ENV_C)s",D=1', { environment: { A: 'x y', B: '${C}', D: '1' } }],
  ])('%j', (lines, keys) => {
    const result = program(lines);
    expect(result.said.filter((line) => / cannot /.test(line))).toEqual([]);
    expect({ ...EMPTY, ...result.process('a') }).toMatchObject(keys);
  });

  test("a variable is for who starts gsup, dollars are nobody's", () => {
    const result = importText('s.conf', '[program:a]\ncommand=x %(ENV_C)s $HOME 5%%', {}, { C: 'set' });
    expect(result.process('a')?.command).toEqual(['x', '${C}', '$$HOME', '5%']);
  });

  test('two that write one file: the second does not, and that is said', () => {
    const result = importText(
      's.conf',
      '[program:a]\ncommand=x\nstdout_logfile=/l\n[program:b]\ncommand=y\nstdout_logfile=/l',
    );
    expect(result.process('a')?.logging).toBeDefined();
    expect(result.process('b')?.logging).toBeUndefined();
    expect(result.said.join('\n')).toMatch(/b: logging is left out: "a" and "b" cannot write the same file/);
  });

  test('of the socket, with its password, nothing comes into the config', () => {
    const result = program('[inet_http_server]\nport=*:9001\npassword=secret');
    expect(result.text).not.toContain('secret');
    expect(result.said.join('\n')).toContain('[inet_http_server] is left out');
  });
});

const EMPTY = {
  restart: undefined,
  max_failures: undefined,
  backoff: undefined,
  user: undefined,
  success_exit_codes: undefined,
};

describe('compose', () => {
  const service = (lines: string, env = {}) =>
    importText('compose.yaml', `services:\n  a:\n${lines.replace(/^/gm, '    ')}`, {}, env);

  test.each([
    ['command: [x]\nentrypoint: [y, z]', { command: ['y', 'z', 'x'] }],
    ['command: x "y z"', { command: ['x', 'y z'] }],
    ['image: redis:7\nentrypoint: [y]', { command: ['y'] }],
    [
      'image: docker.io/library/nginx@sha256:00',
      {
        command: ['/docker-entrypoint.sh', 'nginx', '-g', 'daemon off;'],
        stop: { signal: 'SIGQUIT', grace: '10s', target: 'leader' },
      },
    ],
    ['command: [x]\nrestart: on-failure:3', { restart: 'on-failure:3' }],
    ['command: [x]\nscale: 3', { replicas: '3' }],
    ['command: [x]\nhealthcheck: {test: NONE}', { healthcheck: undefined }],
    ['command: [x]\nenv_file: [{path: none.env, required: false}]', { env_file: undefined }],
    [
      'command: [x]\npre_stop: [{command: ./drain}]',
      { stop: { signal: 'SIGTERM', grace: '10s', target: 'leader', pre_stop: './drain' } },
    ],
  ])('%j', (lines, keys) => {
    const result = service(lines);
    expect(result.code, result.said.join('\n')).toBe(0);
    expect({ healthcheck: undefined, env_file: undefined, ...result.process('a') }).toMatchObject(keys);
  });

  test('a service whose name begins with x- is none of the extensions', () => {
    expect(
      importText('compose.yaml', 'services:\n  x-ray: {command: [a], x-note: b}').process('x_ray')?.command,
    ).toEqual(['a']);
  });

  test('what is healthy without a health check is started', () => {
    const text =
      'services:\n  a: {command: [a], depends_on: {b: {condition: service_healthy}}}\n  b: {command: [b]}';
    const result = importText('compose.yaml', text);
    expect(result.process('a')?.depends_on).toEqual({ b: { condition: 'started' } });
    expect(result.said.join('\n')).toContain('started is what is waited for');
  });

  test('what waits for itself does not', () => {
    const text = 'services:\n  a: {command: [a], depends_on: [b]}\n  b: {command: [b], depends_on: [a]}';
    const result = importText('compose.yaml', text);
    expect(result.code).toBe(0);
    expect(result.said.join('\n')).toMatch(/depends_on.*is left out: a process cannot wait for itself/);
  });

  test('what must be set must be set, and is judged as if it were', () => {
    const result = service('command: [x]\nenvironment: {A: "${NEEDED:?say it}"}');
    expect(result.process('a')?.environment).toEqual({ A: '${NEEDED:?say it}' });
    expect(result.said.join('\n')).toContain('NEEDED: it must be set for gsup check');
  });

  test('the Dockerfile that it is built from says what it runs', () => {
    const folder = folderWith({
      'compose.yaml': 'services:\n  a: {build: {context: app, target: run}}',
      'app/Dockerfile':
        'FROM x AS base\nENTRYPOINT ["e"]\nFROM base AS run\nCMD ["c", "$A"]\nSTOPSIGNAL SIGINT\nUSER app\nFROM y\nCMD other',
    });
    expect(importIn(folder, 'compose.yaml').process('a')).toMatchObject({
      command: ['e', 'c', '$$A'],
      user: 'app',
      stop: { signal: 'SIGINT' },
    });
  });
});

test('a Dockerfile: lines that go on, comments among them, an entrypoint that forgets CMD', () => {
  const text =
    'FROM a\nCMD ["x"]\nENTRYPOINT ["y", \\\n# why\n  "z"]\nWORKDIR /a\nWORKDIR b\nEXPOSE 80 81/udp\n';
  expect(readDockerfile(text, null)).toMatchObject({
    base: 'a',
    entrypoint: { words: ['y', 'z'] },
    cmd: undefined,
    workingDir: '/a/b',
    exposed: ['80', '81/udp'],
  });
});

describe('pm2', () => {
  const app = (keys: string) => importText('process.json', `{"apps": [{"name": "a", ${keys}}]}`);

  test.each([
    ['"script": "a.js", "interpreter": "none"', { command: ['a.js'] }],
    [
      '"script": "a.js", "node_args": "--inspect -r x"',
      { command: ['node', '--inspect', '-r', 'x', 'a.js'] },
    ],
    ['"script": "node server.js"', { command: 'node server.js' }],
    ['"script": "a.js", "instances": 3', { replicas: '3' }],
    [
      '"script": "a.js", "error_file": "e", "out_file": "/o", "cwd": "/w"',
      { logging: { driver: 'file', path: '/o' } },
    ],
    ['"script": "a.js", "port": 80', { environment: { PORT: '80' } }],
  ])('%s', (keys, wanted) => {
    const result = app(keys);
    expect(result.code, result.said.join('\n')).toBe(0);
    expect(result.process('a')).toMatchObject(wanted);
  });

  test('a limit of memory is taken', () => {
    const result = app('"script": "a.js", "max_memory_restart": "300M"');
    expect(result.process('a')?.memory_limit).toBe('300M');
    expect(result.said.join('\n')).not.toContain('memory_limit');
  });

  test('as many as there are processors', () => {
    const result = app('"script": "a.js", "instances": "max"');
    expect(result.said.join('\n')).toContain('as many as this machine has processors');
  });
});

test('by its content, when the name says nothing', () => {
  expect(importText('x.txt', '[program:a]\ncommand=b').process('a')).toBeDefined();
  expect(importText('x.txt', 'services:\n  a: {command: [b]}').process('a')).toBeDefined();
  expect(importText('x.txt', '{"apps": [{"script": "a.js"}]}').process('a')).toBeDefined();
  expect(importText('x.txt', 'web: node server.js\n').process('web')).toBeDefined();
});
