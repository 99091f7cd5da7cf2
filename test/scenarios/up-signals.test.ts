import { expect } from 'vitest';
import { fixture } from '../support/fixtures.ts';
import type { Gsup } from '../support/gsup.ts';
import { scenario } from '../support/scenario.ts';
import { until } from '../support/until.ts';
import { outcomesOf, recordsOf } from '../support/up.ts';

const SUPERVISED = { modes: ['supervisor'] } as const;
const SIGRTMIN_3 = 37;
const listener = (onSignal?: Record<string, string>) => ({
  command: [fixture('reports-signals')],
  ...(onSignal && { on_signal: onSignal }),
});
const heard = (gsup: Gsup): number => gsup.stdout.lines(/^got SIG/).length;

scenario(
  'on_signal: each process gets what it has asked for, and nothing else',
  SUPERVISED,
  async (trial) => {
    const gsup = await trial.up({
      processes: {
        web: listener({ SIGHUP: 'SIGHUP', SIGUSR1: 'drop', 'RTMIN+3': 'SIGUSR2' }),
        db: listener({ SIGHUP: 'SIGUSR1' }),
        other: listener(),
      },
    });
    await until('all', () => gsup.stdout.lines(/^ready$/).length === 3);
    for (const signal of ['SIGUSR1', 'SIGWINCH', 'SIGHUP'] as const) gsup.signal(signal);
    gsup.signal(SIGRTMIN_3);
    await until('three', () => heard(gsup) === 3);
    gsup.signal('SIGTERM');
    await gsup.ended();
    const sent = recordsOf(gsup, 'signal').filter(
      ({ run, signal }) => run !== undefined && signal !== 'SIGTERM',
    );
    expect(sent.map(({ run, signal, target }) => `${run} ${signal} ${target}`).sort()).toEqual([
      'db#1 SIGUSR1 group',
      'web#1 SIGHUP group',
      'web#1 SIGUSR2 group',
    ]);
    const received = recordsOf(gsup, 'signal').filter(({ run }) => run === undefined);
    // The kernel hands out what is pending by number, not by when it came.
    expect(received.map(({ signal }) => signal).sort()).toEqual([
      'SIGHUP',
      'SIGRTMIN+3',
      'SIGTERM',
      'SIGUSR1',
      'SIGWINCH',
    ]);
  },
);

scenario(
  'on_signal can end a process; that is no stop, and it runs again as it is told to',
  SUPERVISED,
  async (trial) => {
    const gsup = await trial.up({
      processes: {
        web: {
          ...listener({ SIGUSR2: 'SIGKILL' }),
          restart: 'on-failure',
          min_duration: '10ms',
          backoff: { initial: '10ms' },
        },
      },
    });
    await gsup.ready();
    gsup.signal('SIGUSR2');
    await until('the next run', () => gsup.stdout.lines(/^ready$/).length === 2);
    gsup.signal('SIGTERM');
    await gsup.ended();
    expect(outcomesOf(gsup)[0]).toBe('web#1 failed signal SIGKILL');
  },
);

scenario('on_signal works on when the supervisor is stopped', SUPERVISED, async (trial) => {
  const gsup = await trial.up({ processes: { web: listener({ SIGHUP: 'SIGHUP' }) } });
  await gsup.ready();
  const supervisor = await gsup.supervisor();
  process.kill(supervisor, 'SIGKILL');
  gsup.signal('SIGHUP');
  await until('it', () => heard(gsup) === 1);
  gsup.signal('SIGTERM');
  await gsup.ended();
});
