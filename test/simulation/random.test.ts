import fc from 'fast-check';
import { expect, test } from 'vitest';
import { buildLadder } from '../../src/signals/ladder.ts';
import type { ProcessPlan, TaskPlan } from '../../src/supervisor/plan.ts';
import type { Ladder, Rung } from '../../src/supervisor/vocabulary.ts';
import type { Behaviour } from './behaviour.ts';
import { checkInvariants } from './invariants.ts';
import { processPlan, restarts, STOP, taskPlan } from './plans.ts';
import { briefly, type Crashes, type Line, type Scenario, simulate } from './simulate.ts';

/** Whatever processes do, whenever somebody asks for what, and wherever the supervisor dies. */
const ms = (max: number) => fc.integer({ min: 0, max });
const never = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null });
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });

const reaction = fc.oneof(
  fc.constant('ignore' as const),
  fc.record({ after: ms(4000), exit: fc.integer({ min: 0, max: 3 }) }),
);
const simple = fc.record(
  {
    lives: ms(6000),
    exit: fc.integer({ min: 0, max: 2 }),
    by: fc.constantFrom(9, 11, 15),
    on: fc.dictionary(fc.constantFrom('2', '10', '15'), reaction),
    extends: fc.record({ signal: fc.constant(15), after: ms(500), ms: ms(3000) }),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<Behaviour>;
const member = fc
  .record({ of: simple, outside: maybe(fc.constant(true as const)) })
  .map(({ of, outside }) => ({
    ...of,
    ...(outside === undefined ? {} : { outside }),
  }));
const behaviour: fc.Arbitrary<Behaviour> = fc.oneof(
  { weight: 8, arbitrary: simple },
  {
    weight: 4,
    arbitrary: fc
      .record({ of: simple, others: fc.array(member, { maxLength: 3 }) })
      .map(({ of, others }) => ({ ...of, others })),
  },
  { weight: 1, arbitrary: fc.constant<Behaviour>({ fails: { stage: 'exec', errno: 2 } }) },
  { weight: 1, arbitrary: fc.constant<Behaviour>({ on: { 2: 'ignore', 15: 'ignore' }, stuck: true }) },
);

const wait = fc.oneof(
  { weight: 6, arbitrary: ms(3000) as fc.Arbitrary<number> },
  { weight: 1, arbitrary: fc.constant(0) },
);
const rung: fc.Arbitrary<Rung> = fc.oneof(
  fc.record({
    action: fc.constant('signal' as const),
    signal: fc.constantFrom(10, 15, 'received' as const),
    target: fc.constantFrom('group' as const, 'leader' as const, 'tree' as const),
    waitMs: wait,
  }),
  fc.record({ action: fc.constant('wait' as const), waitMs: wait }),
  fc.record({ action: fc.constant('exec' as const), command: fc.constant({ shell: 'hook' }), waitMs: wait }),
  fc.record({ action: fc.constant('http_post' as const), url: fc.constantFrom('yes', 'no'), waitMs: wait }),
);
const ladder: fc.Arbitrary<Ladder> = fc.oneof(
  fc.constant(buildLadder({ ...STOP, graceMs: 1000 })),
  fc.array(rung, { maxLength: 4 }),
);
const change: fc.Arbitrary<Partial<ProcessPlan>> = fc.record({
  ladder,
  level: fc.integer({ min: 0, max: 2 }),
  mustDrain: never(fc.record({ retryMs: fc.integer({ min: 100, max: 2000 }) })),
  postStop: never(fc.constant({ shell: 'after' })),
  restart: fc
    .record({
      policy: fc.constantFrom('no' as const, 'on-failure' as const, 'always' as const),
      maxFailures: fc.integer({ min: 1, max: 3 }),
      minDurationMs: fc.integer({ min: 50, max: 2000 }),
    })
    .map(restarts),
});

const NAMES = ['a', 'b', 'c'];
const plan: fc.Arbitrary<TaskPlan> = fc
  .record({
    changes: fc.array(change, { minLength: 1, maxLength: 3 }),
    command: fc.constantFrom('run' as const, 'up' as const),
    budgetMs: never(fc.integer({ min: 0, max: 10_000 })),
    main: fc.boolean(),
  })
  .map(({ changes, command, budgetMs, main }) => ({
    ...taskPlan(
      changes.map((each, at) => processPlan(NAMES[at] ?? '', each)),
      budgetMs,
    ),
    command,
    main: main || command === 'run' ? 'a' : null,
  }));

const line: fc.Arbitrary<Line> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ at: ms(9000), signal: fc.constantFrom(2, 15) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      at: ms(9000),
      request: fc.record({ op: fc.constant('stop' as const), process: fc.constantFrom(...NAMES) }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      at: ms(9000),
      request: fc.record({ op: fc.constant('shutdown' as const), now: fc.boolean() }),
    }),
  },
);
/** A must_drain whose hook never succeeds, and what lives for ever, end with the third ask. */
const LAST: Line[] = [
  { at: 60_000, signal: 15 },
  { at: 61_000, signal: 15 },
  { at: 62_000, signal: 15 },
];

const scenario: fc.Arbitrary<Scenario> = fc
  .record({
    plan,
    behaviours: fc.dictionary(
      fc.constantFrom('a', 'b', 'c', 'a/pre-stop', 'b/pre-stop', 'a/post-stop', 'a#1', 'b#2'),
      behaviour,
    ),
    script: fc.array(line, { maxLength: 5 }),
  })
  .map((each) => ({
    ...each,
    script: [...each.script, ...LAST],
    posts: { yes: { after: 30, ok: true }, no: { after: 30, ok: false } },
  }));
const crashes: fc.Arbitrary<Crashes> = fc.record({
  at: fc.array(fc.record({ act: ms(80), when: fc.constantFrom('before' as const, 'after' as const) }), {
    maxLength: 6,
  }),
  awayMs: fc.constantFrom(1, 20, 200, 3000),
});

const RUNS = Number(process.env.GSUP_RANDOM_RUNS ?? 250);

test('S42 whatever happens, what must hold holds', () => {
  fc.assert(
    fc.property(scenario, crashes, (told, crashed) => {
      const result = simulate(told, crashed);
      try {
        expect(result.exitCode).not.toBeNull();
        checkInvariants(told, result);
      } catch (error) {
        throw new Error(`${(error as Error).message}\n${briefly(result)}`);
      }
    }),
    { numRuns: RUNS },
  );
});
