import { expect, test } from 'vitest';
import { findTree, type ProcessRow, readProcess, readProcessTable } from '../../src/host/process-table.ts';

const row = (pid: number, parent: number, group = pid, session = group, startTicks = 5n): ProcessRow => ({
  name: 'x',
  pid,
  parent,
  group,
  session,
  startTicks,
});
const leader = { pid: 100, startTicks: 5n };
const pids = (rows: readonly ProcessRow[]): number[] => rows.map(({ pid }) => pid);
const nobody = new Map<number, bigint>();

test('findTree finds group, session and descendants of both, without the leader', () => {
  const table = [
    row(1, 0),
    row(100, 50),
    row(101, 100, 100),
    row(102, 100, 102, 100),
    row(103, 101, 103, 103),
    row(104, 103, 104, 104),
    row(200, 1),
  ];
  expect(pids(findTree(table, leader, nobody))).toEqual([101, 102, 103, 104]);
});

test('findTree finds what is left when the leader has gone', () => {
  expect(pids(findTree([row(1, 0), row(101, 1, 100), row(105, 101, 105)], leader, nobody))).toEqual([
    101, 105,
  ]);
});

test('findTree finds again what was known before, and nobody who got its pid later', () => {
  const known = new Map([
    [300, 5n],
    [301, 5n],
  ]);
  const table = [row(300, 1, 300, 300, 5n), row(301, 1, 301, 301, 9n), row(302, 300, 302)];
  expect(pids(findTree(table, leader, known))).toEqual([300, 302]);
});

test("findTree does not take for the leader's what has got the leader's pid", () => {
  const table = [row(100, 1, 100, 100, 77n), row(101, 100, 100, 100, 78n)];
  expect(findTree(table, leader, nobody)).toEqual([]);
});

test('findTree never finds gsup itself', () => {
  expect(findTree([row(100, 1), row(process.pid, 100, 100)], leader, nobody)).toEqual([]);
});

test('readProcessTable knows this process, and readProcess no pid that is free', () => {
  const own = readProcessTable()?.find(({ pid }) => pid === process.pid);
  expect(own).toMatchObject({ parent: process.ppid });
  expect(own?.startTicks).toBe(readProcess(process.pid)?.startTicks);
  expect(readProcess(4_194_304)).toBeNull();
});
