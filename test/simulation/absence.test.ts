import { expect, test } from 'vitest';
import { exitsBy, exitsOn, ignoresTerm, KILL, obedient, TERM } from './behaviour.ts';
import { processPlan, restarts, runPlan, taskPlan } from './plans.ts';
import { endState, hooksOf, msOf, outcomesOf, recordsOf, rungsOf, signalsOf } from './questions.ts';
import { type Crash, type Crashes, type Result, type Scenario, simulate } from './simulate.ts';
import { stepsOf } from './trace.ts';
import { crashPoints, judge } from './trials.ts';

/** What happened while there was no supervisor: the next one takes it as it is, and as early as it was. */
const term = (at: number) => ({ at, signal: TERM });

/** The supervisor dies when its first record of a type is written and its request made. */
function dieAfter(scenario: Scenario, type: string, awayMs: number): Crashes {
  return { at: [{ act: firstActAfter(scenario, type), when: 'before' }], awayMs };
}

/** The act after the `nth` record of a type, which is its request. */
function firstActAfter(scenario: Scenario, type: string, nth = 1): number {
  for (let act = 0; ; act++) {
    const { trace } = simulate(scenario, { at: [{ act, when: 'before' }], awayMs: 1 });
    const died = trace.findIndex(({ kind }) => kind === 'died');
    const before = stepsOf(trace.slice(0, died), 'record').map(({ record }) => record);
    const seen = before.filter((record) => record.type === type).length;
    if (before.at(-1)?.type === type && seen === nth) return act + 1;
  }
}

test('S43 a rung that fell due meanwhile: its deadline is the coordinator’s, and holds', () => {
  const told: Scenario = {
    plan: runPlan({
      ladder: [
        { action: 'signal', signal: 10, target: 'group', waitMs: 1000 },
        { action: 'signal', signal: TERM, target: 'group', waitMs: 1000 },
        { action: 'signal', signal: 3, target: 'group', waitMs: 1000 },
      ],
    }),
    behaviours: { node: { on: { 10: 'ignore', [TERM]: 'ignore', 3: 'ignore' } } },
    script: [term(1000)],
  };
  const result = simulate(told, dieAfter(told, 'rung', 1800));
  expect(signalsOf(result, 'node#1')).toEqual(['10@1000', '15@2250', '3@3250', '9@4250']);
  expect(rungsOf(result, 'node#1')).toEqual([
    '0 signal 1000-2000',
    '1 signal 2800-3250',
    '2 signal 3250-4250',
  ]);
  expect(result.said.some((happening) => happening.kind === 'climbed-alone')).toBe(true);
});

test('S43 TERM at t, killed at t+4, back: SIGKILL at t+10', () => {
  const told: Scenario = {
    plan: runPlan({ graceMs: 10_000 }),
    behaviours: { node: ignoresTerm },
    script: [term(1000)],
  };
  for (const awayMs of [1, 4000, 9000]) {
    const result = simulate(told, dieAfter(told, 'rung', awayMs));
    expect(signalsOf(result, 'node#1')).toEqual(['15@1000', '9@11000']);
  }
});

/** More rungs than asks, so that an answer too many is seen. */
const askedTwice: Scenario = {
  plan: runPlan({
    ladder: [10, TERM, 3, 12].map((signal) => ({
      action: 'signal',
      signal,
      target: 'group',
      waitMs: 30_000,
    })),
  }),
  behaviours: { node: { lives: 5000, on: { 10: 'ignore', [TERM]: 'ignore', 3: 'ignore', 12: 'ignore' } } },
  script: [term(1000), term(1500)],
};

test.each([20, 300, 800])('S14 S42 no ask is answered twice, by whom ever: away for %d ms', (awayMs) => {
  const { acts } = simulate(askedTwice);
  for (let act = firstActAfter(askedTwice, 'run-forked'); act < acts; act++) {
    for (const when of ['before', 'after'] as const) {
      const result = simulate(askedTwice, { at: [{ act, when }], awayMs });
      const sent = result.sent.map(({ signal }) => signal);
      expect(sent, `a crash ${when} act ${act}`).toEqual([10, TERM]);
      expect(recordsOf(result, 'stop-requested')).toHaveLength(2);
    }
  }
});

test.each([20, 800])(
  'S14 S52 the log is lost after two asks: neither is answered again, away for %d ms',
  (awayMs) => {
    const { acts } = simulate(askedTwice);
    for (let act = firstActAfter(askedTwice, 'rung', 2); act < acts; act++) {
      const result = simulate(askedTwice, { at: [{ act, when: 'after' }], awayMs, log: 'lost' });
      const sent = result.sent.map(({ signal }) => signal);
      expect(sent, `a crash after act ${act}`).toEqual([10, TERM]);
    }
  },
);

test('S20 a budget counts from the moment when the stop was asked for', () => {
  const told: Scenario = {
    plan: runPlan({ graceMs: 60_000 }, 6000),
    behaviours: { node: ignoresTerm },
    script: [term(1000)],
  };
  const result = simulate(told, dieAfter(told, 'run-forked', 3000));
  expect(recordsOf(result, 'budget').map(({ deadline_ns }) => deadline_ns)).toEqual([8_000_000_000n]);
});

test('S45 it ended by itself before the stop was asked for, and nobody was there for either', () => {
  const told: Scenario = {
    plan: runPlan({ restart: restarts({}) }),
    behaviours: { node: exitsBy(500, 7) },
    script: [term(1000)],
  };
  const result = simulate(told, dieAfter(told, 'run-forked', 3000));
  expect(outcomesOf(result)).toEqual(['node#1 failed exit 7']);
  expect(endState(result)).toBe('killed 7');
});

