import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { expect } from 'vitest';
import { fixture } from '../support/fixtures.ts';
import type { Gsup } from '../support/gsup.ts';
import { type Line, msBetween } from '../support/records.ts';
import { scenario, type Trial } from '../support/scenario.ts';
import { firstOf, isBefore, outcomesOf, recordsOf } from '../support/up.ts';

const SUPERVISED = { modes: ['supervisor'] } as const;
const notifies = (...words: (string | number)[]) => [fixture('notifies'), ...words.map(String)];
const EXTEND_20S = 'EXTEND_TIMEOUT_USEC=20000000';

function askedOf(gsup: Gsup, run: string): Line {
  return recordsOf(gsup, 'stop-requested').find((line) => line.run === run || line.run === undefined) as Line;
}

for (const [how, ready, command] of [
  ['sd_notify', { notify: true }, notifies(300, 'READY=1')],
  ['a newline on a descriptor', { fd: 3 }, ['sh', '-c', 'sleep 0.3; echo >&3; exec sleep 60']],
] as const)
  scenario(`S40 up: ready by ${how}, and the dependent starts then`, SUPERVISED, async (trial) => {
    const gsup = await trial.up({
      main: 'web',
      processes: { db: { command, ready }, web: { command: ['true'], depends_on: ['db'] } },
    });
    expect((await gsup.ended()).code).toBe(0);
    expect(isBefore(firstOf(gsup, 'run-ready', 'db#1'), firstOf(gsup, 'run-forked', 'web#1'))).toBe(true);
    expect(
      msBetween(firstOf(gsup, 'run-started', 'db#1'), firstOf(gsup, 'run-ready', 'db#1')),
    ).toBeGreaterThan(250);
  });

async function listening(trial: Trial, server: Server, port = 0): Promise<number> {
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  trial.afterwards(() => void server.close());
  return (server.address() as AddressInfo).port;
}

const dependent = (ready: unknown) => ({
  main: 'web',
  processes: {
    db: { command: [fixture('prints-ready')], ready },
    web: { command: ['true'], depends_on: ['db'] },
  },
});

scenario('S40 up: ready by a connection, after one that was refused', SUPERVISED, async (trial) => {
  // A port that is free now, and this test's own later: nobody else is given it meanwhile.
  const reserved = createTcpServer();
  const port = await listening(trial, reserved);
  await new Promise((resolve) => reserved.close(resolve));
  const gsup = await trial.up(dependent({ tcp: port }));
  await gsup.ready();
  expect(recordsOf(gsup, 'run-ready')).toEqual([]);
  await listening(
    trial,
    createTcpServer((socket) => socket.destroy()),
    port,
  );
  expect((await gsup.ended()).code).toBe(0);
  expect(isBefore(firstOf(gsup, 'run-ready', 'db#1'), firstOf(gsup, 'run-forked', 'web#1'))).toBe(true);
});

scenario('S40 up: ready when a URL is answered well', SUPERVISED, async (trial) => {
  let asked = 0;
  const server = createServer((_, answer) => {
    asked++;
    answer.writeHead(asked < 3 ? 503 : 204).end();
  });
  const port = await listening(trial, server);
  const gsup = await trial.up(dependent({ http: `http://127.0.0.1:${port}/ready` }));
  expect((await gsup.ended()).code).toBe(0);
  expect(asked).toBeGreaterThanOrEqual(3);
  expect(isBefore(firstOf(gsup, 'run-ready', 'db#1'), firstOf(gsup, 'run-forked', 'web#1'))).toBe(true);
});

scenario('S28 up: a start that asks for more time has it, and becomes ready', SUPERVISED, async (trial) => {
  const command = notifies(100, EXTEND_20S, 3000, 'READY=1');
  const gsup = await trial.up({
    main: 'web',
    processes: {
      db: { command, ready: { notify: true, timeout: '1s' } },
      web: { command: ['true'], depends_on: ['db'] },
    },
  });
  expect((await gsup.ended()).code).toBe(0);
  expect(outcomesOf(gsup)).toContain('web#1 success exit 0');
});

