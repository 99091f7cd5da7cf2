// The examples of the library, run as they stand against the package as it is built: they import it by its name.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { untilAsync } from '../support/until.ts';

const root = join(import.meta.dirname, '../..');
let state = '';
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'gsup-library-'));
});
afterEach(() => rmSync(state, { recursive: true, force: true }));

const LIMIT = { timeout: 120_000 };

function run(name: string, ...words: string[]) {
  const env = { ...process.env, GSUP_STATE_DIR: state };
  const args = [join(root, 'examples/library', name), ...words];
  return spawnSync(process.execPath, args, { env, encoding: 'utf8', timeout: 100_000 });
}

test(
  'supervise and readCheckpoint: the whole tree is waited for, and the log tells how it ended',
  LIMIT,
  () => {
    const { stdout, status } = run('supervise.mjs');
    expect(stdout).toBe('working\ngsup run would have exited with 0\n');
    expect(status).toBe(0);
    const told = run('read-checkpoint.mjs', join(state, 'sh'));
    expect([told.stderr, told.status]).toEqual(['', 0]);
    expect(told.stdout).toMatch(/^\d{4}-[\d:.TZ-]+ sh#1: exit code 7, \d+ ms of CPU\n$/);
  },
);

test('connect: a restart, and its events', LIMIT, async () => {
  const config = join(state, 'gsup.json');
  writeFileSync(
    config,
    JSON.stringify({
      processes: {
        web: { command: ['sleep', '600'], min_duration: '0' },
        noisy: { command: 'echo out; echo wrong >&2; exec sleep 600', logging: { driver: 'prefix' } },
      },
    }),
  );
  const gsup = spawn(join(root, 'bin/gsup'), ['up', '--state-dir', state, '--name', 'shop', '-f', config], {
    stdio: 'ignore',
  });
  const over = new Promise<number | null>((resolve) => gsup.once('close', resolve));
  try {
    const wait = ['wait', '--state-dir', state, '--name', 'shop', '--for', 'ready'];
    // Until the task is there nobody can be waited for.
    await untilAsync('the task', async () => spawnSync(join(root, 'bin/gsup'), wait).status === 0, 60_000);
    const { stdout, stderr: wrong } = run('connect.mjs', 'web');
    expect(wrong).toBe('');
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toBe('shop: web running, noisy running');
    // The answer and the first event come over two connections.
    expect(lines.slice(1, 3).sort()).toEqual(['restarting web', 'web#1 has ended']);
    expect(lines.slice(3)).toEqual(['web#2 has been started']);
    const env = { ...process.env, GSUP_STATE_DIR: state };
    const logs = spawn(process.execPath, [join(root, 'examples/library/logs.mjs'), 'noisy'], { env });
    let told = '';
    logs.stdout.on('data', (part) => {
      told += part;
    });
    await untilAsync('the output', async () => told.endsWith(' noisy#1 wrong\n'), 60_000);
    const logsOver = new Promise((resolve) => logs.once('close', resolve));
    gsup.kill('SIGTERM');
    // It ends with the task.
    expect(await logsOver).toBe(0);
    expect(told).toMatch(/^\S+Z noisy#1 wrong\n$/);
  } finally {
    gsup.kill('SIGTERM');
    await over;
  }
});

test('what is exported has its types', () => {
  const types = readFileSync(join(root, 'dist/types/index.d.ts'), 'utf8');
  for (const name of ['supervise', 'readCheckpoint', 'connect'])
    expect(types, name).toMatch(new RegExp(`\\b${name}\\b`));
});
