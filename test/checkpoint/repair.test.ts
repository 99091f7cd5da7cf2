import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeBody, maxLineBytes } from '../../src/checkpoint/codec.ts';
import { createLogScanner, type RepairedLog, repairLog } from '../../src/checkpoint/repair.ts';
import { at, encodeLog, sampleBodies, sampleRecords, shortLog, signLine } from './samples.ts';

const seqs = (log: RepairedLog): number[] => log.entries.map((entry) => entry.record.seq);
const line = (seq: number): Uint8Array =>
  encodeBody({ type: 'config', config_digest: `${seq}` }, seq, { at, mono_ns: BigInt(seq) });

/** The log, cut into pieces as a reader of a file gets them. */
function scanInPieces(bytes: Uint8Array, size: number): RepairedLog {
  const scanner = createLogScanner();
  for (let i = 0; i < bytes.length && scanner.push(bytes.subarray(i, i + size)); i += size);
  return scanner.end();
}

test('a log of every type is read whole, and each line is found where it stands', () => {
  const records = sampleRecords(sampleBodies);
  const bytes = encodeLog(records);
  const log = repairLog(bytes);
  expect(log.entries.map((entry) => entry.record)).toEqual(records);
  expect(log).toMatchObject({ lastSeq: records.length, goodEnd: bytes.length });
  expect(log.torn ?? log.damage ?? log.newer).toBeUndefined();
  const { offset, length } = log.entries[2] as (typeof log.entries)[number];
  expect(JSON.parse(bytes.subarray(offset, offset + length).toString())).toMatchObject({ seq: 3 });
});

test('an empty log is a good one', () => {
  expect(repairLog(new Uint8Array(0))).toEqual({ entries: [], lastSeq: 0, goodEnd: 0 });
});

test('S51 a log cut at every byte of its last record has a torn tail, and nothing else is lost', () => {
  const bytes = shortLog(4);
  const lastLine = shortLog(3).length;
  for (let cut = lastLine; cut < bytes.length; cut++) {
    const log = repairLog(bytes.subarray(0, cut));
    expect([cut, seqs(log), log.goodEnd, log.damage]).toEqual([cut, [1, 2, 3], lastLine, undefined]);
    expect(log.torn).toBe(cut === lastLine ? undefined : cut - lastLine);
  }
});

test('S51 any bit flipped before the last record is found, and named', () => {
  const bytes = shortLog(3);
  const lastLine = shortLog(2).length;
  const lineLength = shortLog(1).length;
  for (let i = 0; i < lastLine; i++) {
    for (const bit of [0x01, 0x20, 0x80]) {
      const flipped = Uint8Array.from(bytes);
      flipped[i] = (flipped[i] as number) ^ bit;
      const log = repairLog(flipped);
      const bad = i < lineLength ? 1 : 2;
      expect([i, bit, log.torn, log.damage?.line, log.damage?.seq]).toEqual([i, bit, undefined, bad, bad]);
      expect(log.damage?.offset).toBe(bad === 1 ? 0 : lineLength);
    }
  }
});

test('a bit flipped in the last record never passes for a record', () => {
  const bytes = shortLog(3);
  const lastLine = shortLog(2).length;
  for (let i = lastLine; i < bytes.length; i++) {
    const flipped = Uint8Array.from(bytes);
    flipped[i] = (flipped[i] as number) ^ 1;
    const log = repairLog(flipped);
    expect([i, seqs(log)]).toEqual([i, [1, 2]]);
    expect(log.torn !== undefined || log.damage !== undefined).toBe(true);
  }
});

test('S51 a cut and a flip together: what stands before the torn tail is not taken for a part of it', () => {
  const bytes = shortLog(3);
  const lineLength = shortLog(1).length;
  const flipped = Uint8Array.from(bytes.subarray(0, bytes.length - 5));
  flipped[2 * lineLength - 1] = 0x20;
  expect(repairLog(flipped)).toMatchObject({ goodEnd: lineLength, damage: { line: 2, seq: 2 } });
});

test('a line appended to a torn tail is damage, not a longer tail', () => {
  const bytes = Buffer.concat([line(1), line(2).subarray(0, 30), line(3)]);
  expect(repairLog(bytes)).toMatchObject({ lastSeq: 1, damage: { line: 2, offset: line(1).length, seq: 2 } });
});

test.each([
  ['a number twice', [1, 2, 2]],
  ['a number left out', [1, 3]],
  ['a beginning at 2', [2, 3]],
])('%s is damage, also in the last line', (_, numbers) => {
  const log = repairLog(Buffer.concat(numbers.map(line)));
  expect(log.damage?.reason).toMatch(/^seq \d where \d is due$/);
  expect(log.torn).toBeUndefined();
});

