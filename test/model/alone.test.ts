/** A stop that init carries out by itself, one story at a time: the model says what is told to whom, and the real code does the same. */
import { expect, test } from 'vitest';
import { blankRun } from '../../src/host/blank-run.ts';
import { orderOf } from '../../src/signals/ladder.ts';
import type { Order, RunSnapshot } from '../../src/supervisor/vocabulary.ts';
import { LAUNCH } from '../simulation/plans.ts';
import { type FromSupervisor, MS } from './boundary.ts';
import { FIRST_INIT, type InitEvent, stepInit } from './init.ts';
import { replayInit } from './replay.ts';
import type { InitTurn } from './traces.ts';

const LADDER = [15, 2, 3].map(
  (signal) => ({ action: 'signal', signal, target: 'group', waitMs: 30_000 }) as const,
);

function order(level: number, index: number | null = null): Order {
  const at = { index, deadlineNs: null };
  return orderOf(LADDER, at, { level, mustDrain: false, capMs: null });
}

const spawn = (number: number, run: string, level: number): FromSupervisor => ({
  kind: 'request',
  number,
  key: number,
  request: { to: 'spawn', run, launch: LAUNCH, order: order(level) },
});
const rung = (number: number, key: number, run: string, index: number): FromSupervisor => ({
  kind: 'request',
  number,
  key,
  request: { to: 'rung', run, order: order(0, index) },
});
const seen = (event: number): FromSupervisor => ({ kind: 'seen', event, wakeNs: null });
const wrote = (...frames: FromSupervisor[]): InitEvent => ({ kind: 'supervisor-wrote', frames, half: false });
const says = (slot: number, name: string, change: Partial<RunSnapshot>): InitEvent => ({
  kind: 'run-wrote',
  slot,
  frames: [{ kind: 'run', run: { ...blankRun(0, name), pid: 100, phase: 'running', ...change } }],
});
const dies: InitEvent = { kind: 'supervisor-ended', code: 1 };
const asked: InitEvent = { kind: 'asked' };

/**
 * Returns what coordinators are told alone, as `slot asks`, by event; how init ends; what was asked again, as a supervisor is told; and if
 * that is asked for, when one is started.
 */
function play(story: readonly (readonly [atMs: number, event: InitEvent])[], tellsStarts = false): string[] {
  let init = FIRST_INIT;
  const turns: InitTurn[] = [];
  const told: string[] = [];
  for (const [atMs, event] of [[0, { kind: 'open' }] as const, ...story]) {
    const nowNs = BigInt(1000 + atMs) * MS;
    const stepped = stepInit(init, event, nowNs, { lasting: false });
    init = stepped.init;
    turns.push({ nowNs, event, out: stepped.out, after: init });
    for (const each of stepped.out) {
      if (each.kind === 'pass' && each.frame.kind === 'alone')
        told.push(`${atMs}: ${each.slot} ${each.frame.asks}`);
      if (each.kind === 'news' && each.news.kind === 'run' && each.news.run.askedAgain)
        told.push(`${atMs}: ${each.news.run.name} asked again`);
      if (tellsStarts && each.kind === 'fork-supervisor') told.push(`${atMs}: started`);
      if (each.kind === 'exit') told.push(`${atMs}: exit ${each.code}`);
    }
  }
  expect(replayInit([turns], { lasting: false }).differences).toEqual([]);
  return told;
}

/** It works, then it dies, and so do those after it: the next one is tried at 402 ms, and all of a story is over by then. */
const HOPELESS = [
  [100, dies],
  [100, { kind: 'time' }],
  [101, dies],
  [201, { kind: 'time' }],
  [202, dies],
] as const;
const TWO_LEVELS = [
  [1, wrote(spawn(3, 'web#1', 1), spawn(4, 'db#1', 0), seen(1))],
  [2, says(0, 'web#1', {})],
  [3, says(1, 'db#1', {})],
  [4, wrote(seen(3))],
  ...HOPELESS,
] as const;

/** One run on its first rung, and the second ask. */
const ASKED_AGAIN = [
  [1, wrote(spawn(3, 'node#1', 0), seen(1))],
  [2, says(0, 'node#1', {})],
  [10, asked],
  [11, wrote(seen(2), rung(5, 3, 'node#1', 0), seen(3))],
  [12, says(0, 'node#1', { phase: 'stopping', rung: 0 })],
  [20, asked],
] as const;

test('S14 S46 a second ask that was answered by a supervisor which could not say so is not answered again', () => {
  const told = play([
    ...ASKED_AGAIN,
    [21, wrote(rung(7, 3, 'node#1', 1))],
    [22, { kind: 'supervisor-ended', code: null }],
    [22, { kind: 'time' }],
    [23, says(0, 'node#1', { phase: 'stopping', rung: 1 })],
    [2100, { kind: 'time' }],
    [2400, { kind: 'time' }],
  ]);
  expect(told).toEqual([]);
});

