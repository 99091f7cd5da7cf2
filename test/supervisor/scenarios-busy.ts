/** `stop.busy`: a stop waits for as long as a command says so. */
import { expect } from 'vitest';
import { buildLadder } from '../../src/signals/ladder.ts';
import { exitsBy, ignoresTerm, obedient } from '../simulation/behaviour.ts';
import { processPlan, STOP, taskPlan } from '../simulation/plans.ts';
import { endState, hooksOf, signalsOf } from '../simulation/questions.ts';
import { type Told, term } from './told.ts';

const busy = {
  ladder: [
    { action: 'busy' as const, command: { shell: './busy' }, waitMs: null },
    ...buildLadder({ ...STOP, graceMs: 2000 }),
  ],
};

export const BUSY_SCENARIOS: readonly Told[] = [
  {
    title: 'stop.busy: no signal while it says so; asked every 5 s',
    plan: taskPlan([processPlan('web', busy)]),
    behaviours: {
      web: obedient,
      'web#1/busy.1': exitsBy(10),
      'web#1/busy.2': exitsBy(10),
      'web#1/busy.3': exitsBy(10, 1),
    },
    script: [term(1000)],
    check: (result) => {
      expect(hooksOf(result).filter((hook) => hook.includes('ended'))).toEqual([
        'web#1/busy.1 ended 0 @1011',
        'web#1/busy.2 ended 0 @6022',
        'web#1/busy.3 ended 1 @11033',
      ]);
      expect(signalsOf(result, 'web#1')).toEqual(['15@11033']);
      expect(result.said.filter(({ kind }) => kind === 'busy')).toHaveLength(1);
      expect(endState(result)).toBe('killed 0');
    },
  },
  {
    title: 'stop.busy: a second signal ends the wait',
    plan: taskPlan([processPlan('web', busy)]),
    behaviours: { web: obedient, 'web/busy': exitsBy(10) },
    script: [term(1000), term(3000)],
    check: (result) => expect(signalsOf(result, 'web#1')).toEqual(['15@3000']),
  },
  {
    title: 'stop.busy: shutdown --now does not wait',
    plan: taskPlan([processPlan('web', busy)]),
    behaviours: { web: obedient, 'web/busy': exitsBy(10) },
    script: [term(1000), { at: 3000, request: { op: 'shutdown', now: true } }],
    check: (result) => {
      expect(signalsOf(result, 'web#1')).toEqual(['9@3000']);
      expect(endState(result)).toMatch(/^killed /);
    },
  },
  {
    title: 'stop.busy: what does not answer in 10 s is not busy',
    plan: taskPlan([processPlan('web', busy)]),
    behaviours: { web: obedient, 'web/busy': ignoresTerm },
    script: [term(1000)],
    check: (result) => {
      expect(signalsOf(result, 'web#1/busy.1')).toEqual(['15@11000', '9@13000']);
      expect(signalsOf(result, 'web#1').map((each) => each.split('@')[0])).toEqual(['15']);
      expect(endState(result)).toBe('killed 0');
    },
  },
  {
    title: 'stop.busy: a command that cannot be started does not hold up the stop',
    plan: taskPlan([processPlan('web', busy)]),
    behaviours: { web: obedient, 'web/busy': { fails: { stage: 'exec', errno: 2 } } },
    script: [term(1000)],
    check: (result) => {
      expect(signalsOf(result, 'web#1')).toHaveLength(1);
      expect(endState(result)).toBe('killed 0');
    },
  },
  {
    title: 'stop.busy: what must drain is asked first, and then drained',
    plan: taskPlan([
      processPlan('web', {
        ladder: [
          { action: 'busy', command: { shell: './busy' }, waitMs: null },
          { action: 'exec', command: { shell: './drain' }, waitMs: 2000 },
          ...buildLadder({ ...STOP, graceMs: 2000 }),
        ],
        mustDrain: { retryMs: 1000 },
      }),
    ]),
    behaviours: {
      web: obedient,
      'web#1/busy.1': exitsBy(10),
      'web#1/busy.2': exitsBy(10, 1),
      'web/pre-stop': exitsBy(10),
    },
    script: [term(1000)],
    check: (result) => {
      expect(hooksOf(result).filter((hook) => hook.includes('ended'))).toEqual([
        'web#1/busy.1 ended 0 @1011',
        'web#1/busy.2 ended 1 @6022',
        'web#1/pre-stop.3 ended 0 @6033',
      ]);
      expect(signalsOf(result, 'web#1')).toEqual(['15@6033']);
    },
  },
  {
    title: 'stop.busy: the end of the process ends the wait, and the question',
    plan: taskPlan([processPlan('web', busy)]),
    behaviours: { web: exitsBy(3000), 'web/busy': exitsBy(10) },
    script: [term(1000)],
    check: (result) => {
      expect(signalsOf(result, 'web#1')).toEqual([]);
      expect(hooksOf(result).filter((hook) => hook.includes('ended'))).toHaveLength(1);
    },
  },
  {
    title: 'stop.busy: the budget ends the wait, and leaves the grace its share',
    plan: taskPlan([processPlan('web', busy)], 10_000),
    behaviours: { web: obedient, 'web/busy': exitsBy(10) },
    script: [term(1000)],
    check: (result) => {
      expect(signalsOf(result, 'web#1')).toEqual(['15@8363']);
      expect(endState(result)).toBe('killed 0');
    },
  },
];
