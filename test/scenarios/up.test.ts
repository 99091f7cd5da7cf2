import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { fixture, pathWithoutNode } from '../support/fixtures.ts';
import type { Gsup } from '../support/gsup.ts';
import { look } from '../support/processes.ts';
import { type Line, msBetween } from '../support/records.ts';
import { scenario } from '../support/scenario.ts';
import { expectWait } from '../support/story.ts';
import { until } from '../support/until.ts';

const SUPERVISED = { modes: ['supervisor'] } as const;
const sleeper = { command: ['sleep', '60'] };
const exits = (code: number, ms = 0) => ({
  command: [fixture('exits-with'), String(code), '--after', String(ms)],
});
const completed = (...names: string[]) => ({
  depends_on: Object.fromEntries(names.map((name) => [name, { condition: 'completed_successfully' }])),
});

const of = (gsup: Gsup, type: string): Line[] => gsup.records().filter((line) => line.type === type);
const outcomes = (gsup: Gsup): string[] =>
  of(gsup, 'outcome').map(
    ({ run, outcome, cause, code, signal }) => `${run} ${outcome} ${cause} ${code ?? signal}`,
  );
const fork = (gsup: Gsup, run: string): Line =>
  of(gsup, 'run-forked').find((line) => line.run === run) as Line;
const end = (gsup: Gsup, run: string): Line => of(gsup, 'run-ended').find((line) => line.run === run) as Line;
const isBefore = (one: Line, other: Line): boolean => BigInt(one.mono_ns) < BigInt(other.mono_ns);
/** A record of a wait comes a moment after the wait has begun. */
const deadline = (line: Line): { mono_ns: string } => ({ mono_ns: String(line.deadline_ns) });
/** All of them run. */
const running = (gsup: Gsup, ...runs: string[]): Promise<unknown> =>
  Promise.all(runs.map((run) => gsup.record('run-started', (line) => line.run === run)));

for (const signal of ['SIGTERM', 'SIGINT'] as const)
  scenario(`S16 ${signal} ends all processes, and gsup with 0`, SUPERVISED, async (trial) => {
    const gsup = await trial.up({
      processes: { a: sleeper, b: { command: [fixture('cleans-up-for'), '200'] } },
    });
    await running(gsup, 'a#1', 'b#1');
    await gsup.ready();
    gsup.signal(signal);
    expect((await gsup.ended()).code).toBe(0);
    expect(outcomes(gsup).sort()).toEqual([`a#1 killed stopped ${signal}`, 'b#1 killed stopped 0']);
  });

scenario('S10 each process has its own grace', SUPERVISED, async (trial) => {
  const gsup = await trial.up({
    processes: {
      a: { command: [fixture('ignores-sigterm')], stop: { grace: '1s' } },
      b: { command: [fixture('cleans-up-for'), '3000'], stop: { grace: '5s' } },
    },
  });
  await until('both', () => gsup.stdout.lines(/^ready$/).length === 2);
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(137);
  const rung = of(gsup, 'rung').find((line) => line.run === 'a#1') as Line;
  expectWait(deadline(rung), end(gsup, 'a#1'), 0);
  expect(msBetween(deadline(rung), end(gsup, 'b#1'))).toBeGreaterThan(1500);
  expect([end(gsup, 'a#1').forced, end(gsup, 'b#1').forced]).toEqual([true, false]);
});

scenario('S21 S22 a chain stops in reverse, one tree after the other', SUPERVISED, async (trial) => {
  const slow = { command: [fixture('cleans-up-for'), '200'] };
  const gsup = await trial.up({
    processes: {
      c: { ...slow, depends_on: ['b'] },
      b: { ...slow, depends_on: ['a'] },
      a: slow,
      beside: slow,
    },
  });
  await until('all', () => gsup.stdout.lines(/^ready$/).length === 4);
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(0);
  const first = (run: string) => of(gsup, 'rung').find((line) => line.run === run) as Line;
  for (const [above, below] of [
    ['c#1', 'b#1'],
    ['b#1', 'a#1'],
  ] as const)
    expect(isBefore(end(gsup, above), first(below)), `${above} before ${below}`).toBe(true);
});

