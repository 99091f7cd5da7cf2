/** Random tasks: whatever processes do, whenever somebody asks for what, and wherever the supervisor dies. */
import fc from 'fast-check';
import { buildLadder } from '../../src/signals/ladder.ts';
import type { Dependency, TaskPlan } from '../../src/supervisor/plan.ts';
import type { Ladder, Rung } from '../../src/supervisor/vocabulary.ts';
import type { Behaviour } from './behaviour.ts';
import { STOP } from './plans.ts';
import type { Script, ScriptProcess } from './script.ts';
import type { Crash, Crashes, Line } from './simulate.ts';

const ms = (max: number) => fc.integer({ min: 0, max });
const never = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null });

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
    ready: ms(2000),
    stopped: fc.constant(true as const),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<Behaviour>;
const member = fc
  .record({ of: simple, outside: fc.boolean() })
  .map(({ of, outside }) => (outside ? { ...of, outside: true as const } : of));
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
const asks: Rung = { action: 'busy', command: { shell: 'busy' }, waitMs: null };
const ladder: fc.Arbitrary<Ladder> = fc.oneof(
  fc.constant(buildLadder({ ...STOP, graceMs: 1000 })),
  fc.array(rung, { maxLength: 4 }),
  fc.array(rung, { maxLength: 2 }).map((rungs) => [asks, ...rungs]),
);
const plain = fc.record(
  {
    ladder,
    level: fc.integer({ min: 0, max: 2 }),
    mustDrain: never(fc.record({ retryMs: fc.integer({ min: 100, max: 2000 }) })),
    preStart: never(fc.constant({ command: { shell: 'before' }, timeoutMs: 1500 })),
    postStop: never(fc.constant({ shell: 'after' })),
    memoryLimitBytes: never(fc.constant(1024)),
    daemon: fc.boolean(),
    role: fc.constantFrom('ordinary' as const, 'ordinary' as const, 'ephemeral' as const, 'final' as const),
    restart: fc.record({
      policy: fc.constantFrom('no' as const, 'on-failure' as const, 'always' as const),
      maxFailures: fc.integer({ min: 1, max: 3 }),
      minDurationMs: fc.integer({ min: 50, max: 2000 }),
    }),
  },
  { requiredKeys: ['ladder'] },
) as fc.Arbitrary<ScriptProcess>;

const NAMES = ['a', 'b', 'c'];
const condition = fc.constantFrom('started' as const, 'ready' as const, 'completed_successfully' as const);

/** Each depends on some of those before it, and of its own kind: there is no circle, and nothing waits for a final one. */
const processes: fc.Arbitrary<Script['processes']> = fc
  .array(fc.record({ plain, on: fc.array(fc.record({ at: fc.nat(1), condition }), { maxLength: 2 }) }), {
    minLength: 1,
    maxLength: 3,
  })
  .map((all) =>
    Object.fromEntries(
      all.map(({ plain, on }, at) => {
        const before = all
          .slice(0, at)
          .filter((other) => (other.plain.role ?? 'ordinary') === (plain.role ?? 'ordinary'));
        const dependsOn = on.flatMap(({ at: to, condition }): Dependency[] =>
          before[to] === undefined ? [] : [{ on: NAMES[all.indexOf(before[to])] ?? '', condition }],
        );
        const level = 2 - at;
        return [NAMES[at], dependsOn.length === 0 ? plain : { ...plain, level, dependsOn }];
      }),
    ),
  );

const task: fc.Arbitrary<Partial<TaskPlan>> = fc.record(
  {
    command: fc.constantFrom('run' as const, 'up' as const),
    stopBudgetMs: fc.integer({ min: 0, max: 10_000 }),
    main: fc.constant('a'),
    maxConcurrency: fc.integer({ min: 0, max: 2 }),
    maxFailures: fc.integer({ min: 0, max: 2 }),
    exitWhen: fc.constantFrom('any' as const, 'failure' as const, 'all' as const),
    finalizationWaitMs: fc.integer({ min: 0, max: 5000 }),
  },
  { requiredKeys: [] },
);

const line: fc.Arbitrary<Line> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ at: ms(9000), signal: fc.constantFrom(2, 15) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      at: ms(9000),
      request: fc.record({
        op: fc.constantFrom('start' as const, 'stop' as const, 'restart' as const, 'drain' as const),
        processes: fc.uniqueArray(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 2 }),
      }),
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
/** A must_drain whose hook never succeeds, and what lives for ever, end with the third ask; final processes have their own. */
const LAST: Line[] = [60_000, 61_000, 62_000, 200_000, 201_000, 202_000].map((at) => ({ at, signal: 15 }));

const crash: fc.Arbitrary<Crash> = fc.oneof(
  fc.record({ act: ms(120), when: fc.constantFrom('before' as const, 'after' as const) }),
  fc.record({ act: ms(120), when: fc.constant('during' as const), cut: ms(300) }),
);
const someCrashes: fc.Arbitrary<Crashes> = fc.record(
  {
    at: fc.array(crash, { maxLength: 6 }),
    awayMs: fc.constantFrom(1, 20, 200, 3000),
    hopeless: fc.constant(true as const),
    compactAt: fc.integer({ min: 600, max: 4000 }),
    log: fc.constant('deleted' as const),
  },
  { requiredKeys: ['at', 'awayMs'] },
);

export const randomScript: fc.Arbitrary<Script> = fc
  .record({
    task,
    processes,
    behaviours: fc.dictionary(
      fc.constantFrom(
        'a',
        'b',
        'c',
        'a/pre-start',
        'b#1/pre-start.1',
        'a/pre-stop',
        'b/pre-stop',
        'a/post-stop',
        'a/busy',
        'b#1/busy.1',
        'a#1',
        'b#2',
      ),
      behaviour,
    ),
    script: fc.array(line, { maxLength: 5 }),
    large: fc.dictionary(fc.constantFrom(...NAMES), fc.record({ from: ms(20_000), until: ms(60_000) })),
    crashes: someCrashes,
  })
  .map(({ script, ...each }) => ({
    title: 'a random case',
    ...each,
    script: [...script, ...LAST],
    posts: { yes: { after: 30, ok: true }, no: { after: 30, ok: false } },
  }));
