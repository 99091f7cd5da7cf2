import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { killDescendants, mayBeSignalled, signalGroup, signalProcess } from '../../src/host/kill.ts';

test.each([
  ['0, its own group', 0],
  ['-0', -0],
  ['1, init', 1],
  ['-1, everybody', -1],
  ['another negative number, a group', -4000],
  ['its own pid', process.pid],
  ['half a pid', 4000.5],
  ['no number', Number.NaN],
  ['infinity', Number.POSITIVE_INFINITY],
  ['what 32 bits would cut to -1', 0xffff_ffff],
  ['what 32 bits would cut to 1', 2 ** 32 + 1],
])('signalProcess and signalGroup refuse %s', (_, pid) => {
  // Signal 0 only asks, so a guard that is broken harms nobody here.
  expect(signalProcess(pid, 0)).toBe('refused');
  expect(signalGroup(pid, 0)).toBe('refused');
  expect(mayBeSignalled(pid)).toBe(false);
});

test('signalGroup refuses the group that gsup itself is in', () => {
  const stat = readFileSync('/proc/self/stat', 'latin1');
  const group = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]);
  expect(signalGroup(group, 0)).toBe('refused');
});

test('signalProcess says whether there was somebody', async () => {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  const pid = child.pid as number;
  expect(signalProcess(pid, 0)).toBe('sent');
  const exited = new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)));
  expect(signalProcess(pid, 10)).toBe('sent');
  expect(await exited).toBe('SIGUSR1');
  expect(signalProcess(pid, 0)).toBe('gone');
});

test('killDescendants reaches children of children, and calls back', async () => {
  const child = spawn('/bin/sh', ['-c', 'sh -c "sleep 1000 & echo $!; wait" & wait'], {
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  });
  const grandchild = await new Promise<number>((resolve) =>
    child.stdout.once('data', (data) => resolve(Number(`${data}`))),
  );
  const exited = new Promise((resolve) => child.once('exit', resolve));
  await new Promise<void>((resolve) => killDescendants(child.pid as number, 9, resolve));
  await exited;
  expect(signalProcess(grandchild, 0) === 'sent' && isAlive(grandchild)).toBe(false);
});

test('there is one place in src that signals processes', () => {
  const src = new URL('../../src/', import.meta.url).pathname;
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  // Signal 0 is sent to nobody.
  const killing = files.filter((file) =>
    /\.kill\((?!\w+, 0\))|tree-kill/.test(readFileSync(join(src, file), 'utf8')),
  );
  expect(killing).toEqual(['host/kill.ts']);
});

function isAlive(pid: number): boolean {
  return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
}
