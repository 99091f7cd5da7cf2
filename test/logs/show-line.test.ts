import { describe, expect, it } from 'vitest';
import { splitPieces } from '../../src/logs/copy-line.ts';
import { createAssembler, type LogLine } from '../../src/logs/log-line.ts';
import { createShow, type Style } from '../../src/logs/show-line.ts';
import { escapeLine } from '../../src/report/escape.ts';
import { at, bytes, copyLine, text } from './pieces.ts';

const line = (said: string, run = 'web#1'): LogLine =>
  createAssembler().push(splitPieces(bytes(copyLine(1, said, { run }))).pieces)[0] as LogLine;
const plain: Style = { form: 'plain', prefix: false, timestamps: false, colour: false };
const shown = (style: Partial<Style>, said: LogLine, names = ['db', 'web']): string =>
  text(createShow({ ...plain, ...style }, names)(said));
const HOSTILE = 'a\u001b[2J\u001b]0;title\u0007\u009b1m\rb\u202ec\u007f';

describe('createShow', () => {
  it('plain: every byte as it was', () => {
    expect(shown({}, line(HOSTILE))).toBe(`${HOSTILE}\n`);
    const binary = { ...line(''), text: new Uint8Array([0, 0xff, 0xc0]) };
    expect([...createShow(plain, [])(binary)]).toEqual([0, 0xff, 0xc0, 0x0a]);
  });

  it('prefix and time, aligned; a name that comes later stands as it is', () => {
    expect(shown({ prefix: true }, line('x', 'db#2'))).toBe('db  | x\n');
    expect(shown({ prefix: true, timestamps: true }, line('x'))).toBe(`${at(1)} web | x\n`);
    expect(shown({ prefix: true }, line('x', 'later#1'))).toBe('later | x\n');
  });

  it('colour: each process its own, as up has it', () => {
    expect(shown({ prefix: true, colour: true }, line('x', 'db#1'))).toBe('\u001b[36mdb  |\u001b[0m x\n');
    expect(shown({ prefix: true, colour: true }, line('x'))).toBe('\u001b[33mweb |\u001b[0m x\n');
  });

  it('S64 terminal: what could do harm is shown, colours end with their line', () => {
    expect(shown({ form: 'terminal' }, line(HOSTILE))).toBe(
      'a\\x1b[2J\\x1b]0;title\\x07\\x9b1m\\x0db\\u202ec\\x7f\n',
    );
    expect(shown({ form: 'terminal' }, line('\u001b[1;31mred\tx'))).toBe('\u001b[1;31mred\tx\u001b[0m\n');
    const million = 'x'.repeat(1_000_000);
    expect(shown({ form: 'terminal' }, line(million))).toBe(`${million}\n`);
  });

  it('json: the form of --log json', () => {
    expect(shown({ form: 'json', prefix: true }, line('\u001b"\u009b\u007f'))).toBe(
      `{"time":"${at(1)}","process":"web","run":"web#1","stream":"stdout","msg":"\\u001b\\"\\u009b\\u007f"}\n`,
    );
    expect(JSON.parse(shown({ form: 'json' }, { ...line('x'), ends: false }))).toMatchObject({
      partial: true,
    });
  });
});

describe('escapeLine', () => {
  it.each([
    ['\u001b[0m', '\u001b[0m'],
    ['\u001b[38;5;208mx', '\u001b[38;5;208mx'],
    ['\u001b[8mhidden', '\\x1b[8mhidden'],
    ['\u001b[1;08mhidden', '\\x1b[1;08mhidden'],
    ['\u001b[38:2::1:2:3mx', '\u001b[38:2::1:2:3mx'],
    [`\u001b[${'1;'.repeat(30)}m`, `\\x1b[${'1;'.repeat(30)}m`],
    ['\u001b[6n', '\\x1b[6n'],
  ])('%j becomes %j', (from, to) => expect(escapeLine(from)).toBe(to));
});
