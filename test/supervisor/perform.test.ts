import { expect, test } from 'vitest';
import type { Effect, HostRequest } from '../../src/supervisor/effect.ts';
import { createPerformer } from '../../src/supervisor/perform.ts';
import { NO_CONFIG, type Ports } from '../../src/supervisor/ports.ts';
import { LAUNCH } from '../simulation/plans.ts';

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
    upgrade() {},
    seen() {},
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
