import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { generateFiles } from '../../src/cli/generate.ts';
import { needOf } from '../../src/cli/option-row.ts';
import { MAX_RUNGS, OPTION_ROWS, OPTIONS } from '../../src/cli/options.ts';
import { convertValue } from '../../src/cli/values.ts';

const root = new URL('../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');
const { version } = JSON.parse(read('package.json'));

describe('generated files', () => {
  it.each(Object.entries(generateFiles(version)))('%s is what npm run generate writes', (path, text) => {
    expect(read(path)).toBe(text);
  });

  it('have as many cells in every row of the table of options', () => {
    const rows = read('docs/reference/options.md').match(/^\|.*$/gm) ?? [];
    const cells = rows.map((row) => row.replaceAll('\\|', '').split('|').length);
    expect(rows.length).toBeGreaterThan(OPTION_ROWS.length);
    expect([...new Set(cells)]).toEqual([6]);
  });

  it('agree with the protocol on what stands in both', () => {
    const protocol = read('src/init/protocol.h');
    expect(protocol).toContain(`RUNGS_MAX = ${MAX_RUNGS},`);
    const targets = OPTIONS.find((row) => row.long === 'target')?.choices ?? [];
    const members = targets.map((name, at) => `TARGET_${name.toUpperCase()} = ${at}`);
    expect(protocol).toContain(`enum target { ${members.join(', ')} }`);
  });
});

describe('the table of options', () => {
  it('has every name and every letter once', () => {
    const names = OPTION_ROWS.flatMap((row) =>
      row.short === undefined ? [row.long] : [row.long, row.short],
    );
    expect(new Set(names).size).toBe(names.length);
  });

  it('says why each default of a duration or choice is what it is', () => {
    const defaults = OPTION_ROWS.filter((row) => row.default !== undefined);
    expect(defaults.filter((row) => (row.reason ?? '') === '')).toEqual([]);
  });

  it('has a phrase for what every option needs, which fits into its sentence', () => {
    for (const row of OPTION_ROWS) {
      expect(needOf(row)).toMatch(/^[A-Za-z0-9].*$/);
      expect(needOf(row)).not.toMatch(/undefined|%/);
    }
  });

  it('keeps to C strings and to what a line of help can show', () => {
    for (const row of OPTION_ROWS) expect(`${row.help}${row.reason ?? ''}`).toMatch(/^[\x20-\x7e]+$/);
  });

  it('gives examples in its needs that are accepted', () => {
    const examples = /\b(?:like|to) (.*?),?$/;
    const rows = OPTION_ROWS.filter((row) =>
      ['duration', 'signal', 'signals', 'rungs', 'ulimits'].includes(row.kind),
    );
    for (const row of rows) {
      const list = examples.exec(needOf(row))?.[1]?.split(/, | or /) ?? [];
      expect(list.length).toBeGreaterThan(1);
      for (const example of list) expect(convertValue(row, example)).toHaveProperty('value');
    }
  });
});
