/** SCENARIOS.md, "Stop and escalate": one ladder. */
import { expect } from 'vitest';
import { exitsBy, exitsOn, INT, ignoresTerm, obedient, TERM } from '../simulation/behaviour.ts';
import { processPlan, runPlan, taskPlan } from '../simulation/plans.ts';
import { endState, outcomesOf, reasonsOf, recordsOf, rungsOf, signalsOf } from '../simulation/questions.ts';
import { type Told, term } from './told.ts';

export const STOP_SCENARIOS: readonly Told[] = [
  {
    title: 'S01 the shell goes at once, its command cleans up for 2 s: no SIGKILL',
    plan: runPlan({ graceMs: 10_000 }),
    behaviours: { node: { others: [exitsOn(TERM, 2000)] } },
    script: [term(1000)],
    check: (result) => {
      expect(signalsOf(result, 'node#1', 'others')).toEqual(['15@1000']);
      expect(recordsOf(result, 'kill')).toEqual([]);
      expect(result.endedMs).toBe(3000);
      expect(result.exitCode).toBe(143);
    },
  },
  {
    title: 'S02 who ignores TERM is killed once when the grace is over',
    plan: runPlan({ graceMs: 1000 }),
    behaviours: { node: ignoresTerm },
    script: [term(1000)],
    check: (result) => {
      expect(signalsOf(result, 'node#1')).toEqual(['15@1000', '9@2000']);
      expect(outcomesOf(result)).toEqual(['node#1 killed stopped SIGKILL forced']);
      expect(reasonsOf(result)).toEqual(['outlived']);
      expect(endState(result)).toBe('killed 137');
      expect(result.exitCode).toBe(137);
    },
  },
  {
    title: 'S03 nobody is killed before the grace is over',
    plan: runPlan({ graceMs: 3000 }),
    behaviours: { node: ignoresTerm },
    script: [term(1000)],
    check: (result) => expect(signalsOf(result, 'node#1')).toEqual(['15@1000', '9@4000']),
  },
  {
    title: 'S04 a grace is a ceiling: the end comes when the tree is empty',
    plan: runPlan({ graceMs: 60_000 }),
    behaviours: { node: exitsOn(TERM, 200) },
    script: [term(1000)],
    check: (result) => {
      expect(result.endedMs).toBe(1200);
      expect(endState(result)).toBe('killed 0');
    },
  },
  {
    title: 'S05 the leader exits at once, a child in its group needs 2 s',
    plan: runPlan({ graceMs: 5000 }),
    behaviours: { node: { on: { [TERM]: { after: 1, exit: 5 } }, others: [exitsOn(TERM, 2000)] } },
    script: [term(1000)],
    check: (result) => {
      expect(signalsOf(result, 'node#1', 'others')).toEqual(['15@1000']);
      expect(result.endedMs).toBe(3000);
      expect(result.exitCode).toBe(5);
    },
  },
  {
    title:
      'S06 the leader exits at once, a child in its group ignores TERM: killed, and the code is the leader’s',
    plan: runPlan({ graceMs: 2000 }),
    behaviours: { node: { on: { [TERM]: { after: 1, exit: 0 } }, others: [ignoresTerm] } },
    script: [term(1000)],
    check: (result) => {
      expect(signalsOf(result, 'node#1', 'others')).toEqual(['15@1000', '9@3000']);
      expect(outcomesOf(result)).toEqual(['node#1 killed stopped 0 forced']);
      expect(result.exitCode).toBe(0);
    },
  },
  {
    title: 'S07 the leader exits 0 by itself and leaves others: the ladder is for what is left',
    plan: runPlan({ graceMs: 2000 }),
    behaviours: { node: { ...exitsBy(500, 0), others: [ignoresTerm, obedient] } },
    check: (result) => {
      expect(recordsOf(result, 'stop-requested').map((record) => [record.cause, record.run])).toEqual([
        ['main-ended', 'node#1'],
      ]);
      expect(signalsOf(result, 'node#1', 'others')).toEqual(['15@501', '15@501', '9@2501']);
      expect(outcomesOf(result)).toEqual(['node#1 success exit 0 forced']);
      expect(endState(result)).toBe('success 0');
    },
  },
  {
    title: 'S08 a daemon outside the group is told when the leader has gone, and waited for',
    plan: runPlan({ graceMs: 5000 }),
    behaviours: {
      node: { on: { [TERM]: { after: 10, exit: 0 } }, others: [{ ...exitsOn(TERM, 300), outside: true }] },
    },
    script: [term(1000)],
    check: (result) => {
      expect(signalsOf(result, 'node#1', 'others')).toEqual(['15@1010']);
      expect(result.endedMs).toBe(1310);
    },
  },
  {
    title: 'S09 a daemon that ignores TERM is killed at the end of the grace',
    plan: runPlan({ graceMs: 2000 }),
    behaviours: {
      node: { on: { [TERM]: { after: 10, exit: 0 } }, others: [{ ...ignoresTerm, outside: true }] },
    },
    script: [term(1000)],
    check: (result) => expect(signalsOf(result, 'node#1', 'others')).toEqual(['15@1010', '9@3000']),
  },
  {
    title: 'S10 each process has a grace of its own',
    plan: taskPlan([processPlan('a', { graceMs: 1000 }), processPlan('b', { graceMs: 4000 })]),
    behaviours: { a: ignoresTerm, b: exitsOn(TERM, 3000) },
    script: [term(1000)],
    check: (result) => {
      expect(signalsOf(result, 'a#1')).toEqual(['15@1000', '9@2000']);
      expect(signalsOf(result, 'b#1')).toEqual(['15@1000']);
      expect(result.endedMs).toBe(4000);
      expect(endState(result)).toBe('killed 137');
    },
  },
  {
    title: 'S11 grace 0: the signal, then SIGKILL at once',
    plan: runPlan({ graceMs: 0 }),
    behaviours: { node: ignoresTerm },
    script: [term(1000)],
    check: (result) => {
      expect(signalsOf(result, 'node#1')).toEqual(['15@1000', '9@1000']);
      expect(outcomesOf(result)).toEqual(['node#1 killed stopped SIGKILL forced']);
    },
  },
  {
    title: 'S11 forever never escalates by itself',
    plan: runPlan({ graceMs: null }),
    behaviours: { node: { on: { [TERM]: { after: 3_600_000, exit: 0 } } } },
    script: [term(1000)],
    check: (result) => {
      expect(rungsOf(result, 'node#1')).toEqual(['0 signal 1000-forever']);
      expect(result.endedMs).toBe(3_601_000);
    },
  },
  {
    title: 'S11 forever ends with the budget, which is what the summary blames',
    plan: runPlan({ graceMs: null }, 5000),
    behaviours: { node: ignoresTerm },
    script: [term(1000)],
    check: (result) => {
      expect(signalsOf(result, 'node#1')).toEqual(['15@1000', '9@5500']);
      expect(reasonsOf(result)).toEqual(['budget']);
    },
  },
  {
    title: 'S14 asked again on the way, then all of the last wait: it was outlived',
    plan: runPlan({
      ladder: [
        { action: 'signal', signal: 10, target: 'group', waitMs: 30_000 },
        { action: 'signal', signal: TERM, target: 'group', waitMs: 3000 },
      ],
    }),
    behaviours: { node: { on: { 10: 'ignore', [TERM]: 'ignore' } } },
    script: [term(1000), term(1500)],
    check: (result) => {
      expect(signalsOf(result, 'node#1')).toEqual(['10@1000', '15@1500', '9@4500']);
      expect(reasonsOf(result)).toEqual(['outlived']);
    },
  },
  {
    title: 'S12 a long job and a grace of 50 ms',
    plan: runPlan({ graceMs: 50 }),
    behaviours: { node: { on: { [TERM]: { after: 30_000, exit: 0 } } } },
    script: [term(1000)],
    check: (result) => {
      expect(outcomesOf(result)).toEqual(['node#1 killed stopped SIGKILL forced']);
      expect(result.endedMs).toBe(1051);
    },
  },
  {
    title: 'S13 an end at the very deadline is one end',
    raced: 'its end and the deadline',
    plan: runPlan({ graceMs: 1000 }),
    behaviours: { node: exitsOn(TERM, 1000) },
    script: [term(1000)],
    check: (result) => {
      expect(outcomesOf(result)).toHaveLength(1);
      expect(result.endedMs).toBe(2000);
    },
  },
  {
    title: 'S14 the second TERM: the next rung now; the third: SIGKILL',
    plan: runPlan({
      ladder: [
        { action: 'signal', signal: 10, target: 'group', waitMs: 30_000 },
        { action: 'signal', signal: 'received', target: 'group', waitMs: 30_000 },
        { action: 'signal', signal: 3, target: 'group', waitMs: 30_000 },
      ],
    }),
    behaviours: { node: { on: { 10: 'ignore', [TERM]: 'ignore', 3: 'ignore' } } },
    script: [term(1000), term(1500), term(2500)],
    check: (result) => {
      expect(signalsOf(result, 'node#1')).toEqual(['10@1000', '15@1500', '9@2500']);
      expect(recordsOf(result, 'stop-requested')).toHaveLength(3);
      expect(reasonsOf(result)).toEqual(['asked-again']);
    },
  },
  {
    title: 'S14 the second TERM in a ladder of one rung is SIGKILL',
    plan: runPlan({ graceMs: 30_000 }),
    behaviours: { node: ignoresTerm },
    script: [term(1000), term(1500)],
    check: (result) => {
      expect(signalsOf(result, 'node#1')).toEqual(['15@1000', '9@1500']);
      expect(reasonsOf(result)).toEqual(['asked-again']);
      expect(result.said).toContainEqual({ kind: 'escalated', run: 'node#1', index: 0, next: 'SIGKILL' });
    },
  },
  {
    title: 'S15 the stop signal that was configured, not the one that came',
    plan: runPlan({ signal: INT }),
    behaviours: { node: exitsOn(INT, 10) },
    script: [term(1000)],
    check: (result) => expect(signalsOf(result, 'node#1')).toEqual(['2@1000']),
  },
  {
    title: 'S15 without one: the signal that came',
    plan: runPlan(),
    behaviours: { node: exitsOn(INT, 10) },
    script: [{ at: 1000, signal: INT }],
    check: (result) => {
      expect(signalsOf(result, 'node#1')).toEqual(['2@1000']);
      expect(recordsOf(result, 'stop-requested')[0]).toMatchObject({
        cause: 'signal',
        signal: 'SIGINT',
        by: { pid: 7, uid: 0 },
      });
    },
  },
  {
    title: 'S16 a task that is asked to stop ends with 0 when everybody does in time, by signal or not',
    plan: taskPlan([processPlan('a'), processPlan('b')]),
    behaviours: { a: exitsOn(TERM, 10, 0), b: obedient },
    script: [term(1000)],
    check: (result) => expect(endState(result)).toBe('killed 0'),
  },
  {
    title: 'S17 a stop in the moment of the start: no child is left, and the code tells the signal',
    raced: 'the start and the stop',
    plan: runPlan(),
    behaviours: {},
    script: [{ at: 0, signal: TERM }],
    check: (result) => {
      expect(endState(result)).toBe('killed 143');
      expect(result.endedMs).toBeLessThan(10);
    },
  },
  {
    title: 'S19 hold: a job that ends meanwhile never sees a signal',
    plan: runPlan({ holdMs: 2000 }),
    behaviours: { node: exitsBy(2000, 0) },
    script: [term(1000)],
    check: (result) => {
      expect(result.sent).toEqual([]);
      expect(result.endedMs).toBe(2001);
    },
  },
  {
    title: 'S19 hold: one that does not gets the signal when it is over',
    plan: runPlan({ holdMs: 2000 }),
    behaviours: { node: exitsOn(TERM, 10) },
    script: [term(1000)],
    check: (result) => expect(signalsOf(result, 'node#1')).toEqual(['15@3000']),
  },
  ...[0, 1, 2, 5, 20, 100].map(
    (at): Told => ({
      title: `S17 TERM ${at} ms after the begin: it ends by that signal, and once`,
      ...(at < 100 && {
        raced: 'the start, of a supervisor too that comes 20 ms after a crash, and the stop',
      }),
      plan: runPlan(),
      behaviours: {},
      script: [term(at)],
      check: (result) => {
        expect(endState(result)).toBe('killed 143');
        expect(recordsOf(result, 'stop-requested')).toHaveLength(1);
        expect(result.endedMs).toBeLessThan(at + 10);
      },
    }),
  ),
  ...[-1, 0, 1].map(
    (off): Told => ({
      title: `S13 its end ${off} ms from the deadline: one end, and nothing to a pid that is not its own`,
      raced: 'its end and the deadline, which is later when a supervisor comes later',
      plan: runPlan({ graceMs: 1000 }),
      behaviours: { node: exitsOn(TERM, 1000 + off) },
      script: [term(1000)],
      check: (result) => {
        expect(outcomesOf(result)).toHaveLength(1);
        expect(endState(result)).toMatch(/^killed (0|137)$/);
      },
    }),
  ),
  {
    title: 'S26 a command that is stopped has the signal when it is continued, within its grace',
    plan: runPlan({ graceMs: 5000 }),
    behaviours: {
      node: { stopped: true, ...exitsOn(TERM, 100, 3), others: [{ stopped: true, ...exitsOn(TERM, 300) }] },
    },
    script: [term(1000)],
    check: (result) => {
      expect(signalsOf(result, 'node#1')).toEqual(['15@1000']);
      expect(endState(result)).toBe('killed 3');
      expect(result.endedMs).toBe(1300);
    },
  },
  {
    title: 'S26 a command that is stopped and ignores TERM is killed when the grace is over',
    plan: runPlan({ graceMs: 1000 }),
    behaviours: { node: { stopped: true, ...ignoresTerm } },
    script: [term(1000)],
    check: (result) => expect(signalsOf(result, 'node#1')).toEqual(['15@1000', '9@2000']),
  },
];