test('S14 S46 a second ask that nobody has answered is answered once, and the next supervisor is told of it', () => {
  const told = play([
    ...ASKED_AGAIN,
    [22, { kind: 'supervisor-ended', code: null }],
    [22, { kind: 'time' }],
    [2100, { kind: 'time' }],
    [2400, { kind: 'time' }],
  ]);
  expect(told).toEqual(['22: node#1 asked again', '2100: 0 2']);
});

test('S14 S46 a second ask is not for a level whose turn has not come: its stop begins when that has', () => {
  const told = play([
    ...TWO_LEVELS,
    [250, asked],
    [251, says(0, 'web#1', { phase: 'stopping', rung: 0, alone: true })],
    [300, asked],
    [301, says(0, 'web#1', { phase: 'stopping', rung: 1, alone: true })],
    [350, says(0, 'web#1', { phase: 'ended', leaderExited: true, code: 0, endedNs: 2200n * MS })],
  ]);
  expect(told).toEqual(['250: 0 1', '300: 0 2', '350: 1 1']);
});

test('S29 S46 what cannot be killed keeps neither the level below nor the end from coming', () => {
  const told = play([
    ...TWO_LEVELS,
    [250, asked],
    [251, says(0, 'web#1', { phase: 'killing', rung: 3, alone: true, forced: true })],
    [310, says(0, 'web#1', { phase: 'killing', rung: 3, alone: true, forced: true, stuck: true })],
    [311, says(1, 'db#1', { phase: 'stopping', rung: 0, alone: true })],
    [320, says(1, 'db#1', { phase: 'ended', leaderExited: true, code: 0, endedNs: 7100n * MS })],
    [321, { kind: 'run-ended', slot: 1, frames: [] }],
    [322, { kind: 'run-ended', slot: 0, frames: [] }],
  ]);
  expect(told).toEqual(['250: 0 1', '310: 1 1', '322: exit 71']);
});

const killed: InitEvent = { kind: 'supervisor-ended', code: null };
const time: InitEvent = { kind: 'time' };

test('S42 S17 asked to stop before anything was started, and supervisors are killed: it ends as a stop does', () => {
  const twice = [
    [1, killed],
    [1, time],
    [2, killed],
    [102, time],
  ] as const;
  // The third one can have written down how the task ends: with the code of a stop.
  const again = [
    [150, asked],
    [151, killed],
    [351, time],
    [352, killed],
  ] as const;
  expect(play([...twice, ...again])).toEqual(['352: exit 143']);
  expect(play([...twice, [151, killed]])).toEqual(['151: exit 70']);
});

/** One run, and the supervisor has left: its order is all of a stop, or not. */
const away = (ordersSuffice: boolean) =>
  [
    [1, wrote(spawn(3, 'node#1', 0), seen(1))],
    [2, says(0, 'node#1', {})],
    [3, wrote({ kind: 'leave', event: 3, wakeNs: null, ordersSuffice })],
    [4, killed],
  ] as const;
const ENDED = { phase: 'ended', leaderExited: true, code: 0, endedNs: 1200n * MS } as const;

test('S74 a stop in an absence: the orders at once, and the end, where they are all of it', () => {
  const ends = [101, says(0, 'node#1', ENDED)] as const;
  const gone = [102, { kind: 'run-ended', slot: 0, frames: [] }] as const;
  expect(play([...away(true), [100, asked], ends, gone], true)).toEqual([
    '0: started',
    '100: 0 1',
    '102: exit 0',
  ]);
  expect(play([...away(false), [100, asked], [2100, time]], true)).toEqual([
    '0: started',
    '100: started',
    '2100: 0 1',
  ]);
});

test('S74 S14 a stop in an absence that lasts: a supervisor after 500 ms; the second ask does not wait for one', () => {
  const stops = [101, says(0, 'node#1', { phase: 'stopping', rung: 0, alone: true })] as const;
  const story = [...away(true), [100, asked], stops] as const;
  expect(play([...story, [599, time], [600, time]], true)).toEqual([
    '0: started',
    '100: 0 1',
    '600: started',
  ]);
  expect(play([...story, [150, asked]], true)).toEqual(['0: started', '100: 0 1', '150: 0 2']);
});

test('S74 S28 a run that asks for more time in such a stop brings a supervisor at once, and so does a client', () => {
  const story = [...away(true), [100, asked]] as const;
  const stops = { phase: 'stopping', rung: 0, alone: true } as const;
  const asks = says(0, 'node#1', { ...stops, notifyCount: 1, extendUs: 9e6, extendNs: 1101n * MS });
  expect(play([...story, [101, asks]], true)).toEqual(['0: started', '100: 0 1', '101: started']);
  const before = says(0, 'node#1', { ...stops, notifyCount: 1, extendUs: 9e6, extendNs: 1001n * MS });
  expect(play([...story, [101, before]], true)).toEqual(['0: started', '100: 0 1']);
  expect(play([...story, [101, { kind: 'called' }]], true)).toEqual([
    '0: started',
    '100: 0 1',
    '101: started',
  ]);
});
