/** scripts/build.mjs, on a copy of the source. */
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

const root = new URL('../../', import.meta.url).pathname;
let copy = '';

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'gsup-build-'));
  for (const name of ['src', 'scripts', 'package.json', 'tsconfig.json', 'tsconfig.build.json']) {
    cpSync(join(root, name), join(copy, name), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
});
afterAll(() => rmSync(copy, { recursive: true }));

it('leaves the chunks of a build that runs beside it, and removes old ones', () => {
  const chunks = join(copy, 'dist/chunks');
  mkdirSync(chunks, { recursive: true });
  for (const name of ['young-ABC.js', 'old-ABC.js']) writeFileSync(join(chunks, name), '');
  utimesSync(join(chunks, 'old-ABC.js'), 1, 1);
  execFileSync(process.execPath, [join(copy, 'scripts/build.mjs')], { timeout: 50_000 });
  expect(existsSync(join(chunks, 'young-ABC.js'))).toBe(true);
  expect(existsSync(join(chunks, 'old-ABC.js'))).toBe(false);
  expect(readdirSync(chunks).filter((name) => name.endsWith('.new'))).toEqual([]);
  expect(execFileSync(process.execPath, ['--', join(copy, 'dist/main.js'), '--version'])).toBeDefined();
});
