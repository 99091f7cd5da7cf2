import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The checkpoint log, read without any of the code under test: lines of JSON, sequence numbers, CRC-32C as SPEC 5 says.
 */
export interface Line {
  readonly type: string;
  readonly seq: number;
  readonly mono_ns: string;
  readonly file: string;
  readonly [field: string]: unknown;
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ 0x82f63b78 : rest >>> 1;
  return rest >>> 0;
});

/** Castagnoli; "123456789" gives e3069283. */
export function crc32c(bytes: Uint8Array): string {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (CRC_TABLE[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return ((crc ^ 0xffffffff) >>> 0).toString(16).padStart(8, '0');
}

function text(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function parse(file: string, line: string): Line {
  try {
    return { ...(JSON.parse(Buffer.from(line, 'latin1').toString('utf8')) as Line), file };
  } catch {
    throw new Error(`${file}: not JSON: ${line.slice(0, 300)}`);
  }
}

/** Whole lines of one file in its own order; a line that is still being written is not one yet. */
export function readLog(folder: string, file: string): Line[] {
  const whole = text(join(folder, file));
  return whole
    .slice(0, whole.lastIndexOf('\n') + 1)
    .split('\n')
    .filter(Boolean)
    .map((line) => parse(file, line));
}

/** Both files as one story. */
export function readRecords(folder: string): Line[] {
  const all = [...readLog(folder, 'checkpoint.log'), ...readLog(folder, 'init.log')];
  return all.sort((a, b) => Number(BigInt(a.mono_ns) - BigInt(b.mono_ns)));
}

/** What is wrong with a log file by the rules that hold for every one; empty: nothing. */
export function faultsOfLog(folder: string, file: string): string[] {
  const whole = text(join(folder, file));
  const faults: string[] = [];
  if (whole !== '' && !whole.endsWith('\n')) faults.push(`${file}: the last line is torn`);
  let last: number | undefined;
  for (const line of whole.split('\n').filter(Boolean)) {
    const record = parse(file, line);
    const place = `${file} seq ${record.seq}`;
    // A gap record jumps over what it says is missing.
    const missing = record.type === 'gap' ? Number(record.missing) : 0;
    const next = (last ?? record.seq - 1 - missing) + 1;
    if (record.seq < next || record.seq > next + missing) faults.push(`${place}: follows ${last}`);
    last = record.seq;
    if (typeof record.mono_ns !== 'string' || !/^\d+$/.test(record.mono_ns)) faults.push(`${place}: mono_ns`);
    if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(String(record.at))) faults.push(`${place}: at`);
    if (record.v !== 1) faults.push(`${place}: v`);
    const signed = line.match(/^(.*),"crc":"([0-9a-f]{8})"\}$/);
    if (!signed) faults.push(`${place}: crc is not the last member`);
    else if (crc32c(Buffer.from(`${signed[1]}}`, 'latin1')) !== signed[2]) faults.push(`${place}: crc`);
  }
  return faults;
}

/** What must hold of every story that has ended, whatever happened in it. */
export function faultsOfStory(records: readonly Line[]): string[] {
  const faults: string[] = [];
  const ended = new Map<unknown, number>();
  for (const record of records)
    if (record.type === 'run-ended') ended.set(record.run, (ended.get(record.run) ?? 0) + 1);
  for (const [run, times] of ended) if (times !== 1) faults.push(`${times} run-ended of ${run}`);
  // What is stuck is never called ended.
  const stuck = records.some((record) => record.type === 'stuck');
  for (const record of records)
    if (!stuck && record.type === 'run-started' && !ended.has(record.run))
      faults.push(`no run-ended of ${record.run}`);
  return faults;
}

export function folders(stateDir: string): string[] {
  try {
    return readdirSync(stateDir);
  } catch {
    return [];
  }
}

/** Milliseconds from one record, or a line of a fixture, to another. */
export function msBetween(from: Pick<Line, 'mono_ns'>, to: Pick<Line, 'mono_ns'>): number {
  return Number(BigInt(to.mono_ns) - BigInt(from.mono_ns)) / 1e6;
}
