import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'vitest';
import { fixture } from '../support/fixtures.ts';
import { BINARY } from '../support/gsup.ts';
import { look } from '../support/processes.ts';
import { readLog } from '../support/records.ts';
import { scenario } from '../support/scenario.ts';
import { theOne, types } from '../support/story.ts';

function gsup(...words: string[]) {
  return spawnSync(BINARY, words, { encoding: 'utf8', timeout: 20_000 });
}

scenario('S41 the logs alone tell what happened: verified, and dumped as they are', {}, async (trial) => {
  const run = await trial.start(['-g', '200ms'], [fixture('ignores-sigterm')]);
  await run.ready();
  run.signal('SIGTERM');
  expect((await run.ended()).code).toBe(137);
  for (const file of trial.mode === 'order' ? ['init.log'] : ['init.log', 'checkpoint.log'])
    expect(gsup('checkpoint', 'verify', join(run.folder, file)).status, file).toBe(0);
  const dumped = gsup('checkpoint', 'dump', '--state-dir', join(run.folder, '..'), '--name', 't');
  expect(dumped.status, dumped.stderr).toBe(0);
  for (const record of run.records()) expect(dumped.stdout).toContain(record.type);
});

scenario('S41 a plain run is told by init alone', { modes: ['order'] }, async (trial) => {
  const run = await trial.start(['-g', '200ms'], [fixture('ignores-sigterm')]);
  await run.ready();
  const leader = look(run.find('ignores-sigterm')[0] ?? 0);
  run.signal('SIGTERM');
  await run.ended();
  const records = readLog(run.folder, 'init.log');
  const story = types(records).filter((type) => type !== 'signal');
  const expected = [
    'task',
    'run-started',
    'stop-requested',
    'rung',
    'kill',
    'leader-exited',
    'run-ended',
    'task-state',
  ];
  expect(story.filter((type) => expected.includes(type))).toEqual(expect.arrayContaining(expected));
  expect(story[0]).toBe('task');
  expect(story.at(-1)).toBe('task-state');
  expect(theOne(records, 'task')).toHaveProperty('boot_id');
  expect(leader?.session).toBe(leader?.pid);
  const rung = theOne(records, 'rung');
  expect(rung).toMatchObject({
    index: 0,
    action: 'signal',
    signal: 'SIGTERM',
    target: 'group',
    wait_ms: 200,
  });
  expect(BigInt(rung.deadline_ns as string)).toBeGreaterThan(BigInt(rung.mono_ns));
  expect(records.at(-1)).toMatchObject({ state: 'killed', exit_code: 137 });
});

scenario('S41 a run is told by the same records whoever decides', {}, async (trial) => {
  const run = await trial.start(['-g', '10s'], [fixture('cleans-up-for'), '50', '--code', '3']);
  await run.ready();
  run.signal('SIGTERM');
  expect((await run.ended()).code).toBe(3);
  const story = types(run.records());
  const expected = ['run-started', 'stop-requested', 'rung', 'leader-exited', 'run-ended'];
  expect(story.filter((type) => expected.includes(type))).toEqual(expected);
  expect(theOne(run.records(), 'run-ended')).toMatchObject({
    run: 't#1',
    code: 3,
    signal: null,
    forced: false,
  });
});
