import {
  closeSync,
  constants,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encodeBody } from '../../src/checkpoint/codec.ts';
import { type JournalDisk, realDisk } from '../../src/checkpoint/disk.ts';
import {
  type Journal,
  type JournalNews,
  type JournalOptions,
  openJournal,
} from '../../src/checkpoint/journal.ts';
import type { CheckpointRecord, RecordBody } from '../../src/checkpoint/record.ts';
import { type RepairedLog, repairLog } from '../../src/checkpoint/repair.ts';
import { at, shortLog, signLine } from './samples.ts';

const body: RecordBody = { type: 'config', config_digest: 'abc' };
let folder: string;
let path: string;
let news: JournalNews[];
let opened: Journal[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gsup-journal-'));
  path = join(folder, 'checkpoint.log');
  news = [];
  opened = [];
});
afterEach(() => {
  for (const journal of opened) journal.close();
  rmSync(folder, { recursive: true, force: true });
});

let ns = 0n;
const clock = { nowNs: () => ++ns, wallMs: () => 1_700_000_000_000 };

function open(options: Partial<JournalOptions> = { path }) {
  // A sync of an earlier test may still be under way, and must not report into this one.
  const mine = news;
  const result = openJournal({ clock, report: (item) => mine.push(item), ...options });
  if (result.kind !== 'open') throw new Error(`newer: ${result.version}`);
  opened.push(result.journal);
  return result;
}
const readBack = (file = path): RepairedLog => repairLog(readFileSync(file));
const seqs = (log: RepairedLog): number[] => log.entries.map((entry) => entry.record.seq);
const failure = (code: string): Error => Object.assign(new Error(code), { code });

/** A real file behind it; each call first asks for a failure. */
function fakeDisk(
  fails: Partial<{ write: () => number | string | undefined; truncate: () => string | undefined }>,
): JournalDisk {
  return {
    ...realDisk,
    write: (fd, bytes, position) => {
      const fault = fails.write?.();
      if (typeof fault === 'string') throw failure(fault);
      return writeSync(fd, bytes, 0, Math.min(bytes.length, fault ?? bytes.length), position);
    },
    truncate: (fd, length) => {
      const fault = fails.truncate?.();
      if (fault) throw failure(fault);
      ftruncateSync(fd, length);
    },
    sync: (_, done) => setImmediate(done, null),
  };
}

test('what was appended is read back by the next one, which goes on counting', () => {
  const first = open();
  expect([first.journal.nextSeq(), first.journal.append(body), first.journal.append(body)]).toEqual([
    1, 1, 2,
  ]);
  first.journal.close();
  const second = open();
  expect(second.log.records).toMatchObject([
    { seq: 1, ...body },
    { seq: 2, ...body },
  ]);
  expect(second.journal.append(body)).toBe(3);
  expect(seqs(readBack())).toEqual([1, 2, 3]);
  expect(news).toEqual([]);
});

test('the file is made for its owner alone, and a link in its place is not followed', () => {
  open();
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const other = join(folder, 'other.log');
  symlinkSync(path, other);
  open({ path: other }).journal.append(body);
  expect(news).toEqual([{ kind: 'memory', code: 'ELOOP' }]);
});

test('an append is one write, at the time that it is given', () => {
  let writes = 0;
  const disk = fakeDisk({ write: () => void writes++ });
  const { journal } = open({ path, disk });
  journal.append(body, { at, mono_ns: 77n });
  expect(writes).toBe(1);
  expect(readBack().entries[0]?.record).toMatchObject({ at, mono_ns: 77n });
});

test('S51 a torn tail is cut off, a copy is kept, and the log goes on', () => {
  const whole = shortLog(3);
  writeFileSync(path, whole.subarray(0, whole.length - 7));
  const { journal, log } = open();
  expect(log.records).toHaveLength(2);
  expect(news).toEqual([{ kind: 'torn', bytes: shortLog(1).length - 7, copy: `${path}.torn-1` }]);
  expect(readFileSync(`${path}.torn-1`)).toEqual(whole.subarray(0, whole.length - 7));
  journal.append(body);
  expect(seqs(readBack())).toEqual([1, 2, 3]);
});

