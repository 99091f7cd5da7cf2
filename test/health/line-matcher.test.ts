import { describe, expect, it } from 'vitest';
import { createLineMatcher, LOOKED_AT_CHARACTERS } from '../../src/health/line-matcher.ts';

describe('createLineMatcher', () => {
  it('finds a line among many, and looks at no more than the beginning of a long one', () => {
    const many = Array.from({ length: 2000 }, (_, at) => `line ${at}`);
    expect(createLineMatcher('^line 1999$').matches(many)).toBe(true);
    expect(createLineMatcher('^line 2000$').matches(many)).toBe(false);
    const long = `${'x'.repeat(LOOKED_AT_CHARACTERS - 5)}readynot`;
    expect(createLineMatcher('ready$').matches([long])).toBe(true);
    expect(createLineMatcher('not').matches([long])).toBe(false);
    expect(createLineMatcher('ready').matches([])).toBe(false);
  });

  const endless = `${'a'.repeat(60)}!`;

  it('S64 a pattern that would take for ever on a line is cut off, and the lines behind it are looked at', () => {
    const matcher = createLineMatcher('^(a+)+$');
    expect(matcher.matches(['b', endless, endless, 'aa'])).toBe(true);
    expect(matcher.gaveUp()).toBeNull();
  });

  it('S64 after three of them it looks no more, and says so', () => {
    const matcher = createLineMatcher('^(a+)+$');
    expect(matcher.matches([endless, endless, endless, 'aa'])).toBe(false);
    expect(matcher.gaveUp()).toBe(
      '/^(a+)+$/ takes too long on a line of 61 characters, and is not looked for any more',
    );
    expect(matcher.matches(['aa'])).toBe(false);
  });
});
