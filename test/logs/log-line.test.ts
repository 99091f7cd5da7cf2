import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePiece, splitPieces } from '../../src/logs/copy-line.ts';
import { createAssembler, LINE_MAX_BYTES, type LogLine, mergeByTime } from '../../src/logs/log-line.ts';
import { at, bytes, copyLine, text } from './pieces.ts';

const piecesOf = (copy: string) => splitPieces(bytes(copy)).pieces;
const linesOf = (copy: string): LogLine[] => createAssembler().push(piecesOf(copy));

describe('parsePiece', () => {
  it('reads time, run, stream, and text of any bytes', () => {
    const line = Buffer.concat([
      Buffer.from(`${at(7)} web.2#3/pre-stop.1 stderr P `),
      Buffer.of(0, 0xff, 0x20),
    ]);
    expect(parsePiece(line)).toEqual({
      time: at(7),
      run: 'web.2#3/pre-stop.1',
      stream: 'stderr',
      ends: false,
      text: Buffer.of(0, 0xff, 0x20),
    });
    expect(parsePiece(bytes(copyLine(7, '').slice(0, -1)))?.text.length).toBe(0);
  });

  it.each([
    '',
    'x',
    `${at(1)} web#1 stdout X a`,
    `${at(1)} web#1 other F a`,
    `yesterday web#1 stdout F a`,
    ' '.repeat(9),
  ])('takes "%s" for none', (line) => expect(parsePiece(bytes(line))).toBeNull());

  it('never throws, whatever the bytes are', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 3000 }), (any) => void parsePiece(any)));
  });
});

describe('splitPieces', () => {
  it('keeps what has no newline yet, wherever the cut is', () => {
    const copy = copyLine(1, 'one') + copyLine(2, 'zwei ü');
    const whole = bytes(copy);
    for (let cut = 0; cut <= whole.length; cut++) {
      const first = splitPieces(whole.subarray(0, cut));
      const second = splitPieces(Buffer.concat([first.rest, whole.subarray(cut)]));
      expect([...first.pieces, ...second.pieces].map((piece) => text(piece.text))).toEqual(['one', 'zwei ü']);
    }
  });
});

describe('createAssembler', () => {
  it('joins the pieces of a line, each stream for itself, with the time of the first', () => {
    const lines = linesOf(
      copyLine(1, 'a', { kind: 'P' }) +
        copyLine(2, 'other', { stream: 'stderr' }) +
        copyLine(3, 'b', { kind: 'P' }) +
        copyLine(4, 'c'),
    );
    expect(lines.map((line) => [line.time, text(line.text), line.ends])).toEqual([
      [at(2), 'other', true],
      [at(1), 'abc', true],
    ]);
  });

  it('keeps what has not ended until it is asked for', () => {
    const assembler = createAssembler();
    expect(assembler.push(piecesOf(copyLine(1, 'begun', { kind: 'P' })))).toEqual([]);
    expect(assembler.end().map((line) => [text(line.text), line.ends])).toEqual([['begun', false]]);
    expect(assembler.end()).toEqual([]);
  });

  it('passes on a line that has no end in parts', () => {
    const assembler = createAssembler();
    const piece = copyLine(1, 'x'.repeat(16_384), { kind: 'P' });
    const lines = assembler.push(Array.from({ length: 100 }, () => piecesOf(piece)).flat());
    expect(lines.map((line) => [line.text.length, line.ends])).toEqual([[LINE_MAX_BYTES, false]]);
  });
});

describe('mergeByTime', () => {
  const of = (process: string, ...times: number[]): LogLine[] =>
    linesOf(times.map((ms) => copyLine(ms, `${process}${ms}`, { run: `${process}#1` })).join(''));
  const merged = (...lists: LogLine[][]) => mergeByTime(lists).map((line) => text(line.text));

  it('is by time, and at equal times by process', () => {
    expect(merged(of('a', 1, 3), of('b', 2, 3, 4))).toEqual(['a1', 'b2', 'a3', 'b3', 'b4']);
  });

  it('leaves the lines of one process in their order when the clock was set back', () => {
    expect(merged(of('a', 5, 1, 2), of('b', 4, 6))).toEqual(['b4', 'a5', 'a1', 'a2', 'b6']);
  });
});
