import { closeSync, fstatSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { keepNext, keepPlan, keptPlan, settlePlan } from '../../src/cli/kept-config.ts';
import type { TaskPlan } from '../../src/supervisor/plan.ts';
import { processPlan, taskPlan } from '../simulation/plans.ts';

const folder = mkdtempSync(join(tmpdir(), 'kept-'));
const fd = openSync(join(folder, 'config'), 'w+');
afterAll(() => {
  closeSync(fd);
  rmSync(folder, { recursive: true });
});

const plan = (revision: number, name: string): TaskPlan => taskPlan([processPlan(name)], null, { revision });
const inForce = (recorded: number): string => keptPlan(fd, recorded).processes[0]?.name ?? '';
const begin = (): void => {
  ftruncateSync(fd);
  keepPlan(fd, plan(0, 'first'));
};

test('S53 what is kept next is in force when the log says so, or when it was settled', () => {
  begin();
  expect(inForce(0)).toBe('first');
  keepNext(fd, plan(1, 'second'));
  expect([inForce(0), inForce(1)]).toEqual(['first', 'second']);
  settlePlan(fd, 1);
  expect(inForce(0)).toBe('second');
});

test('S53 what was written in part only is none, and is written again', () => {
  begin();
  const before = fstatSync(fd).size;
  keepNext(fd, plan(1, 'second'));
  writeSync(fd, Buffer.from('x'), 0, 1, fstatSync(fd).size - 20);
  expect(inForce(1)).toBe('first');
  ftruncateSync(fd, before + 30);
  expect(inForce(1)).toBe('first');
  keepNext(fd, plan(1, 'again'));
  expect(inForce(1)).toBe('again');
});

test('a thousand reloads take no more room than three plans', () => {
  begin();
  const one = fstatSync(fd).size;
  for (let revision = 1; revision <= 1000; revision++) {
    keepNext(fd, plan(revision, `p${revision}`));
    settlePlan(fd, revision);
  }
  expect(inForce(0)).toBe('p1000');
  expect(fstatSync(fd).size).toBeLessThan(4 * one);
});
