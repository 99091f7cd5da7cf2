import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { repairLog } from '../../src/checkpoint/repair.ts';

const folder = mkdtempSync(join(tmpdir(), 'gsup-c-writer-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const here = (path: string): string => new URL(path, import.meta.url).pathname;
const cc = process.env.CC ?? 'cc';

/** What init writes when the names of runs are these. */
function writeWithC(names: readonly string[]): Buffer {
  const [binary, log] = [join(folder, 'writer'), join(folder, 'init.log')];
  const sources = [
    here('./c-writer.c'),
    ...['record', 'text', 'say'].map((part) => here(`../../src/init/${part}.c`)),
  ];
  execFileSync(cc, ['-std=gnu11', '-fsanitize=address,undefined', '-o', binary, ...sources]);
  execFileSync(binary, [log, ...names], { stdio: ['ignore', 'ignore', 'ignore'] });
  return readFileSync(log);
}

describe.skipIf(process.platform !== 'linux')("init's writer", () => {
  const names = ['web#1', '"\\', '\u001b[31m\u009b\u007f\t', 'ünï', '\u{1f600}', 'x'.repeat(9000)];
  const bytes = writeWithC(names);
  const log = repairLog(bytes);
  const records = log.entries.map((entry) => entry.record);

  test('S52 its log is whole after a full disk, with a gap record for what is missing', () => {
    expect([log.damage, log.torn, log.newer]).toEqual([undefined, undefined, undefined]);
    expect(records.slice(names.length + 1)).toMatchObject([
      { type: 'gap', missing: 2 },
      { type: 'stuck', run: 'after' },
    ]);
  });

  test('its times, codes and lists are read as what they are', () => {
    expect(records[names.length]).toMatchObject({
      type: 'run-ended',
      code: null,
      signal: 'SIGTERM',
      forced: true,
      rusage: { user_us: 9007199254740991 },
      mono_ns: 18446744073709551614n,
      deadline_ns: null,
      other_ns: 18446744073709551614n,
    });
    expect(records[0]).toMatchObject({ type: 'stuck', run: 'web#1', pids: [1, 2147483647] });
  });

  test('S64 what names hold is shown and not obeyed, and one too long is cut', () => {
    const runs = records.flatMap((record) => (record.type === 'stuck' ? [record.run] : []));
    expect(runs.slice(0, 5)).toEqual(['web#1', '"\\', '\u001b[31m\ufffd\ufffd\u007f\t', 'ünï', '\u{1f600}']);
    expect(runs[5]).toMatch(/^x{100,4096}$/);
    const controls = [...bytes.toString().replaceAll('\n', '')].filter((c) => /\p{Cc}/u.test(c));
    expect(controls).toEqual([]);
  });
});
