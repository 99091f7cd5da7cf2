import fc from 'fast-check';
import { expect, test } from 'vitest';
import { escapeAll, escapeText, SHOWN_MAX } from '../../src/report/escape.ts';

test.each([
  ['ANSI colour', '\x1b[31mred', '\\x1b[31mred'],
  ['a new line', 'a\nb', 'a\\x0ab'],
  ['C1 control sequence introducer', 'a\u009b2J', 'a\\x9b2J'],
  ['right-to-left override', 'a\u202egnp.exe', 'a\\u202egnp.exe'],
  ['NUL and DEL', '\0\x7f', '\\x00\\x7f'],
  ['half a surrogate pair', 'a\ud800b', 'a\\ud800b'],
])('S64 escapeText shows %s instead of obeying it', (_, from, to) => {
  expect(escapeText(from)).toBe(to);
});

test('S64 escapeText leaves words of any language as they are', () => {
  expect(escapeText('Größe 大小 حجم 👍🏽 "x" \\')).toBe('Größe 大小 حجم 👍🏽 "x" \\');
});

test('S64 escapeText cuts 1 MB to one line, whatever it consists of', () => {
  expect(escapeText('x'.repeat(2 ** 20))).toBe(`${'x'.repeat(SHOWN_MAX)}...`);
  fc.assert(
    fc.property(fc.uint16Array({ maxLength: 1100 }), (units) => {
      const shown = escapeText(String.fromCharCode(...units));
      expect(shown.length).toBeLessThanOrEqual(SHOWN_MAX + 3);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
      expect(shown).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202e]/u);
    }),
    { numRuns: 25 },
  );
});

test('S64 escapeAll reaches every string of a value, keys included', () => {
  const value = { 'a\n': ['\x1b', { b: '\x07' }], n: 1, none: null, yes: true };
  expect(escapeAll(value)).toEqual({ 'a\\x0a': ['\\x1b', { b: '\\x07' }], n: 1, none: null, yes: true });
});
