import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isTaskLive } from '../../src/checkpoint/task-folders.ts';
import { blankRun } from '../../src/host/blank-run.ts';
import { createFactWriter } from '../../src/host/portable-facts.ts';
import { rotateLogs, type TaskFolder, takeTaskFolder } from '../../src/host/portable-task.ts';
import type { RunSnapshot } from '../../src/supervisor/vocabulary.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gsup-task-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const take = (name: string, exactName = true, stateDir = join(dir, 'state')): TaskFolder =>
  takeTaskFolder({ name, exactName, stateDir, env: {} });

function taken(folder: TaskFolder) {
  if (folder.kind !== 'taken') throw new Error(`not taken: ${JSON.stringify(folder)}`);
  return folder;
}

test('S50 takeTaskFolder: the name is held while its holder lives, and free when it has ended', () => {
  const first = taken(take('web'));
  expect(first).toMatchObject({ name: 'web', folder: join(dir, 'state/web') });
  expect(isTaskLive(first.folder)).toBe(true);
  expect(take('web')).toEqual({ kind: 'held', name: 'web' });
  first.release();
  expect(isTaskLive(first.folder)).toBe(false);
  taken(take('web'));
});

test('takeTaskFolder takes the next free name when none was said exactly', () => {
  taken(take('node', false));
  expect(taken(take('node', false)).name).toBe('node.2');
  expect(taken(take('node', false)).name).toBe('node.3');
});

test('takeTaskFolder takes what a holder left that is gone', () => {
  mkdirSync(join(dir, 'state/web'), { recursive: true });
  const line = (pid: number): string =>
    readFileSync(join(dir, 'state/web/lock'), 'utf8').replace(/ \d+ \d+\n/, ` ${pid} 5\n`);
  taken(take('web'));
  // The same boot and namespace, a pid that lives, and another start time: somebody else by now.
  writeFileSync(join(dir, 'state/web/lock'), line(process.pid));
  taken(take('web'));
  expect(readdirSync(join(dir, 'state/web'))).toEqual(['lock']);
});

test('takeTaskFolder makes a directory that others cannot list, and files that they cannot read', () => {
  const { folder } = taken(take('web'));
  expect(statSync(join(dir, 'state')).mode & 0o777).toBe(0o711);
  expect(statSync(folder).mode & 0o777).toBe(0o711);
  expect(statSync(join(folder, 'lock')).mode & 0o777).toBe(0o600);
});

test('takeTaskFolder does not use what others may change, a link, or a file', () => {
  mkdirSync(join(dir, 'open'));
  chmodSync(join(dir, 'open'), 0o777);
  expect(take('web', true, join(dir, 'open'))).toMatchObject({
    kind: 'none',
    cause: 'writable by others (mode 777)',
  });
  symlinkSync(dir, join(dir, 'link'));
  expect(take('web', true, join(dir, 'link'))).toMatchObject({ kind: 'none', cause: 'not a directory' });
  writeFileSync(join(dir, 'file'), '');
  expect(take('web', true, join(dir, 'file'))).toMatchObject({ kind: 'none', path: join(dir, 'file') });
});

test('rotateLogs keeps five ended logs', () => {
  for (let n = 1; n <= 8; n++) {
    rotateLogs(dir, 'checkpoint.log');
    expect(existsSync(join(dir, 'checkpoint.log'))).toBe(false);
    writeFileSync(join(dir, 'checkpoint.log'), `${n}`);
  }
  const kept = [1, 2, 3, 4, 5].map((n) => readFileSync(join(dir, `checkpoint.log.${n}`), 'utf8'));
  expect(kept).toEqual(['7', '6', '5', '4', '3']);
  expect(readdirSync(dir)).toHaveLength(6);
});

test('createFactWriter tells each fact of a run once, in its order', () => {
  const records: { type: string }[] = [];
  const write = createFactWriter((record) => records.push(record));
  const tell = (change: Partial<RunSnapshot>): void => {
    run = { ...run, ...change };
    write({ kind: 'run', run });
    write({ kind: 'run', run });
  };
  let run: RunSnapshot = blankRun(3, 'web#1');
  tell({});
  tell({ phase: 'running', pid: 70, startedNs: 5n });
  tell({ phase: 'stopping', rung: 0 });
  tell({ leaderExited: true, code: 3, stragglerPids: [71] });
  tell({ phase: 'killing', forced: true });
  tell({ phase: 'ended', stragglerPids: [] });
  const rusage = { user_us: 0, sys_us: 0, max_rss_kb: 0 };
  expect(records).toEqual([
    { type: 'run-started', run: 'web#1', pid: 70, start_ticks: 0 },
    { type: 'leader-exited', run: 'web#1', pid: 70, code: 3, signal: null, rusage },
    { type: 'stragglers', run: 'web#1', pids: [71] },
    { type: 'run-ended', run: 'web#1', code: 3, signal: null, forced: true, rusage },
  ]);
});

test('createFactWriter says why a start has failed, and which signals came', () => {
  const records: { type: string }[] = [];
  const write = createFactWriter((record) => records.push(record));
  const asks = { count: 1, signal: 15, pid: 0, uid: 0, firstNs: 1n };
  write({ kind: 'asks', asks: { ...asks, count: 0 } });
  write({ kind: 'asks', asks });
  write({ kind: 'asks', asks });
  write({
    kind: 'run',
    run: { ...blankRun(3, 'web#1'), phase: 'ended', startFailure: { stage: 'exec', errno: 2 } },
  });
  expect(records).toMatchObject([
    { type: 'signal', signal: 'SIGTERM', pid: 0, uid: 0 },
    { type: 'run-ended', run: 'web#1', code: null, stage: 'exec', errno: 2 },
  ]);
});
