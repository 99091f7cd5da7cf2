import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  canBeReceived,
  normalizeSignal,
  RTMAX,
  RTMIN,
  signalName,
  signalNumber,
} from '../../src/signals/names.ts';

const valid = fc.integer({ min: 1, max: RTMAX }).filter((number) => number < 32 || number >= RTMIN);

describe('signalNumber', () => {
  it('reads back every name, with and without SIG, in any case, and the number itself', () => {
    fc.assert(
      fc.property(valid, (number) => {
        const name = signalName(number) ?? '';
        for (const text of [name, name.slice(3), name.toLowerCase(), String(number)]) {
          expect(signalNumber(text)).toBe(number);
        }
      }),
    );
  });

  it('counts real-time signals from both ends', () => {
    fc.assert(
      fc.property(fc.integer({ min: RTMIN, max: RTMAX }), (number) => {
        expect(signalNumber(`RTMIN+${number - RTMIN}`)).toBe(number);
        expect(signalNumber(`SIGRTMAX-${RTMAX - number}`)).toBe(number);
      }),
    );
  });

  it('agrees with the names that Node has for this kernel', async () => {
    const { constants } = await import('node:os');
    if (process.platform !== 'linux') return;
    for (const [name, number] of Object.entries(constants.signals)) expect(signalNumber(name)).toBe(number);
  });

  it.each([
    '',
    '0',
    '32',
    '33',
    '65',
    '99',
    '-1',
    '015',
    'SIG',
    'FOO',
    'RTMIN-1',
    'RTMAX+1',
    'RTMIN+31',
    ' TERM',
  ])('refuses %j', (text) => {
    expect(signalNumber(text)).toBeUndefined();
    expect(normalizeSignal(text)).toBeUndefined();
  });

  it('takes only what it can say again', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const number = signalNumber(text);
        expect(number === undefined ? undefined : signalName(number)).toBe(normalizeSignal(text));
      }),
    );
  });
});

describe('canBeReceived', () => {
  it('leaves out what cannot be caught, and SIGCHLD', () => {
    const left = [9, 17, 19];
    for (let number = 1; number <= RTMAX; number++)
      expect(canBeReceived(number)).toBe(!left.includes(number));
  });
});
