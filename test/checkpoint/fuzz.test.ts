// What a hostile or broken file can hold: decoding, repair, merge and replay never throw, take no changed record for a good
// one, and keep all that stands before the damage.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeLine, maxLineBytes } from '../../src/checkpoint/codec.ts';
import { mergeLogs } from '../../src/checkpoint/merge.ts';
import { readLogFrom } from '../../src/checkpoint/read-log.ts';
import type { CheckpointRecord } from '../../src/checkpoint/record.ts';
import { repairLog } from '../../src/checkpoint/repair.ts';
import { encodeRewrite } from '../../src/checkpoint/rewrite.ts';
import { neededRecords } from '../../src/supervisor/needed.ts';
import { replay } from '../../src/supervisor/replay.ts';
import { processPlan, taskPlan } from '../simulation/plans.ts';
import { createMemoryDisk, LOG } from './memory-disk.ts';
import { at, encodeLog, sampleBodies, sampleRecords, signLine } from './samples.ts';

const plan = taskPlan([processPlan('web'), processPlan('a')]);
const records = sampleRecords(sampleBodies);
const good = encodeLog(records);
const starts = repairLog(good).entries.map(({ offset }) => offset);
const newline = Buffer.from('\n');
const plain = (value: unknown): string =>
  JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? `${each}n` : each));

/** Reads a file of these bytes as every reader does, up to the state that a supervisor would begin with. */
function readAll(bytes: Uint8Array) {
  const disk = createMemoryDisk();
  disk.put(bytes);
  const log = readLogFrom(disk.open(LOG), undefined, disk);
  const found = log.entries.map(({ record }) => record);
  mergeLogs(log.entries, log.entries.slice(1));
  neededRecords(found, 3);
  replay(plan, found);
  return { log, found };
}

/** How many whole records stand before this byte. */
const recordsBefore = (offset: number): number =>
  starts.filter((_, i) => (starts[i + 1] ?? good.length) <= offset).length;

type Change = { name: string; at: number; bytes: Buffer };
const place = fc.nat(good.length - 1);
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(place, fc.nat(7)).map(([at, bit]) => {
    const bytes = Buffer.from(good);
    bytes[at] = (bytes[at] as number) ^ (1 << bit);
    return { name: 'a bit', at, bytes };
  }),
  place.map((at) => ({ name: 'cut', at, bytes: good.subarray(0, at) })),
  fc.tuple(place, fc.uint8Array({ minLength: 1, maxLength: 60 })).map(([at, more]) => ({
    name: 'insertion',
    at,
    bytes: Buffer.concat([good.subarray(0, at), more, good.subarray(at)]),
  })),
  fc.tuple(place, fc.integer({ min: 1, max: 300 })).map(([at, count]) => ({
    name: 'deletion',
    at,
    bytes: Buffer.concat([good.subarray(0, at), good.subarray(at + count)]),
  })),
  fc.tuple(place, place).map(([from, at]) => ({
    name: 'a piece of itself',
    at,
    bytes: Buffer.concat([
      good.subarray(0, at),
      good.subarray(Math.min(from, at), Math.max(from, at)),
      good.subarray(at),
    ]),
  })),
  fc.nat(starts.length - 1).map((line) => {
    const [from, to] = [starts[line] as number, starts[line + 1] ?? good.length];
    return {
      name: 'a line twice',
      at: to,
      bytes: Buffer.concat([good.subarray(0, to), good.subarray(from)]),
    };
  }),
  fc.nat(starts.length - 1).map((line) => {
    const to = starts[line + 1] ?? good.length;
    return {
      name: 'CRLF',
      at: to - 1,
      bytes: Buffer.concat([good.subarray(0, to - 1), Buffer.from('\r\n'), good.subarray(to)]),
    };
  }),
);

describe('a log that was changed', () => {
  test('keeps what stands before, and nothing that was changed passes for a record', () => {
    const whole = records.map(plain);
    fc.assert(
      fc.property(change, ({ at, bytes }) => {
        const { found, log } = readAll(bytes);
        const kept = found.map(plain);
        // Each record is one that was written, at its place: what was put in can only be a copy of what comes next.
        expect(kept).toEqual(whole.slice(0, kept.length));
        expect(kept.length).toBeGreaterThanOrEqual(recordsBefore(at));
        if (!bytes.equals(good) && kept.length < whole.length && log.goodEnd < bytes.length)
          expect(log.damage !== undefined || log.torn !== undefined).toBe(true);
      }),
      { numRuns: 700 },
    );
  });

  test('S51 every byte of the last record cut, and every byte before it flipped, also of one that was compacted', () => {
    const gap = sampleRecords([{ type: 'config', config_digest: 'x' }], 40)[0] as CheckpointRecord;
    const first = {
      ...gap,
      seq: 39,
      mono_ns: 39n,
      type: 'gap',
      missing: 39,
      cause: 'compacted',
    } as CheckpointRecord;
    const compacted = encodeLog([first, gap, ...sampleRecords([{ type: 'config', config_digest: 'y' }], 41)]);
    const last = compacted.lastIndexOf('{"v"');
    const faults: unknown[] = [];
    for (let cut = last; cut < compacted.length; cut++) {
      const { log, found } = readAll(compacted.subarray(0, cut));
      if (found.length !== 2 || log.damage || (log.torn ?? 0) !== cut - last) faults.push(['cut', cut]);
    }
    for (let place = 0; place < last; place++)
      for (const bit of [1, 0x20, 0x80]) {
        const bytes = Buffer.from(compacted);
        bytes[place] = (bytes[place] as number) ^ bit;
        const { log } = readAll(bytes);
        const line = place < compacted.indexOf('\n') + 1 ? 1 : 2;
        if (log.damage?.line !== line || log.torn !== undefined)
          faults.push(['flip', place, bit, log.damage]);
      }
    expect(faults).toEqual([]);
  });
});

