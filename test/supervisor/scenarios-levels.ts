/** SCENARIOS.md, "Stop and escalate": budgets, levels, longer waits, and what cannot be killed. */
import { expect } from 'vitest';
import { buildLadder } from '../../src/signals/ladder.ts';
import { exitsBy, exitsOn, ignoresTerm, obedient, TERM } from '../simulation/behaviour.ts';
import { processPlan, runPlan, STOP, taskPlan } from '../simulation/plans.ts';
import { endState, outcomesOf, recordsOf, rungsOf, signalsOf } from '../simulation/questions.ts';
import { type Told, term } from './told.ts';

export const LEVEL_SCENARIOS: readonly Told[] = [
  {
    title: 'S20 a ladder longer than the budget is cut, and the log says by how much',
    plan: runPlan({ holdMs: 4000, graceMs: 8000 }, 6000),
    behaviours: { node: ignoresTerm },
    script: [term(1000)],
    check: (result) => {
      expect(recordsOf(result, 'budget').map(({ budget_ms }) => budget_ms)).toEqual([6000]);
      expect(recordsOf(result, 'rung').map(({ wait_ms, cut_ms }) => [wait_ms, cut_ms])).toEqual([
        [1800, 2200],
        [3600, 4400],
      ]);
      // 6 s less the reserve of 600 ms, and the kernel's millisecond.
      expect(result.endedMs).toBe(1000 + 5400 + 1);
      expect(result.said.filter((happening) => happening.kind === 'cut')).toHaveLength(2);
    },
  },
  {
    title: 'S20 a budget that begins when a ladder is being climbed already: it ends that too',
    plan: runPlan({ graceMs: null }, 5000),
    behaviours: { node: { ...exitsBy(500, 0), others: [ignoresTerm] } },
    script: [term(1000)],
    check: (result) => {
      expect(signalsOf(result, 'node#1', 'others')).toEqual(['15@501', '9@5500']);
      expect(endState(result)).toBe('killed 0');
    },
  },
  {
    title: 'S20 every level has its share of the budget',
    plan: taskPlan(
      [processPlan('b', { level: 1, graceMs: 8000 }), processPlan('a', { graceMs: 8000 })],
      10_000,
    ),
    behaviours: { a: ignoresTerm, b: ignoresTerm },
    script: [term(1000)],
    check: (result) => {
      expect(signalsOf(result, 'b#1')).toEqual(['15@1000', '9@5500']);
      expect(signalsOf(result, 'a#1').map((sent) => sent.split('@')[0])).toEqual(['15', '9']);
      expect(result.endedMs).toBeLessThanOrEqual(11_000);
    },
  },
  {
    title: 'S20 what is not used flows on',
    plan: taskPlan(
      [processPlan('b', { level: 1, graceMs: 8000 }), processPlan('a', { graceMs: 8000 })],
      10_000,
    ),
    behaviours: { a: ignoresTerm, b: exitsOn(TERM, 1000) },
    script: [term(1000)],
    check: (result) => {
      expect(signalsOf(result, 'a#1')).toEqual(['15@2000', '9@10000']);
    },
  },
  {
    title: 'S21 a level stops when the whole tree of the level above is gone',
    plan: taskPlan([processPlan('a'), processPlan('b', { level: 1 })]),
    behaviours: { a: obedient, b: { on: { [TERM]: { after: 1 } }, others: [exitsOn(TERM, 700)] } },
    script: [term(1000)],
    check: (result) => {
      expect(signalsOf(result, 'b#1')).toEqual(['15@1000']);
      expect(signalsOf(result, 'a#1')).toEqual(['15@1700']);
    },
  },
  {
    title: 'S21 a hook after the end belongs to its level',
    plan: taskPlan([processPlan('a'), processPlan('b', { level: 1, postStop: { shell: 'x' } })]),
    behaviours: { a: obedient, b: obedient, 'b/post-stop': { lives: 300 } },
    script: [term(1000)],
    check: (result) => expect(signalsOf(result, 'a#1')).toEqual(['15@1302']),
  },
  {
    title: 'S29 what is stuck does not keep the levels below from stopping',
    plan: taskPlan([processPlan('a'), processPlan('b', { level: 1, graceMs: 1000 })]),
    behaviours: { a: obedient, b: { ...ignoresTerm, stuck: true } },
    script: [term(1000)],
    check: (result) => {
      expect(signalsOf(result, 'a#1')).toEqual(['15@7000']);
      expect(result.exitCode).toBe(71);
    },
  },
  {
    title: 'S22 twenty that ignore TERM are gone together',
    plan: taskPlan(Array.from({ length: 20 }, (_, at) => processPlan(`p${at}`, { graceMs: 2000 }))),
    behaviours: Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`p${at}`, ignoresTerm])),
    script: [term(1000)],
    check: (result) => expect(result.endedMs).toBe(3001),
  },
  {
    title: 'S28 EXTEND_TIMEOUT_USEC prolongs a rung',
    plan: runPlan({ graceMs: 1000 }),
    behaviours: {
      node: { on: { [TERM]: { after: 2500, exit: 0 } }, extends: { signal: TERM, after: 500, ms: 3000 } },
    },
    script: [term(1000)],
    check: (result) => {
      expect(rungsOf(result, 'node#1')).toEqual(['0 signal 1000-2000', '0 signal 1500-4500']);
      expect(signalsOf(result, 'node#1')).toEqual(['15@1000']);
      expect(result.endedMs).toBe(3500);
    },
  },
  {
    title: 'S28 EXTEND_TIMEOUT_USEC is cut by the budget',
    plan: runPlan({ graceMs: 1000 }, 3000),
    behaviours: { node: { ...ignoresTerm, extends: { signal: TERM, after: 500, ms: 30_000 } } },
    script: [term(1000)],
    check: (result) => expect(signalsOf(result, 'node#1')).toEqual(['15@1000', '9@3700']),
  },
  {
    title: 'S29 what SIGKILL does not end is stuck: named, no success, the others end',
    plan: taskPlan([processPlan('a', { graceMs: 1000 }), processPlan('b', { graceMs: 1000 })]),
    behaviours: { a: { ...ignoresTerm, stuck: true }, b: ignoresTerm },
    script: [term(1000)],
    check: (result) => {
      expect(outcomesOf(result)).toEqual(['b#1 killed stopped SIGKILL forced']);
      expect(result.said.filter((happening) => happening.kind === 'stuck')).toHaveLength(1);
      expect(result.exitCode).toBe(137);
    },
  },
  {
    title: 'S29 a stuck command of `run` is 71',
    plan: runPlan({ graceMs: 1000 }),
    behaviours: { node: { ...ignoresTerm, stuck: true } },
    script: [term(1000)],
    check: (result) => {
      expect(outcomesOf(result)).toEqual([]);
      expect(result.exitCode).toBe(71);
    },
  },
  {
    title: 'S29 stragglers that are stuck make 71 of 0',
    plan: runPlan({ graceMs: 1000 }),
    behaviours: {
      node: { on: { [TERM]: { after: 1, exit: 0 } }, others: [{ ...ignoresTerm, stuck: true }] },
    },
    script: [term(1000)],
    check: (result) => expect(result.exitCode).toBe(71),
  },
  {
    title: 'S29 stuck stragglers leave the code of a leader that failed',
    plan: runPlan({ graceMs: 1000 }),
    behaviours: {
      node: { on: { [TERM]: { after: 1, exit: 9 } }, others: [{ ...ignoresTerm, stuck: true }] },
    },
    script: [term(1000)],
    check: (result) => expect(result.exitCode).toBe(9),
  },
  {
    title: 'S29 a hook that is stuck makes 71 of 0, and nothing of another code',
    plan: runPlan({ postStop: { shell: 'x' } }),
    behaviours: { node: exitsOn(TERM, 10, 5), 'node/post-stop': { ...ignoresTerm, stuck: true } },
    script: [term(1000)],
    check: (result) => expect(result.exitCode).toBe(5),
  },
  {
    title: 'a ladder of SIGUSR1 to the leader, then TERM to the group',
    plan: runPlan({
      ladder: [
        { action: 'signal', signal: 10, target: 'leader', waitMs: 1000 },
        ...buildLadder({ ...STOP, graceMs: 500 }),
      ],
    }),
    behaviours: { node: { on: { 10: 'ignore', [TERM]: 'ignore' }, others: [ignoresTerm] } },
    script: [term(1000)],
    check: (result) => {
      expect(signalsOf(result, 'node#1')).toEqual(['10@1000', '15@2000', '9@2500']);
      expect(signalsOf(result, 'node#1', 'others')).toEqual(['15@2000', '9@2500']);
    },
  },
];
