import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planCompaction } from '../../src/checkpoint/compaction.ts';
import { type CheckpointRecord, type RecordBody, stampRecord } from '../../src/checkpoint/record.ts';
import { repairLog } from '../../src/checkpoint/repair.ts';
import { readPieces } from '../../src/checkpoint/rewrite.ts';
import { isCalm } from '../../src/supervisor/calm.ts';
import { neededRecords } from '../../src/supervisor/needed.ts';
import { createPerformer } from '../../src/supervisor/perform.ts';
import type { TaskPlan } from '../../src/supervisor/plan.ts';
import { NO_CONFIG } from '../../src/supervisor/ports.ts';
import { replay } from '../../src/supervisor/replay.ts';
import type { State } from '../../src/supervisor/state.ts';
import { createMemoryDisk, LOG } from '../checkpoint/memory-disk.ts';
import { at, encodeLog, sampleBodies } from '../checkpoint/samples.ts';
import { plainly } from '../simulation/plainly.ts';
import { processPlan, taskPlan } from '../simulation/plans.ts';
import { simulate } from '../simulation/simulate.ts';
import { SCENARIOS } from './scenarios.ts';

/** As a file holds it after a compaction that keeps no more than it must. */
function compact(records: readonly CheckpointRecord[], carriedOut: number): CheckpointRecord[] {
  const bytes = encodeLog(records);
  const disk = createMemoryDisk();
  disk.put(bytes);
  const pieces = planCompaction(repairLog(bytes).entries, (all) => neededRecords(all, carriedOut), 0);
  const log = repairLog(readPieces(pieces, disk.open(LOG), disk));
  expect([log.damage, log.torn, log.lastSeq]).toEqual([undefined, undefined, records.length]);
  return log.entries.map(({ record }) => record);
}

/** What a supervisor with these records would ask init for, when init has carried out everything up to `lastNumber`. */
function repeated(records: readonly CheckpointRecord[], state: State, lastNumber: number): string[] {
  const asked: string[] = [];
  const ask =
    (what: string) =>
    (...args: unknown[]): void =>
      void asked.push(plainly([what, ...args]));
  const host = {
    open() {},
    spawn: ask('spawn'),
    rung: ask('rung'),
    signal: ask('signal'),
    forget: ask('forget'),
    exit: ask('exit'),
    clear: ask('clear'),
    upgrade: ask('upgrade'),
    seen() {},
    leave() {},
    close() {},
  };
  const clock = { nowNs: () => 0n, wallMs: () => 0, at: () => () => {} };
  const ports = {
    journal: { append: () => 0, isKept: () => true, skipTo() {} },
    host,
    clock,
    http: { post() {} },
    probes: { ask() {} },
    config: NO_CONFIG,
    say() {},
  };
  return [...createPerformer(ports, records).repeat(state, lastNumber, 0n).awaited, ...asked];
}

type Of = { process: string; run: string };

/** Says where the two differ; undefined: nowhere. */
function differ(
  plan: TaskPlan,
  records: readonly CheckpointRecord[],
  carriedOut: number,
): string | undefined {
  const compacted = compact(records, carriedOut);
  const [before, after] = [replay(plan, records), replay(plan, compacted)];
  if (plainly(before) !== plainly(after)) return `state\n${plainly(before)}\n${plainly(after)}`;
  for (const lastNumber of [carriedOut, carriedOut + 1]) {
    const [wanted, found] = [records, compacted].map((each) => plainly(repeated(each, before, lastNumber)));
    if (wanted !== found) return `asked after ${lastNumber}\n${wanted}\n${found}`;
  }
  return undefined;
}