scenario('S28 up: one that is not ready by then has failed, no earlier', SUPERVISED, async (trial) => {
  // What it says of itself later is no reason to wait: only asking for more is.
  const command = notifies(100, 'EXTEND_TIMEOUT_USEC=3000000', 1000, 'STATUS=still at it', 60_000);
  const gsup = await trial.up({ processes: { db: { command, ready: { notify: true, timeout: '500ms' } } } });
  await gsup.ended();
  expect(outcomesOf(gsup)).toEqual([expect.stringMatching(/^db#1 failed not-ready /)]);
  const waited = msBetween(firstOf(gsup, 'run-started', 'db#1'), askedOf(gsup, 'db#1'));
  expect(waited).toBeGreaterThan(3000);
});

scenario('S28 up: a stop that asks for more time has it', SUPERVISED, async (trial) => {
  const command = notifies('--on-term', 200, EXTEND_20S, 3000);
  const gsup = await trial.up({ processes: { db: { command, stop: { grace: '1s' } } } });
  await gsup.ready();
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(0);
  expect(firstOf(gsup, 'run-ended', 'db#1')).toMatchObject({ code: 0, forced: false });
});

scenario('S28 up: and no more than the stop budget', SUPERVISED, async (trial) => {
  const command = notifies('--on-term', 200, 'EXTEND_TIMEOUT_USEC=60000000', 'ignore');
  const gsup = await trial.up({ stop_budget: '4s', processes: { db: { command, stop: { grace: '1s' } } } });
  await gsup.ready();
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(137);
  const took = msBetween(askedOf(gsup, 'db#1'), firstOf(gsup, 'run-ended', 'db#1'));
  expect(took).toBeGreaterThan(2000);
  expect(took).toBeLessThan(30_000);
});

scenario('up: a watchdog that is not fed is a failure, and the next run comes', SUPERVISED, async (trial) => {
  const fed = [300, 'WATCHDOG=1', 300, 'WATCHDOG=1', 300, 'WATCHDOG=1'];
  const gsup = await trial.up({
    processes: {
      app: {
        command: notifies('READY=1', ...fed),
        healthcheck: { watchdog: '800ms' },
        restart: 'on-failure',
        max_failures: 2,
        min_duration: '10ms',
        backoff: { initial: '10ms' },
      },
    },
  });
  await gsup.ended();
  expect(outcomesOf(gsup).map((line) => line.split(' ').slice(0, 3).join(' '))).toEqual([
    'app#1 failed health',
    'app#2 failed health',
  ]);
  const lived = msBetween(firstOf(gsup, 'run-started', 'app#1'), askedOf(gsup, 'app#1'));
  expect(lived, 'it was fed that long').toBeGreaterThan(1500);
});

scenario(
  'S23b up: it ends by itself while its hook fails: the waiting ends, and nobody was signalled',
  SUPERVISED,
  async (trial) => {
    const gsup = await trial.up({
      processes: {
        app: {
          command: [fixture('reports-signals'), '--exit-on', 'SIGUSR2', '--code', '0'],
          on_signal: { SIGUSR2: 'SIGUSR2' },
          stop: { must_drain: true, pre_stop: 'exit 1', retry: '200ms' },
        },
      },
    });
    await gsup.ready();
    gsup.signal('SIGTERM');
    await gsup.record('hook', ({ state, hook }) => state === 'ended' && hook === 'app#1/pre-stop.2');
    gsup.signal('SIGUSR2');
    expect((await gsup.ended()).code).toBe(0);
    const got = gsup.stdout.lines(/^got (SIG\w+)/).map(([, signal]) => signal);
    expect(got.filter((signal) => signal !== 'SIGCONT')).toEqual(['SIGUSR2']);
    expect(outcomesOf(gsup)).toEqual(['app#1 killed stopped 0']);
  },
);