describe('bytes that nobody has written as a log', () => {
  const envelope = `"v":1,"seq":1,"at":"${at}","mono_ns":"5"`;
  const signed = (json: string | Uint8Array): Buffer => Buffer.concat([signLine(json), newline]);
  const nest = fc.integer({ min: 0, max: 4000 }).map((depth) => '['.repeat(depth) + ']'.repeat(depth));
  const name = fc.constantFrom(
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'then',
    'run',
    'x_ns',
    '',
  );
  const value = fc.oneof(
    nest,
    fc.json({ maxDepth: 4 }),
    fc.constantFrom(
      '9007199254740993',
      '1e999',
      '-0',
      '1e-400',
      '"\\ud800"',
      'null',
      '{"__proto__":{"a":1}}',
    ),
    fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n }).map(String),
  );
  /** Under a correct checksum: whoever can write the file can write that too. */
  const forged = fc
    .record({
      type: fc.oneof(fc.constantFrom(...sampleBodies.map(({ type }) => type)), fc.string(), name),
      members: fc.array(fc.tuple(name, value), { maxLength: 5 }),
    })
    .map(({ type, members }) => {
      const more = members.map(([key, json]) => `,${JSON.stringify(key)}:${json}`).join('');
      return signed(`{${envelope},"type":${JSON.stringify(type)}${more}}`);
    });
  const junk = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc
      .uint8Array({ maxLength: 80 })
      .map((bytes) => signed(Buffer.concat([Buffer.from('{'), bytes, Buffer.from('}')]))),
    fc.constantFrom(
      Buffer.alloc(3000),
      Buffer.from('\n\n\n'),
      Buffer.from('{"v":1}\r\n'),
      Buffer.from('\ufeff'),
    ),
    forged,
    fc.nat(starts.length - 1).map((line) => good.subarray(starts[line], starts[line + 1] ?? good.length)),
  );

  test('whatever they are, in whatever order: read without throwing, and no prototype is touched', () => {
    fc.assert(
      fc.property(fc.array(junk, { maxLength: 8 }), (pieces) => {
        const { found } = readAll(Buffer.concat(pieces));
        expect(found.map(({ seq }) => seq)).toEqual(found.map(({ seq }) => seq).toSorted((a, b) => a - b));
        expect(({} as Record<string, unknown>).a).toBeUndefined();
        for (const record of found) expect(Number.isSafeInteger(record.seq)).toBe(true);
      }),
      { numRuns: 700, examples: [[[signed(`{${envelope},"type":"clearing","run":{}}`)]]] },
    );
  });

  test('a line is decoded or refused, and a longer one than lines may be is not looked at', () => {
    fc.assert(
      fc.property(junk, (bytes) => {
        expect(['record', 'newer', 'crc', 'json', 'envelope']).toContain(decodeLine(bytes).kind);
      }),
      { numRuns: 700 },
    );
    expect(decodeLine(Buffer.alloc(maxLineBytes, 'a'))).toMatchObject({ kind: 'crc' });
  });

  test('marks of a compaction that nobody has made: what they claim is looked at, and never outside of the file', () => {
    const claim = fc
      .record({
        bytes: fc.oneof(fc.nat(5000), fc.maxSafeInteger(), fc.constantFrom(-1, 1.5, 2 ** 31)),
        state: fc.constantFrom('begun', 'done', 'x'),
        digest: fc.constantFrom('00000000', 'e3069283', ''),
        seq: fc.nat(60),
      })
      .map(({ bytes, state, digest, seq }) => {
        const members = `"type":"compaction","state":"${state}","bytes":${bytes},"digest":"${digest}"`;
        return signed(`{"v":1,"seq":${seq},"at":"${at}","mono_ns":"5",${members}}`);
      });
    const real = encodeRewrite(good.subarray(0, starts[3]), 3, { at, mono_ns: 9n });
    const piece = fc.oneof(
      claim,
      junk,
      fc.constant(good),
      fc.nat(real.length).map((end) => Buffer.from(real.subarray(0, end))),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 5 }), (pieces) => {
        const file = Buffer.concat(pieces);
        // A compacted log that stands at the end of the file is shorter than that, and its records lie behind its size.
        for (const { offset, length } of readAll(file).log.entries)
          expect(offset + length).toBeLessThanOrEqual(file.length);
      }),
      { numRuns: 400 },
    );
  });
});
