// Files as the pump leaves them: appended to, renamed, made anew.
import {
  appendFileSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CopyReader, createCopyReader } from '../../src/logs/copy-reader.ts';
import { copyLine, text } from './pieces.ts';

let logs = '';
let reader: CopyReader;
beforeEach(() => {
  logs = mkdtempSync(join(tmpdir(), 'gsup-logs-'));
  reader = createCopyReader(logs, 'web');
});
afterEach(() => {
  reader.close();
  rmSync(logs, { recursive: true });
});

const path = () => join(logs, 'web');
const write = (...texts: string[]) => appendFileSync(path(), texts.map((said) => copyLine(1, said)).join(''));
const rotate = () => renameSync(path(), `${path()}~1`);
const read = () => reader.read().pieces.map((piece) => text(piece.text));

describe('createCopyReader', () => {
  it('a copy that is not there has no lines, until it is there', () => {
    expect(read()).toEqual([]);
    write('a');
    expect(read()).toEqual(['a']);
    expect(read()).toEqual([]);
  });

  it('begins with the older half', () => {
    write('a', 'b');
    rotate();
    write('c');
    expect(read()).toEqual(['a', 'b', 'c']);
  });

  it('S59 goes on across a rotation: each line once, also those written just before it', () => {
    write('a');
    expect(read()).toEqual(['a']);
    write('b');
    rotate();
    write('c');
    expect(reader.read()).toMatchObject({ missed: false, pieces: [{}, {}] });
    write('d');
    rotate();
    // Between the two steps of a rotation there is no file of the name.
    expect(read()).toEqual(['d']);
    expect(read()).toEqual([]);
    write('e');
    expect(read()).toEqual(['e']);
  });

  it('in the middle of a first rotation the older half is read once', () => {
    write('a');
    rotate();
    expect(read()).toEqual(['a']);
    write('b');
    expect(read()).toEqual(['b']);
  });

  it('says that lines may be missing when more came than a copy holds', () => {
    write('a');
    read();
    for (const said of ['b', 'c', 'd']) {
      rotate();
      write(said);
    }
    expect(reader.read()).toMatchObject({ missed: true, pieces: [{}, {}] });
    write('e');
    expect(reader.read()).toMatchObject({ missed: false, pieces: [{}] });
  });

  it('waits for the end of a line', () => {
    const line = copyLine(1, 'whole');
    appendFileSync(path(), line.slice(0, 30));
    expect(read()).toEqual([]);
    appendFileSync(path(), line.slice(30));
    expect(read()).toEqual(['whole']);
  });

  it('a write that a full disk had the pump take back is not part of the next line', () => {
    write('a');
    const size = copyLine(1, 'a').length;
    appendFileSync(path(), copyLine(1, 'torn').slice(0, 40));
    expect(read()).toEqual(['a']);
    truncateSync(path(), size);
    expect(read()).toEqual([]);
    write('b');
    expect(read()).toEqual(['b']);
  });

  it('passes over what is no line of a copy, and reads no more than a copy can have', () => {
    writeFileSync(path(), `nonsense\n${copyLine(1, 'a')}`);
    expect(read()).toEqual(['a']);
    writeFileSync(join(logs, 'db'), `${'x'.repeat(20_000_000)}\n${copyLine(1, 'last')}`);
    const other = createCopyReader(logs, 'db');
    expect(other.read().pieces.map((piece) => text(piece.text))).toEqual(['last']);
    other.close();
  });

  it('follows no link', () => {
    const target = join(logs, 'target');
    writeFileSync(target, copyLine(1, 'secret'));
    symlinkSync(target, path());
    expect(read()).toEqual([]);
  });
});
