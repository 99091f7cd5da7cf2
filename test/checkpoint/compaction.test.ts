import { describe, expect, test } from 'vitest';
import { planCompaction } from '../../src/checkpoint/compaction.ts';
import { type JournalNews, openJournal } from '../../src/checkpoint/journal.ts';
import { readLogFrom } from '../../src/checkpoint/read-log.ts';
import type { CheckpointRecord, RecordBody } from '../../src/checkpoint/record.ts';
import { repairLog } from '../../src/checkpoint/repair.ts';
import { encodeRewrite, finishRewrite, readPieces } from '../../src/checkpoint/rewrite.ts';
import { createMemoryDisk, Killed, LOG, type MemoryDisk } from './memory-disk.ts';
import { at, encodeLog, sampleRecords, shortLog } from './samples.ts';

const stamp = { at, mono_ns: 77n };
const digest = (text: string): RecordBody => ({ type: 'config', config_digest: text });
const seqs = (records: readonly CheckpointRecord[]): number[] => records.map((record) => record.seq);

/** A log of `count` records, and the same without what is not named. */
function pair(count: number, kept: readonly number[]) {
  const records = sampleRecords(Array.from({ length: count }, (_, i) => digest(`${i + 1}`)));
  const old = encodeLog(records);
  const disk = createMemoryDisk();
  disk.put(old);
  const fd = disk.open(LOG);
  const needed = (all: readonly CheckpointRecord[]) => all.map(({ seq }) => kept.includes(seq));
  const compacted = readPieces(planCompaction(repairLog(old).entries, needed, 0), fd, disk);
  return { old, compacted: Buffer.from(compacted) };
}

const readBack = (bytes: Uint8Array) => {
  const disk = createMemoryDisk();
  disk.put(bytes);
  return readLogFrom(disk.open(LOG), undefined, disk);
};

describe('a compacted log', () => {
  test('is a log: what stays is as it was, gap records say what is missing, and the last record stays', () => {
    const { old, compacted } = pair(12, [1, 2, 6, 9]);
    const log = repairLog(compacted);
    expect([log.damage, log.torn, log.lastSeq]).toEqual([undefined, undefined, 12]);
    const told = log.entries.map(({ record }) =>
      record.type === 'gap' ? `gap of ${record.missing}` : record.seq,
    );
    expect(told).toEqual([1, 2, 'gap of 3', 6, 'gap of 2', 9, 'gap of 2', 12]);
    const whole = repairLog(old).entries.map(({ record }) => record);
    for (const { record } of log.entries) if (record.type !== 'gap') expect(whole).toContainEqual(record);
    const gap = log.entries[2]?.record;
    expect(gap).toMatchObject({ seq: 5, mono_ns: 5n, cause: 'compacted' });
  });

  test('can be compacted again, and counts what is missing altogether', () => {
    const { compacted } = pair(12, [1, 2, 6, 9]);
    const disk = createMemoryDisk();
    disk.put(compacted);
    const needed = (all: readonly CheckpointRecord[]) => all.map(({ seq }) => seq === 1);
    const again = readPieces(planCompaction(repairLog(compacted).entries, needed, 0), disk.open(LOG), disk);
    expect(repairLog(again).entries.map(({ record }) => record)).toMatchObject([
      { seq: 1 },
      { type: 'gap', seq: 11, missing: 10 },
      { seq: 12 },
    ]);
  });

  test('one record that is dropped alone is dropped: what ended what it began may have gone as well', () => {
    expect(repairLog(pair(3, [1, 3]).compacted).entries.map(({ record }) => record)).toMatchObject([
      { seq: 1 },
      { type: 'gap', seq: 2, missing: 1 },
      { seq: 3 },
    ]);
  });

  test('the last records stay, whoever needs them', () => {
    const bytes = shortLog(40);
    const [lineLength, entries] = [shortLog(1).length, repairLog(bytes).entries];
    const pieces = planCompaction(entries, (all) => all.map(() => false), 5 * lineLength + 20);
    expect(pieces.at(-1)).toMatchObject({ kind: 'old', offset: entries[35]?.offset });
  });
});

