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

scenario(
  'S60 history tells the story of a task that has ended, with and without supervisor',
  {},
  async (trial) => {
    const run = await trial.start(['-g', '200ms'], [fixture('ignores-sigterm')]);
    await run.ready();
    run.signal('SIGTERM');
    await run.ended();
    const told = gsup('history', '--state-dir', join(run.folder, '..'), '--name', 't');
    expect(told.status, told.stderr).toBe(0);
    const lines = told.stdout
      .split('\n')
      .map((line) => line.replace(/^\S+ +\+\S+ +/, '').replace(/\d+(\.\d+)?(ms|s)?/g, 'N'));
    expect(lines[0]).toBe('t: killed, exit code N');
    expect(lines.slice(4).filter((line) => line !== '')).toEqual([
      expect.stringMatching(/^began: gsup /),
      't#N  started, pid N',
      expect.stringMatching(/^stop: SIGTERM from (outside|pid N)/),
      't#N  SIGTERM to the group (pid N), waits at most N',
      expect.stringMatching(/^t#N {2}SIGKILL after N of N: pid N/),
      expect.stringMatching(
        /^t#N {2}ended by SIGKILL: died of SIGKILL after N, N after its stop began; CPU N, memory at most N kB$/,
      ),
      'ended: killed, exit code N',
    ]);
  },
);

scenario('S41 status tells what a stop waits for, and in the end what history tells', {}, async (trial) => {
  const run = await trial.start(
    ['-g', '30s'],
    [fixture('reports-signals'), '--exit-on', 'SIGUSR2', '--code', '4'],
  );
  await run.ready();
  const named = ['--json', '--state-dir', join(run.folder, '..'), '--name', 't'];
  const tell = (command: string) => {
    const told = gsup(command, ...named);
    expect(told.status, told.stderr).toBe(0);
    return JSON.parse(told.stdout);
  };
  // From another pid namespace nobody can tell whether this gsup lives.
  const isNear = trial.ring === 'subreaper';
  if (isNear)
    expect(tell('status')).toMatchObject({
      task: { name: 't', state: 'active', exit_code: null },
      processes: [
        {
          name: 't',
          run: 't#1',
          want: 'up',
          state: 'running',
          pid: run.find('reports-signals')[0],
          stop: null,
        },
      ],
    });
  run.signal('SIGTERM');
  await run.record('rung');
  if (isNear)
    expect(tell('status').processes[0]).toMatchObject({
      want: 'down',
      state: 'stopping',
      stop: {
        rung: 0,
        signal: 'SIGTERM',
        waiting_for: [{ pid: run.find('reports-signals')[0], name: 'reports-signals' }],
      },
    });
  run.signal('SIGUSR2');
  expect((await run.ended()).code).toBe(4);
  const [status, history] = [tell('status'), tell('history')];
  expect(status.processes[0]).toMatchObject({
    state: 'killed',
    last: { run: 't#1', code: 4, signal: null, forced: false },
  });
  expect(status.task).toMatchObject({
    state: history.task.state,
    exit_code: history.task.exit_code,
    name: history.task.name,
  });
  expect(status.task.stop.requested_at).toBe(history.task.stop.at);
});
