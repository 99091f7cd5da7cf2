import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mergeLogs } from '../../src/checkpoint/merge.ts';
import { type CheckpointRecord, stampRecord } from '../../src/checkpoint/record.ts';
import { at } from './samples.ts';

type Item = { record: CheckpointRecord; name: string };

const item = (name: string, ns: number): Item => ({
  name,
  record: stampRecord({ type: 'config', config_digest: name }, 1, { at, mono_ns: BigInt(ns) }),
});
const task = (name: string, ns: number, boot_id: string, pid = 1): Item => ({
  name,
  record: stampRecord(
    { type: 'task', task: 'web', version: '1', config_digest: '', boot_id, pid_ns: 1, pid },
    1,
    { at, mono_ns: BigInt(ns) },
  ),
});
const names = (checkpoint: Item[], init: Item[]) =>
  mergeLogs(checkpoint, init).map((story) => [
    story.bootId,
    story.items.map((merged) => merged.item.name).join(' '),
  ]);

test('records of both files stand in the order of their time', () => {
  expect(names([item('c1', 1), item('c4', 4)], [item('i2', 2), item('i3', 3), item('i5', 5)])).toEqual([
    [null, 'c1 i2 i3 c4 i5'],
  ]);
});

test('at the same nanosecond the decision stands before the fact', () => {
  expect(names([item('c', 7)], [item('i', 7)])).toEqual([[null, 'c i']]);
});

test('a clock that goes back in one file does not turn its order round', () => {
  expect(names([item('c9', 9), item('c1', 1)], [item('i5', 5)])).toEqual([[null, 'i5 c9 c1']]);
});

test('another boot id begins another task, whatever its times', () => {
  const checkpoint = [task('A', 100, 'a'), item('a2', 200), task('B', 3, 'b'), item('b2', 6)];
  const init = [task('iA', 101, 'a'), task('iB', 1, 'b'), item('ib', 5)];
  expect(names(checkpoint, init)).toEqual([
    ['a', 'A iA a2'],
    ['b', 'iB B ib b2'],
  ]);
});

test('a file without a task record belongs to the last task of the other', () => {
  expect(names([task('A', 100, 'a'), task('B', 1, 'b')], [item('i', 5)])).toEqual([
    ['a', 'A'],
    ['b', 'B i'],
  ]);
  expect(names([item('c', 2)], [task('B', 1, 'b')])).toEqual([['b', 'B c']]);
});

test('a checkpoint.log that an earlier gsup left is not told as if it were of this one', () => {
  expect(names([task('old', 1, 'a', 10), item('o2', 5)], [task('new', 3, 'a', 11), item('n2', 4)])).toEqual([
    ['a', 'old o2'],
    ['a', 'new n2'],
  ]);
});

test('nothing is nothing', () => {
  expect(mergeLogs([], [])).toEqual([]);
});

test('no record is lost or doubled, and each file keeps its order', () => {
  const log = (name: string) =>
    fc
      .array(fc.tuple(fc.nat(20), fc.constantFrom('', '', '', 'a', 'b')), { maxLength: 12 })
      .map((items) =>
        items.map(([ns, boot], i) => (boot ? task(`${name}${i}`, ns, boot) : item(`${name}${i}`, ns))),
      );
  fc.assert(
    fc.property(log('c'), log('i'), (checkpoint, init) => {
      const stories = mergeLogs(checkpoint, init);
      const merged = stories.flatMap((story) => story.items);
      expect(merged.map(({ item: { name } }) => name).sort()).toEqual(
        [...checkpoint, ...init].map(({ name }) => name).sort(),
      );
      for (const story of stories) {
        for (const name of ['checkpoint', 'init'] as const) {
          const source = name === 'init' ? init : checkpoint;
          const places = story.items.filter(({ log }) => log === name).map((one) => source.indexOf(one.item));
          expect(places).toEqual([...places].sort((a, b) => a - b));
        }
      }
    }),
    { numRuns: 500 },
  );
});
