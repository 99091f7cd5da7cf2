import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeLine, encodeBody, encodeRecord, maxLineBytes } from '../../src/checkpoint/codec.ts';
import { crc32c } from '../../src/checkpoint/crc32c.ts';
import { type CheckpointRecord, stampRecord } from '../../src/checkpoint/record.ts';
import { type Field, recordTable } from '../../src/checkpoint/record-table.ts';
import { at, sampleBodies, signLine } from './samples.ts';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const stamp = { at, mono_ns: 5n };

const envelope = `"v":1,"seq":1,"at":"${at}","mono_ns":"5"`;
const withoutNewline = (line: Uint8Array): Uint8Array => line.subarray(0, -1);
const decode = (record: CheckpointRecord) => decodeLine(withoutNewline(encodeRecord(record)));

test('crc32c has the check value of Castagnoli', () => {
  expect(crc32c(utf8('123456789')).toString(16)).toBe('e3069283');
  expect(crc32c(utf8('56789'), crc32c(utf8('1234'))).toString(16)).toBe('e3069283');
  // RFC 3720, B.4: 32 bytes of zeros.
  expect(crc32c(new Uint8Array(32)).toString(16)).toBe('8a9136aa');
});

test('a line is the text of the object with the checksum of that text as its last member', () => {
  const line = Buffer.from(encodeBody({ type: 'config', config_digest: 'abc' }, 7, stamp)).toString();
  const body = `{"v":1,"seq":7,"at":"${at}","mono_ns":"5","type":"config","config_digest":"abc"}`;
  expect(line).toBe(`${body.slice(0, -1)},"crc":"${crc32c(utf8(body)).toString(16).padStart(8, '0')}"}\n`);
});

test.each(sampleBodies.map((body) => [body.type, body] as const))('%s survives a round trip', (_, body) => {
  const record = stampRecord(body, 3, stamp);
  expect(decode(record)).toEqual({ kind: 'record', record });
});

function arbitraryField(field: Field): fc.Arbitrary<unknown> {
  const int = fc.maxSafeInteger();
  const kinds: Record<string, fc.Arbitrary<unknown>> = {
    text: fc.string({ unit: 'binary' }),
    int,
    bool: fc.boolean(),
    ns: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    ints: fc.array(int),
    texts: fc.array(fc.string({ unit: 'binary' })),
    who: fc.record({ pid: int, uid: int }),
    rusage: fc.record({ user_us: int, sys_us: int, max_rss_kb: int }),
  };
  const value =
    (typeof field.kind === 'string' ? kinds[field.kind] : undefined) ?? fc.constantFrom(...field.kind);
  return field.orNull ? fc.option(value, { nil: null }) : value;
}
const arbitraryRecord: fc.Arbitrary<CheckpointRecord> = fc
  .constantFrom(...Object.entries(recordTable))
  .chain(([type, { fields }]) => {
    const values = Object.fromEntries(
      Object.entries<Field>(fields).map(([name, f]) => [name, arbitraryField(f)]),
    );
    const optional = Object.entries<Field>(fields).flatMap(([name, field]) => (field.optional ? [name] : []));
    const requiredKeys = Object.keys(values).filter((name) => !optional.includes(name));
    return fc.tuple(
      fc.constant(type),
      fc.record(values, { requiredKeys }),
      fc.integer({ min: 1 }),
      fc.bigInt(0n, 2n ** 63n),
    );
  })
  .map(([type, fields, seq, mono_ns]) => ({ v: 1, seq, at, mono_ns, type, ...fields }) as CheckpointRecord);

test('any record of the table survives a round trip', () => {
  fc.assert(
    fc.property(arbitraryRecord, (record) => {
      expect(decode(record)).toEqual({ kind: 'record', record: { ...record } });
    }),
    { numRuns: 500 },
  );
});

test('an unknown type is kept with all its members, and written again as it was', () => {
  const line = signLine(`{${envelope},"type":"dream","deep":{"x_ns":"7"},"far_ns":"9","__proto__":{"a":1}}`);
  const decoded = decodeLine(line);
  expect(decoded).toMatchObject({
    kind: 'record',
    record: { type: 'unknown', was: 'dream', reason: 'type not known' },
  });
  if (decoded.kind !== 'record') throw new Error('unreachable');
  expect(Buffer.from(withoutNewline(encodeRecord(decoded.record)))).toEqual(Buffer.from(line));
  expect(({} as { a?: number }).a).toBeUndefined();
});

