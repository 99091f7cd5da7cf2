import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'gsup-full-disk-'));
const driver = join(folder, 'driver.mjs');

/** Only root may mount. Tried rather than asked: a container's root may not either. */
function canMount(): boolean {
  try {
    execFileSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', folder], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function runOnTmpfs(options: string, mode: string): Record<string, unknown> {
  const disk = join(folder, 'disk');
  const script = 'mkdir -p "$1" && mount -t tmpfs -o "$2" tmpfs "$1" && exec "$3" "$4" "$1" "$5"';
  const args = ['-m', 'sh', '-ec', script, 'sh', disk, options, process.execPath, driver, mode];
  return JSON.parse(execFileSync('unshare', args, { encoding: 'utf8', timeout: 30_000 }));
}

beforeAll(async () => {
  const entryPoints = [new URL('./full-disk.driver.ts', import.meta.url).pathname];
  await build({
    entryPoints,
    outfile: driver,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(!canMount())('on a real disk (needs the right to mount)', () => {
  test('S52 a full disk: numbers go on, and when there is room again the log is whole', () => {
    const result = runOnTmpfs('size=256k', 'writable');
    expect(result.news).toEqual([
      { kind: 'failing', code: 'ENOSPC' },
      { kind: 'recovered', missing: 0 },
    ]);
    expect(result).toMatchObject({ records: 703, gaps: 0 });
    expect(result).toMatchObject({ ascending: true, lastSeq: result.last });
    expect(result.torn ?? result.damage).toBeUndefined();
  });

  test('S52 a read-only disk: numbers in memory, said once', () => {
    const result = runOnTmpfs('size=64k,ro', 'read-only');
    expect(result).toMatchObject({ news: [{ kind: 'memory', code: 'EROFS' }], last: 703, ascending: true });
  });
});