describe('a log without what is not needed replays to the same state, and asks for the same', () => {
  test.each(SCENARIOS)('after each record of: $title', (told) => {
    const { records } = simulate(told);
    const step = Math.ceil(records.length / 12);
    for (let count = 1; count <= records.length; count += step) {
      const some = records.slice(0, count);
      for (const carriedOut of [count, count - 1, Math.floor(count / 2)])
        expect(
          differ(told.plan, some, carriedOut),
          `${count} records, ${carriedOut} carried out`,
        ).toBeUndefined();
    }
  });

  const names = ['a', 'b'];
  const plan = taskPlan(
    names.map((name) => processPlan(name, { preStop: { shell: 'drain' }, postStop: { shell: 'notify' } })),
  );
  const process = fc.constantFrom(...names);
  const number = fc.integer({ min: 1, max: 4 });
  const types = sampleBodies.map(({ type }) => type).filter((type) => type !== 'gap');
  /** Any record of the table, of runs that are in no order at all; only names are what names are. */
  const body: fc.Arbitrary<RecordBody> = fc
    .record({
      type: fc.oneof(
        {
          weight: 3,
          arbitrary: fc.constantFrom('run-forked', 'outcome', 'backoff', 'hook', 'stop-requested', 'rung'),
        },
        { weight: 1, arbitrary: fc.constantFrom(...types) },
      ),
      of: process,
      number,
      attempt: fc.integer({ min: 1, max: 2 }),
      kind: fc.constantFrom('pre-start', 'busy', 'busy', 'pre-stop', 'http-post', 'post-stop'),
      state: fc.constantFrom('started', 'ended'),
      outcome: fc.constantFrom('success', 'failed', 'killed', 'lost'),
      health: fc.constantFrom('starting', 'healthy', 'unhealthy'),
      task: fc.constantFrom('active', 'cleaning', 'finalizing', 'success'),
      cause: fc.constantFrom('signal', 'api', 'main-ended'),
      scope: fc.constantFrom('task', 'process', 'several', 'run'),
      now: fc.boolean(),
      failures: fc.nat(3),
      code: fc.constantFrom(null, 0, 1),
    })
    .map((any) => {
      const sample = sampleBodies.find(({ type }) => type === any.type) as RecordBody;
      const run = `${any.of}#${any.number}`;
      const hook = `${run}/${any.kind}.${any.attempt}`;
      const known: Record<string, unknown> = {
        process: any.of,
        run,
        hook,
        outcome: any.outcome,
        health: any.health,
        failures: any.failures,
        code: any.code,
        cause:
          { 'stop-requested': any.cause, 'restart-requested': 'api', config: 'reload' }[any.type as string] ??
          'exit',
        now: any.now,
        index: any.attempt - 1,
        state: any.type === 'task-state' ? any.task : any.type === 'hook' ? any.state : undefined,
      };
      const fields = Object.entries(sample).map(([name, value]) => [name, known[name] ?? value]);
      const all = Object.fromEntries(fields) as Record<string, unknown>;
      if (any.type === 'stop-requested' && any.scope !== 'run') delete all.run;
      if (any.type === 'stop-requested' && any.scope !== 'several') delete all.processes;
      if (any.type === 'stop-requested' && (any.scope === 'task' || any.scope === 'several'))
        delete all.process;
      return all as unknown as RecordBody;
    });

  const LATER: readonly string[] = ['rung', 'kill', 'run-ready', 'health-changed'];

  /** Runs begin by their number, each once, and are not stopped before: a log in which they do not stays whole. */
  function asBegun(bodies: readonly RecordBody[]): RecordBody[] {
    const highest: Record<string, number> = {};
    const begun = new Set<string>();
    return bodies.flatMap((each): RecordBody[] => {
      const isLater =
        LATER.includes(each.type) || (each.type === 'hook' && !each.hook.includes('/pre-start.'));
      if (isLater && 'run' in each && !begun.has(each.run ?? '')) return [];
      if (each.type === 'outcome') begun.add(each.run);
      if (each.type !== 'run-forked') return [each];
      const number = (highest[each.process] ?? 0) + 1;
      highest[each.process] = number;
      begun.add(`${each.process}#${number}`);
      return [{ ...each, run: `${each.process}#${number}` }];
    });
  }

  test('whatever the records, and in whatever order', () => {
    fc.assert(
      fc.property(fc.array(body, { minLength: 1, maxLength: 40 }), fc.nat(40), (bodies, carriedOut) => {
        const records = asBegun(bodies).map((each, i) =>
          stampRecord(each, i + 1, { at, mono_ns: BigInt(i) }),
        );
        expect(
          differ(plan, records as CheckpointRecord[], Math.min(carriedOut, records.length)),
        ).toBeUndefined();
      }),
      { numRuns: 400 },
    );
  });

  test('what may have to be asked for again is asked for under its key, though another run has followed', () => {
    const [first, second] = [1, 2].map((n) => ({ process: 'a', run: `a#${n}` })) as [Of, Of];
    const ended = {
      outcome: 'failed',
      cause: 'exit',
      code: 1,
      signal: null,
      forced: false,
      failures: 1,
    } as const;
    const bodies: RecordBody[] = [
      { type: 'supervisor-started', pid: 1, version: '1' },
      { type: 'supervisor-started', pid: 1, version: '1' },
      { type: 'run-forked', ...first },
      { type: 'run-ready', ...first },
      { type: 'run-ready', ...first },
      { type: 'outcome', ...first, ...ended, forked_ns: 1n, ended_ns: 2n },
      { type: 'run-forked', ...second },
    ];
    const records = bodies.map((each, i) =>
      stampRecord(each, i + 1, { at, mono_ns: BigInt(i) }),
    ) as CheckpointRecord[];
    expect(repeated(compact(records, 5), replay(plan, records), 5)[1]).toBe('["forget",6,3]');
    expect(differ(plan, records, 5)).toBeUndefined();
    expect(neededRecords(records, 9)).toEqual([false, false, false, false, false, true, true]);
  });

  test('a run that is busy for a day leaves its last question, however often it was asked', () => {
    const of = { process: 'a', run: 'a#1' } as const;
    const asked = (nth: number): RecordBody[] => {
      const hook = { type: 'hook', ...of, hook: `a#1/busy.${nth}`, signal: null } as const;
      return [
        { ...hook, state: 'started', code: null, index: 0 },
        { ...hook, state: 'ended', code: 0, deadline_ns: 1n },
      ];
    };
    const bodies: RecordBody[] = [
      { type: 'run-forked', ...of },
      ...[1, 2, 3, 4].flatMap(asked),
      { type: 'run-ready', ...of },
      ...asked(5),
    ];
    const records = bodies.map((each, i) =>
      stampRecord(each, i + 1, { at, mono_ns: BigInt(i) }),
    ) as CheckpointRecord[];
    const needed = neededRecords(records, 99).map(Number).join('');
    // Only what follows at once takes a question's place.
    expect(needed).toBe('100000011111');
    expect(differ(plan, records, records.length)).toBeUndefined();
  });

  test('there is time to rewrite the log in a stop that waits for what is busy, and in no other', () => {
    const [busy, plain] = [
      SCENARIOS.find(({ title }) => title.startsWith('stop.busy: no signal')),
      SCENARIOS.find(({ title }) => title.startsWith('S01')),
    ];
    const calmAt = (told = busy): boolean[] => {
      const { records } = simulate(told as NonNullable<typeof busy>);
      const from = records.findIndex(({ type }) => type === 'rung');
      const until = records.findLastIndex(({ type }) => type === 'rung');
      return [0, from, from + 2, until].map((at) =>
        isCalm(
          replay((told as NonNullable<typeof busy>).plan, records.slice(0, at + 1) as CheckpointRecord[]),
        ),
      );
    };
    expect(calmAt()).toEqual([true, true, true, false]);
    expect(calmAt(plain).slice(0, 2)).toEqual([true, false]);
  });

  test('what this gsup does not understand, and a log that is not as it writes them, stay whole', () => {
    const stamp = { at, mono_ns: 1n };
    const unknown = {
      v: 1,
      seq: 1,
      ...stamp,
      type: 'unknown',
      was: 'dream',
      reason: '',
      fields: {},
    } as const;
    expect(neededRecords([unknown], 9)).toEqual([true]);
    const odd = stampRecord({ type: 'run-forked', process: 'a', run: 'b#1' }, 1, stamp);
    const started = stampRecord({ type: 'supervisor-started', pid: 1, version: '1' }, 2, stamp);
    expect(neededRecords([odd, started], 9)).toEqual([true, true]);
  });
});