test('an unknown field of a known type is kept', () => {
  const line = signLine(
    `{${envelope},"type":"config","config_digest":"abc","colour":["red"],"seen_ns":"12"}`,
  );
  const decoded = decodeLine(line);
  expect(decoded).toMatchObject({
    kind: 'record',
    record: { type: 'config', colour: ['red'], seen_ns: 12n },
  });
  if (decoded.kind !== 'record') throw new Error('unreachable');
  expect(Buffer.from(withoutNewline(encodeRecord(decoded.record)))).toEqual(Buffer.from(line));
});

test.each([
  [
    'a field of another kind',
    '"type":"stragglers","run":"a#1","pids":"1"',
    'pids must be a list of whole numbers',
  ],
  ['a missing field', '"type":"stragglers","run":"a#1"', 'pids must be a list of whole numbers'],
  [
    'a word that is not in the list',
    '"type":"task-state","state":"asleep","exit_code":null',
    'state must be one of',
  ],
  [
    'a time that is no time',
    '"type":"backoff","process":"a","wait_ms":1,"deadline_ns":"-1","failures":1',
    'deadline_ns must be',
  ],
  ['a type named like a method', '"type":"toString"', 'type not known'],
])('a record with %s is kept, but not as one of its type', (_, members, reason) => {
  const decoded = decodeLine(signLine(`{${envelope},${members}}`));
  expect(decoded).toMatchObject({
    kind: 'record',
    record: { type: 'unknown', reason: expect.stringContaining(reason) },
  });
});

test('a newer version is told apart from damage', () => {
  expect(decodeLine(signLine('{"v":2,"anything":true}'))).toEqual({ kind: 'newer', version: 2 });
  expect(decodeLine(utf8('{"v":2,"anything":true,"crc":"00000000"}'))).toMatchObject({ kind: 'crc' });
});

test.each([
  ['v of another kind', `{"v":"1","seq":1,"at":"${at}","mono_ns":"5","type":"x"}`, 'envelope'],
  ['seq 0', `{"v":1,"seq":0,"at":"${at}","mono_ns":"5","type":"x"}`, 'envelope'],
  ['seq beyond 2^53', `{"v":1,"seq":9007199254740993,"at":"${at}","mono_ns":"5","type":"x"}`, 'envelope'],
  ['no time', '{"v":1,"seq":1,"mono_ns":"5","type":"x"}', 'envelope'],
  ['mono_ns as a number', `{"v":1,"seq":1,"at":"${at}","mono_ns":5,"type":"x"}`, 'envelope'],
  [
    'mono_ns of a million digits',
    `{"v":1,"seq":1,"at":"${at}","mono_ns":"${'9'.repeat(1_000_000)}","type":"x"}`,
    'envelope',
  ],
  ['two checksums', `{"crc":"0",${envelope},"type":"x"}`, 'envelope'],
  ['a list', '[1}', 'json'],
  ['no JSON', '{"v":1,}', 'json'],
  ['NULs', '\0\0\0\0}', 'json'],
  ['a nest of lists', `{${envelope},"type":"x","a":${'['.repeat(500_000)}${']'.repeat(500_000)}}`, 'json'],
  ['an endless list', `{"a":${'['.repeat(1_000_000)}}`, 'json'],
])('%s under a correct checksum is refused', (_, json, kind) => {
  expect(decodeLine(signLine(json))).toMatchObject({ kind, reason: expect.any(String) });
});

test('text that is not UTF-8 is refused', () => {
  const body = Buffer.concat([utf8(`{${envelope},"type":"`), Uint8Array.of(0xff, 0xc0), utf8('"}')]);
  expect(decodeLine(signLine(body))).toMatchObject({ kind: 'json' });
});

test('S64 a line never has a control character, and is never too long', () => {
  const name = '\u001b[31m\u009b31m\u0007\u2028\ud800\n\u007f'.repeat(200_000);
  const line = encodeBody(
    { type: 'stuck', pids: Array.from({ length: 300_000 }, (_, i) => i), names: [name] },
    1,
    stamp,
  );
  expect(line.length).toBeLessThanOrEqual(maxLineBytes);
  const controls = [...Buffer.from(line.subarray(0, -1)).toString()].filter((c) => /[\p{Cc}\p{Zl}]/u.test(c));
  expect(controls).toEqual([]);
  expect(decodeLine(withoutNewline(line))).toMatchObject({ kind: 'record', record: { type: 'stuck' } });
});

test('decoding never throws, whatever the bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(decodeLine(bytes).kind).toBe('crc');
    }),
  );
  fc.assert(
    fc.property(fc.json(), (json) => {
      expect(decodeLine(signLine(json)).kind).not.toBe('record');
    }),
  );
});
