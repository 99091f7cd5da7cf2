import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { redraw } from '../../src/report/redraw.ts';
import { cutTo, fitTo, widthOf, wrapTo, wrapWords } from '../../src/report/width.ts';

describe('widthOf', () => {
  it.each([
    ['', 0],
    ['web.1', 5],
    ['café', 4],
    ['cafe\u0301', 4],
    ['日本語', 6],
    ['한국', 4],
    ['\u1112\u1161\u11ab', 2],
    ['ｆｕｌｌ', 8],
    ['✅ ok', 5],
    ['🚀', 2],
    ['→', 1],
    ['\u00ad', 0],
  ])('%j', (text, width) => {
    expect(widthOf(text)).toBe(width);
  });
});

const texts = fc
  .array(fc.constantFrom('a', ' ', 'é', 'e\u0301', '日', '🚀', '한'))
  .map((parts) => parts.join(''));
const widths = fc.integer({ min: 1, max: 30 });

describe('texts that are made to fit', () => {
  it('cutTo is never wider, and says with a + that something is missing', () => {
    fc.assert(
      fc.property(texts, fc.integer({ min: -1, max: 30 }), (text, width) => {
        const cut = cutTo(text, width);
        expect(widthOf(cut)).toBeLessThanOrEqual(Math.max(0, width));
        if (widthOf(text) > Math.max(0, width)) expect(cut).toMatch(width > 0 ? /\+$/ : /^$/);
        else expect(cut).toBe(text);
      }),
    );
  });

  it('fitTo is exactly as wide, on either side', () => {
    fc.assert(
      fc.property(texts, widths, fc.constantFrom('left' as const, 'right' as const), (text, width, side) => {
        expect(widthOf(fitTo(text, width, side))).toBe(width);
      }),
    );
    expect(fitTo('ab', 4)).toBe('ab  ');
    expect(fitTo('ab', 4, 'right')).toBe('  ab');
  });

  it('wrapTo loses nothing', () => {
    fc.assert(
      fc.property(texts, fc.integer({ min: 2, max: 30 }), (text, width) => {
        const lines = wrapTo(text, width);
        expect(lines.join('')).toBe(text);
        for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(width);
      }),
    );
    expect(wrapTo('日', 1)).toEqual(['日', '']);
  });

  it('wrapWords cuts between words', () => {
    expect(wrapWords('stop waits for web.1, web.2', 12)).toEqual(['stop waits', 'for web.1,', 'web.2']);
    expect(wrapWords('a-word-that-is-too-long b', 8)).toEqual(['a-word-t', 'hat-is-t', 'oo-long', 'b']);
  });
});

describe('redraw', () => {
  const lines = (text: string) => text.split('\n').map((line) => line.replaceAll('\u001b', '^'));

  it('clears once, then writes line over line', () => {
    expect(lines(redraw('a\nb\n', true, { rows: 24 }))).toEqual(['^[2J^[Ha^[K', 'b^[K', '^[J']);
    expect(lines(redraw('a\nb\n', false, { rows: 24 }))).toEqual(['^[Ha^[K', 'b^[K', '^[J']);
  });

  it('leaves the beginning on the screen, and says what is missing', () => {
    expect(lines(redraw('a\nb\nc\nd\ne\n', false, { rows: 4 }))).toEqual([
      '^[Ha^[K',
      'b^[K',
      '... and 3 more lines^[K',
      '^[J',
    ]);
  });

  it('is whole at the end', () => {
    expect(redraw('a\nb\nc\n', false, null)).toContain('c');
  });
});
