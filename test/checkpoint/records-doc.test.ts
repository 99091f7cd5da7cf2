import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { encodeBody, maxDepth, maxLineBytes } from '../../src/checkpoint/codec.ts';
import { renderRecords } from './render-records.ts';

const path = new URL('../../docs/reference/records.md', import.meta.url);
const [begin, end] = ['<!-- generated from src/checkpoint/record-table.ts -->\n', '<!-- end -->\n'] as const;

test('docs/reference/records.md has the table of the code (UPDATE_DOCS=1 writes it)', () => {
  const page = readFileSync(path, 'utf8');
  const [before, rest] = page.split(begin);
  const after = rest?.split(end)[1];
  const wanted = `${before}${begin}\n${renderRecords()}\n${end}${after}`;
  if (process.env.UPDATE_DOCS) writeFileSync(path, wanted);
  else expect(page).toBe(wanted);
});

test('the example in docs/reference/records.md is a line of this codec, and the bounds are those of the code', () => {
  const page = readFileSync(path, 'utf8');
  const line = encodeBody({ type: 'config', config_digest: 'abc' }, 7, {
    at: '2026-01-02T03:04:05.678Z',
    mono_ns: 5n,
  });
  expect(page).toContain(Buffer.from(line).toString());
  expect(page).toContain(`${maxLineBytes / 1024 / 1024} MiB`);
  expect(page).toContain(`deeper than ${maxDepth}`);
});