test.each([
  [4, 2, 'over all that is missing', undefined],
  [2, 2, 'over nothing', undefined],
  [5, 2, 'too far', 'seq 5 where 2 is due'],
  [1, 2, 'back', 'seq 1 where 2 is due'],
  [1, -3, 'by a negative number', 'seq 1 where 2 is due'],
])('a gap record with number %i after 1 and %i missing jumps %s', (seq, missing, _, reason) => {
  const gap = encodeBody({ type: 'gap', missing, cause: 'ENOSPC' }, seq, { at, mono_ns: 9n });
  const log = repairLog(Buffer.concat([line(1), gap]));
  expect(log.damage?.reason).toBe(reason);
  if (!reason) expect(seqs(log)).toEqual([1, seq]);
});

test('a newer version is refused with its place, and is neither torn nor damaged', () => {
  const log = repairLog(Buffer.concat([line(1), signLine('{"v":9,"any":"thing"}'), Buffer.from('\n')]));
  expect(log).toMatchObject({ newer: { version: 9, line: 2, offset: line(1).length }, lastSeq: 1 });
  expect(log.torn ?? log.damage).toBeUndefined();
});

test('a tail of NULs, as a power failure leaves it, is torn', () => {
  expect(repairLog(Buffer.concat([line(1), Buffer.alloc(4096)]))).toMatchObject({ lastSeq: 1, torn: 4096 });
});

test.each([
  ['NULs', Buffer.alloc(3 * maxLineBytes)],
  ['a line without end', Buffer.alloc(3 * maxLineBytes, 'a')],
  ['checksums', Buffer.from(',"crc":"00000000"}'.repeat(60_000))],
  ['beginnings', Buffer.from(`${'{"v":1,'.repeat(140_000)}\n`)],
])('%s of megabytes are refused within bounds', (_, bytes) => {
  const log = scanInPieces(Buffer.concat([line(1), bytes]), 64 * 1024);
  expect(log.lastSeq).toBe(1);
  expect(log.damage !== undefined || log.torn !== undefined).toBe(true);
});

test('a reader stops as soon as it knows', () => {
  const scanner = createLogScanner();
  const piece = Buffer.alloc(64 * 1024);
  let pieces = 0;
  while (scanner.push(piece)) pieces++;
  expect(pieces * piece.length).toBeLessThanOrEqual(maxLineBytes);
});

test('pieces of any size give the same as the whole, for whole and for mutated logs', () => {
  const good = shortLog(5);
  const mutated = fc
    .tuple(fc.nat(good.length), fc.nat(20), fc.uint8Array({ maxLength: 20 }))
    .map(([start, drop, put]) => Buffer.concat([good.subarray(0, start), put, good.subarray(start + drop)]));
  fc.assert(
    fc.property(mutated, fc.integer({ min: 1, max: 200 }), (bytes, size) => {
      const whole = repairLog(bytes);
      expect(scanInPieces(bytes, size)).toEqual(whole);
      expect(whole.goodEnd + (whole.torn ?? 0)).toBeLessThanOrEqual(bytes.length);
    }),
    { numRuns: 400 },
  );
});

test('repair never throws, and what it calls good is good when read again', () => {
  const parts = fc.oneof(
    fc.uint8Array({ maxLength: 100 }),
    fc.constantFrom(line(1), line(2), line(3), shortLog(2)),
  );
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 6 }), (pieces) => {
      const bytes = Buffer.concat(pieces);
      const log = repairLog(bytes);
      const again = repairLog(bytes.subarray(0, log.goodEnd));
      expect(again).toEqual({ entries: log.entries, lastSeq: log.lastSeq, goodEnd: log.goodEnd });
      const numbers = seqs(log);
      expect(numbers).toEqual(numbers.map((_, i) => i + 1));
    }),
    { numRuns: 500 },
  );
});

test('more bytes never take a record back: what a longer piece of a log says begins with what a shorter one said', () => {
  const records = sampleRecords(sampleBodies);
  const bytes = encodeLog(records);
  const cut = fc.nat(bytes.length);
  fc.assert(
    fc.property(cut, cut, (a, b) => {
      const [shorter, longer] = [Math.min(a, b), Math.max(a, b)].map((end) =>
        seqs(repairLog(bytes.subarray(0, end))),
      );
      expect(longer?.slice(0, shorter?.length)).toEqual(shorter);
      expect(longer).toEqual(records.slice(0, longer?.length).map((record) => record.seq));
    }),
  );
});
