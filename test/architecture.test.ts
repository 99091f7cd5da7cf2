import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

/**
 * Imports point one way: vocabulary <- core <- loop <- main. The core has no clock, no file and no process, so it can
 * be run on a virtual clock, crashed anywhere, and replayed from its log.
 */
const root = new URL('../src/', import.meta.url);

const importsOf = (path: string): string[] => {
  const source = readFileSync(new URL(path, root), 'utf8');
  const from = [...source.matchAll(/^(?:import|export)\b[^;]*?\bfrom\s+'([^']+)'/gms)].map(
    (match) => match[1],
  );
  const called = [...source.matchAll(/\bimport\(\s*'([^']+)'\s*\)/g)].map((match) => match[1]);
  return [...from, ...called].map((name) => name ?? '').map((name) => resolve(path, name));
};

/** `./x.ts` as seen from `supervisor/y.ts` is `supervisor/x.ts`; a package stays what it is. */
const resolve = (path: string, name: string): string =>
  name.startsWith('.') ? new URL(name, new URL(path, root)).pathname.slice(root.pathname.length) : name;

const sources = (folder: string): string[] =>
  readdirSync(new URL(folder, root)).flatMap((name) => (name.endsWith('.ts') ? [`${folder}/${name}`] : []));

/** What the loop is made of: the rest of src/supervisor is the core. */
const LOOP = [
  'supervisor/loop.ts',
  'supervisor/departure.ts',
  'supervisor/perform.ts',
  'supervisor/ports.ts',
];
const core = sources('supervisor').filter((path) => !LOOP.includes(path));
const pure = [...core, ...sources('signals')];

/** Types and tables of records are data; the journal is not. */
const RECORDS = ['checkpoint/record.ts', 'checkpoint/record-table.ts'];

describe('the core', () => {
  test.each(pure)('%s imports only the core, signals and the types of records', (path) => {
    const strange = importsOf(path).filter((name) => !pure.includes(name) && !RECORDS.includes(name));
    expect(strange).toEqual([]);
  });

  test.each([...pure, ...RECORDS])('%s asks no clock, no dice and no process', (path) => {
    const source = readFileSync(new URL(path, root), 'utf8').replaceAll(/\/\*.*?\*\/|\/\/[^\n]*/gs, '');
    const impure =
      /\b(Date\.now|new Date|Math\.random|process\.(?:env|pid|hrtime|exit|kill)|setTimeout|setInterval|queueMicrotask)\b|\brequire\(/;
    expect(impure.exec(source)?.[0]).toBeUndefined();
  });

  test.each(RECORDS)('%s imports nothing but records', (path) => {
    expect(importsOf(path).filter((name) => !RECORDS.includes(name))).toEqual([]);
  });
});

test('the vocabulary imports nothing', () => {
  expect(importsOf('supervisor/vocabulary.ts')).toEqual([]);
});

test('the loop knows the world only by its interfaces', () => {
  const allowed = [...pure, ...LOOP, ...RECORDS, 'host/host.ts'];
  expect(LOOP.flatMap(importsOf).filter((name) => !allowed.includes(name))).toEqual([]);
});

test('nobody but the command line knows the loop', () => {
  const others = ['checkpoint', 'host', 'report', 'signals', 'config'].flatMap(sources);
  const knows = others.filter((path) => importsOf(path).some((name) => name === 'supervisor/loop.ts'));
  expect(knows).toEqual([]);
});

/** A formatter of its own (text.c) does: the C library's would be half of the program, and of its memory. */
test('the C part has neither stdio nor malloc', () => {
  const files = readdirSync(new URL('init', root)).filter((name) => name.endsWith('.c'));
  const calls = /\b(v?s?n?printf|puts|fopen|fgets|getline|[mc]alloc|realloc|strn?dup|strtou?ll?)\(/;
  const found = files.filter((name) => calls.test(readFileSync(new URL(`init/${name}`, root), 'utf8')));
  expect(files).toContain('text.c');
  expect(found).toEqual([]);
});