scenario('S22 twenty that ignore SIGTERM are gone together', SUPERVISED, async (trial) => {
  const stubborn = { command: [fixture('ignores-sigterm')], stop: { grace: '2s' } };
  const names = Array.from({ length: 20 }, (_, at) => `p${at}`);
  const gsup = await trial.up({ processes: Object.fromEntries(names.map((name) => [name, stubborn])) });
  await until('all', () => gsup.stdout.lines(/^ready$/).length === 20);
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(137);
  const asked = of(gsup, 'stop-requested')[0] as Line;
  const last = of(gsup, 'run-ended').at(-1) as Line;
  expectWait(asked, last, 2000, 3000);
});

scenario('S31 what waits for one that has failed never starts', SUPERVISED, async (trial) => {
  const gsup = await trial.up({
    processes: { a: exits(0), b: { ...exits(7), ...completed('a') }, c: { ...exits(0), ...completed('b') } },
  });
  expect((await gsup.ended()).code).toBe(7);
  expect(outcomes(gsup)).toEqual(['a#1 success exit 0', 'b#1 failed exit 7']);
});

scenario(
  'S32 three fail and three succeed, and no number of failures ends the task',
  SUPERVISED,
  async (trial) => {
    const processes = Object.fromEntries([1, 2, 3, 0, 0, 0].map((code, at) => [`p${at}`, exits(code, 50)]));
    const gsup = await trial.up({ max_failures: 0, processes });
    expect((await gsup.ended()).code).toBe(0);
    expect(outcomes(gsup).sort()).toEqual([
      'p0#1 failed exit 1',
      'p1#1 failed exit 2',
      'p2#1 failed exit 3',
      'p3#1 success exit 0',
      'p4#1 success exit 0',
      'p5#1 success exit 0',
    ]);
    expect(of(gsup, 'task-state').at(-1)).toMatchObject({ state: 'success', exit_code: 0 });
  },
);

scenario(
  'S33 no process is forked before those that it waits for have completed',
  SUPERVISED,
  async (trial) => {
    const gsup = await trial.up({
      processes: {
        a1: exits(0, 100),
        b1: exits(0, 300),
        a2: { ...exits(0, 100), ...completed('a1', 'b1') },
        b2: { ...exits(0), ...completed('a1', 'b1') },
        a3: { ...exits(0), ...completed('a2', 'b2') },
        b3: { ...exits(0), ...completed('a2', 'b2') },
      },
    });
    expect((await gsup.ended()).code).toBe(0);
    for (const level of [1, 2])
      for (const before of ['a', 'b'])
        for (const after of ['a', 'b'])
          expect(isBefore(end(gsup, `${before}${level}#1`), fork(gsup, `${after}${level + 1}#1`))).toBe(true);
  },
);

scenario('S34 max_concurrency 1: never two at once', SUPERVISED, async (trial) => {
  const gsup = await trial.up({
    max_concurrency: 1,
    processes: { a: exits(0, 200), b: exits(0, 200), c: exits(0, 200) },
  });
  expect((await gsup.ended()).code).toBe(0);
  const [, second, third] = of(gsup, 'run-forked') as [Line, Line, Line];
  const [one, two] = of(gsup, 'run-ended') as [Line, Line];
  expect([isBefore(one, second), isBefore(two, third)]).toEqual([true, true]);
});

scenario(
  'S35 an ephemeral is stopped with its ladder when the others are done',
  SUPERVISED,
  async (trial) => {
    const gsup = await trial.up({
      processes: {
        job: exits(0, 500),
        helper: { command: [fixture('cleans-up-for'), '100'], ephemeral: true },
      },
    });
    expect((await gsup.ended()).code).toBe(0);
    expect(outcomes(gsup)).toEqual(['job#1 success exit 0', 'helper#1 killed stopped 0']);
  },
);

