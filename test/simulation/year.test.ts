import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { verifyFiles } from '../../src/checkpoint/files.ts';
import { simulateYear } from './year.ts';

/** Two days of it; `node bench/year.mjs` has the whole year. */
test('a restart a minute: the log stays short, and says the same as whoever has lived through it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gsup-year-'));
  try {
    const path = join(folder, 'checkpoint.log');
    const year = simulateYear(2500, path);
    expect(year).toMatchObject({ restarts: 2500, same: true });
    expect(year.writtenBytes).toBeGreaterThan(1_300_000);
    expect(year.compactions).toBeGreaterThan(0);
    expect(year.longestBytes).toBeLessThan(1024 * 1024 + 1000);
    expect(verifyFiles({ kind: 'file', path })).toMatchObject({ ok: true });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
