/** When a supervisor leaves, with a clock that a test moves: who is late has two timers that are due, and answers what is due first. */
import { expect, test } from 'vitest';
import { blankRun } from '../../src/host/blank-run.ts';
import { createDeparture } from '../../src/supervisor/departure.ts';
import { replay } from '../../src/supervisor/replay.ts';
import type { State } from '../../src/supervisor/state.ts';
import { tableOf } from '../../src/supervisor/table.ts';
import type { Hello } from '../../src/supervisor/vocabulary.ts';
import { processPlan, taskPlan } from '../simulation/plans.ts';

const S = 1_000_000_000n;
const STAY = 10n * S;

/** Nothing is to be decided. */
function quiet(): State {
  const state = replay(taskPlan([processPlan('a')]), []);
  const live = { ...state.live, hello: { stayNs: STAY } as Hello, synced: true };
  const seen = tableOf([['a#1', blankRun(1, 'a#1')]]);
  return {
    ...state,
    processes: tableOf([]),
    runs: tableOf([]),
    task: { ...state.task, state: 'active' },
    live: { ...live, seen },
  };
}

function open(state: () => State = quiet, makesRoom = false) {
  const world = {
    nowNs: 100n * S,
    nextNs: null as bigint | null,
    isConnected: false,
    left: 0,
    leftFor: null as bigint | null,
  };
  const timers = new Set<{ atNs: bigint; act: () => void }>();
  let changed: () => void = () => {};
  const departure = createDeparture({
    clock: {
      nowNs: () => world.nowNs,
      wallMs: () => 0,
      at: (atNs, act) => {
        const timer = { atNs, act };
        timers.add(timer);
        return () => void timers.delete(timer);
      },
    },
    company: {
      isBusy: () => false,
      isConnected: () => world.isConnected,
      watch: (listener) => {
        changed = listener;
      },
      shut() {},
    },
    state,
    nextNs: () => world.nextNs,
    isKept: () => true,
    leave: ({ atNs }) => {
      world.left++;
      world.leftFor = atNs;
    },
    makesRoom,
  });
  const moveTo = (atNs: bigint): void => {
    world.nowNs = atNs;
    for (const timer of [...timers].filter((each) => each.atNs <= atNs)) {
      timers.delete(timer);
      timer.act();
    }
  };
  return { world, timers, departure, moveTo, comes: () => changed() };
}

test('S42 it leaves when nothing has come for as long as it is to stay, and nothing is due', () => {
  const { world, departure, moveTo } = open();
  world.nextNs = 200n * S;
  departure.turned();
  moveTo(109n * S);
  expect(world.left).toBe(0);
  moveTo(110n * S);
  expect(world.left).toBe(1);
});

test('S42 late behind a deadline it does not leave before that is answered', () => {
  const { world, departure, timers, moveTo } = open();
  world.nextNs = 200n * S;
  departure.turned();
  moveTo(201n * S);
  expect(world.left).toBe(0);
  expect(timers.size).toBe(0);
  world.nextNs = null;
  departure.turned();
  moveTo(211n * S);
  expect(world.left).toBe(1);
});

test('S42 nor does the end of a connection begin its stay while something is due', () => {
  const { world, timers, moveTo, comes } = open();
  world.nextNs = 101n * S;
  world.isConnected = true;
  comes();
  moveTo(102n * S);
  world.isConnected = false;
  comes();
  expect(timers.size).toBe(0);
});

/** Nothing is under way, but the next deadline is nearer than is worth an absence. */
function soonDue(): State {
  const state = quiet();
  return { ...state, task: { ...state.task, finalsEndNs: 150n * S } };
}

test('one that holds more than a later one makes room when its stay is over, for one that comes at once', () => {
  const { world, departure, moveTo } = open(soonDue, true);
  world.nextNs = 150n * S;
  for (const second of [100n, 105n, 109n]) {
    moveTo(second * S);
    departure.turned();
  }
  expect(world.left).toBe(0);
  moveTo(110n * S);
  expect([world.left, world.leftFor]).toEqual([1, 110n * S]);
});

test('others stay', () => {
  const { world, departure, timers, moveTo } = open(soonDue);
  world.nextNs = 150n * S;
  departure.turned();
  moveTo(140n * S);
  departure.turned();
  expect([world.left, timers.size]).toEqual([0, 0]);
});

test('it makes no room shortly before a deadline, nor for who is connected, but as soon as it can', () => {
  const { world, departure, timers, moveTo } = open(soonDue, true);
  world.nextNs = 110n * S + S / 5n;
  departure.turned();
  moveTo(110n * S);
  expect([world.left, timers.size]).toEqual([0, 0]);
  world.nextNs = 150n * S;
  world.isConnected = true;
  departure.turned();
  moveTo(111n * S);
  expect([world.left, timers.size]).toEqual([0, 0]);
  world.isConnected = false;
  departure.turned();
  moveTo(111n * S);
  expect([world.left, world.leftFor]).toEqual([1, 111n * S]);
});