test('S51 copies are numbered, and their number is bounded', () => {
  for (let i = 0; i < 12; i++) {
    writeFileSync(path, 'torn');
    open().journal.close();
  }
  expect(readdirSync(folder).filter((name) => name.includes('torn'))).toHaveLength(9);
});

test('S51 a log damaged in the middle is kept beside a new one, whose numbers go on behind it', () => {
  const damaged = shortLog(5);
  damaged[2 * shortLog(1).length + 9] = 0x21;
  writeFileSync(path, damaged);
  const { journal, log } = open();
  expect(log.records).toEqual([]);
  expect(news).toMatchObject([{ kind: 'damaged', damage: { line: 3, seq: 3 }, copy: `${path}.damaged-1` }]);
  const seq = journal.append(body);
  expect(seq).toBeGreaterThan(6);
  expect(readFileSync(`${path}.damaged-1`)).toEqual(damaged);
  const begun = readBack();
  expect(begun.damage ?? begun.torn).toBeUndefined();
  expect(begun.entries.map((entry) => entry.record)).toMatchObject([
    { type: 'gap', missing: seq - 2, cause: 'damaged', seq: seq - 1 },
    { ...body, seq },
  ]);
});

test('an inherited log stays the same file, also when it was damaged: the next supervisor inherits it too', () => {
  const damaged = shortLog(5);
  damaged[10] = 0x21;
  writeFileSync(path, damaged);
  const fd = openSync(path, constants.O_RDWR | constants.O_APPEND);
  const { ino } = statSync(path);
  open({ fd }).journal.append(body);
  expect(news).toMatchObject([{ kind: 'damaged', copy: `${path}.damaged-1` }]);
  expect(statSync(path).ino).toBe(ino);
  expect(open({ fd }).log.records).toMatchObject([{ type: 'gap' }, body]);
  closeSync(fd);
});

test.each([
  ['with O_APPEND', constants.O_RDWR | constants.O_APPEND],
  ['without, as a memfd', constants.O_RDWR],
])('an inherited log without a name, %s, is repaired without a copy', (_, flags) => {
  writeFileSync(path, Buffer.concat([shortLog(2), Buffer.from('torn')]));
  const fd = openSync(path, flags);
  unlinkSync(path);
  const { journal } = open({ fd });
  expect(journal.append(body)).toBe(3);
  journal.close();
  expect(open({ fd }).log.records.map((record) => record.seq)).toEqual([1, 2, 3]);
  expect(news).toEqual([{ kind: 'torn', bytes: 4, copy: null }]);
  expect(readdirSync(folder)).toEqual([]);
  closeSync(fd);
});

test('a log of a later version is refused and not touched', () => {
  const bytes = Buffer.concat([shortLog(1), signLine('{"v":2,"a":1}'), Buffer.from('\n')]);
  writeFileSync(path, bytes);
  expect(openJournal({ path, clock, report: (item) => news.push(item) })).toEqual({
    kind: 'newer',
    version: 2,
  });
  expect(readFileSync(path)).toEqual(bytes);
  expect(news).toEqual([]);
});

test.each([
  ['a folder that is not there', () => ({ path: join(folder, 'none', 'checkpoint.log') }), 'ENOENT'],
  ['a closed descriptor', () => ({ fd: 987_654 }), 'EBADF'],
  ['nothing at all', () => ({}), 'ENOENT'],
])('S52 %s gives numbers in memory, and says so once', (_, source, code) => {
  const { journal } = open(source());
  expect([journal.append(body), journal.append(body)]).toEqual([1, 2]);
  expect(news).toEqual([{ kind: 'memory', code }]);
});