test('S44 killed between the record of a rung and the signal: it is sent once', () => {
  const behaviours = { node: { on: { [TERM]: { after: 500, exit: 0 } } } };
  const quiet: Scenario = { plan: runPlan(), behaviours, script: [term(1000)] };
  const act = firstActAfter(quiet, 'rung') - 1;
  for (const when of ['before', 'after'] as const) {
    const result = simulate(quiet, { at: [{ act, when }], awayMs: 20 });
    expect(result.sent.map(({ signal }) => signal)).toEqual([TERM]);
    expect(endState(result)).toBe('killed 0');
  }
});

const short: Scenario = {
  plan: runPlan({ graceMs: 300 }),
  behaviours: { node: exitsOn(TERM, 200) },
  script: [term(1000)],
};

/** Nobody ends but by SIGKILL: how long it had then is what its grace was. */
const deaf: Scenario = { ...short, behaviours: { node: ignoresTerm } };

/** Between the record of the first rung and its request. */
const untold = (told = short): Crash => ({ act: firstActAfter(told, 'rung') - 1, when: 'before' });

function graceOf(result: Result): number {
  const [told, killed, ...more] = result.sent;
  expect([told?.signal, killed?.signal, more.length]).toEqual([TERM, KILL, 0]);
  return msOf(killed?.atNs ?? 0n) - msOf(told?.atNs ?? 0n);
}

// By 250 ms after the signal was due a coordinator has sent it by itself: before and after its deadline in the log.
test.each([20, 250, 400, 600, 1500])(
  'S43 S44 a short grace, and killed between its record and the signal, away for %d ms: it counts from the signal',
  (awayMs) => {
    const result = simulate(short, { at: [untold()], awayMs });
    expect(result.sent.map(({ signal }) => signal)).toEqual([TERM]);
    expect(endState(result)).toBe('killed 0');
    expect(graceOf(simulate(deaf, { at: [untold()], awayMs }))).toBeGreaterThanOrEqual(300);
  },
);

test.each([1, 20, 200, 280, 400, 700])(
  'S42 S43 S44 whoever is told to end has all of a short grace, wherever supervisors are killed: away for %d ms',
  (awayMs) => {
    const points = crashPoints(simulate(deaf));
    const first = untold();
    const twice = points.map((each): Crash[] => [first, { ...each, act: first.act + 1 + each.act }]);
    const thrice = twice.flatMap(([, second]): Crash[][] =>
      second === undefined
        ? []
        : [1, 2, 3].map((more) => [first, second, { act: second.act + more, when: 'before' }]),
    );
    for (const at of [...points.map((each) => [each]), ...twice, ...thrice]) {
      const result = judge(deaf, { at, awayMs });
      expect(graceOf(result), JSON.stringify(at)).toBeGreaterThanOrEqual(300);
    }
  },
);

test('S43 S20 a grace that begins late has no more than the budget leaves', () => {
  const told: Scenario = { ...deaf, plan: runPlan({ graceMs: 3600 }, 4000) };
  const result = simulate(told, { at: [untold(told)], awayMs: 200 });
  expect(rungsOf(result, 'node#1')).toEqual(['0 signal 1000-4600', '0 signal 1200-4600']);
  expect(signalsOf(result, 'node#1')).toEqual(['15@1200', '9@4600']);
});

test('S43 S44 a rung whose request was carried out keeps its deadline, whoever is killed', () => {
  const at: Crash[] = [{ ...untold(), when: 'after' }];
  expect(signalsOf(simulate(deaf, { at, awayMs: 200 }), 'node#1')).toEqual(['15@1000', '9@1300']);
});

const drains: Scenario = {
  plan: runPlan({ preStop: { shell: './drain.sh' } }),
  behaviours: { node: { on: { [TERM]: { after: 10, exit: 0 } } }, 'node/pre-stop': exitsBy(3000, 0) },
  script: [term(1000)],
};

test.each([20, 2000, 6000])(
  'S69 killed while a hook runs, away for %d ms: it is found again, and its result counts',
  (awayMs) => {
    const result = simulate(drains, {
      at: [{ act: firstActAfter(drains, 'hook') + 1, when: 'before' }],
      awayMs,
    });
    expect(result.launches).toHaveProperty(['node#1/pre-stop.1']);
    expect(hooksOf(result).map((hook) => hook.split(' @')[0])).toEqual([
      'node#1/pre-stop.1 started',
      'node#1/pre-stop.1 ended 0',
    ]);
    expect(endState(result)).toBe('killed 0');
  },
);

test('S46 no supervisor can be had: the hook is skipped, the command has its signal and its grace', () => {
  const told: Scenario = { ...drains, behaviours: { node: ignoresTerm, 'node/pre-stop': exitsBy(3000, 0) } };
  const crash = { act: firstActAfter(told, 'run-forked'), when: 'before' } as const;
  const result = simulate(told, { at: [crash], awayMs: 100_000, hopeless: true });
  expect(signalsOf(result, 'node#1')).toEqual(['15@1000', '9@9000']);
  expect(hooksOf(result)).toEqual([]);
  expect(endState(result)).toBe('killed 137');
});

test('S46 levels stop one after the other, also without a supervisor', () => {
  const told: Scenario = {
    plan: taskPlan([processPlan('a'), processPlan('b', { level: 1 })]),
    behaviours: { a: obedient, b: { on: { [TERM]: { after: 700, exit: 0 } } } },
    script: [term(1000)],
  };
  const crash = { act: firstActAfter(told, 'run-forked', 2), when: 'after' } as const;
  const result = simulate(told, { at: [crash], awayMs: 100_000, hopeless: true });
  expect([signalsOf(result, 'b#1'), signalsOf(result, 'a#1')]).toEqual([['15@1000'], ['15@1700']]);
});
