// gsup init in folders as people have them: what it writes passes gsup check, and what is there stays as it is.
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { readDockerfile } from '../../src/import/dockerfile.ts';
import { gsupIn } from '../import/cases.ts';
import { configOf } from '../import/stand-ins.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'gsup-init-')));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

const pkg = (keys: object) => JSON.stringify({ name: '@me/shop', ...keys });

const CASES: ReadonlyArray<
  readonly [title: string, files: Readonly<Record<string, string>>, process: string, command: unknown]
> = [
  [
    'package.json with a start that needs no npm',
    { 'package.json': pkg({ scripts: { start: 'node src/main.js --port=80' } }) },
    'shop',
    ['node', 'src/main.js', '--port=80'],
  ],
  [
    'package.json with a start of its own tools',
    { 'package.json': pkg({ scripts: { start: 'next start', build: 'next build' } }) },
    'shop',
    ['npm', 'start'],
  ],
  ['package.json with bin', { 'package.json': pkg({ bin: { shop: 'cli.js' } }) }, 'shop', ['node', 'cli.js']],
  ['server.js without a script', { 'package.json': '{}', 'server.js': '' }, 'app', ['node', 'server.js']],
  [
    'Procfile before package.json',
    { Procfile: 'web: node $APP', 'package.json': pkg({ main: 'x.js' }) },
    'web',
    'node $APP',
  ],
  ['supervisord.conf', { 'supervisord.conf': '[program:api]\ncommand=./api' }, 'api', ['./api']],
  [
    'an ecosystem in JavaScript',
    { 'ecosystem.config.js': 'module.exports = { apps: [{ script: "a.js" }] }' },
    'a',
    ['node', 'a.js'],
  ],
  ['a Compose file', { 'compose.yaml': 'services: {web: {image: x, command: [run]}}' }, 'web', ['run']],
  [
    'a Dockerfile with a command',
    { Dockerfile: 'FROM x\nENTRYPOINT ["./serve"]\nCMD ["$A"]' },
    'app',
    ['./serve', '$$A'],
  ],
];

test.each(CASES)('%s', (_, files, process, command) => {
  const folder = folderWith(files);
  const made = gsupIn(folder, ['init']);
  expect(made.code, made.stderr.join('\n')).toBe(0);
  const config = configOf(readFileSync(join(folder, 'gsup.yaml'), 'utf8'));
  expect(config.processes[process]?.command).toEqual(command);
  const checked = gsupIn(folder, ['check']);
  expect(checked.code, checked.stderr.join('\n')).toBe(0);
  for (const [name, text] of Object.entries(files))
    expect(readFileSync(join(folder, name), 'utf8')).toBe(text);
  expect(readDockerfile(readFileSync(join(folder, 'Dockerfile'), 'utf8'), null).entrypoint?.words?.[0]).toBe(
    files.Dockerfile === undefined ? 'gsup' : './serve',
  );
});

test('what is there is left alone, and that is said', () => {
  const files = { 'gsup.yaml': 'mine', Dockerfile: 'FROM mine', 'package.json': pkg({ main: 'x.js' }) };
  const folder = folderWith(files);
  const { code, stdout } = gsupIn(folder, ['init']);
  expect(code).toBe(0);
  expect(stdout).toContain('gsup.yaml: is there, and was left alone');
  expect(stdout).toContain('Dockerfile: is there, and was left alone');
  expect(readdirSync(folder).sort()).toEqual(Object.keys(files).sort());
  expect(readFileSync(join(folder, 'gsup.yaml'), 'utf8')).toBe('mine');
});

test('a second time it leaves alone what it has written the first time', () => {
  const folder = folderWith({ 'package.json': pkg({ main: 'x.js' }) });
  expect(gsupIn(folder, ['init']).stdout).toBe(
    'gsup.yaml: written, from package.json (main)\nDockerfile: written\n.dockerignore: written\n',
  );
  expect(gsupIn(folder, ['init']).stdout).toContain('gsup.yaml: is there');
});

test('a folder in which nothing is to be run, and a package.json that is none', () => {
  expect(gsupIn(folderWith({ 'notes.txt': '' }), ['init'])).toMatchObject({ code: 78, stdout: '' });
  expect(gsupIn(folderWith({ 'package.json': '{' }), ['init'])).toMatchObject({ code: 78, stdout: '' });
});

test('a Dockerfile copies the lock file that is there, and asks for the Node.js that package.json asks for', () => {
  const folder = folderWith({
    'package.json': pkg({ main: 'x.js', engines: { node: '>=24' }, scripts: { build: 'tsc' } }),
    'package-lock.json': '{}',
  });
  expect(gsupIn(folder, ['init']).code).toBe(0);
  const text = readFileSync(join(folder, 'Dockerfile'), 'utf8');
  expect(text).toContain('ARG BASE=node:24-bookworm-slim');
  expect(text).toContain(
    'COPY package.json package-lock.json ./\nRUN npm ci\nCOPY . .\nRUN npm run build && npm prune --omit=dev',
  );
});
