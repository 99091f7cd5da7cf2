/** What is explored. Waits are short of a second, so that no warnings are due, and differ from init's patience. */
import type { ProcessPlan, TaskPlan } from '../../src/supervisor/plan.ts';
import { DEFAULT_BACKOFF } from '../../src/supervisor/plan.ts';
import type { Ladder } from '../../src/supervisor/vocabulary.ts';
import { processPlan, restarts, runPlan, taskPlan } from '../simulation/plans.ts';
import type { Bounds } from './boundary.ts';

const ONE: Ladder = [{ action: 'signal', signal: 'received', target: 'group', waitMs: 500 }];
const TWO: Ladder = [...ONE, { action: 'signal', signal: 2, target: 'group', waitMs: 250 }];

/** Longer than anybody waits for a supervisor: whoever takes a rung that nobody has asked for is seen. */
const ASKED: Ladder = [15, 2].map((signal) => ({
  action: 'signal',
  signal,
  target: 'group',
  waitMs: 4000,
}));

const plain = (ladder: Ladder): TaskPlan => runPlan({ ladder });
const again = restarts({
  minDurationMs: 0,
  maxFailures: 2,
  backoff: { ...DEFAULT_BACKOFF, initialMs: 250, maxMs: 250, jitter: 0 },
});
const level = (name: string, at: number): ProcessPlan => processPlan(name, { ladder: ONE, level: at });

const BOUNDS: Bounds = {
  plan: plain(ONE),
  asks: 1,
  faults: 1,
  hopelessFrom: null,
  kinds: ['kill', 'crash', 'half'],
  exits: [0],
  straggler: false,
  startFails: false,
  immortal: false,
  lateExec: false,
  lag: 1,
  late: null,
  slow: false,
  upgrades: 0,
  installations: [],
  stayMs: null,
  calls: 0,
};

const EVERY = ['/good', '/ends', '/wrong-usage', '/other-protocol', '/silent'] as const;
const ALL = ['kill', 'crash', 'half', 'stop', 'freeze', 'thaw'] as const;
/** Its wait is long enough to leave for: more than six times as long as a supervisor stays. */
const LATER = runPlan({
  ladder: ONE,
  restart: restarts({
    minDurationMs: 0,
    maxFailures: 2,
    backoff: { ...DEFAULT_BACKOFF, initialMs: 700, maxMs: 700, jitter: 0 },
  }),
});
const LEAVES = { ...BOUNDS, plan: LATER, exits: [1], lag: 0, late: 0, stayMs: 100 };
const RESTARTED = runPlan({ ladder: ONE, restart: again });

/** Small enough for every day. */
export const SMALL: Readonly<Record<string, Bounds>> = {
  'late, one crash': { ...BOUNDS, asks: 0 },
  'one ask': { ...BOUNDS, faults: 0, lag: 0 },
  'not to be reaped': { ...BOUNDS, kinds: ['freeze'], exits: [], lag: 0 },
  'killed and asked': { ...BOUNDS, kinds: ['kill'], lag: 0 },
  upgraded: { ...BOUNDS, asks: 0, faults: 0, lag: 0, upgrades: 1, installations: EVERY },
  'upgraded, one kill': {
    ...BOUNDS,
    asks: 0,
    kinds: ['kill'],
    lag: 0,
    upgrades: 1,
    installations: ['/ends'],
  },
  'absent until a deadline, and late': { ...LEAVES, faults: 0, asks: 0, late: 1 },
  'absent, one ask, one kill': { ...LEAVES, plan: plain(ONE), kinds: ['kill'], exits: [] },
  'absent, one call, one kill': { ...LEAVES, plan: plain(ONE), kinds: ['kill'], asks: 0, calls: 1 },
};

