import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isLoneEscape, readKeys } from '../../src/top/keys.ts';

it.each([
  ['q', ['q']],
  ['日y', ['日', 'y']],
  ['\r', ['enter']],
  ['\u0003', ['ctrl-c']],
  ['\u001a', ['ctrl-z']],
  ['\u007f', ['backspace']],
  ['\u001b[A\u001b[B', ['up', 'down']],
  ['\u001bOA\u001bOP', ['up', 'f1']],
  ['\u001b[5~\u001b[6~\u001b[20~', ['pageup', 'pagedown', 'f9']],
  ['\u001b[1;5A', ['up']],
  ['\u001b[H\u001b[4~', ['home', 'end']],
  // A mouse, a report of the terminal: no keys of ours, and none of their characters is one.
  ['\u001b[<0;12;7Mq', ['q']],
  ['\u001b[?1;2cq', ['q']],
  ['\u0001\u0005', []],
])('%j', (bytes, keys) => {
  expect(readKeys(bytes)).toEqual({ keys, rest: '' });
});

it('an escape waits for what follows it', () => {
  expect(readKeys('q\u001b')).toEqual({ keys: ['q'], rest: '\u001b' });
  expect(isLoneEscape('\u001b')).toBe(true);
  expect(readKeys('\u001b[2')).toEqual({ keys: [], rest: '\u001b[2' });
});

it('what is pasted is no key, however it arrives', () => {
  const paste = 'a\u001b[200~sy\nsy\u001b[201~q';
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: paste.length })), (cuts) => {
      const places = [0, ...cuts.toSorted((one, other) => one - other), paste.length];
      let rest = '';
      const keys = places.slice(1).flatMap((end, at) => {
        const read = readKeys(rest + paste.slice(places[at], end));
        rest = read.rest;
        return read.keys;
      });
      expect(keys).toEqual(['a', 'q']);
    }),
  );
});

it('whatever comes, it ends, and keeps little', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      expect(readKeys(text).rest.length).toBeLessThanOrEqual(32);
    }),
  );
});
