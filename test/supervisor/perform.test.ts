import { expect, test } from 'vitest';
import type { CheckpointRecord } from '../../src/checkpoint/record.ts';
import { blankRun } from '../../src/host/blank-run.ts';
import type { Effect, HostRequest } from '../../src/supervisor/effect.ts';
import { createPerformer } from '../../src/supervisor/perform.ts';
import { NO_CONFIG, type Ports } from '../../src/supervisor/ports.ts';
import { replay } from '../../src/supervisor/replay.ts';
import { LAUNCH, runPlan } from '../simulation/plans.ts';

const order = { level: 0, mustDrain: false, capMs: null, index: null, deadlineNs: null, rungs: [] };
const record = { type: 'run-forked', process: 'node', run: 'node#1' } as const;

/** Ports that write down the keys for which something is asked. */
function listening(isKept = () => true): { ports: Ports; asked: string[] } {
  const asked: string[] = [];
  let seq = 0;
  const host = {
    open() {},
    spawn: () => asked.push('spawn'),
    rung: (_: number, key: number) => asked.push(`rung ${key}`),
    signal() {},
    forget: (_: number, key: number) => asked.push(`forget ${key}`),
    exit() {},
    clear() {},
    upgrade() {},
    seen() {},
    leave() {},
    close() {},
  };
  const clock = { nowNs: () => 0n, wallMs: () => 0, at: () => () => {} };
  const ports: Ports = {
    journal: { append: () => ++seq, isKept, skipTo() {} },
    host,
    clock,
    http: { post() {} },
    probes: { ask() {} },
    config: NO_CONFIG,
    say() {},
  };
  return { ports, asked };
}

test('createPerformer keeps nothing of a run that is forgotten: a process may be restarted for years', () => {
  const { ports, asked } = listening();
  const performer = createPerformer(ports, []);
  const rung: Effect = { kind: 'record', record, request: { to: 'rung', run: 'node#1', order } };
  const perform = (...effects: Effect[]): void => performer.perform(effects, () => {});
  perform({ kind: 'record', record, request: { to: 'spawn', run: 'node#1', launch: LAUNCH, order } }, rung);
  perform({ kind: 'record', record, request: { to: 'forget', run: 'node#1' } }, rung);
  expect(asked).toEqual(['spawn', 'rung 1', 'forget 1']);
});

test('createPerformer lets init keep a run whose end no log knows, until the next run of its process was asked for', () => {
  let isKept = false;
  const { ports, asked } = listening(() => isKept);
  const performer = createPerformer(ports, []);
  const act = (request: HostRequest): void =>
    performer.perform([{ kind: 'record', record, request }], () => {});
  const spawn = (run: string) => act({ to: 'spawn', run, launch: LAUNCH, order });
  spawn('node#1');
  act({ to: 'forget', run: 'node#1' });
  expect(asked).toEqual(['spawn']);
  spawn('node#2');
  expect(asked).toEqual(['spawn', 'spawn', 'forget 1']);
  isKept = true;
  act({ to: 'forget', run: 'node#2' });
  expect(asked.at(-1)).toBe('forget 3');
});

test('createPerformer lets what was kept for want of a log be forgotten as soon as the log is whole', () => {
  let isKept = false;
  const { ports, asked } = listening(() => isKept);
  const performer = createPerformer(ports, []);
  const act = (request: HostRequest | null): void =>
    performer.perform([{ kind: 'record', record, request }], () => {});
  act({ to: 'spawn', run: 'node#1', launch: LAUNCH, order });
  act({ to: 'forget', run: 'node#1' });
  act(null);
  expect(asked).toEqual(['spawn']);
  isKept = true;
  act(null);
  act(null);
  expect(asked).toEqual(['spawn', 'forget 1']);
});

test('createPerformer asks init to forget what it still has although the log knows its end', () => {
  const stamp = { v: 1, at: '2026-01-01T00:00:00.000Z', mono_ns: 1n } as const;
  const ends = { code: 0, signal: null };
  const records: CheckpointRecord[] = [
    { ...stamp, seq: 1, ...record },
    {
      ...stamp,
      seq: 2,
      type: 'hook',
      process: 'node',
      run: 'node#1',
      hook: 'node#1/ready.1',
      state: 'started',
      ...ends,
    },
    {
      ...stamp,
      seq: 3,
      type: 'hook',
      process: 'node',
      run: 'node#1',
      hook: 'node#1/ready.1',
      state: 'ended',
      ...ends,
    },
  ];
  const { ports, asked } = listening();
  const performer = createPerformer(ports, records);
  const plan = runPlan({});
  performer.sawRun({ ...blankRun(1, 'node#1'), phase: 'running' }, true);
  performer.sawRun({ ...blankRun(2, 'node#1/ready.1'), phase: 'ended' }, false);
  performer.repeat(replay(plan, records), 9, 0n);
  expect(asked).toEqual(['forget 2']);
  // What comes later is on its way to be forgotten.
  performer.sawRun({ ...blankRun(2, 'node#1/ready.1'), phase: 'ended' }, false);
  performer.repeat(replay(plan, records), 9, 0n);
  expect(asked).toEqual(['forget 2']);
});
