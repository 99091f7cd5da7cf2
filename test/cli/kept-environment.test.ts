import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { configureBesideInit, keptEnvironment } from '../../src/cli/kept-environment.ts';
import { parseArguments } from '../../src/cli/parse.ts';

let dir = '';
let file = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gsup-kept-'));
  file = join(dir, 'a.env');
  writeFileSync(file, 'A=first');
  writeFileSync(join(dir, 'lock'), 'boot 1 2 3\n');
});
afterEach(() => rmSync(dir, { recursive: true }));

function configure(folder: string, log = join(dir, 'none')) {
  const parsed = parseArguments(['run', '--stay', '--env-file', file, 'app'], {});
  if (parsed.action !== 'run') throw new Error(parsed.action);
  const configured = configureBesideInit(parsed, { GSUP_TASK_DIR: folder }, log);
  return configured.kind === 'config'
    ? { set: configured.config.launch.envSet, problems: configured.problems }
    : configured;
}

it('the first supervisor keeps what it has read, for its owner alone, and later ones find it', () => {
  const first = configure(dir);
  expect(first).toEqual({ set: { A: 'first' }, problems: [] });
  expect(statSync(join(dir, 'env')).mode & 0o777).toBe(0o600);
  writeFileSync(file, 'A=second');
  writeFileSync(join(dir, 'lock'), 'boot 1 2 3\n4 5 a#1\n');
  expect(configure(dir)).toEqual(first);
  rmSync(file);
  expect(configure(dir)).toEqual(first);
});

it('what an earlier init has kept is not for this one', () => {
  configure(dir);
  writeFileSync(join(dir, 'lock'), 'boot 1 2 4\n');
  expect(keptEnvironment(dir)).toBeNull();
  writeFileSync(file, 'A=second');
  expect(configure(dir)).toMatchObject({ set: { A: 'second' } });
});

it('without a folder a file that has gone is no reason to give up what runs', () => {
  rmSync(file);
  expect(configure('')).toMatchObject({ kind: 'problems' });
  const log = join(dir, 'log');
  writeFileSync(log, '{"v":1,"type":"run-forked"}\n');
  expect(configure('', log)).toEqual({
    set: {},
    problems: [expect.stringContaining('must be readable, got ENOENT')],
  });
});