describe('S51 a kill at every byte of a rewrite leaves one of the two logs, whole', () => {
  const { old, compacted } = pair(14, [1, 2, 7]);
  const [oldRecords, newRecords] = [old, compacted].map((bytes) =>
    repairLog(bytes).entries.map((e) => e.record),
  );
  const behind = encodeRewrite(compacted, 14, stamp);
  const both = Buffer.concat([old, behind]);

  test('while the new log is written behind the old one, the old one counts', () => {
    for (let end = old.length; end < both.length; end++) {
      const log = readBack(both.subarray(0, end));
      expect(
        `${end} ${log.damage} ${log.goodEnd} ${log.rewrite} ${seqs(log.entries.map((e) => e.record))}`,
      ).toBe(`${end} undefined ${old.length} undefined ${seqs(oldRecords ?? [])}`);
    }
  });

  test('from its last byte on the new one counts, whatever stands in front of it', () => {
    for (let done = 0; done <= compacted.length; done++) {
      const bytes = Buffer.concat([compacted.subarray(0, done), both.subarray(done)]);
      const log = readBack(bytes);
      expect(`${done} ${log.damage} ${log.torn} ${seqs(log.entries.map((e) => e.record))}`).toBe(
        `${done} undefined undefined ${seqs(newRecords ?? [])}`,
      );
      const { offset, length } = log.entries[1] as (typeof log.entries)[number];
      expect(JSON.parse(bytes.subarray(offset, offset + length).toString())).toMatchObject({ seq: 2 });
    }
  });

  test('whoever opens it goes on with it, and leaves a log like any other', () => {
    const ends = Array.from({ length: behind.length + 1 }, (_, i) => both.subarray(0, old.length + i));
    const moves = Array.from({ length: compacted.length + 1 }, (_, done) =>
      Buffer.concat([compacted.subarray(0, done), both.subarray(done)]),
    );
    const faults: unknown[] = [];
    for (const [step, bytes] of [...ends, ...moves].entries()) {
      const disk = createMemoryDisk();
      disk.put(bytes);
      const news: JournalNews[] = [];
      const opened = openOn(disk, news);
      const found = seqs(opened.log.records).join();
      const wanted = seqs((step < ends.length - 1 ? oldRecords : newRecords) ?? []).join();
      if (found !== wanted) faults.push([step, found, wanted]);
      if (opened.journal.append(digest('next')) !== 15) faults.push([step, 'another number']);
      const log = repairLog(disk.bytes());
      if (log.damage || log.torn || log.unfinished || log.lastSeq !== 15) faults.push([step, log]);
      // Only a piece of the first mark looks like an append that was interrupted.
      for (const item of news) if (item.kind !== 'torn') faults.push([step, item]);
    }
    expect(faults).toEqual([]);
  });

  test('a new log that does not fit its checksum does not count, and neither does one that is no log', () => {
    for (let at = old.length + 150; at < both.length; at += 7) {
      const bytes = Buffer.from(both);
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      expect([at, readBack(bytes).entries.map((e) => e.record)]).toEqual([at, oldRecords]);
    }
    const nonsense = encodeRewrite(Buffer.from('no log\n'), 14, stamp);
    expect(readBack(Buffer.concat([old, nonsense])).entries.map((e) => e.record)).toEqual(oldRecords);
  });

  test('what cannot be moved is tried again by the next one', () => {
    const disk = createMemoryDisk();
    disk.put(both);
    const news: JournalNews[] = [];
    const broken: MemoryDisk = {
      ...disk,
      reopen: () => {
        throw Object.assign(new Error(), { code: 'EACCES' });
      },
    };
    const first = openOn(broken, news);
    expect([first.log.records, first.journal.append(digest('x'))]).toEqual([newRecords, 15]);
    expect(news).toEqual([{ kind: 'memory', code: 'EACCES' }]);
    expect(openOn(disk, news).log.records).toEqual(newRecords);
  });

  test('the front is written by position, though a journal appends', () => {
    const disk = createMemoryDisk();
    disk.put(both);
    finishRewrite(compacted, disk.reopen(disk.open(LOG), LOG), disk);
    expect(disk.bytes()).toEqual(compacted);
  });
});

