import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseEnvFile } from '../../src/config/env-file.ts';

describe('parseEnvFile', () => {
  it('takes values as they stand, like docker run', () => {
    const text = '# comment\n\nA=1\nB="q" #x\n  C= v \nD=x=y\r\nE\nF=\n';
    expect(parseEnvFile(text, 'a.env')).toEqual({
      entries: [
        ['A', '1'],
        ['B', '"q" #x'],
        ['C', ' v '],
        ['D', 'x=y'],
        ['E', null],
        ['F', ''],
      ],
      problems: [],
    });
  });

  it('names every line that it cannot use', () => {
    expect(parseEnvFile('A=1\n=2\nB C=3\nD=\0', 'x.env').problems).toEqual([
      'cannot use "x.env:2": a variable like NAME=value is needed, got a line without a name',
      'cannot use "x.env:3": a name without blanks is needed, got "B C"',
      'cannot use "x.env:4": a text is needed, got a NUL byte',
    ]);
  });

  it('skips a byte order mark', () => {
    expect(parseEnvFile('\uFEFFA=1', 'x').entries).toEqual([['A', '1']]);
  });

  it('reads back any value on one line', () => {
    const value = fc.string().filter((text) => !/[\r\n\0]/.test(text));
    fc.assert(
      fc.property(value, (text) => {
        expect(parseEnvFile(`K=${text}`, 'x').entries).toEqual([['K', text]]);
      }),
    );
  });
});
