import { expect, test } from 'vitest';
import { exitsOn, obedient, TERM } from '../simulation/behaviour.ts';
import { LAUNCH, runPlan } from '../simulation/plans.ts';
import { simulate } from '../simulation/simulate.ts';

const launch = { ...LAUNCH, cwd: '/srv', user: 'app', terminal: true, notify: true, envSet: { A: '1' } };
const own = { tty: true, readyFd: 3 };
const plan = runPlan({
  launch: { ...launch, ...own },
  preStop: { shell: './drain.sh' },
  postStop: { exec: ['notify', 'x'] },
});
const launchesWith = (behaviour: typeof obedient) =>
  simulate({
    plan,
    behaviours: { node: behaviour, 'node/pre-stop': { lives: 10 }, 'node/post-stop': { lives: 10 } },
    script: [{ at: 1000, signal: TERM }],
  }).launches;

test('S23 a pre-stop hook runs as the command does, without its terminal, and knows whom it serves', () => {
  expect(launchesWith(obedient)['node#1/pre-stop.1']).toEqual({
    ...launch,
    argv: ['/bin/sh', '-c', './drain.sh'],
    terminal: false,
    stdinNull: true,
    notify: false,
    onSignal: [],
    envSet: { A: '1', GSUP_HOOK: 'pre-stop', GSUP_RUN: 'node#1', GSUP_TASK: 'node' },
  });
});

test('S24 a post-stop hook gets outcome and code', () => {
  const hook = launchesWith(exitsOn(TERM, 10, 4))['node#1/post-stop.1'];
  expect(hook?.argv).toEqual(['notify', 'x']);
  expect(hook?.envSet).toEqual({
    A: '1',
    GSUP_HOOK: 'post-stop',
    GSUP_RUN: 'node#1',
    GSUP_TASK: 'node',
    GSUP_OUTCOME: 'killed',
    GSUP_EXIT_CODE: '4',
  });
});

test('S24 a post-stop hook gets the signal where there is no code', () => {
  const hook = launchesWith(obedient)['node#1/post-stop.1'];
  expect(hook?.envSet.GSUP_EXIT_SIGNAL).toBe('SIGTERM');
  expect(hook?.envSet).not.toHaveProperty('GSUP_EXIT_CODE');
});

test('the command knows its task and its run', () => {
  expect(launchesWith(obedient)['node#1']?.envSet).toEqual({ A: '1', GSUP_RUN: 'node#1', GSUP_TASK: 'node' });
});
