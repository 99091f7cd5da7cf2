/** SCENARIOS.md, "Stop and escalate": hooks and draining. */
import { expect } from 'vitest';
import { exitsBy, exitsOn, ignoresTerm, obedient, TERM } from '../simulation/behaviour.ts';
import { processPlan, runPlan, taskPlan } from '../simulation/plans.ts';
import { endState, hooksOf, recordsOf, signalsOf } from '../simulation/questions.ts';
import { type Told, term } from './told.ts';

const drain = { shell: './drain.sh' };
const mustDrain = { preStop: drain, preStopTimeoutMs: 5000, mustDrain: { retryMs: 30_000 } };
const url = 'http://127.0.0.1:9000/drain';

export const HOOK_SCENARIOS: readonly Told[] = [
  {
    title: 'S23 a pre-stop hook that hangs is ended at its time-out, and the stop goes on',
    plan: runPlan({ preStop: drain, preStopTimeoutMs: 5000 }),
    behaviours: { node: exitsOn(TERM, 3000), 'node/pre-stop': ignoresTerm },
    script: [term(1000)],
    check: (result) => {
      expect(signalsOf(result, 'node#1')).toEqual(['15@6000']);
      expect(signalsOf(result, 'node#1/pre-stop.1')).toEqual(['15@6000', '9@8000']);
      expect(hooksOf(result)).toEqual([
        'node#1/pre-stop.1 started @1000',
        'node#1/pre-stop.1 ended SIGKILL @8001',
      ]);
      expect(endState(result)).toBe('killed 0');
    },
  },
  {
    title: 'S23 a pre-stop hook that has done its work is followed at once, and so is one that fails',
    plan: runPlan({
      ladder: [
        { action: 'exec', command: drain, waitMs: 5000 },
        { action: 'exec', command: drain, waitMs: 5000 },
        { action: 'signal', signal: TERM, target: 'group', waitMs: 8000 },
      ],
    }),
    behaviours: {
      node: obedient,
      'node#1/pre-stop.1': exitsBy(100, 0),
      'node#1/pre-stop.2': exitsBy(100, 3),
    },
    script: [term(1000)],
    check: (result) => {
      expect(hooksOf(result).map((hook) => hook.split(' @')[0])).toEqual([
        'node#1/pre-stop.1 started',
        'node#1/pre-stop.1 ended 0',
        'node#1/pre-stop.2 started',
        'node#1/pre-stop.2 ended 3',
      ]);
      expect(signalsOf(result, 'node#1')).toEqual(['15@1202']);
      expect(result.said.filter((happening) => happening.kind === 'hook-failed')).toHaveLength(1);
    },
  },
  {
    title: 'S23 a hook before SIGKILL that has done its work leaves the command the rest of its wait',
    plan: runPlan({ ladder: [{ action: 'exec', command: drain, waitMs: 5000 }] }),
    behaviours: { node: { lives: 4000, others: [{ lives: 8000 }] }, 'node/pre-stop': exitsBy(10, 0) },
    script: [term(1000)],
    check: (result) => expect(signalsOf(result, 'node#1', 'others')).toEqual(['9@6000']),
  },
  {
    title: 'S23 a hook that cannot be started has failed',
    plan: runPlan({ preStop: drain }),
    behaviours: { node: obedient, 'node/pre-stop': { fails: { stage: 'exec', errno: 2 } } },
    script: [term(1000)],
    check: (result) => {
      expect(hooksOf(result).at(-1)).toBe('node#1/pre-stop.1 ended 127 @1001');
      expect(signalsOf(result, 'node#1')).toEqual(['15@1001']);
    },
  },
  {
    title: 'S23 the command ends while its hook runs: the hook is ended too',
    plan: runPlan({ preStop: drain }),
    behaviours: { node: exitsBy(3000), 'node/pre-stop': obedient },
    script: [term(1000)],
    check: (result) => {
      expect(signalsOf(result, 'node#1')).toEqual([]);
      expect(signalsOf(result, 'node#1/pre-stop.1')).toEqual(['15@3001']);
      expect(endState(result)).toBe('killed 0');
    },
  },
  {
    title: 'S24 the hook before the stop is over before the one after it begins',
    plan: runPlan({ preStop: drain, postStop: drain }),
    behaviours: { node: exitsBy(3000), 'node/pre-stop': exitsOn(TERM, 500), 'node/post-stop': exitsBy(10) },
    script: [term(1000)],
    check: (result) =>
      expect(hooksOf(result)).toEqual([
        'node#1/pre-stop.1 started @1000',
        'node#1/pre-stop.1 ended 0 @3501',
        'node#1/post-stop.1 started @3501',
        'node#1/post-stop.1 ended 0 @3512',
      ]),
  },
  {
    title: 'S23b a hold comes before the drain, and init would not signal undrained in either',
    plan: runPlan({ ...mustDrain, holdMs: 1000, graceMs: 500 }),
    behaviours: { node: ignoresTerm, 'node/pre-stop': exitsBy(100, 0) },
    script: [term(1000)],
    check: (result) => {
      const orders = result.requests.flatMap(({ to, run, order }) =>
        to === 'rung' && run === 'node#1' && order !== null ? [order] : [],
      );
      expect(
        orders.map(({ index, mustDrain, deadlineNs }) => [index, mustDrain, deadlineNs === null]),
      ).toEqual([
        [0, true, true],
        [1, true, true],
        [2, false, false],
        [3, false, true],
      ]);
      expect(signalsOf(result, 'node#1')).toEqual(['15@2101', '9@2601']);
    },
  },
  {
    title: 'S23b the drain fails twice, then succeeds: no signal before that, said once',
    plan: runPlan(mustDrain),
    behaviours: {
      node: obedient,
      'node#1/pre-stop.1': exitsBy(100, 1),
      'node#1/pre-stop.2': exitsBy(100, 1),
      'node#1/pre-stop.3': exitsBy(100, 0),
    },
    script: [term(1000)],
    check: (result) => {
      expect(hooksOf(result).filter((hook) => hook.includes('started'))).toEqual([
        'node#1/pre-stop.1 started @1000',
        'node#1/pre-stop.2 started @31101',
        'node#1/pre-stop.3 started @61202',
      ]);
      expect(signalsOf(result, 'node#1')).toEqual(['15@61303']);
      expect(result.said.filter((happening) => happening.kind === 'not-drained').length).toBeLessThanOrEqual(
        1 + result.crashes,
      );
    },
  },
  {
    title: 'S23b it ends by itself while it must drain: the waiting ends',
    plan: runPlan(mustDrain),
    behaviours: { node: exitsBy(20_000), 'node/pre-stop': exitsBy(100, 1) },
    script: [term(1000)],
    check: (result) => {
      expect(result.sent).toEqual([]);
      expect(result.endedMs).toBe(20_001);
    },
  },
  {
    title: 'S23b a second signal retries the hook at once, the third kills undrained',
    plan: runPlan(mustDrain),
    behaviours: { node: ignoresTerm, 'node/pre-stop': exitsBy(100, 1) },
    script: [term(1000), term(5000), term(8000)],
    check: (result) => {
      expect(hooksOf(result).filter((hook) => hook.includes('started'))).toEqual([
        'node#1/pre-stop.1 started @1000',
        'node#1/pre-stop.2 started @5000',
      ]);
      expect(signalsOf(result, 'node#1')).toEqual(['9@8000']);
    },
  },
  {
    title: 'S23b a drain that hangs is ended at its time-out and tried again',
    plan: runPlan(mustDrain),
    behaviours: { node: obedient, 'node#1/pre-stop.1': obedient, 'node#1/pre-stop.2': exitsBy(10, 0) },
    script: [term(1000)],
    check: (result) => {
      expect(signalsOf(result, 'node#1/pre-stop.1')).toEqual(['15@6000']);
      expect(hooksOf(result).filter((hook) => hook.includes('started'))[1]).toBe(
        'node#1/pre-stop.2 started @36001',
      );
      expect(signalsOf(result, 'node#1')).toEqual(['15@36012']);
    },
  },
  {
    title: 'S23b must_drain yields to the budget',
    plan: runPlan({ ...mustDrain, graceMs: 4000 }, 20_000),
    behaviours: { node: ignoresTerm, 'node/pre-stop': exitsBy(100, 1) },
    script: [term(1000)],
    check: (result) => {
      const [signalled, killed] = recordsOf(result, 'rung').slice(1).concat([]);
      expect(signalled?.signal).toBe('SIGTERM');
      expect(killed).toBeUndefined();
      expect(recordsOf(result, 'kill')).toHaveLength(1);
      expect(result.endedMs).toBeLessThanOrEqual(21_000);
    },
  },
  {
    title: 'S24 a post-stop hook runs after the tree is gone; its failure is a warning',
    plan: runPlan({ postStop: { shell: 'notify' } }),
    behaviours: {
      node: { on: { [TERM]: { after: 1, exit: 4 } }, others: [exitsOn(TERM, 500)] },
      'node/post-stop': exitsBy(50, 9),
    },
    script: [term(1000)],
    check: (result) => {
      expect(hooksOf(result)).toEqual([
        'node#1/post-stop.1 started @1500',
        'node#1/post-stop.1 ended 9 @1551',
      ]);
      expect(result.exitCode).toBe(4);
      expect(result.said.filter((happening) => happening.kind === 'hook-failed')).toHaveLength(1);
    },
  },
  {
    title: 'S24 a post-stop hook is bounded',
    plan: runPlan({ postStop: { shell: 'notify' } }),
    behaviours: { node: obedient, 'node/post-stop': ignoresTerm },
    script: [term(1000)],
    check: (result) => {
      expect(signalsOf(result, 'node#1/post-stop.1')).toEqual(['15@11001', '9@13001']);
      expect(result.exitCode).toBe(143);
    },
  },
  {
    title: 'S24 the stop budget holds for the hook after the end too, and for one that ignores its end',
    plan: runPlan({ postStop: { shell: 'notify' }, graceMs: 8000 }, 3000),
    behaviours: { node: obedient, 'node/post-stop': ignoresTerm },
    script: [term(1000)],
    check: (result) => {
      expect(signalsOf(result, 'node#1/post-stop.1').map((sent) => sent.split('@')[0])).toEqual(['15', '9']);
      expect(result.endedMs).toBeLessThanOrEqual(4000);
    },
  },
  {
    title: 'S24 a budget leaves the ladder and the hook after it their shares',
    plan: runPlan({ postStop: { shell: 'notify' }, graceMs: 8000 }, 10_000),
    behaviours: { node: ignoresTerm, 'node/post-stop': { lives: 4000 } },
    script: [term(1000)],
    check: (result) => {
      expect(signalsOf(result, 'node#1')).toEqual(['15@1000', '9@4600']);
      expect(signalsOf(result, 'node#1/post-stop.1')).toEqual([]);
      expect(hooksOf(result).at(-1)).toMatch(/ended 0/);
      const caps = result.requests.flatMap(({ order, run }) =>
        run === 'node#1' && order !== null ? [order.capMs] : [],
      );
      expect(caps.slice(0, 2)).toEqual([3600, 3600]);
    },
  },
  {
    title: 'S24 a stop that is asked for while the hook after the end is there: its budget holds',
    plan: runPlan({ postStop: { shell: 'notify' } }, 2000),
    behaviours: { node: exitsBy(500), 'node/post-stop': ignoresTerm },
    script: [term(1000)],
    check: (result) => expect(result.endedMs).toBeLessThanOrEqual(3000),
  },
  {
    title: 'S62 a POST that fails: the next rung at once',
    plan: runPlan({
      ladder: [
        { action: 'http_post', url, waitMs: 10_000 },
        { action: 'signal', signal: TERM, target: 'group', waitMs: 8000 },
      ],
    }),
    behaviours: { node: obedient },
    posts: { [url]: { after: 20, ok: false } },
    script: [term(1000)],
    check: (result) => {
      expect(result.posts).toEqual(['node#1/http-post.1']);
      const failed = result.said.filter((happening) => happening.kind === 'hook-failed');
      expect(failed).toMatchObject([{ detail: 'status 503' }]);
      expect(signalsOf(result, 'node#1')).toEqual(['15@1020']);
    },
  },
  {
    title: 'S62 the answer to a POST that comes after the end of the task is not written',
    raced: 'a crash and the end of so short a wait',
    plan: taskPlan([
      processPlan('a', { ladder: [{ action: 'http_post', url, waitMs: 1 }] }),
      processPlan('b', { graceMs: 1000 }),
    ]),
    behaviours: {},
    posts: { [url]: { after: 30, ok: true } },
    script: [term(1000)],
    check: (result) => {
      expect(hooksOf(result)).toEqual(['a#1/http-post.1 started @1000']);
      expect(result.records.at(-1)?.type).toBe('task-state');
    },
  },
  {
    title: 'S62 a POST that is taken leaves the command its time',
    plan: runPlan({
      ladder: [
        { action: 'http_post', url, waitMs: 10_000 },
        { action: 'signal', signal: TERM, target: 'group', waitMs: 8000 },
      ],
    }),
    behaviours: { node: exitsBy(9000) },
    posts: { [url]: { after: 20, ok: true } },
    script: [term(1000)],
    check: (result) => {
      expect(result.sent).toEqual([]);
      expect(result.endedMs).toBe(9001);
    },
  },
];
