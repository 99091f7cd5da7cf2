// What README says of other inits, tried on them and on gsup alike: each as PID 1 of a namespace of its own.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { collect } from '../support/output.ts';
import { children } from '../support/processes.ts';
import { until } from '../support/until.ts';

const root = join(import.meta.dirname, '../..');
const isThere = (program: string) => spawnSync(program, ['--help']).error === undefined;
const isRoot = process.getuid?.() === 0;

const PEERS = [
  { name: 'tini', argv: ['tini', '--'] },
  { name: 'tini -g', argv: ['tini', '-g', '--'] },
  { name: 'dumb-init', argv: ['dumb-init', '--'] },
].map((peer) => ({ ...peer, there: isThere(peer.argv[0] as string) }));

interface Trial {
  readonly output: string;
  readonly code: number | null;
}

/** Runs a command below an init; `ready`: then the init gets SIGTERM. */
async function tryInit(argv: readonly string[], ready?: RegExp): Promise<Trial> {
  const namespace = ['--pid', '--fork', '--kill-child', '--mount-proc', '--'];
  const outer = spawn('unshare', [...namespace, ...argv], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const over = new Promise<number | null>((resolve) => outer.once('close', resolve));
  const stdout = collect(outer.stdout);
  try {
    if (ready) {
      await stdout.line(ready);
      const init = await until('init', () => children(outer.pid as number)[0]);
      process.kill(init, 'SIGTERM');
    }
    return { code: await over, output: stdout.text() };
  } finally {
    outer.kill('SIGKILL'); // unshare takes the namespace with it
    await over;
  }
}

async function tryWith<T>(body: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'gsup-peer-'));
  try {
    return await body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const gsup = (folder: string) => [join(root, 'dist/native/gsup'), 'run', '--state-dir', folder, '--'];
const wrapper = ['examples/shell-wrapper.sh'];
const daemonising = (folder: string) => ['node', 'examples/daemonising.mjs', join(folder, 'daemon.pid')];

describe.skipIf(!isRoot)('an app below a shell that dies of SIGTERM', () => {
  test('gsup: it completes its clean-up', () =>
    tryWith(async (folder) => {
      const { code, output } = await tryInit([...gsup(folder), ...wrapper], /^ready/);
      expect(code).toBe(143);
      expect(output).toContain('app: cleaned up');
    }));

  for (const { name, argv, there } of PEERS)
    test.skipIf(!there)(`${name}: it does not`, async () => {
      const { code, output } = await tryInit([...argv, ...wrapper], /^ready/);
      expect(code).toBe(143);
      expect(output).not.toContain('app: cleaned up');
    });
});

describe.skipIf(!isRoot)('a daemon that its starter leaves behind', () => {
  test('gsup: it gets SIGTERM, and the time to remove its pid file', () =>
    tryWith(async (folder) => {
      const { code } = await tryInit([...gsup(folder), ...daemonising(folder)]);
      expect(code).toBe(0);
      expect(existsSync(join(folder, 'daemon.pid'))).toBe(false);
    }));

  for (const { name, argv, there } of PEERS)
    test.skipIf(!there)(`${name}: it is killed with the namespace`, () =>
      tryWith(async (folder) => {
        const { code } = await tryInit([...argv, ...daemonising(folder)]);
        expect(code).toBe(0);
        expect(existsSync(join(folder, 'daemon.pid'))).toBe(true);
      }),
    );
});

for (const { name, argv, there } of PEERS)
  test.skipIf(!there)(`${name} has no option for how long a stop may take`, () => {
    const help = spawnSync(argv[0] as string, ['--help'], { encoding: 'utf8' });
    expect(help.stdout + help.stderr).toMatch(/usage/i);
    expect(help.stdout + help.stderr).not.toMatch(/grace|time-?out|escalat/i);
  });
