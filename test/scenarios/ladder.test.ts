import { spawnSync } from 'node:child_process';
import { expect } from 'vitest';
import { fixture } from '../support/fixtures.ts';
import { BINARY } from '../support/gsup.ts';
import { moment } from '../support/output.ts';
import { type Line, msBetween } from '../support/records.ts';
import { LATE_MS, scenario } from '../support/scenario.ts';
import {
  beginOf,
  expectGraceful,
  expectKilledAfter,
  expectWait,
  expectWithin,
  rungsOf,
  theOne,
  types,
} from '../support/story.ts';
import { pause } from '../support/until.ts';

/** Ends with code 3 as soon as its standard input gives a line; says so when TERM comes first. */
const ENDS_WHEN_TOLD =
  "trap 'echo got SIGTERM; exit 9' TERM; echo ready; while ! read line; do :; done; exit 3";

scenario('S19 a job that ends while it is held never sees a signal', {}, async (trial) => {
  const gsup = await trial.start(['--hold', '20s'], ['sh', '-c', ENDS_WHEN_TOLD], { stdin: 'pipe' });
  await gsup.ready();
  gsup.signal('SIGTERM');
  await gsup.record('stop-requested');
  await pause(300);
  gsup.stdin?.write('end\n');
  expect((await gsup.ended()).code).toBe(3);
  expect(gsup.stdout.text()).not.toContain('got SIGTERM');
  expectGraceful(gsup);
});

scenario('S19 one that does not end gets its signal when the hold is over', {}, async (trial) => {
  const gsup = await trial.start(['--hold', '2s', '-g', '10s'], [fixture('reports-signals')]);
  await gsup.ready();
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(0);
  expectWait(beginOf(gsup.records()), moment(await gsup.stdout.line(/^got SIGTERM/)), 2000);
  const rungs = rungsOf(gsup.records());
  expect(rungs.map((rung) => rung.action)).toEqual(['wait', 'signal']);
});

scenario('S20 a ladder longer than the budget is cut, and ends in time', {}, async (trial) => {
  const long = ['--rung', 'USR1:10s', '--rung', 'TERM:10s', '--stop-budget', '2s'];
  const gsup = await trial.start(long, [fixture('reports-signals'), '--exit-on', 'none']);
  await gsup.ready();
  gsup.signal('SIGTERM');
  const ended = await gsup.ended();
  expect(ended.code).toBe(137);
  const records = gsup.records();
  const begin = beginOf(records);
  expectWithin(begin, { mono_ns: ended.at }, 2000 + LATE_MS);
  // 200 ms are kept for killing; the rest is shared by waits of 10 and 10 s.
  const rungs = rungsOf(records);
  expect(rungs.map((rung) => rung.signal)).toEqual(['SIGUSR1', 'SIGTERM']);
  for (const rung of rungs) expect(Number(rung.cut_ms)).toBeGreaterThan(8000);
  expectWait(begin, theOne(records, 'kill'), 1800);
  // Half of what was left when it was decided, which is after the stop was asked for and before the record.
  const left = 1800 - msBetween(begin, rungs[0] as Line);
  expect(Number(rungs[0]?.wait_ms)).toBeGreaterThanOrEqual(left / 2 - 2);
  expect(Number(rungs[0]?.wait_ms)).toBeLessThanOrEqual(902);
  expectWait({ mono_ns: rungs[0]?.deadline_ns as string }, rungs[1] as Line, 0);
  expect(types(records).at(-1)).toMatch(/^(task-state|run-ended|outcome)$/);
});

scenario('S20 a ladder within its budget is not cut', {}, async (trial) => {
  const gsup = await trial.start(['-g', '1s', '--stop-budget', '20s'], [fixture('ignores-sigterm')]);
  await gsup.ready();
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(137);
  expect(Number(theOne(gsup.records(), 'rung').cut_ms ?? 0)).toBe(0);
  expectKilledAfter(gsup, 1000);
});

scenario('S20 check warns of it', { rings: ['subreaper'], modes: ['supervisor'] }, async () => {
  const options = ['--rung', 'USR1:10s', '--rung', 'TERM:10s', '--stop-budget', '2s'];
  const checked = spawnSync(BINARY, ['check', 'run', ...options, '--', 'true'], { encoding: 'utf8' });
  expect(checked.stdout + checked.stderr).toMatch(/budget/);
});

scenario('S19 every rung gets its own signal and its own wait', {}, async (trial) => {
  const ladder = ['--rung', 'USR1:300ms', '--rung', 'INT:400ms', '--rung', 'TERM:500ms'];
  const gsup = await trial.start(ladder, [fixture('reports-signals'), '--exit-on', 'none']);
  await gsup.ready();
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(137);
  for (const name of ['SIGUSR1', 'SIGINT', 'SIGTERM'])
    expect(gsup.stdout.lines(new RegExp(`^got ${name} `)), name).toHaveLength(1);
  const rungs = rungsOf(gsup.records());
  const kill = theOne(gsup.records(), 'kill');
  let from = beginOf(gsup.records());
  for (const [index, wait] of [300, 400, 500].entries()) {
    const rung = rungs[index] as Line;
    expect(rung.wait_ms).toBe(wait);
    // Each wait counts from the end of the one before, and nothing comes before a deadline.
    const next = rungs[index + 1] ?? kill;
    expectWait(from, next, wait);
    from = { ...next, mono_ns: rung.deadline_ns as string };
    expectWait(from, next, 0);
  }
  expect(rungs.map((rung) => rung.index)).toEqual([0, 1, 2]);
});

scenario('S19 a rung on which the tree ends is the last one', {}, async (trial) => {
  const ladder = ['--rung', 'USR1:10s', '--rung', 'TERM:10s'];
  const gsup = await trial.start(ladder, [fixture('reports-signals'), '--exit-on', 'SIGUSR1', '--code', '2']);
  await gsup.ready();
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(2);
  theOne(gsup.records(), 'rung');
  expect(gsup.stdout.text()).not.toContain('SIGTERM');
});
