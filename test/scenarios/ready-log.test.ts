// Readiness by a line of output, with the real pump and real supervisors. Its rules: test/health.
import { expect } from 'vitest';
import { readIfThere } from '../support/read.ts';
import type { Line } from '../support/records.ts';
import { scenario } from '../support/scenario.ts';
import { until } from '../support/until.ts';

const SUPERVISED = { modes: ['supervisor'] } as const;
const captured = { logging: { driver: 'prefix' } };
const isBefore = (one: Line, other: Line): boolean => BigInt(one.mono_ns) < BigInt(other.mono_ns);

scenario('S40 ready by a line of its output, and not before', SUPERVISED, async (trial) => {
  const gsup = await trial.up({
    processes: {
      db: {
        command: 'echo starting; sleep 0.3; echo "db[7]: ready to accept connections" >&2; sleep 60',
        ready: { log: 'ready to accept connections$' },
        ...captured,
      },
      web: { command: ['sleep', '60'], depends_on: ['db'] },
    },
  });
  await gsup.record('run-started', ({ run }) => run === 'web#1');
  const ready = await gsup.record('run-ready', ({ run }) => run === 'db#1');
  await gsup.stderr.line(/ready to accept/);
  const forked = await gsup.record('run-forked', ({ run }) => run === 'web#1');
  expect(isBefore(ready, forked)).toBe(true);
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(0);
});

scenario(
  'S40 S42 the line is written while no supervisor is there, and 2 MB behind it: it is found',
  SUPERVISED,
  async (trial) => {
    const flood = 'echo now ready; head -c 2000000 /dev/zero | tr "\\0" x | fold -w 100; echo; echo flooded';
    const gsup = await trial.up({
      processes: {
        db: {
          command: `trap '${flood}' USR1; echo waiting; while :; do sleep 1 & wait $!; done`,
          ready: { log: '^now ready$' },
          ...captured,
        },
      },
    });
    await gsup.stdout.line(/^db \| waiting$/);
    await gsup.record('run-started');
    const supervisor = await gsup.supervisor();
    const shell = gsup
      .tree()
      .find((pid) => readIfThere(`/proc/${pid}/cmdline`).startsWith('/bin/sh\0')) as number;
    process.kill(supervisor, 'SIGKILL');
    process.kill(shell, 'SIGUSR1');
    await gsup.record('run-ready');
    const restarted = gsup.records().filter(({ type }) => type === 'supervisor-started')[1] as Line;
    expect(isBefore(restarted, await gsup.record('run-ready'))).toBe(true);
    await until('the flood', () => gsup.stdout.text().includes('flooded'), 30_000);
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(0);
  },
);

scenario('S40 a line that an earlier gsup has kept is none of this run', SUPERVISED, async (trial) => {
  const config = (command: string) => ({
    processes: {
      db: { command, ready: { log: '^ready$', timeout: '1s' }, stop: { grace: '1s' }, ...captured },
    },
  });
  const first = await trial.up(config('echo ready; sleep 60'));
  await first.record('run-ready');
  first.signal('SIGTERM');
  await first.ended();
  const second = await trial.up(config('sleep 60'));
  expect((await second.ended()).code).not.toBe(0);
  expect(second.records().some(({ type }) => type === 'run-ready')).toBe(false);
  expect((await second.record('stop-requested')).cause).toBe('not-ready');
});