function openOn(disk: MemoryDisk, news: JournalNews[], later?: (act: () => void) => void, path = LOG) {
  const opened = openJournal({
    path,
    disk,
    clock: { nowNs: () => 99n, wallMs: () => 0 },
    report: (item) => news.push(item),
    compaction: {
      needed: (records) => records.map((_, i) => i === 0),
      atBytes: 1500,
      keepBytes: 400,
      ...(later && { later }),
    },
  });
  if (opened.kind !== 'open') throw new Error('newer');
  return opened;
}

describe('a journal whose log grows', () => {
  const now = (act: () => void): void => act();

  test('is compacted by itself, and stays within its bound', () => {
    const disk = createMemoryDisk();
    const news: JournalNews[] = [];
    const { journal } = openOn(disk, news, now);
    let [longest, compactions, before] = [0, 0, 0];
    for (let i = 1; i <= 500; i++) {
      expect(journal.append(digest(`${i}`))).toBe(i);
      const { length } = disk.bytes();
      if (length < before) compactions++;
      [longest, before] = [Math.max(longest, length), length];
    }
    const log = repairLog(disk.bytes());
    expect([log.damage, log.torn, log.lastSeq]).toEqual([undefined, undefined, 500]);
    expect(log.entries[0]?.record.seq).toBe(1);
    expect(longest).toBeLessThan(1700);
    expect(compactions).toBeGreaterThan(40);
    expect([news, disk.open_()]).toEqual([[], 1]);
  });

  test('what is needed may be long: then the log is twice as long as that, and not compacted at each record', () => {
    const disk = createMemoryDisk();
    let asked = 0;
    const opened = openJournal({
      path: LOG,
      disk,
      clock: { nowNs: () => 99n, wallMs: () => 0 },
      report: () => {},
      compaction: {
        needed: (records) => {
          asked++;
          return records.map((record) => record.seq <= 50);
        },
        atBytes: 1500,
        keepBytes: 100,
        later: now,
      },
    });
    if (opened.kind !== 'open') throw new Error('newer');
    let needed = 0;
    for (let i = 1; i <= 1000; i++) {
      opened.journal.append(digest(`${i}`));
      if (i === 50) needed = disk.bytes().length;
    }
    expect(disk.bytes().length).toBeLessThan(2.2 * (needed + 300));
    expect(asked).toBeLessThan(40);
  });

  test('a record that comes while the disk is waited for is not lost, and the compaction comes later', () => {
    const waiting: (() => void)[] = [];
    const disk = createMemoryDisk(undefined, undefined, (done) => void waiting.push(done));
    const { journal } = openOn(disk, [], now);
    let shorter = 0;
    let before = 0;
    for (let i = 1; i <= 60; i++) {
      expect(journal.append(digest(`${i}`))).toBe(i);
      // Whoever reads the file meanwhile finds the records of one of the two.
      const read = readLogFrom(disk.open(LOG), undefined, disk);
      expect([read.damage, read.lastSeq]).toEqual([undefined, i]);
      if (disk.bytes().length < before) shorter++;
      before = disk.bytes().length;
    }
    // It was not waited for, because records never stopped to come.
    expect(shorter).toBeGreaterThan(0);
    for (const done of waiting.splice(0)) done();
    expect(repairLog(disk.bytes())).toMatchObject({ lastSeq: 60 });
    journal.close();
    expect(repairLog(disk.bytes()).damage).toBeUndefined();
  });

  test.each([
    ['the file cannot be opened again', { reopen: 1 }],
    ['the disk is full', { write: 14 }],
    ['the front cannot be written', { front: 1 }],
    ['the end cannot be cut', { truncate: 1 }],
  ])('%s: said, and all records are there', (_, fails) => {
    const disk = createMemoryDisk();
    const news: JournalNews[] = [];
    const left: Record<string, number> = { ...fails };
    const maybeFail = (call: string): void => {
      left[call] = (left[call] ?? 0) - 1;
      if (left[call] === 0) throw Object.assign(new Error(call), { code: 'EIO' });
    };
    const failing: MemoryDisk = {
      ...disk,
      reopen: (fd, path) => {
        maybeFail('reopen');
        return disk.reopen(fd, path);
      },
      truncate: (fd, length) => {
        maybeFail('truncate');
        disk.truncate(fd, length);
      },
      write: (fd, bytes, position) => {
        if (position === 0 && disk.bytes().length > 0) maybeFail('front');
        else maybeFail('write');
        return disk.write(fd, bytes, position);
      },
    };
    const { journal } = openOn(failing, news, now);
    for (let i = 1; i <= 40; i++) expect(journal.append(digest(`${i}`))).toBeGreaterThanOrEqual(i);
    expect(news[0]?.kind).toMatch(/uncompacted|failing/);
    const log = repairLog(disk.bytes());
    expect([log.damage, log.torn, log.unfinished]).toEqual([undefined, undefined, undefined]);
    expect(log.lastSeq).toBeGreaterThanOrEqual(40);
    expect(log.entries.at(-1)?.record).toMatchObject({ config_digest: '40' });
    expect(disk.open_()).toBe(1);
  });

  /** Neither: records come faster than the disk answers, until it is not waited for. */
  test.each([
    ['at every byte', 'at once', (done: () => void) => done(), 3, 1],
    ['at every seventh byte', 'never', () => {}, 7, 7],
  ])(
    'S51 a kill %s that a compacting journal writes, while the disk answers %s',
    (_, __, sync, more, step) => {
      const first = encodeLog(sampleRecords(Array.from({ length: 11 }, (_, i) => digest(`${i + 1}`))));
      const run = (budget: number) => {
        const files = new Map([[LOG, first]]);
        const disk = createMemoryDisk(budget, files, sync);
        let answered = 11;
        try {
          const { journal } = openOn(disk, [], now);
          for (let i = 12; i < 12 + more; i++) {
            journal.append(digest(`${i}`));
            if (disk.spent() >= budget) throw new Killed();
            answered = i;
          }
        } catch (error) {
          if (!(error instanceof Killed)) throw error;
        }
        return { files, answered, spent: disk.spent() };
      };
      const whole = run(Number.POSITIVE_INFINITY);
      expect(whole.files.get(LOG)?.length).toBeLessThan(first.length);
      const faults: unknown[] = [];
      for (let budget = 1; budget < whole.spent; budget += step) {
        const { files, answered } = run(budget);
        const disk = createMemoryDisk(undefined, files);
        const news: JournalNews[] = [];
        const { log, journal } = openOn(disk, news, () => {});
        const last = log.records.at(-1)?.seq ?? 0;
        if (last !== answered && last !== answered + 1)
          faults.push([budget, `${answered} answered, ${last} found`]);
        if (log.records[0]?.seq !== 1) faults.push([budget, 'what is needed is missing']);
        if (journal.append(digest('next')) !== last + 1) faults.push([budget, 'another number']);
        for (const item of news) if (item.kind !== 'torn') faults.push([budget, item]);
        const after = repairLog(disk.bytes());
        if (after.damage || after.torn || after.unfinished) faults.push([budget, after.damage]);
      }
      expect(faults).toEqual([]);
    },
  );
});
