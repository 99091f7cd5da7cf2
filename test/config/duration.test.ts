import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, MAX_DURATION_MS, parseDuration } from '../../src/config/duration.ts';

describe('parseDuration', () => {
  it('reads back what formatDuration writes, to the millisecond', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: MAX_DURATION_MS }), (ms) => {
        expect(parseDuration(formatDuration(ms))).toEqual({ kind: 'duration', ms });
      }),
    );
    expect(parseDuration(formatDuration(null))).toEqual({ kind: 'forever' });
  });

  it('adds up units from large to small', () => {
    const part = fc.integer({ min: 0, max: 999 });
    fc.assert(
      fc.property(part, part, part, (h, s, ms) => {
        expect(parseDuration(`${h}h${s}s${ms}ms`)).toEqual({
          kind: 'duration',
          ms: h * 3_600_000 + s * 1000 + ms,
        });
      }),
    );
  });

  it('has whole milliseconds for every fraction of three digits', () => {
    for (let thousandths = 0; thousandths < 1000; thousandths++) {
      const text = String(thousandths).padStart(3, '0');
      expect(parseDuration(`1.${text}s`)).toEqual({ kind: 'duration', ms: 1000 + thousandths });
      expect(parseDuration(`0.${text}d`)).toEqual({ kind: 'duration', ms: thousandths * 86_400 });
    }
  });

  it('ends quickly and with an answer for any text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9.dhms]{0,200}$/)), (text) => {
        const duration = parseDuration(text);
        if (duration.kind === 'duration') {
          expect(Number.isInteger(duration.ms) && duration.ms <= MAX_DURATION_MS).toBe(true);
        }
      }),
    );
    expect(parseDuration(`${'9'.repeat(1_000_000)}s`)).toEqual({ kind: 'too-long' });
    expect(parseDuration('9'.repeat(1_000_000))).toEqual({ kind: 'bare-number' });
    expect(parseDuration('1s'.repeat(500_000))).toEqual({ kind: 'malformed' });
  });
});

describe('formatDuration', () => {
  it.each([
    [0, '0'],
    [500, '500ms'],
    [1500, '1.5s'],
    [8000, '8s'],
    [90_000, '1m30s'],
    [86_400_000, '1d'],
    [61_001, '1m1.001s'],
    [60_001, '1m1ms'],
    [null, 'forever'],
  ])('writes %j as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});
