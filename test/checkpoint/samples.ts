// Records for tests: one of each type, made from the table, so that a new type cannot be forgotten.
import { encodeBody, encodeRecord } from '../../src/checkpoint/codec.ts';
import { crc32c } from '../../src/checkpoint/crc32c.ts';
import { type CheckpointRecord, type RecordBody, stampRecord } from '../../src/checkpoint/record.ts';
import { type Field, recordTable } from '../../src/checkpoint/record-table.ts';

export const at = '2026-01-02T03:04:05.678Z';

export function sampleValue(kind: Field['kind']): unknown {
  if (typeof kind !== 'string') return kind[0];
  const samples = {
    text: 'web',
    int: 42,
    bool: true,
    ns: 18_446_744_073_709_551_615n,
    ints: [1, 2],
    texts: ['a', 'b'],
    who: { pid: 1, uid: 0 },
    rusage: { user_us: 1, sys_us: 2, max_rss_kb: 3 },
  } as const;
  return samples[kind];
}

export const sampleBodies: RecordBody[] = Object.entries(recordTable).map(([type, spec]) => {
  const fields = Object.entries<Field>(spec.fields).map(([name, field]) => [name, sampleValue(field.kind)]);
  return { type, ...Object.fromEntries(fields) } as RecordBody;
});

/** Records 1..n of a log, one nanosecond after the other. */
export function sampleRecords(bodies: readonly RecordBody[], firstSeq = 1): CheckpointRecord[] {
  return bodies
    .filter((body) => body.type !== 'gap')
    .map((body, i) => stampRecord(body, firstSeq + i, { at, mono_ns: BigInt(firstSeq + i) }));
}

export function encodeLog(records: readonly CheckpointRecord[]): Buffer {
  return Buffer.concat(records.map((record) => encodeRecord(record)));
}

/** A short log, of `count` records. */
export function shortLog(count: number): Buffer {
  const body: RecordBody = { type: 'task-state', state: 'active', exit_code: null };
  const line = (seq: number) => encodeBody(body, seq, { at, mono_ns: BigInt(seq) });
  return Buffer.concat(Array.from({ length: count }, (_, i) => line(i + 1)));
}

/** A line without its newline and with a correct CRC, whatever its text says. `json` ends with its closing brace. */
export function signLine(json: string | Uint8Array): Buffer {
  const body = Buffer.from(json);
  const crc = crc32c(body).toString(16).padStart(8, '0');
  return Buffer.concat([body.subarray(0, -1), Buffer.from(`,"crc":"${crc}"}`)]);
}