export const LARGE: Readonly<Record<string, Bounds>> = {
  ...SMALL,
  'absent, one ask, one call': { ...LEAVES, plan: plain(ONE), faults: 0, calls: 1 },
  'absent, one call, one crash': { ...LEAVES, plan: plain(ONE), asks: 0, calls: 1 },
  'absent until a deadline, one ask': { ...LEAVES, faults: 0 },
  'absent until a deadline, one kill': { ...LEAVES, kinds: ['kill'], asks: 0 },
  'upgraded, one crash': {
    ...BOUNDS,
    asks: 0,
    lag: 0,
    upgrades: 1,
    installations: EVERY,
  },
  'upgraded, one ask': {
    ...BOUNDS,
    faults: 0,
    lag: 0,
    upgrades: 1,
    installations: EVERY,
  },
  'upgraded twice': {
    ...BOUNDS,
    asks: 0,
    lag: 0,
    upgrades: 2,
    installations: ['', '/good', '/ends', '/silent'],
  },
  'upgraded twice, one ask, one kill': {
    ...BOUNDS,
    kinds: ['kill'],
    lag: 0,
    upgrades: 2,
    installations: ['/good', '/ends', '/other-protocol'],
  },
  'upgraded, not to be reaped': {
    ...BOUNDS,
    kinds: ['freeze', 'thaw'],
    lag: 0,
    upgrades: 1,
    installations: ['/good', '/ends', '/silent'],
  },
  'upgraded, none after two': {
    ...BOUNDS,
    kinds: ['kill'],
    hopelessFrom: 2,
    lag: 0,
    upgrades: 1,
    installations: ['/good', '/ends'],
  },
  'late, one ask': { ...BOUNDS, faults: 0 },
  'one ask, one crash': { ...BOUNDS, lag: 0 },
  'two rungs, two asks, one crash': { ...BOUNDS, plan: plain(TWO), asks: 2, lag: 0 },
  'stopped, or not to be reaped': { ...BOUNDS, kinds: ['stop', 'freeze', 'thaw'], lag: 0 },
  'none after one': { ...BOUNDS, asks: 2, hopelessFrom: 1, lag: 0 },
  'restarts, one crash': { ...BOUNDS, plan: RESTARTED, exits: [1], lag: 0 },
  'three asks, three crashes': { ...BOUNDS, plan: plain(TWO), asks: 3, faults: 3, lag: 0 },
  'all kinds of faults, two of them': { ...BOUNDS, asks: 2, faults: 2, kinds: ALL, lag: 0 },
  'two levels, two crashes': {
    ...BOUNDS,
    plan: taskPlan([level('web', 1), level('db', 0)]),
    faults: 2,
    lag: 0,
  },
  'none from the first on': { ...BOUNDS, asks: 3, hopelessFrom: 0, lag: 0 },
  'none after two': { ...BOUNDS, plan: plain(TWO), asks: 3, faults: 2, hopelessFrom: 2, lag: 0 },
  'stragglers, two crashes': { ...BOUNDS, straggler: true, asks: 2, faults: 2, lag: 0 },
  'late exec, or none': { ...BOUNDS, lateExec: true, startFails: true, asks: 2, lag: 0 },
  'nobody back in time, two asks': {
    ...BOUNDS,
    plan: plain(ASKED),
    asks: 2,
    kinds: ['crash'],
    exits: [],
    lag: 0,
  },
  'two levels, two asks, none after one': {
    ...BOUNDS,
    plan: taskPlan([level('web', 1), level('db', 0)]),
    asks: 2,
    hopelessFrom: 1,
    kinds: ['kill'],
    exits: [],
    lag: 0,
  },
  'what cannot be killed, none after one': {
    ...BOUNDS,
    immortal: true,
    kinds: ['kill'],
    hopelessFrom: 1,
    exits: [],
    lag: 0,
  },
  'two levels that cannot be killed, none after one': {
    ...BOUNDS,
    plan: taskPlan([level('web', 1), level('db', 0)]),
    immortal: true,
    kinds: ['kill'],
    hopelessFrom: 1,
    exits: [],
    lag: 0,
  },
  'what cannot be killed': { ...BOUNDS, immortal: true, asks: 2, lag: 0 },
  'init is slow': { ...BOUNDS, slow: true, lag: 0 },
  'restarts, two crashes': { ...BOUNDS, plan: RESTARTED, exits: [1], faults: 2, lag: 0 },
  'late, one crash, one ask': BOUNDS,
  'late, stopped': { ...BOUNDS, kinds: ['stop'] },
  'late, not to be reaped': { ...BOUNDS, kinds: ['freeze', 'thaw'] },
  'later, one ask': { ...BOUNDS, faults: 0, lag: 2 },
};