for (const [how, job, signal, code] of [
  ['success', exits(0, 100), null, 0],
  ['failure', exits(5, 100), null, 5],
  ['a requested stop', sleeper, 'SIGTERM', 0],
] as const)
  scenario(`S36 finals run after ${how}, in their order`, SUPERVISED, async (trial) => {
    const gsup = await trial.up({
      processes: {
        last: { ...exits(0), final: true, ...completed('upload') },
        upload: { ...exits(0, 100), final: true },
        bad: { ...exits(9), final: true },
        job,
      },
    });
    await running(gsup, 'job#1');
    if (signal !== null) gsup.signal(signal);
    expect((await gsup.ended()).code).toBe(code);
    expect(isBefore(end(gsup, 'job#1'), fork(gsup, 'upload#1'))).toBe(true);
    expect(isBefore(end(gsup, 'upload#1'), fork(gsup, 'last#1'))).toBe(true);
  });

scenario('S36 a final that exceeds finalization_wait climbs its ladder', SUPERVISED, async (trial) => {
  const gsup = await trial.up({
    finalization_wait: '1s',
    processes: {
      job: exits(0),
      slow: { command: [fixture('ignores-sigterm')], final: true, stop: { grace: '500ms' } },
    },
  });
  expect((await gsup.ended()).code).toBe(0);
  const finalizing = of(gsup, 'task-state').find((line) => line.state === 'finalizing') as Line;
  const rung = of(gsup, 'rung')[0] as Line;
  expectWait(deadline(finalizing), rung, 0);
  expectWait(deadline(rung), end(gsup, 'slow#1'), 0);
});

scenario('S36 S42 finals run once when the supervisor is killed among them', SUPERVISED, async (trial) => {
  const gsup = await trial.up({
    processes: { job: exits(0, 100), upload: { ...exits(0, 1500), final: true } },
  });
  await running(gsup, 'upload#1');
  const pid = await gsup.supervisor();
  process.kill(pid, 'SIGKILL');
  await until('the supervisor to be reaped', () => look(pid) === undefined);
  expect((await gsup.ended()).code).toBe(0);
  expect(outcomes(gsup)).toEqual(['job#1 success exit 0', 'upload#1 success exit 0']);
});

scenario('S37 a daemon that exits with 0 is run again', SUPERVISED, async (trial) => {
  const gsup = await trial.up({
    main: 'job',
    processes: { d: { ...exits(0), daemon: true, min_duration: '300ms' }, job: exits(0, 2000) },
  });
  expect((await gsup.ended()).code).toBe(0);
  const forks = of(gsup, 'run-forked').filter((line) => line.process === 'd');
  expect(forks.length).toBeGreaterThan(2);
  expectWait(forks[0] as Line, forks[1] as Line, 300);
});

scenario('S63 one of two services dies for good: the task ends with its code', SUPERVISED, async (trial) => {
  const gsup = await trial.up({
    processes: {
      a: { ...exits(6, 50), restart: 'on-failure', max_failures: 2, min_duration: '10ms' },
      b: sleeper,
    },
  });
  expect((await gsup.ended()).code).toBe(6);
  expect(outcomes(gsup).at(-1)).toBe('b#1 killed stopped SIGTERM');
});

scenario(
  'S39 a bad config is refused before anything starts, all problems at once',
  SUPERVISED,
  async (trial) => {
    const mark = join(trial.folder, 'mark');
    const gsup = await trial.up(
      { procceses: {}, processes: { a: { command: ['touch', mark], gracee: 1 }, b: { depends_on: ['x'] } } },
      { brokenLogs: true },
    );
    expect((await gsup.ended()).code).toBe(78);
    const text = gsup.stderr.text();
    for (const what of ['procceses', 'gracee', 'processes.b']) expect(text).toContain(what);
    expect(text).toMatch(/gsup\.json:\d+:\d+: /);
    expect([existsSync(mark), existsSync(gsup.folder)]).toEqual([false, false]);
  },
);

scenario(
  'S53 a config that changes meanwhile changes nothing, also for a next supervisor',
  SUPERVISED,
  async (trial) => {
    const config = { processes: { a: { ...exits(3, 2000), restart: 'no' } } };
    const gsup = await trial.up(config);
    await running(gsup, 'a#1');
    writeFileSync(join(trial.folder, 'gsup.json'), JSON.stringify({ processes: { other: sleeper } }));
    process.kill(await gsup.supervisor(), 'SIGKILL');
    expect((await gsup.ended()).code).toBe(3);
    expect(outcomes(gsup)).toEqual(['a#1 failed exit 3']);
  },
);

