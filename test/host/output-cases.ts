import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Output } from '../../src/supervisor/vocabulary.ts';
import { readIfThere } from '../support/read.ts';
import { calm, sh, type Tools } from './cases.ts';

const prefix: Output = { driver: 'prefix', timestamps: false };
const file = (path: string, maxBytes: number, maxFiles: number, timestamps = false): Output => ({
  driver: 'file',
  path,
  maxBytes,
  maxFiles,
  timestamps,
});
const STAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z /;
const inherit: Output = { driver: 'inherit' };

/** What a command says on its descriptors, and what becomes of it. Only where the native part runs. */
export function testOutput(tools: Tools): void {
  const { open, ended, says, title } = tools;

  test(title('S40 a newline on the ready descriptor says that a command is ready'), async () => {
    const world = await open();
    const script = 'printf almost >&5; echo waits; read x < go; echo >&5; exec sleep 60';
    world.host.spawn(1, 'a#1', sh(`mkfifo go; ${script}`, { readyFd: 5, cwd: world.dir }), calm());
    await says(world, 'waits');
    await world.until('it to be known', () => world.run(1));
    expect(world.run(1)?.ready).toBe(false);
    world.host.spawn(2, 'b#1', sh('echo now > go', { cwd: world.dir }), calm());
    await world.until('readiness', () => world.run(1)?.ready);
    expect(world.run(1)?.phase).toBe('running');
    world.host.signal(3, 1, 9, 'group');
    await ended(world, 1);
  });

  test(title('S40 an end without a newline does not say so, nor do 4096 bytes without one'), async () => {
    const world = await open();
    world.host.spawn(1, 'a#1', sh('printf ready >&3; exec 3>&-; echo closed', { readyFd: 3 }), calm());
    world.host.spawn(2, 'b#1', sh('head -c 5000 /dev/zero >&3; echo >&3', { readyFd: 3 }), calm());
    const runs = [await ended(world, 1), await ended(world, 2)];
    expect(runs.map(({ ready }) => ready)).toEqual([false, false]);
  });

  test(title('S58 the ready descriptor is the only one that a command has besides its own'), async () => {
    const world = await open();
    const script = 'for n in 0 1 2 3 4 5 6 7 8 9 10 11 12; do [ -e /proc/$$/fd/$n ] && echo $n; done';
    world.host.spawn(1, 'a#1', sh(script, { readyFd: 9 }), calm());
    await ended(world, 1);
    expect(world.lines).toEqual(['0', '1', '2', '9']);
  });

  test(title('a ready descriptor beyond the limit is a failed start'), async () => {
    const world = await open();
    const limits = [{ resource: 'nofile', soft: 32, hard: 32 }];
    world.host.spawn(1, 'a#1', sh('echo started', { readyFd: 40, limits }), calm());
    expect((await ended(world, 1)).startFailure).toEqual({ stage: 'output', errno: 9 });
    expect(world.lines).toEqual([]);
  });

  test(title('S57 prefixes are aligned, and each run has its own'), async () => {
    const world = await open();
    world.host.spawn(1, 'database#1', sh('echo a; exec sleep 60', { output: prefix }), calm());
    await says(world, 'database | a');
    const stamped: Output = { driver: 'prefix', timestamps: true };
    world.host.spawn(2, 'web.2#7', sh('echo b', { output: prefix }), calm());
    world.host.spawn(3, 'web.3#1/pre-stop.1', sh('echo c', { output: stamped }), calm());
    await says(world, 'web.2    | b');
    const line = await world.until('c', () => world.lines.find((text) => text.endsWith('c')));
    expect(line).toMatch(STAMP);
    expect(line.replace(STAMP, '')).toBe('web.3    | c');
    world.host.signal(4, 1, 9, 'group');
    await ended(world, 1);
  });

  test(title('S57 none: nothing is captured, and nothing comes'), async () => {
    const world = await open();
    const script = 'readlink /proc/self/fd/1 /proc/self/fd/2 > said; echo lost; echo lost >&2';
    world.host.spawn(1, 'a#1', sh(script, { output: { driver: 'none' }, cwd: world.dir }), calm());
    await ended(world, 1);
    expect(readFileSync(join(world.dir, 'said'), 'utf8')).toMatch(/^(?!pipe)/);
    expect(world.lines).toEqual([]);
  });

  test(
    title('S59 files rotate at their size: as many as were asked for, none larger, no line torn or lost'),
    async () => {
      const world = await open();
      const path = join(world.dir, 'web.log');
      const script = 'i=0; while [ $i -lt 3000 ]; do echo "line $i"; i=$((i+1)); done';
      world.host.spawn(1, 'web#1', sh(script, { output: file(path, 10_000, 3) }), calm());
      await ended(world, 1);
      const newest = () => readIfThere(path);
      await world.until('the last line', () => newest().endsWith('line 2999\n'));
      const texts = [`${path}.2`, `${path}.1`, path].map((name) => readFileSync(name, 'utf8'));
      expect(existsSync(`${path}.3`)).toBe(false);
      for (const text of texts) expect(text.length).toBeLessThanOrEqual(10_000);
      for (const text of texts.slice(0, 2)) expect(text.length).toBeGreaterThan(9900);
      const lines = texts.join('').split('\n').slice(0, -1);
      const first = Number(lines[0]?.slice(5));
      expect(lines).toEqual(Array.from({ length: 3000 - first }, (_, i) => `line ${first + i}`));
    },
  );

  test(
    title(
      'S59 one file that may not grow begins again; a line that is longer than a file has one for itself',
    ),
    async () => {
      const world = await open();
      const path = join(world.dir, 'one.log');
      const script = 'echo first; echo second; head -c 300 /dev/zero | tr "\\0" x; echo; echo last';
      world.host.spawn(1, 'web#1', sh(script, { output: file(path, 100, 1) }), calm());
      await ended(world, 1);
      await world.until('the last line', () => readIfThere(path) === 'last\n');
      const two = join(world.dir, 'two.log');
      world.host.spawn(2, 'web#2', sh(script, { output: file(two, 100, 3) }), calm());
      await ended(world, 2);
      await world.until('the last line', () => readIfThere(two) === 'last\n');
      expect(readFileSync(`${two}.1`, 'utf8')).toBe(`${'x'.repeat(300)}\n`);
      expect(readFileSync(`${two}.2`, 'utf8')).toBe('first\nsecond\n');
    },
  );

  test(title('S59 time stamps stand before lines, not before pieces of them'), async () => {
    const world = await open();
    const path = join(world.dir, 'web.log');
    const script = 'echo a; head -c 40000 /dev/zero | tr "\\0" x; echo; printf b';
    world.host.spawn(1, 'web#1', sh(script, { output: file(path, 0, 1, true) }), calm());
    await ended(world, 1);
    await world.until('the last line', () => readFileSync(path, 'utf8').endsWith(' b\n'));
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    for (const line of lines) expect(line.slice(0, 30)).toMatch(STAMP);
    expect(lines.map((line) => line.replace(STAMP, ''))).toEqual(['a', 'x'.repeat(40_000), 'b']);
  });

  test(
    title('the copy for logs is bounded: two files of 128 KiB for a process, with time, run and stream'),
    async () => {
      const world = await open();
      const path = join(world.dir, 'big.log');
      const script = 'i=0; while [ $i -lt 400 ]; do printf "%01000d\\n" $i; i=$((i+1)); done; echo end >&2';
      world.host.spawn(1, 'web.1#3', sh(script, { output: file(path, 0, 1) }), calm());
      await ended(world, 1);
      const copy = join(world.dir, 'true/logs/web.1');
      await world.until('the last line', () => /end\n$/.test(readIfThere(copy)));
      const [older, newer] = [`${copy}~1`, copy].map((name) => readFileSync(name, 'utf8'));
      expect(Math.max(older?.length ?? 0, newer?.length ?? 0)).toBeLessThanOrEqual(131_072);
      expect(older?.length).toBeGreaterThan(120_000);
      const lines = `${older}${newer}`
        .trimEnd()
        .split('\n')
        .map((line) => line.replace(STAMP, ''));
      expect(lines.slice(-2)).toEqual([
        `web.1#3 stdout F ${'399'.padStart(1000, '0')}`,
        'web.1#3 stderr F end',
      ]);
    },
  );

  test(title('tty: a terminal of its own, with a size, whose output is captured'), async () => {
    const world = await open();
    const script =
      'for n in 0 1 2; do [ -t $n ] || echo "$n is none"; done; stty size; tty; echo to-stderr >&2';
    world.host.spawn(1, 'a#1', sh(script, { output: prefix, tty: true }), calm());
    expect(await ended(world, 1)).toMatchObject({ code: 0 });
    await says(world, 'a | to-stderr');
    expect(world.lines[0]).toBe('a | 24 80');
    expect(world.lines[1]).toMatch(/^a \| \/dev\/pts\/\d+$/);
    expect(world.lines).toHaveLength(3);
  });

  test(title('tty: with inherit it writes through, and its foreground gets ^C'), async () => {
    const world = await open();
    const script = 'trap "echo interrupted; exit 4" INT; echo waits; kill -INT 0; sleep 60';
    world.host.spawn(1, 'a#1', sh(script, { output: inherit, tty: true }), calm());
    expect(await ended(world, 1)).toMatchObject({ code: 4 });
    await says(world, 'interrupted');
    expect(world.lines).toEqual(['waits', 'interrupted']);
  });
}
