import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { finalsShare, longestOf, nsOf, reserveNs, shareOut, sumOf } from '../../src/signals/budget.ts';
import { buildLadder, isHook, orderOf, signalOf } from '../../src/signals/ladder.ts';
import { STOP } from '../simulation/plans.ts';

const s = (seconds: number) => BigInt(seconds) * 1_000_000_000n;

describe('buildLadder', () => {
  test('the default is one rung: the signal received, to the group', () => {
    expect(buildLadder(STOP)).toEqual([
      { action: 'signal', signal: 'received', target: 'group', waitMs: 8000 },
    ]);
  });

  test('hold comes first, then the hook, then the signal', () => {
    const ladder = buildLadder({
      ...STOP,
      holdMs: 2000,
      preStop: { shell: './drain' },
      signal: 2,
      target: 'tree',
    });
    expect(ladder).toEqual([
      { action: 'wait', waitMs: 2000 },
      { action: 'exec', command: { shell: './drain' }, waitMs: 10_000 },
      { action: 'signal', signal: 2, target: 'tree', waitMs: 8000 },
    ]);
  });

  test('a hold for ever is a rung that ends only when it is told to', () => {
    expect(buildLadder({ ...STOP, holdMs: null })[0]).toEqual({ action: 'wait', waitMs: null });
  });
});

describe('orderOf', () => {
  const ladder = buildLadder({ ...STOP, holdMs: 100, preStop: { shell: 'x' } });
  const order = orderOf(ladder, { index: 1, deadlineNs: 5n }, { level: 3, mustDrain: true, capMs: 900 });

  test('has a rung for each of the ladder’s, hooks as waits in their place', () => {
    expect(order.rungs.map(({ signal, hook }) => [signal, hook])).toEqual([
      [0, false],
      [0, true],
      ['received', false],
    ]);
    expect(ladder.map(isHook)).toEqual([false, true, false]);
  });

  test('carries position and terms', () => {
    expect(order).toMatchObject({ index: 1, deadlineNs: 5n, level: 3, mustDrain: true, capMs: 900 });
  });
});

describe('signalOf', () => {
  const [rung] = buildLadder(STOP);
  if (rung === undefined) throw new Error('no rung');
  test('the one received, where none is configured', () => expect(signalOf(rung, 3)).toBe(3));
  test('none for a wait', () => expect(signalOf({ action: 'wait', waitMs: 1 }, 3)).toBeNull());
});

describe('shareOut', () => {
  test('without a budget nothing is cut', () => {
    expect(shareOut(s(8), [null, s(5)], null)).toEqual({ waitNs: s(8), cutNs: 0n });
    expect(shareOut(null, [], null)).toEqual({ waitNs: null, cutNs: 0n });
  });

  test('a wait that fits with all that comes after it is left alone', () => {
    expect(shareOut(s(8), [s(2)], s(10))).toEqual({ waitNs: s(8), cutNs: 0n });
  });

  test('one that does not gets its share', () => {
    expect(shareOut(s(8), [s(8)], s(10))).toEqual({ waitNs: s(5), cutNs: s(3) });
  });

  test('forever counts as all that is left', () => {
    expect(shareOut(null, [s(5)], s(10)).waitNs).toBe((s(10) * s(10)) / s(15));
    expect(shareOut(s(5), [null], s(10)).waitNs).toBe((s(10) * s(5)) / s(15));
  });

  test('a budget that is over gives nothing', () => {
    expect(shareOut(s(8), [], -s(1))).toEqual({ waitNs: 0n, cutNs: s(8) });
  });

  test('a whole ladder never takes longer than what was left', () => {
    const wait = fc.option(fc.bigInt({ min: 0n, max: s(100) }), { nil: null });
    fc.assert(
      fc.property(fc.array(wait, { maxLength: 16 }), fc.bigInt({ min: 0n, max: s(100) }), (waits, budget) => {
        let left = budget;
        for (const [at, each] of waits.entries()) {
          const { waitNs } = shareOut(each, waits.slice(at + 1), left);
          expect(waitNs).not.toBeNull();
          left -= waitNs ?? 0n;
        }
        expect(left >= 0n).toBe(true);
      }),
    );
  });
});

test('reserveNs is a tenth, and one second at most', () => {
  expect([s(5), s(10), s(60)].map(reserveNs)).toEqual([s(5) / 10n, s(1), s(1)]);
});

test('finalsShare is a quarter of what is left at most', () => {
  expect([finalsShare(s(30), s(40)), finalsShare(s(5), s(40)), finalsShare(null, s(40))]).toEqual([
    s(10),
    s(5),
    s(10),
  ]);
});

test('waits add up, and the longest of a level counts', () => {
  expect([
    sumOf([s(1), s(2)]),
    sumOf([s(1), null]),
    longestOf([s(1), s(3), s(2)]),
    longestOf([s(1), null]),
  ]).toEqual([s(3), null, s(3), null]);
  expect(nsOf(null)).toBeNull();
});
