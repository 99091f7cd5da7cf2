/** `gsup run` over the portable host, as a user of a machine without the native part has it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

const root = new URL('../../', import.meta.url).pathname;
let dir = '';
let main = '';
const started: ChildProcess[] = [];

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'gsup-portable-'));
  main = join(dir, 'dist/stdin.mjs');
  // A build of its own: dist/ may be older than the source.
  await build({
    stdin: {
      contents: `import { main } from './src/cli/dispatch.ts';
        process.exit(await main(process.argv.slice(2), process.env));`,
      resolveDir: root,
    },
    outdir: join(dir, 'dist'),
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
  });
});
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});
afterAll(() => rmSync(dir, { recursive: true }));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `heard`: called with all of stdout, whenever there is more. */
function gsup(
  args: readonly string[],
  heard: (text: string, child: ChildProcess) => void = () => {},
): Promise<Ended> {
  const env = { PATH: process.env.PATH ?? '', GSUP_STATE_DIR: join(dir, 'state') };
  const child = spawn(process.execPath, ['--', main, 'run', ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (bytes) => {
    stdout += bytes;
    heard(stdout, child);
  });
  child.stderr?.on('data', (bytes) => {
    stderr += bytes;
  });
  return new Promise((resolve) => {
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

describe('run over the portable host', () => {
  it('ends with the code of the command, and says once what is lost', async () => {
    const { code, stderr } = await gsup(['--log-format', 'text', '--', 'sh', '-c', 'exit 7']);
    expect(code).toBe(7);
    expect(stderr.match(/the native part is not here/g)).toHaveLength(1);
  });

  it('speaks JSON where stderr is no terminal, each line with a level and a sentence', async () => {
    const { stderr } = await gsup(['--', 'false']);
    const lines = stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.length).toBeGreaterThan(1);
    for (const line of lines)
      expect(line).toMatchObject({ name: 'gsup', level: 40, msg: expect.any(String) });
  });

  it('S55 127 for what is not there, 128+n for a signal, and the map', async () => {
    expect((await gsup(['--', 'there-is-no-such-program'])).code).toBe(127);
    expect((await gsup(['--', 'sh', '-c', 'kill -9 $$'])).code).toBe(137);
    expect((await gsup(['-e', '137', '--', 'sh', '-c', 'kill -9 $$'])).code).toBe(0);
  });

  it('stops the command with the signal received, and writes down what was decided', async () => {
    const script = 'trap "echo bye; exit 5" INT; echo ready; while :; do sleep 0.05; done';
    let asked = false;
    const ended = await gsup(['--name', 'stopped', '--', 'sh', '-c', script], (text, child) => {
      if (asked || !text.includes('ready')) return;
      asked = true;
      child.kill('SIGINT');
    });
    expect(ended).toMatchObject({ code: 5, stdout: 'ready\nbye\n' });
    const log = readFileSync(join(dir, 'state/stopped/checkpoint.log'), 'utf8').trimEnd().split('\n');
    const types = log.map((line) => JSON.parse(line).type);
    expect(types.indexOf('stop-requested')).toBeLessThan(types.indexOf('rung'));
    expect(types.at(-1)).toBe('task-state');
  });

  it('S50 a second gsup for the same task exits 75', async () => {
    let second: Promise<Ended> | undefined;
    const first = await gsup(
      ['--name', 'one', '--', 'sh', '-c', 'echo ready; trap "exit 0" TERM; while :; do sleep 0.05; done'],
      (_, child) => {
        second ??= gsup(['--name', 'one', '--', 'true']).finally(() => child.kill('SIGTERM'));
      },
    );
    expect(await second).toMatchObject({
      code: 75,
      stderr: expect.stringContaining('another gsup holds this task'),
    });
    expect(first.code).toBe(0);
  });

  it('refuses what only the native part can do, before anything starts', async () => {
    const { code, stdout, stderr } = await gsup([
      '--ulimit',
      'core=0',
      '-p',
      'TERM',
      '--http',
      '127.0.0.1:9',
      '--',
      'echo',
      'started',
    ]);
    expect({ code, stdout }).toEqual({ code: 69, stdout: '' });
    expect(stderr).toContain('--ulimit needs the native part');
    expect(stderr).toContain('--parent-death-signal needs the native part');
    expect(stderr).toContain('--http needs the native part');
  });

  it('exits 73 without a state directory where one is required, and goes on without where not', async () => {
    const file = join(dir, 'file');
    writeFileSync(file, '');
    expect((await gsup(['--state-dir', file, '--require-state', '--', 'true'])).code).toBe(73);
    expect((await gsup(['--state-dir', file, '--', 'sh', '-c', 'exit 3'])).code).toBe(3);
    expect((await gsup(['--state-dir', file, '--no-checkpoint', '--require-state', '--', 'true'])).code).toBe(
      0,
    );
  });

  it('reports wrong options before anything starts', async () => {
    expect(await gsup(['--env-file', join(dir, 'none'), '--', 'echo', 'started'])).toMatchObject({
      code: 64,
      stdout: '',
    });
    const { stderr } = await gsup(['--grace', '5', '--', 'echo', 'started']);
    expect(JSON.parse(stderr)).toMatchObject({ level: 50, msg: expect.stringContaining('"--grace"') });
    expect(await gsup(['--grace', '5', '--', 'echo', 'started'])).toMatchObject({ code: 64, stdout: '' });
  });
});
