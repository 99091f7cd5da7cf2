// What is made of each case is what stands beside it (UPDATE_CASES=1 writes it), and gsup check takes it.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CASES, caseFolder, gsupIn } from './cases.ts';

describe.each(CASES)('$name', (one) => {
  const folder = caseFolder(one);
  const expected = join(folder, 'gsup.yaml');

  test('becomes the config beside it', () => {
    const { code, stdout, stderr } = gsupIn(folder, ['import', one.file]);
    const text = stdout.replaceAll(folder, '/here');
    if (process.env.UPDATE_CASES) writeFileSync(expected, text);
    expect(code, stderr.join('\n')).toBe(0);
    expect(text).toBe(readFileSync(expected, 'utf8'));
  });

  test('each thing that is not as it was is said on stderr, and is a comment', () => {
    const { stdout, stderr } = gsupIn(folder, ['import', one.file]);
    const comments = stdout
      .split('\n')
      .filter((line) => /^ *# /.test(line) && !line.startsWith('# Made from'));
    expect(comments.length).toBe(stderr.length);
    // Only what comes after the colon is the same: there the place is that of the file, here the line.
    const why = (line: string) => line.slice(line.lastIndexOf(': ') + 2);
    expect(comments.map(why).sort()).toEqual(stderr.map(why).sort());
  });

  test('passes gsup check', () => {
    const copy = mkdtempSync(join(tmpdir(), 'gsup-import-'));
    try {
      const { stdout } = gsupIn(folder, ['import', one.file]);
      writeFileSync(join(copy, 'gsup.yaml'), stdout);
      for (const name of readdirSync(folder)) if (name.endsWith('.env')) writeFileSync(join(copy, name), '');
      const needs = stdout.includes('it must be set') ? { POSTGRES_PASSWORD: 'x' } : {};
      const checked = gsupIn(copy, ['check'], needs);
      expect(checked.code, checked.stderr.join('\n')).toBe(0);
    } finally {
      rmSync(copy, { recursive: true });
    }
  });
});

test('every case is among them', () => {
  expect(readdirSync(join(import.meta.dirname, 'cases')).sort()).toEqual(
    CASES.map(({ name }) => name).sort(),
  );
});
