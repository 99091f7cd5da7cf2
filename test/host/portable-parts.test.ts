import { spawn } from 'node:child_process';
import { expect, test } from 'vitest';
import { environmentOf, portableRefusals, portableSpawnOptions } from '../../src/host/portable-launch.ts';
import { judgeSignal } from '../../src/host/portable-signals.ts';
import { createPortableTree } from '../../src/host/portable-tree.ts';
import type { Asks, Launch } from '../../src/supervisor/vocabulary.ts';

const launch: Launch = {
  argv: ['true'],
  noNewPrivs: false,
  clearEnv: false,
  envSet: {},
  envUnset: [],
  limits: [],
  terminal: true,
  stdinNull: false,
  notify: true,
  startTimeoutMs: 10_000,
};

const none: Asks = { count: 0, signal: 0, pid: 0, uid: 0, firstNs: 0n };
const policy = {
  stopOn: new Set([2, 15]),
  rewrite: new Map([
    [15, 3],
    [10, 12],
    [28, 0],
    [2, 0],
  ]),
};
const ms = 1_000_000n;

test('judgeSignal: the first stop signal is an ask, by the signal it is rewritten to', () => {
  const asks = { count: 1, signal: 3, pid: 0, uid: 0, firstNs: 7n };
  expect(judgeSignal(15, policy, none, 0n, 7n)).toEqual({ kind: 'stop', asks });
});

test('S14b judgeSignal: a second one within 250 ms is the same request, a later one is not', () => {
  const asks = { count: 1, signal: 3, pid: 0, uid: 0, firstNs: 0n };
  expect(judgeSignal(15, policy, asks, 0n, 249n * ms)).toBeNull();
  expect(judgeSignal(15, policy, asks, 0n, 250n * ms)).toEqual({ kind: 'stop', asks: { ...asks, count: 2 } });
});

test('judgeSignal: what is no stop signal is forwarded, rewritten or dropped', () => {
  expect(judgeSignal(1, policy, none, 0n, 0n)).toEqual({ kind: 'forward', signal: 1 });
  expect(judgeSignal(10, policy, none, 0n, 0n)).toEqual({ kind: 'forward', signal: 12 });
  expect(judgeSignal(28, policy, none, 0n, 0n)).toBeNull();
  expect(judgeSignal(2, policy, none, 0n, 0n)).toBeNull();
});

test('portableRefusals names every option that child_process cannot do', () => {
  expect(portableRefusals(launch)).toEqual([]);
  const all: Launch = {
    ...launch,
    limits: [{ resource: 'nofile', soft: 1, hard: 1 }],
    oomScoreAdj: 1,
    noNewPrivs: true,
    nice: 1,
    user: 'nobody',
    group: 'nogroup',
    output: { driver: 'prefix', timestamps: false },
    tty: true,
    readyFd: 3,
  };
  expect(portableRefusals(all).map((sentence) => sentence.split(' needs ')[0])).toEqual([
    '--ulimit',
    '--oom-score-adj',
    '--no-new-privs',
    'capturing output',
    'a terminal of its own',
    'a descriptor for readiness',
    '--nice',
    'a --user that is no number',
    'a --group-id that is no number',
  ]);
});

test('portableSpawnOptions: numbers of user and group', () => {
  expect(portableSpawnOptions({ ...launch, user: '1000', group: '50' })).toMatchObject({
    uid: 1000,
    gid: 50,
  });
  expect(portableSpawnOptions(launch)).not.toHaveProperty('uid');
});

test('environmentOf: set, unset, clear', () => {
  const own = { A: '1', B: '2' };
  expect(environmentOf({ ...launch, envSet: { C: '3' }, envUnset: ['A'] }, own)).toEqual({ B: '2', C: '3' });
  expect(environmentOf({ ...launch, clearEnv: true, envSet: { C: '3' } }, own)).toEqual({ C: '3' });
});

test('without /proc a tree is its group, and what ps finds below the leader', async () => {
  const child = spawn('/bin/sh', ['-c', 'setsid sleep 1000 & sleep 1000 & echo ready; wait'], {
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  });
  const pid = child.pid as number;
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await new Promise((resolve) => child.stdout.once('data', resolve));
  // Zombies would still count as a group; the pipe closes when nobody is left who holds it: that is how the end of the whole tree is seen from here.
  const gone = new Promise<void>((resolve) => child.stdout.once('close', () => resolve()));
  child.stdout.resume();
  const tree = createPortableTree(
    pid,
    () => true,
    () => null,
  );
  expect(tree.look()).toEqual([]);
  tree.signal(9, 'tree');
  await exited;
  await gone;
});