scenario(
  'S50 a second gsup for the same config exits 75, the first is unaffected',
  SUPERVISED,
  async (trial) => {
    const config = { name: 'shop', processes: { a: sleeper } };
    const gsup = await trial.up(config, { name: null, brokenLogs: true });
    await until('it runs', () => gsup.find('sleep').length === 1);
    const second = await trial.up(config, { name: null, brokenLogs: true });
    expect((await second.ended()).code).toBe(75);
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(0);
  },
);

scenario('without Node it says what is missing, and ends with 69', SUPERVISED, async (trial) => {
  const settings = { env: { PATH: pathWithoutNode() }, brokenLogs: true } as const;
  const gsup = await trial.up({ processes: { a: sleeper } }, settings);
  expect((await gsup.ended()).code).toBe(69);
  expect(gsup.stderr.text()).toContain('cannot run Node.js');
});

scenario('a stop while the config is being read is a stop: nothing starts', SUPERVISED, async (trial) => {
  const node = join(trial.folder, 'node');
  writeFileSync(node, '#!/bin/sh\necho reading >&2\nexec sleep 60\n', { mode: 0o755 });
  const settings = { env: { GSUP_NODE: node }, brokenLogs: true } as const;
  const gsup = await trial.up({ processes: { a: sleeper } }, settings);
  await gsup.stderr.line(/^reading$/);
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(0);
});

scenario('a child has the limit of open files that gsup was given', SUPERVISED, async (trial) => {
  const file = join(trial.folder, 'limit');
  const config = { processes: { a: { command: `ulimit -n > ${file}` } } };
  const gsup = await trial.up(config, { before: ['/bin/sh', '-c', 'ulimit -Sn 300; exec "$0" "$@"'] });
  expect((await gsup.ended()).code).toBe(0);
  expect(readFileSync(file, 'utf8').trim()).toBe('300');
});

scenario('S27 what waits for its turn does not start once a stop has begun', SUPERVISED, async (trial) => {
  const gsup = await trial.up({
    processes: { a: { command: [fixture('cleans-up-for'), '300'] }, b: { ...sleeper, ...completed('a') } },
  });
  await gsup.ready();
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(0);
  expect(of(gsup, 'run-forked').map((line) => line.run)).toEqual(['a#1']);
});

scenario('only the processes that are named start, and what they depend on', SUPERVISED, async (trial) => {
  const config = { processes: { a: exits(0), b: { ...exits(0), ...completed('a') }, c: sleeper } };
  const gsup = await trial.start([], ['b'], { up: config });
  expect((await gsup.ended()).code).toBe(0);
  expect(of(gsup, 'run-forked').map((line) => line.run)).toEqual(['a#1', 'b#1']);
});

for (const deaf of [false, true])
  scenario(
    `S67 nothing survives of 500 processes of a config that ${deaf ? 'ignore TERM' : 'end on TERM'}`,
    { ...SUPERVISED, alone: true, timeoutMs: 240_000 },
    async (trial) => {
      const command = deaf ? [fixture('ignores-sigterm')] : [fixture('cleans-up-for'), '0'];
      const each = { command, logging: { driver: 'none' }, stop: { grace: deaf ? '1s' : '60s' } };
      const names = Array.from({ length: 500 }, (_, i) => `p${i}`);
      const gsup = await trial.up({ processes: Object.fromEntries(names.map((name) => [name, each])) });
      await until('all of them', () => of(gsup, 'run-started').length === names.length, 120_000);
      gsup.signal('SIGTERM');
      expect((await gsup.ended(120_000)).code).toBe(deaf ? 137 : 0);
      expect(of(gsup, 'outcome').map(({ outcome }) => outcome)).toEqual(names.map(() => 'killed'));
      expect(of(gsup, 'run-ended').every(({ forced }) => forced === deaf)).toBe(true);
      // To be busy is not to be stuck: one supervisor did it all.
      expect(of(gsup, 'supervisor-started').length).toBe(1);
    },
  );
