import { expect, test } from 'vitest';
import { type CheckpointRecord, type RecordBody, stampRecord } from '../../src/checkpoint/record.ts';
import { replay } from '../../src/supervisor/replay.ts';
import { lookUp } from '../../src/supervisor/table.ts';
import { at, sampleBodies } from '../checkpoint/samples.ts';
import { processPlan, taskPlan } from '../simulation/plans.ts';

test('S52 a run that is found again behind the stop of its task is covered by that stop', () => {
  const sample = sampleBodies.find(({ type }) => type === 'stop-requested') as RecordBody;
  const { run: _, process: __, processes: ___, ...task } = sample as Record<string, unknown>;
  const bodies = [
    { ...task, first_only: false } as unknown as RecordBody,
    { type: 'run-forked', process: 'a', run: 'a#1' } as RecordBody,
  ];
  const records = bodies.map((each, i) => stampRecord(each, i + 1, { at, mono_ns: BigInt(i) }));
  const state = replay(taskPlan([processPlan('a')]), records as CheckpointRecord[]);
  expect(state.task.stop).not.toBeNull();
  expect(lookUp(state.runs, 'a#1')?.stop).toEqual(state.task.stop);
});
