// ARCHITECTURE names every source file, and the table in it is the one in the code.
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LATER, type RunEvent, URGENT } from '../../src/supervisor/run-events.ts';
import { ignore, RUN_TABLE } from '../../src/supervisor/run-table.ts';
import { page, root, section, tableRows } from './pages.ts';

const path = 'ARCHITECTURE.md';
const text = page(path);
const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(ts|c?js|c|h|sh|ld)$/.test(name))
  .map((name) => `src/${name}`);
const named = tableRows(section(text, 'Files'))
  .map(([file = '']) => file.replaceAll('`', ''))
  .filter((file) => file.startsWith('src/'));

test.each(sources)('%s has one line', (source) => {
  expect(named.filter((file) => file === source)).toEqual([source]);
});

test('every path that is named exists', () => {
  for (const file of named) expect(sources).toContain(file);
  for (const [, file = ''] of text.matchAll(/`((?:bin|dist|docs|examples|scripts|src|test)\/[^`\s]*)`/g))
    expect(existsSync(join(root, file)), file).toBe(true);
});

const EVENTS: readonly RunEvent[] = [...URGENT, ...LATER];

/** States with the same row stand in one column. */
function renderTable(): string {
  const columns = new Map<string, string[]>();
  for (const [state, row] of Object.entries(RUN_TABLE)) {
    const cells = EVENTS.map((event) => (row[event] === ignore ? '–' : `\`${row[event].name}\``));
    const key = cells.join('|');
    columns.set(key, [...(columns.get(key) ?? []), state]);
  }
  const heads = [...columns.values()].map((states) => states.join(', '));
  const cells = [...columns.keys()].map((key) => key.split('|'));
  const lines = EVENTS.map((event, at) => `| ${event} | ${cells.map((column) => column[at]).join(' | ')} |`);
  return [`| event | ${heads.join(' | ')} |`, `|---|${heads.map(() => '---|').join('')}`, ...lines].join(
    '\n',
  );
}

test('the table of a run is that of the code (UPDATE_DOCS=1 writes it)', () => {
  const begin =
    '<!-- generated from src/supervisor/run-table.ts: UPDATE_DOCS=1 npx vitest run test/docs -->\n';
  const end = '<!-- end -->\n';
  const [before = '', rest = ''] = text.split(begin);
  const wanted = `${before}${begin}\n${renderTable()}\n\n${end}${rest.split(end)[1]}`;
  if (process.env.UPDATE_DOCS) writeFileSync(join(root, path), wanted);
  else expect(text).toBe(wanted);
});
