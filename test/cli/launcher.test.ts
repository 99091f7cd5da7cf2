/** bin/gsup, in a package that stands for the real one. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const launcher = new URL('../../bin/gsup', import.meta.url).pathname;
let dir = '';

beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'gsup launcher-')));
  put('lib/gsup/dist/main.js', 'console.log("node", ...process.argv.slice(2));');
  mkdirSync(join(dir, 'lib/gsup/bin'));
  copyFileSync(launcher, join(dir, 'lib/gsup/bin/gsup'));
  chmodSync(join(dir, 'lib/gsup/bin/gsup'), 0o755);
});
afterEach(() => rmSync(dir, { recursive: true }));

function put(path: string, text: string | Buffer) {
  mkdirSync(dirname(join(dir, path)), { recursive: true });
  writeFileSync(join(dir, path), text);
  chmodSync(join(dir, path), 0o755);
}

function run(path: string, args: readonly string[], options: { cwd?: string; path?: string } = {}) {
  const PATH = options.path ?? `${dirname(process.execPath)}:/usr/bin:/bin`;
  const { status, stdout, stderr } = spawnSync(path, args, {
    cwd: options.cwd ?? '/',
    env: { PATH },
    encoding: 'utf8',
    timeout: 20_000,
  });
  return { status, stdout, stderr };
}

const NATIVE = '#!/bin/sh\nprintf "native"; printf " [%s]" "$@"; echo\n';

describe('bin/gsup', () => {
  it('becomes the native entry, with the arguments as they are', () => {
    put('lib/gsup/dist/native/gsup', NATIVE);
    const { stdout } = run(join(dir, 'lib/gsup/bin/gsup'), ['run', '--', 'a b', '', '*']);
    expect(stdout).toBe('native [run] [--] [a b] [] [*]\n');
  });

  it('takes the one of the package that is for this machine', () => {
    put('lib/gsup/dist/native/gsup-x64', NATIVE.replace('native', 'x64'));
    put('lib/gsup/dist/native/gsup-arm64', NATIVE.replace('native', 'arm64'));
    expect(run(join(dir, 'lib/gsup/bin/gsup'), ['x']).stdout).toBe(`${process.arch} [x]\n`);
    put('lib/gsup/dist/native/gsup', NATIVE);
    expect(run(join(dir, 'lib/gsup/bin/gsup'), ['x']).stdout).toBe('native [x]\n');
  });

  it('finds its package through the links that npm makes', () => {
    put('lib/gsup/dist/native/gsup', NATIVE);
    mkdirSync(join(dir, 'bin'));
    symlinkSync('../lib/gsup/bin/gsup', join(dir, 'bin/gsup'));
    symlinkSync(join(dir, 'bin/gsup'), join(dir, 'again'));
    symlinkSync('lib', join(dir, 'folder'));
    for (const path of ['bin/gsup', 'again', 'folder/gsup/bin/gsup']) {
      expect(run(join(dir, path), ['x']).stdout).toBe('native [x]\n');
    }
    expect(run('./gsup', ['x'], { cwd: join(dir, 'bin') }).stdout).toBe('native [x]\n');
    expect(run('gsup', ['x'], { path: `${join(dir, 'bin')}:/usr/bin:/bin` }).stdout).toBe('native [x]\n');
    expect(run('sh', ['gsup', 'x'], { cwd: join(dir, 'lib/gsup/bin') }).stdout).toBe('native [x]\n');
  });

  it('becomes Node where there is no native entry, or one for another machine', () => {
    // Node 20 would read the file itself.
    const node = 'node run --env-file /none -- x\n';
    const words = ['run', '--env-file', '/none', '--', 'x'];
    expect(run(join(dir, 'lib/gsup/bin/gsup'), words).stdout).toBe(node);
    put(
      'lib/gsup/dist/native/gsup',
      Buffer.from('\x7fELF\x02\x01\x01\0 of a machine that is not this one', 'latin1'),
    );
    expect(run(join(dir, 'lib/gsup/bin/gsup'), words)).toMatchObject({ stdout: node, status: 0 });
  });

  it('exits 69 where there is no Node either, and where nothing was built', () => {
    const tools = join(dir, 'tools');
    mkdirSync(tools);
    for (const tool of ['sh', 'readlink', 'uname']) symlinkSync(`/bin/${tool}`, join(tools, tool));
    expect(run(join(dir, 'lib/gsup/bin/gsup'), [], { path: tools })).toMatchObject({
      status: 69,
      stderr:
        'gsup: cannot start "node": there is no native entry for this machine, and no Node.js in PATH\n',
    });
    rmSync(join(dir, 'lib/gsup/dist/main.js'));
    expect(run(join(dir, 'lib/gsup/bin/gsup'), [])).toMatchObject({ status: 69 });
  });
});
