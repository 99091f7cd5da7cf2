// Hooks, rungs over HTTP and prolonged rungs of `gsup up`, with real processes.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect } from 'vitest';
import { fixture } from '../support/fixtures.ts';
import type { Line } from '../support/records.ts';
import { scenario } from '../support/scenario.ts';
import { expectWait } from '../support/story.ts';
import { firstOf, isBefore, outcomesOf, recordsOf } from '../support/up.ts';

const SUPERVISED = { modes: ['supervisor'] } as const;
const obedient = [fixture('cleans-up-for'), '0'];

scenario(
  'S23 up: a hook that hangs is ended at its time-out, and the stop goes on',
  SUPERVISED,
  async (trial) => {
    const stop = { pre_stop: `exec ${fixture('ignores-sigterm')} --name hook`, pre_stop_timeout: '1s' };
    const gsup = await trial.up({ processes: { web: { command: obedient, stop } } });
    await gsup.ready();
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(0);
    const [hook, signal] = recordsOf(gsup, 'rung').filter(({ run }) => run === 'web#1');
    expect([hook?.action, signal?.action]).toEqual(['exec', 'signal']);
    expect(isBefore({ ...(hook as Line), mono_ns: String(hook?.deadline_ns) }, signal as Line)).toBe(true);
    expect(outcomesOf(gsup).at(-1)).toBe('web#1 killed stopped 0');
  },
);

scenario('S23b up: no signal before the hook has succeeded, at its third try', SUPERVISED, async (trial) => {
  const tries = join(trial.folder, 'tries');
  const stop = {
    pre_stop: `echo >> ${tries}; test $(wc -l < ${tries}) = 3`,
    must_drain: true,
    retry: '300ms',
  };
  const gsup = await trial.up({ processes: { web: { command: obedient, stop } } });
  await gsup.ready();
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(0);
  expect(readFileSync(tries, 'utf8')).toBe('\n\n\n');
  const signal = recordsOf(gsup, 'rung').find(({ run, action }) => run === 'web#1' && action === 'signal');
  const hooks = recordsOf(gsup, 'run-ended').filter(({ run }) => String(run).startsWith('web#1/'));
  expect(hooks.map(({ code }) => code)).toEqual([1, 1, 0]);
  expect(isBefore(hooks[2] as Line, signal as Line)).toBe(true);
  expect(
    gsup.stderr
      .text()
      .split('\n')
      .filter((line) => line.includes('pre-stop')),
  ).toHaveLength(1);
});

scenario(
  'S24 up: a post-stop hook is told how it ended; its failure is a warning',
  SUPERVISED,
  async (trial) => {
    const file = join(trial.folder, 'after');
    const post_stop = `echo "$GSUP_RUN $GSUP_OUTCOME $GSUP_EXIT_CODE" > ${file}; exit 9`;
    const gsup = await trial.up({ processes: { web: { command: obedient, stop: { post_stop } } } });
    await gsup.ready();
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe('web#1 killed 0\n');
    expect(gsup.stderr.text()).toContain('post-stop');
  },
);

