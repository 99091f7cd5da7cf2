// `gsup run --ready` and `--health`, with real sockets, hooks and output.
import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { expect } from 'vitest';
import { fixture } from '../support/fixtures.ts';
import type { Gsup } from '../support/gsup.ts';
import { scenario, type Trial } from '../support/scenario.ts';
import { theOne } from '../support/story.ts';
import { until } from '../support/until.ts';
import { firstOf, isBefore, outcomesOf, recordsOf } from '../support/up.ts';

const SUPERVISED = { modes: ['supervisor'] } as const;

async function listening(trial: Trial, server: Server | ReturnType<typeof createTcpServer>): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  trial.afterwards(() => void server.close());
  return (server.address() as AddressInfo).port;
}

async function endsWith0(gsup: Gsup): Promise<void> {
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(0);
}

const quiet = [fixture('cleans-up-for'), '0'];

for (const [title, spec, script] of [
  ['a newline on a descriptor', 'fd:3', 'echo up >&3'],
  ['a command that succeeds', 'exec:test -e up', 'touch up'],
] as const)
  scenario(`S40 run: ready by ${title}, and not before`, SUPERVISED, async (trial) => {
    const command = `trap 'exit 0' TERM; echo began; while ! test -e go; do sleep 0.05; done; ${script}; while :; do sleep 0.05; done`;
    const gsup = await trial.start(['--ready', spec], ['sh', '-c', command]);
    await gsup.stdout.line(/^began$/);
    expect(recordsOf(gsup, 'run-ready')).toEqual([]);
    writeFileSync(join(trial.folder, 'go'), '');
    await gsup.record('run-ready', ({ run }) => run === 't#1');
    await endsWith0(gsup);
  });

scenario('S40 run: ready by a connection, after one that was refused', SUPERVISED, async (trial) => {
  // A port that is free now, and this test's own later: nobody else is given it meanwhile.
  const reserved = createTcpServer();
  const port = await listening(trial, reserved);
  await new Promise((resolve) => reserved.close(resolve));
  const gsup = await trial.start(['--ready', `tcp:${port}`], quiet);
  await gsup.ready();
  expect(recordsOf(gsup, 'run-ready')).toEqual([]);
  const server = createTcpServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  trial.afterwards(() => void server.close());
  await gsup.record('run-ready');
  await endsWith0(gsup);
});

scenario('S40 run: ready when a URL is answered well', SUPERVISED, async (trial) => {
  let asked = 0;
  const server = createServer((_, answer) => {
    asked++;
    answer.writeHead(asked < 3 ? 503 : 204).end();
  });
  const port = await listening(trial, server);
  const gsup = await trial.start(['--ready', `http://127.0.0.1:${port}/ready`], quiet);
  await gsup.record('run-ready');
  expect(asked).toBeGreaterThanOrEqual(3);
  await endsWith0(gsup);
});

scenario('S40 run: ready by a line of its output', SUPERVISED, async (trial) => {
  const options = ['--log', 'prefix', '--ready', 'log:^listening on [0-9]{1,5}$,timeout=forever'];
  const command = 'echo starting; echo listening on 80 >&2; exec sleep 60';
  const gsup = await trial.start(options, ['sh', '-c', command]);
  await gsup.record('run-ready');
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(143);
});

scenario('S40 run: not ready in time is a failure, and is not run again', SUPERVISED, async (trial) => {
  const gsup = await trial.start(['--ready', 'exec:false,timeout=1s'], quiet);
  const ended = await gsup.ended();
  expect(theOne(gsup.records(), 'stop-requested').cause).toBe('not-ready');
  expect(recordsOf(gsup, 'run-ready')).toEqual([]);
  expect(outcomesOf(gsup).filter((line) => line.startsWith('t#1 '))[0]).toMatch(/^t#1 failed /);
  expect(ended.code).toBe(0);
});

scenario(
  'S65 run: failures in the start period do not count, then as many in a row stop it, and it runs again',
  { ...SUPERVISED, timeoutMs: 180_000 },
  async (trial) => {
    // Ill from the start until the first of them has been stopped.
    const health = 'exec:test -e well,interval=200ms,retries=2,start_period=2s,start_interval=200ms';
    const restart = ['--restart', 'on-failure', '--min-duration', '10ms'];
    const command = 'trap "touch well; exit 0" TERM; echo ready; while :; do sleep 0.05; done';
    const gsup = await trial.start([...restart, '--health', health], ['sh', '-c', command]);
    const asked = await gsup.record('stop-requested');
    expect(asked.cause).toBe('unhealthy');
    const began = firstOf(gsup, 'run-started', 't#1');
    expect(BigInt(asked.mono_ns) - BigInt(began.mono_ns)).toBeGreaterThan(2_000_000_000n);
    await gsup.record('health-changed', ({ run, health: is }) => run === 't#2' && is === 'healthy');
    expect(isBefore(firstOf(gsup, 'rung', 't#1'), firstOf(gsup, 'run-ended', 't#1'))).toBe(true);
    expect(outcomesOf(gsup).filter((line) => line.startsWith('t#1 '))).toEqual(['t#1 failed health 0']);
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(0);
  },
);

scenario('S65 run: health over TCP and HTTP; ignore changes nothing', SUPERVISED, async (trial) => {
  let status = 200;
  const port = await listening(
    trial,
    createServer((_, answer) => void answer.writeHead(status).end()),
  );
  const health = `http:http://127.0.0.1:${port}/,interval=100ms,retries=1,on_unhealthy=ignore`;
  const gsup = await trial.start(['--ready', `tcp:127.0.0.1:${port}`, '--health', health], quiet);
  await gsup.record('health-changed', (line) => line.health === 'healthy');
  status = 500;
  await gsup.record('health-changed', (line) => line.health === 'unhealthy');
  status = 200;
  await until('healthy again', () => recordsOf(gsup, 'health-changed').length === 3);
  await endsWith0(gsup);
  expect(recordsOf(gsup, 'run-forked').filter(({ run }) => run === 't#2')).toEqual([]);
});

scenario('a pattern that is none is refused before anything starts', SUPERVISED, async (trial) => {
  const gsup = await trial.start(['--log', 'json', '--ready', 'log:('], quiet, { brokenLogs: true });
  expect((await gsup.ended()).code).toBe(64);
  expect(gsup.stderr.text()).toContain('a regular expression is needed');
  expect(recordsOf(gsup, 'run-started')).toEqual([]);
});
