/** Signals that init passes on, in every order in which they come, sockets fill and runs end: in the model, and as the real code does it. */
import { expect, test } from 'vitest';
import { blankRun } from '../../src/host/blank-run.ts';
import { orderOf } from '../../src/signals/ladder.ts';
import { LAUNCH } from '../simulation/plans.ts';
import { type FromSupervisor, type Init, MS } from './boundary.ts';
import { FIRST_INIT, type InitEvent, stepInit } from './init.ts';
import { replayInit } from './replay.ts';
import type { InitTurn } from './traces.ts';

const order = orderOf(
  [{ action: 'signal', signal: 15, target: 'group', waitMs: 30_000 }],
  { index: null, deadlineNs: null },
  { level: 0, mustDrain: false, capMs: null },
);
const spawns = (number: number): InitEvent => {
  const request = { to: 'spawn', run: `r${number}#1`, launch: LAUNCH, order } as const;
  const frames: FromSupervisor[] = [{ kind: 'request', number, key: number, request }];
  return { kind: 'supervisor-wrote', frames, half: false };
};
const ends = (slot: number): InitEvent => ({
  kind: 'run-wrote',
  slot,
  frames: [{ kind: 'run', run: { ...blankRun(0, `r${slot + 1}#1`), pid: 100, phase: 'ended' } }],
});

/** What may come next. Slot 0 is the first run's. */
function nextOf(init: Init): InitEvent[] {
  const first = init.slots[0];
  return [
    { kind: 'received', signal: 64, times: 300 },
    { kind: 'received', signal: 34, times: 1 },
    ...(init.slots.length < 2 ? [spawns(init.slots.length + 1)] : []),
    ...init.slots.map(
      ({ forwards }, slot) => ({ kind: 'socket', slot, full: forwards?.full !== true }) as const,
    ),
    ...(first !== undefined && first.snapshot.phase !== 'ended' ? [ends(0)] : []),
  ];
}

/** By slot and signal: received since the run is there (or before the first), less what it was told. */
type Owed = Readonly<Record<string, number>>;
const slotsThat = (init: Init, hear: boolean) =>
  init.slots.flatMap((slot, at) => (hear === (slot.snapshot.phase !== 'ended') ? [at] : []));

function account(owed: Owed, before: Init, turn: InitTurn): Owed {
  const next: Record<string, number> = { ...owed };
  const add = (slot: number | string, signal: number, times: number) => {
    const key = `${slot} ${signal}`;
    next[key] = (next[key] ?? 0) + times;
  };
  const { event } = turn;
  if (event.kind === 'received')
    for (const slot of before.sup.spawned ? slotsThat(before, true) : ['early'])
      add(slot, event.signal, event.times);
  if (event.kind === 'supervisor-wrote' && !before.sup.spawned)
    for (const [key, times] of Object.entries(owed)) {
      const [, signal] = key.split(' ');
      add('early', Number(signal), -times);
      add(0, Number(signal), times);
    }
  for (const out of turn.out) if (out.kind === 'forward') add(out.slot, out.signal, -out.times);
  return next;
}

function check(owed: Owed, init: Init): void {
  for (const slot of slotsThat(init, true)) {
    const { waiting = {}, full = false } = init.slots[slot]?.forwards ?? {};
    for (const signal of [34, 64]) {
      expect(owed[`${slot} ${signal}`] ?? 0).toBe(waiting[signal] ?? 0);
      if (!full) expect(waiting[signal] ?? 0).toBe(0);
    }
  }
}

test('S25 what was received is passed on, or known to be owed, in every interleaving', () => {
  const traces: InitTurn[][] = [];
  const open = stepInit(FIRST_INIT, { kind: 'open' }, MS, { lasting: false });
  const begun: InitTurn = { nowNs: MS, event: { kind: 'open' }, out: open.out, after: open.init };
  const go = (way: readonly InitTurn[], owed: Owed, depth: number): void => {
    const before = (way.at(-1) as InitTurn).after;
    if (depth === 0) {
      traces.push([...way]);
      return;
    }
    for (const event of nextOf(before)) {
      const nowNs = MS * BigInt(way.length + 1);
      const { init, out } = stepInit(before, event, nowNs, { lasting: false });
      const turn: InitTurn = { nowNs, event, out, after: init };
      const next = account(owed, before, turn);
      check(next, init);
      go([...way, turn], next, depth - 1);
    }
  };
  go([begun], {}, 5);
  expect(traces.length).toBeGreaterThan(500);
  expect(replayInit(traces, { lasting: false }).differences).toEqual([]);
}, 120_000);
