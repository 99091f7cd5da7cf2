import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { dumpFiles, verifyFiles } from '../../src/checkpoint/files.ts';
import { repairLog } from '../../src/checkpoint/repair.ts';

const here = (path: string): string => new URL(path, import.meta.url).pathname;
const root = mkdtempSync(join(tmpdir(), 'gsup-long-log-'));
const binary = join(root, 'writer');
const bound = 1024 * 1024;
let folder: string;
let log: string;

const write = (count: number, into: string): void => {
  execFileSync(binary, [`${count}`, into, log], { stdio: 'ignore' });
};
const seqsOf = (path: string): number[] => repairLog(readFileSync(path)).entries.map((e) => e.record.seq);

describe.skipIf(process.platform !== 'linux')("init's log, grown long", () => {
  beforeAll(() => {
    const sources = [
      here('./c-long-log.c'),
      ...['record', 'text', 'say'].map((part) => here(`../../src/init/${part}.c`)),
    ];
    execFileSync(process.env.CC ?? 'cc', [
      '-std=gnu11',
      '-O1',
      '-fsanitize=address',
      '-o',
      binary,
      ...sources,
    ]);
  });
  beforeEach(() => {
    folder = mkdtempSync(join(root, 'task-'));
    log = join(folder, 'init.log');
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  test('is put aside at its bound, once, and both parts together are what was written', () => {
    write(12_000, folder);
    expect(readdirSync(folder).sort()).toEqual(['init.log', 'init.log.old']);
    expect(statSync(`${log}.old`).size).toBeGreaterThan(bound);
    expect(statSync(`${log}.old`).size).toBeLessThan(bound + 500);
    const numbers = seqsOf(`${log}.old`);
    expect(numbers).toEqual(numbers.map((_, i) => i + 1));
    const records = repairLog(readFileSync(log)).entries.map((entry) => entry.record);
    const missing = numbers.length;
    expect(records.slice(0, 3)).toMatchObject([
      { type: 'gap', seq: missing + 1, missing, cause: 'aside' },
      { type: 'task', task: 'web' },
      { type: 'signal' },
    ]);
    const lines: string[] = [];
    expect(dumpFiles({ kind: 'folder', path: folder }, (line) => lines.push(line))).toMatchObject({
      ok: true,
    });
    expect(lines.filter((line) => line.includes('"type":"signal"'))).toHaveLength(12_000);
    expect(lines.filter((line) => line.includes('"type":"gap"'))).toEqual([]);
  });

  test('is bounded however many records there are, and says how many are missing', () => {
    write(40_000, folder);
    const total = ['init.log', 'init.log.old'].reduce(
      (sum, name) => sum + statSync(join(folder, name)).size,
      0,
    );
    expect(total).toBeLessThan(2 * bound + 1000);
    expect(verifyFiles({ kind: 'folder', path: folder })).toMatchObject({ ok: true });
    const [older, newer] = [seqsOf(`${log}.old`), seqsOf(log)];
    expect(newer[0]).toBe((older.at(-1) ?? 0) + 1);
    const lines: string[] = [];
    dumpFiles({ kind: 'folder', path: folder }, (line) => lines.push(line));
    const first = JSON.parse(lines[0] as string);
    expect(first).toMatchObject({ type: 'gap', cause: 'aside', missing: first.seq - 1 });
    expect(lines.filter((line) => line.includes('"type":"gap"'))).toHaveLength(1);
  });

  test('is emptied where it cannot be put aside: no folder, or one that was deleted', () => {
    for (const into of ['-', '/proc/self/fdinfo']) {
      write(20_000, into);
      expect(readdirSync(folder)).toEqual(['init.log']);
      expect(statSync(log).size).toBeLessThan(bound + 500);
      const read = repairLog(readFileSync(log));
      expect([read.damage, read.torn]).toEqual([undefined, undefined]);
      expect(read.entries[0]?.record).toMatchObject({ type: 'gap', cause: 'aside' });
      rmSync(log);
    }
  });

  test('a part that was left half made by a killed init is in nobody’s way', () => {
    write(0, folder);
    chmodSync(log, 0o600);
    execFileSync('cp', [log, `${log}.new`]);
    rmSync(log);
    write(12_000, folder);
    expect(verifyFiles({ kind: 'folder', path: folder })).toMatchObject({ ok: true });
    expect(readdirSync(folder).sort()).toEqual(['init.log', 'init.log.old']);
  });
});