scenario('S62 up: a POST that fails goes to the next rung at once', SUPERVISED, async (trial) => {
  const server = createServer((_, answer) => void answer.writeHead(500).end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  trial.afterwards(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/drain`;
  const ladder = [
    { http_post: url, wait: '60s' },
    { signal: 'SIGTERM', wait: '10s' },
  ];
  const gsup = await trial.up({ processes: { web: { command: obedient, stop: { ladder } } } });
  await gsup.ready();
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(0);
  const [post, signal] = recordsOf(gsup, 'rung').filter(({ run }) => run === 'web#1');
  expect([post?.action, signal?.action]).toEqual(['http_post', 'signal']);
  expectWait(post as Line, signal as Line, 0, 20_000);
});

for (const k of [1, 2, 3])
  scenario(
    `S30 up: fails ${k - 1} times, then succeeds: ${k} runs, a second apart`,
    SUPERVISED,
    async (trial) => {
      const command = [fixture('fails-until'), join(trial.folder, 'runs'), String(k)];
      const policy = { max_failures: 5, restart: 'on-failure', min_duration: '1s' };
      const gsup = await trial.up({ processes: { job: { command, ...policy } } });
      expect((await gsup.ended()).code).toBe(0);
      const forks = recordsOf(gsup, 'run-forked');
      expect(forks).toHaveLength(k);
      for (const [at, fork] of forks.slice(1).entries()) expectWait(forks[at] as Line, fork, 1000, 20_000);
    },
  );

for (const signal of ['SIGKILL', 'SIGSEGV'] as const)
  scenario(`S38 up: ${signal} from outside is a failure with its own cause`, SUPERVISED, async (trial) => {
    const command = [fixture('dies-of-signal'), signal === 'SIGKILL' ? '9' : '11'];
    const gsup = await trial.up({
      processes: { web: { command, restart: 'on-failure', max_failures: 2, min_duration: '10ms' } },
    });
    expect((await gsup.ended()).code).toBe(signal === 'SIGKILL' ? 137 : 139);
    expect(outcomesOf(gsup)).toEqual(['web#1', 'web#2'].map((run) => `${run} failed signal ${signal}`));
  });

scenario(
  'S65 up: unhealthy after the start period and retries in a row: the ladder, and run again',
  SUPERVISED,
  async (trial) => {
    const well = join(trial.folder, 'well');
    const gsup = await trial.up({
      processes: {
        web: {
          command: `trap "touch ${well}; exit 0" TERM; while :; do sleep 0.05; done`,
          restart: 'on-failure',
          min_duration: '10ms',
          healthcheck: {
            exec: ['test', '-e', well],
            interval: '200ms',
            retries: 2,
            start_period: '2s',
            start_interval: '200ms',
          },
        },
      },
    });
    const asked = await gsup.record('stop-requested');
    expect(asked.cause).toBe('unhealthy');
    expect(BigInt(asked.mono_ns) - BigInt(firstOf(gsup, 'run-started', 'web#1').mono_ns)).toBeGreaterThan(
      2_000_000_000n,
    );
    await gsup.record('health-changed', ({ run, health }) => run === 'web#2' && health === 'healthy');
    expect(outcomesOf(gsup).filter((line) => line.startsWith('web#1 '))).toEqual(['web#1 failed health 0']);
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(0);
  },
);

scenario(
  'S69 up: the supervisor is killed while a hook runs: it runs once, and its result counts',
  SUPERVISED,
  async (trial) => {
    const [begun, go] = [join(trial.folder, 'begun'), join(trial.folder, 'go')];
    const pre_stop = `echo >> ${begun}; while ! test -e ${go}; do sleep 0.05; done`;
    const gsup = await trial.up({
      processes: { web: { command: obedient, stop: { pre_stop, pre_stop_timeout: '60s' } } },
    });
    await gsup.ready();
    gsup.signal('SIGTERM');
    await gsup.record('run-started', ({ run }) => String(run).startsWith('web#1/'));
    process.kill(await gsup.supervisor(), 'SIGKILL');
    await gsup.record(
      'supervisor-started',
      (line) =>
        line !== recordsOf(gsup, 'supervisor-started')[0] && recordsOf(gsup, 'supervisor-started').length > 1,
    );
    writeFileSync(go, '');
    expect((await gsup.ended()).code).toBe(0);
    expect(existsSync(begun) && readFileSync(begun, 'utf8')).toBe('\n');
    const hook = firstOf(gsup, 'run-ended', 'web#1/pre-stop.1');
    const signal = recordsOf(gsup, 'rung').find(({ run, action }) => run === 'web#1' && action === 'signal');
    expect([hook.code, isBefore(hook, signal as Line)]).toEqual([0, true]);
  },
);