test('S52 the folder is deleted while the log is open: said once, and appends go on', async () => {
  const { journal } = open();
  journal.append(body);
  rmSync(folder, { recursive: true });
  expect([journal.append(body), journal.append(body)]).toEqual([2, 3]);
  await journal.settled();
  journal.append(body);
  await journal.settled();
  expect(news).toEqual([{ kind: 'deleted' }]);
});

test.each(['EIO', 'EROFS', 'EDQUOT'])(
  'S52 %s: numbers go on, one report, and what could not be written is written when it is over',
  (code) => {
    let failing = false;
    const { journal } = open({ path, disk: fakeDisk({ write: () => (failing ? code : undefined) }) });
    journal.append(body);
    failing = true;
    const stamp = { at, mono_ns: 77n };
    expect([journal.append(body, stamp), journal.append(body), journal.append(body)]).toEqual([2, 3, 4]);
    expect(journal.isKept()).toBe(false);
    failing = false;
    expect(journal.append(body)).toBe(5);
    expect(journal.isKept()).toBe(true);
    expect(news).toEqual([
      { kind: 'failing', code },
      { kind: 'recovered', missing: 0 },
    ]);
    expect(seqs(readBack())).toEqual([1, 2, 3, 4, 5]);
    expect(readBack().entries[1]?.record).toMatchObject({ at, mono_ns: 77n });
  },
);

/** Waits that nobody waits out. */
function held() {
  const waits: { ms: number; act: () => void }[] = [];
  const after: JournalOptions['after'] = (ms, act) => {
    const wait = { ms, act };
    waits.push(wait);
    return () => void waits.splice(waits.indexOf(wait), 1);
  };
  return { after, waits, next: () => waits.shift()?.act() };
}

test('S52 what waits for a disk is tried again without a next record: after a second, then after longer, and never more than one', () => {
  let fault: string | undefined = 'ENOSPC';
  const { after, waits, next } = held();
  const { journal } = open({ path, after, disk: fakeDisk({ write: () => fault }) });
  journal.append(body);
  journal.append(body);
  const seen: (number | undefined)[] = [];
  for (let nth = 0; nth < 7; nth++) {
    expect(waits).toHaveLength(1);
    seen.push(waits[0]?.ms);
    next();
  }
  expect(seen).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  fault = undefined;
  next();
  expect([waits, journal.isKept(), seqs(readBack())]).toEqual([[], true, [1, 2]]);
  fault = 'EIO';
  journal.append(body);
  expect(waits[0]?.ms).toBe(1000);
  journal.close();
  expect(waits).toEqual([]);
});

test('S52 at its end a journal tries once more to write what waits', () => {
  let fault: string | undefined = 'ENOSPC';
  const { journal } = open({ path, after: held().after, disk: fakeDisk({ write: () => fault }) });
  journal.append(body);
  fault = undefined;
  journal.close();
  expect(seqs(readBack())).toEqual([1]);
});

test('S52 what fits on a full disk is kept, the rest is written behind it', () => {
  let room: number | string | undefined = 'ENOSPC';
  const { journal } = open({ path, after: held().after, disk: fakeDisk({ write: () => room }) });
  for (let nth = 0; nth < 3; nth++) journal.append(body);
  room = 2 * shortLog(1).length;
  journal.append(body);
  const [fits, torn] = [seqs(readBack()), readBack().torn];
  expect(fits.length).toBeGreaterThan(0);
  expect(fits.length).toBeLessThan(4);
  expect(torn).toBeGreaterThan(0);
  room = undefined;
  journal.append(body);
  expect([seqs(readBack()), readBack().torn, journal.isKept()]).toEqual([[1, 2, 3, 4, 5], undefined, true]);
});

