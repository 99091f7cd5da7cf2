import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readCheckpoint, supervise } from '../src/index.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gsup-library-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test('supervise resolves with the exit code, and readCheckpoint tells the story', async () => {
  const listening = process.eventNames().map((name) => [name, process.listenerCount(name)]);
  const options = {
    stateDir: dir,
    name: 'job',
    grace: '2s',
    env: ['A=1'],
    exitMap: ['4=0'],
    logLevel: 'error',
  };
  expect(await supervise(['sh', '-c', 'exit $((A + 2))'], options)).toEqual({ exitCode: 3 });
  expect(await supervise(['sh', '-c', 'exit 4'], options)).toEqual({ exitCode: 0 });
  const { records, problem } = readCheckpoint(join(dir, 'job'));
  expect(problem).toBeNull();
  const types = records.map(({ type }) => type);
  expect(types.indexOf('run-forked')).toBeLessThan(types.indexOf('run-started'));
  expect(types.indexOf('run-ended')).toBeLessThan(types.indexOf('outcome'));
  expect(records.findLast(({ type }) => type === 'task-state')).toMatchObject({
    state: 'success',
    exit_code: 0,
  });
  // Nothing stays behind in the process of the caller.
  expect(process.eventNames().map((name) => [name, process.listenerCount(name)])).toEqual(listening);
});

test('an error of the caller that nobody handles stays the business of the caller', async () => {
  const count = () => [
    process.listenerCount('uncaughtException'),
    process.listenerCount('unhandledRejection'),
  ];
  const before = count();
  const ended = supervise(['true'], { stateDir: dir, name: 'job', logLevel: 'error' });
  const meanwhile = count();
  await ended;
  expect(meanwhile).toEqual(before);
});

test('readCheckpoint reads one file alone', async () => {
  await supervise(['true'], { stateDir: dir, name: 'job', logLevel: 'error' });
  const { records } = readCheckpoint(join(dir, 'job/init.log'));
  expect(records.map(({ type }) => type)).toEqual(['run-started', 'leader-exited', 'run-ended']);
  expect(() => readCheckpoint(join(dir, 'nothing'))).toThrow('ENOENT');
});

test('supervise rejects what cannot be used, with the exit code of the command line', async () => {
  await expect(supervise(['true'], { grace: '5' })).rejects.toMatchObject({
    message: expect.stringContaining('cannot use "--grace"'),
    exitCode: 64,
  });
  await expect(supervise(['true'], { envFile: [join(dir, 'none')] })).rejects.toMatchObject({
    message: expect.stringContaining('must be readable, got ENOENT'),
    exitCode: 64,
  });
  await expect(supervise([], {})).rejects.toMatchObject({ exitCode: 64 });
  await expect(supervise(['true'], { ulimit: ['nofile=9:9'] })).rejects.toMatchObject({
    message: 'cannot start "true": --ulimit needs the native part',
    exitCode: 69,
  });
  // @ts-expect-error: an option of `up` alone is none.
  await expect(supervise(['true'], { detach: true })).rejects.toMatchObject({ exitCode: 64 });
  // What a caller without types may say.
  await expect(supervise(['true'], { nonsense: 'x' } as never)).rejects.toMatchObject({ exitCode: 64 });
});
