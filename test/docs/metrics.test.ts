// docs/reference/metrics.md has every metric, each with its kind and its labels.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { page, root, tableRows } from './pages.ts';

test('every metric stands in the page, and no other', () => {
  const source = readFileSync(join(root, 'src/control/metrics.ts'), 'utf8');
  const made = [...source.matchAll(/'(gsup_[a-z_]+)'/g)].map(([, name]) => name);
  const written = tableRows(page('docs/reference/metrics.md')).map(([name]) => name?.replaceAll('`', ''));
  expect(written.sort()).toEqual(made.sort());
});