describe('S52 a disk that stays full for long', () => {
  const isLast = (records: readonly CheckpointRecord[]): boolean[] =>
    records.map((record, at) => record.type === 'backoff' || at === records.length - 1);
  const wait: RecordBody = { type: 'backoff', process: 'a', failures: 1, wait_ms: 1, deadline_ns: 5n };
  const compaction = { atBytes: 4000, keepBytes: 1000, needed: isLast };

  test('what nobody needs any more leaves the records that wait: their memory is bounded, and nothing that matters is lost', () => {
    let fault: string | undefined;
    const { journal } = open({
      path,
      compaction,
      after: held().after,
      disk: fakeDisk({ write: () => fault }),
    });
    journal.append(body);
    fault = 'ENOSPC';
    const needed = journal.append(wait);
    for (let nth = 0; nth < 500; nth++) journal.append(body);
    fault = undefined;
    const last = journal.append(body);
    const log = readBack();
    expect([log.damage, log.torn, log.lastSeq, journal.isKept()]).toEqual([undefined, undefined, last, true]);
    expect(seqs(log)).toContain(needed);
    expect(log.entries.length).toBeLessThan(60);
    const gaps = log.entries.flatMap(({ record }) => (record.type === 'gap' ? [record.cause] : []));
    expect(gaps).toEqual(['compacted']);
    expect(news).toEqual([
      { kind: 'failing', code: 'ENOSPC' },
      { kind: 'recovered', missing: 0 },
    ]);
  });

  test.each([
    ['cannot be read either', compaction, 'EIO'],
    ['is never compacted', undefined, undefined],
  ])(
    'a log that %s loses them: a gap says how many, and nothing counts as known any more',
    (_, given, read) => {
      let fault: string | undefined;
      const disk = fakeDisk({ write: () => fault });
      const { journal } = open({
        path,
        after: held().after,
        ...(given && { compaction: given }),
        disk: {
          ...disk,
          read: (fd, into, position) => {
            if (fault !== undefined && read !== undefined) throw failure(read);
            return disk.read(fd, into, position);
          },
        },
      });
      journal.append(body);
      fault = 'EIO';
      const long: RecordBody = { type: 'stranger', pid: 1, name: 'x'.repeat(250) };
      for (let nth = 0; nth < 3400; nth++) journal.append(given === undefined ? long : body);
      fault = undefined;
      const last = journal.append(body);
      const log = readBack();
      expect([log.damage, log.torn, log.lastSeq]).toEqual([undefined, undefined, last]);
      const [gap] = log.entries.flatMap(({ record }) => (record.type === 'gap' ? [record.missing] : []));
      expect(gap).toBeGreaterThan(10);
      expect(news.at(-1)).toEqual({ kind: 'recovered', missing: gap });
      expect(journal.isKept()).toBe(false);
    },
  );
});

test('S52 what a short write left is cut off before the next append', () => {
  let room: number | undefined = 20;
  const { journal } = open({ path, disk: fakeDisk({ write: () => room }) });
  journal.append(body);
  expect(readBack().torn).toBe(20);
  room = undefined;
  journal.append(body);
  expect(readBack().torn).toBeUndefined();
  expect(seqs(readBack())).toEqual([1, 2]);
  expect(news[0]).toEqual({ kind: 'failing', code: 'ENOSPC' });
});

test('a tail that cannot be cut off is no reason to forget what stands before it', () => {
  writeFileSync(path, Buffer.concat([shortLog(2), Buffer.from('torn')]));
  const fd = openSync(path, 'r');
  const { log, journal } = open({ fd });
  expect(log.records).toHaveLength(2);
  expect(journal.append(body)).toBe(3);
  expect(news.map((item) => item.kind)).toEqual(['torn', 'failing']);
  closeSync(fd);
});

test('numbers that init has seen from a supervisor that could not write are not given again', () => {
  writeFileSync(path, shortLog(2));
  const { journal } = open();
  journal.skipTo(9);
  journal.skipTo(1);
  expect([journal.nextSeq(), journal.append(body), journal.append(body)]).toEqual([11, 11, 12]);
  expect(
    readBack()
      .entries.map((entry) => entry.record)
      .slice(2),
  ).toMatchObject([{ seq: 10, type: 'gap', missing: 7, cause: 'lost' }, { seq: 11 }, { seq: 12 }]);
});

