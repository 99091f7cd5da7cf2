/** dist/client.cjs, on a copy of it: what it is started with, and what it keeps. */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const dist = new URL('../../dist/', import.meta.url).pathname;
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gsup-client-'));
  for (const name of ['cached.cjs', 'client.cjs', 'client-commands.cjs'])
    copyFileSync(join(dist, name), join(folder, name));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(join(folder, 'main.cjs'), 'console.log("main.cjs", ...process.argv.slice(2))');
});
afterEach(() => rmSync(folder, { recursive: true }));

function client(...words: string[]) {
  const options = { encoding: 'utf8', env: { PATH: process.env.PATH } } as const;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(folder, 'client.cjs'), ...words],
    options,
  );
  return { status, stdout, said: stderr.replace(/"(time|pid)":\d+,/g, '') };
}
const noTask = () => client('status', '--state-dir', folder, '--name', 'nobody');

describe('the entry of commands that ask a running task', () => {
  it('answers what a client asks', () => {
    const { status, said } = noTask();
    expect(status).toBe(69);
    expect(said).toContain('cannot find a task \\"nobody\\"');
    expect(client('ps', '--state-dir', folder).status).toBe(69);
    expect(client('-q', 'wait', '--for', 'lunch').status).toBe(69);
    expect(client('down', '--nonsense').said).toContain('--nonsense');
  });

  it.each([
    ['--version'],
    ['status', '--help'],
    ['check', '-f', 'x'],
    ['run', 'true'],
    ['statsu'],
    ['--nonsense'],
    [],
  ])('leaves to main.cjs: %s %s %s', (...words) => {
    expect(client(...words)).toEqual({
      status: 0,
      stdout: `${['main.cjs', ...words].join(' ')}\n`,
      said: '',
    });
  });

  it('keeps what Node has compiled, and says the same with it, without it, and with one that is damaged', () => {
    const first = noTask();
    const kept = readdirSync(join(folder, 'cache'), { recursive: true }).map(String);
    expect(kept.length).toBeGreaterThan(0);
    expect(noTask()).toEqual(first);
    const [file = ''] = kept;
    const whole = readFileSync(join(folder, 'cache', file));
    const changed = whole.map((byte, at) => (at % 5000 === 2500 ? byte ^ 0x55 : byte));
    for (const damaged of ['', 'nonsense', whole.subarray(0, whole.length / 2), changed]) {
      writeFileSync(join(folder, 'cache', file), damaged);
      expect(noTask()).toEqual(first);
      expect(readFileSync(join(folder, 'cache', file)).length).toBeGreaterThan(whole.length / 2);
    }
    expect(readdirSync(join(folder, 'cache'))).toEqual([file]);
  });

  it('does without where nothing can be kept', () => {
    const first = noTask();
    rmSync(join(folder, 'cache'), { recursive: true });
    writeFileSync(join(folder, 'cache'), '');
    expect(noTask()).toEqual(first);
  });

  it('loads one file of its own beside itself', () => {
    mkdirSync(join(folder, 'chunks'));
    expect(noTask().status).toBe(69);
    const text = readFileSync(join(folder, 'client-commands.cjs'), 'utf8');
    expect(text.match(/require\("\.[^"]*"\)|import\("\.[^"]*"\)/g)).toBeNull();
  });
});
