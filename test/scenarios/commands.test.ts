import { expect } from 'vitest';
import { gsupCommand } from '../support/cli.ts';
import { fixture } from '../support/fixtures.ts';
import { scenario } from '../support/scenario.ts';

/** Of a namespace nobody outside can say which task lives. */
const WHERE = { modes: ['supervisor'], rings: ['subreaper'] } as const;
const sleeper = { command: ['sleep', '600'] };
const success = (stdout: string) => ({ code: 0, stdout, stderr: '' });

scenario('start, stop and signal by name, and wait for what follows', WHERE, async (trial) => {
  const config = {
    exit_when: 'all',
    processes: {
      web: { ...sleeper, replicas: 2 },
      db: { command: [fixture('reports-signals')] },
      late: { ...sleeper, autostart: false },
    },
  };
  const gsup = await trial.up(config);
  await gsup.ready();
  expect(await gsupCommand(gsup, 'wait', '--for', 'ready')).toEqual(success('t: ready\n'));
  expect(await gsupCommand(gsup, 'stop', '--wait', 'web.1', 'late')).toEqual(
    success('stopping web.1\nlate is as asked already\nweb.1: killed, SIGTERM\nlate: waiting\n'),
  );
  expect(await gsupCommand(gsup, 'start', 'web', 'late', '--wait')).toEqual(
    success(
      'starting web.1, late\nweb.2 is as asked already\nweb.1: running\nweb.2: running\nlate: running\n',
    ),
  );
  expect(await gsupCommand(gsup, 'restart', 'web', '--wait')).toEqual(
    success('restarting web.1, web.2\nweb.1: running\nweb.2: running\n'),
  );
  await gsup.record('run-started', (line) => line.run === 'web.2#2');
  expect(await gsupCommand(gsup, 'signal', 'usr1', 'db')).toEqual(success('sent usr1 to db\n'));
  await gsup.stdout.line(/^got SIGUSR1/);
  const timedOut = await gsupCommand(gsup, 'wait', 'db', 'web', '--timeout', '50ms');
  expect(timedOut).toMatchObject({ code: 124, stdout: '' });
  expect(timedOut.stderr).toContain('"db, web.1, web.2" is not exited within the time given');
  const waiting = gsupCommand(gsup, 'wait', 'late', '--for', 'stopped');
  expect((await gsupCommand(gsup, 'stop', '-q', 'late')).stdout).toBe('');
  expect(await waiting).toEqual(success('late: killed, SIGTERM\n'));
  expect(await gsupCommand(gsup, 'down', '--wait')).toEqual(
    success('t is stopping\nt: killed, exit code 0\n'),
  );
  expect((await gsup.ended()).code).toBe(0);
});

scenario('what cannot be done says why, each with its exit code', WHERE, async (trial) => {
  const gsup = await trial.up({
    processes: { a: { command: [fixture('ignores-sigterm')], stop: { grace: '60s' } } },
  });
  await gsup.ready();
  const fails = async (code: number, words: string[], sentence: RegExp) => {
    const said = await gsupCommand(gsup, ...words);
    expect([said.code, said.stdout], words.join(' ')).toEqual([code, '']);
    expect(said.stderr).toMatch(sentence);
  };
  await fails(64, ['stop', 'b'], /cannot stop "b": there is no process "b"; there is a/);
  await fails(64, ['stop'], /cannot stop nothing: name a process/);
  await fails(64, ['signal', 'FOO', 'a'], /"FOO" is no signal/);
  await fails(64, ['signal', 'HUP'], /cannot send HUP nothing/);
  await fails(64, ['scale', 'a'], /a process and a number are needed/);
  await fails(64, ['wait', 'b'], /cannot wait for "b": there is no such process/);
  await fails(64, ['wait', '--for', 'x'], /ready, exited or stopped is needed, got "x"/);
  await fails(64, ['wait', '--timeout', '5'], /a duration like/);
  await fails(64, ['stop', '--now', 'a'], /there is no such option/);
  await fails(69, ['--name', 'other', 'stop', 'a'], /cannot find a task "other"/);
  expect(await gsupCommand(gsup, 'shutdown')).toEqual(success('t is stopping\n'));
  await fails(69, ['start', 'a'], /the task is being stopped/);
  expect(await gsupCommand(gsup, 'shutdown', '--now')).toMatchObject({ code: 0 });
  expect((await gsup.ended()).code).toBe(137);
  await fails(69, ['stop', 'a'], /none is running; gsup status tells how the last one ended/);
});

scenario(
  'a plain run without Node.js has nobody to ask, and wait waits all the same',
  { rings: ['subreaper'], modes: ['order'] },
  async (trial) => {
    const gsup = await trial.start([], [fixture('cleans-up-for'), '6000', '--code', '3'], { mayVisit: true });
    await gsup.ready();
    const asked = await gsupCommand(gsup, 'stop', 't');
    expect(asked).toMatchObject({ code: 69, stdout: '' });
    expect(asked.stderr).toContain(
      'this task runs without a supervisor, and none can be started: Node.js, which it needs, cannot be run',
    );
    expect((await gsupCommand(gsup, 'status')).stdout).toContain('running');
    const waiting = gsupCommand(gsup, 'wait');
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(3);
    expect(await waiting).toMatchObject({ code: 0, stdout: 't: killed, exit code 3\n' });
  },
);