test('at most one sync is under way, and one more covers all that came meanwhile', async () => {
  const held: (() => void)[] = [];
  const disk: JournalDisk = { ...fakeDisk({}), sync: (_, done) => held.push(() => done(null)) };
  const { journal } = open({ path, disk });
  for (let i = 0; i < 100; i++) journal.append(body);
  expect(held).toHaveLength(1);
  const settled = journal.settled();
  held[0]?.();
  while (held.length < 2) await new Promise(setImmediate);
  held[1]?.();
  await settled;
  expect(held).toHaveLength(2);
});

test('a sync that fails is said once', async () => {
  const disk: JournalDisk = { ...fakeDisk({}), sync: (_, done) => setImmediate(done, failure('EIO')) };
  const { journal } = open({ path, disk });
  for (let i = 0; i < 3; i++) {
    journal.append(body);
    await journal.settled();
  }
  expect(news).toEqual([{ kind: 'sync-failed', code: 'EIO' }]);
});

test('after close the descriptor is left alone, since the number may be another file by then', async () => {
  const { journal } = open();
  journal.append(body);
  journal.close();
  await journal.settled();
  // The kernel gives the lowest free number: most likely the one that the journal had.
  const other = openSync(join(folder, 'other'), 'w+');
  expect(journal.append(body)).toBe(2);
  closeSync(other);
  expect([seqs(readBack()), readFileSync(join(folder, 'other'), 'utf8')]).toEqual([[1], '']);
});

test('whatever the disk does: no damage, numbers that only grow, and in the log all but what waited for the disk in a crash', () => {
  const fault = fc.oneof(
    { weight: 3, arbitrary: fc.constant(undefined) },
    fc.nat(150),
    fc.constantFrom('EIO', 'ENOSPC'),
  );
  const step = fc.record({
    write: fault,
    truncate: fc.option(fc.constant('EIO'), { nil: undefined, freq: 4 }),
    crash: fc.nat(9),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      writeFileSync(path, '');
      let now: { write?: number | string | undefined; truncate?: string | undefined } = {};
      const disk = fakeDisk({ write: () => now.write, truncate: () => now.truncate });
      let { journal } = open({ path, disk, after: held().after });
      const given: number[] = [0];
      const lost = new Set<number>();
      for (const next of steps) {
        now = next;
        given.push(journal.append(body));
        expect(readBack().damage).toBeUndefined();
        if (next.crash > 0) continue;
        // Whoever is killed writes nothing any more.
        const there = new Set(seqs(readBack()));
        for (const seq of given) if (!there.has(seq)) lost.add(seq);
        journal = open({ path, disk, after: held().after }).journal;
        journal.skipTo(given.at(-1) as number);
      }
      expect(given).toEqual([...new Set(given)].sort((a, b) => a - b));
      now = {};
      const last = journal.append(body);
      const log = readBack();
      expect([log.torn, log.damage, log.lastSeq]).toEqual([undefined, undefined, last]);
      const written = log.entries
        .filter((entry) => entry.record.type !== 'gap')
        .map((entry) => entry.record.seq);
      expect(given).toEqual(expect.arrayContaining(written.slice(0, -1)));
      expect(written).toEqual(expect.arrayContaining(given.filter((seq) => seq > 0 && !lost.has(seq))));
      journal.close();
    }),
    { numRuns: 100 },
  );
});

test('a record that is longer than a line can be is shortened, not refused', () => {
  const { journal } = open();
  journal.append({ type: 'stranger', pid: 1, name: 'x'.repeat(3_000_000) });
  expect(readBack().entries[0]?.record).toMatchObject({ type: 'stranger', name: 'x'.repeat(256) });
  expect(encodeBody(body, 1, { at, mono_ns: 1n }).length).toBeLessThan(200);
});
