import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect } from 'vitest';
import { CONNECTIONS_MAX } from '../../src/control/limits.ts';
import { ask, freePort, type Reply, sendRaw, socketOf } from '../support/control.ts';
import type { Gsup } from '../support/gsup.ts';
import { scenario, type Trial } from '../support/scenario.ts';
import { until, untilAsync } from '../support/until.ts';

const WHERE = { modes: ['supervisor'], rings: ['subreaper'], timeoutMs: 240_000 } as const;
const TOKEN = 'correct.horse-battery_staple~0123456789';
const sleeper = { command: ['sleep', '600'] };

interface Served {
  readonly gsup: Gsup;
  readonly port: number;
  readonly tokenFile: string;
  readonly open: { readonly port: number };
  /** With the token. */
  readonly own: { readonly port: number; readonly headers: Readonly<Record<string, string>> };
}

function tokenIn(trial: Trial, text = TOKEN): string {
  const path = join(trial.folder, 'token');
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

function bearer(port: number, token: string) {
  return { port, headers: { authorization: `Bearer ${token}` } };
}

async function serve(trial: Trial): Promise<Served> {
  const port = await freePort();
  const tokenFile = tokenIn(trial);
  const options = ['--http', `127.0.0.1:${port}`, '--token-file', tokenFile];
  const gsup = await trial.up({ processes: { a: sleeper } }, {}, options);
  await gsup.record('run-started');
  return { gsup, port, tokenFile, open: { port }, own: bearer(port, TOKEN) };
}

async function endWell(gsup: Gsup): Promise<void> {
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(0);
}

scenario(
  'S61 over TCP probes and metrics are for everybody, and nothing else is without the token',
  WHERE,
  async (trial) => {
    const { gsup, open, own, port } = await serve(trial);
    for (const path of ['/livez', '/healthz', '/readyz', '/metrics'])
      expect((await ask(open, 'GET', path)).status, path).toBe(200);
    const closed = [
      ['GET', '/v1/status'],
      ['GET', '/v1/processes/a'],
      ['GET', '/v1/events'],
      ['GET', '/v1/logs/a'],
      ['GET', '/v1/openapi.json'],
      ['GET', '/nothing'],
      ['POST', '/livez'],
      ['OPTIONS', '/v1/shutdown'],
      ...['start', 'stop', 'restart', 'drain', 'signal'].map((op) => ['POST', `/v1/processes/a/${op}`]),
      ...['shutdown', 'drain', 'scale', 'reload', 'upgrade'].map((op) => ['POST', `/v1/${op}`]),
    ] as const;
    for (const [method = '', path = ''] of closed)
      for (const from of [open, bearer(port, `${TOKEN}x`), bearer(port, '')]) {
        const { status, json, headers } = await ask(from, method, path);
        expect([status, json.code], `${method} ${path}`).toEqual([401, 'unauthorized']);
        expect(headers['www-authenticate']).toContain('Bearer');
        expect(headers['access-control-allow-origin']).toBeUndefined();
      }
    // A body of whatever size: the answer gets through, and nothing has happened.
    const large = await ask(open, 'POST', '/v1/shutdown', 'x'.repeat(200_000));
    expect(large.status).toBe(401);
    expect((await ask({ port, headers: { host: 'evil.example' } }, 'GET', '/metrics')).json.code).toBe(
      'foreign-name',
    );
    const { status, json } = await ask(own, 'GET', '/v1/status');
    expect([status, json.processes[0].run, json.processes[0].state]).toEqual([200, 'a#1', 'running']);
    expect(gsup.records().filter(({ type }) => type === 'stop-requested')).toEqual([]);
    expect((await ask(own, 'POST', '/v1/processes/a/stop')).json.processes).toEqual(['a']);
    await gsup.record('outcome');
    await endWell(gsup);
  },
);

scenario('S61 run over TCP; a supervisor that takes over listens again', WHERE, async (trial) => {
  const port = await freePort();
  const options = ['--http', `localhost:${port}`, '--token-file', tokenIn(trial)];
  const gsup = await trial.start(options, ['sleep', '600']);
  const first = await gsup.supervisor();
  await gsup.record('run-started');
  const own = bearer(port, TOKEN);
  // Which of its addresses a name means is the machine's to say.
  const host = await reaches(port);
  expect((await ask({ ...own, ...host }, 'GET', '/v1/status')).status).toBe(200);
  process.kill(first, 'SIGKILL');
  await gsup.record('supervisor-started', (line) => line.pid !== first && Number(line.restarts ?? 1) > 0);
  let again: Reply | undefined;
  await untilAsync('an answer of the next one', async () => {
    again = await ask({ ...own, ...host }, 'GET', '/v1/status').catch(() => undefined);
    return again !== undefined;
  });
  expect([again?.status, again?.json.processes[0].run]).toEqual([200, 't#1']);
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(143);
});

function reaches(port: number): Promise<{ host: string } | undefined> {
  const tries = ['127.0.0.1', '::1'].map(
    (host) =>
      new Promise<{ host: string } | undefined>((resolve) => {
        const socket = connect({ host, port });
        socket.on('connect', () => resolve({ host }));
        socket.on('error', () => resolve(undefined));
        socket.on('connect', () => socket.destroy());
      }),
  );
  return Promise.all(tries).then((found) => found.find((each) => each !== undefined));
}

scenario('S61 a token file that will not do is refused before anything starts', WHERE, async (trial) => {
  const port = await freePort();
  const tokenFile = tokenIn(trial, 'short');
  const refused = async (): Promise<string> => {
    const options = ['--http', `127.0.0.1:${port}`, '--token-file', tokenFile];
    const gsup = await trial.start(options, ['sleep', '600'], { brokenLogs: true });
    expect((await gsup.ended()).code).toBe(64);
    expect(gsup.records().filter(({ type }) => type === 'run-forked')).toEqual([]);
    return gsup.stderr.text();
  };
  expect(await refused()).toContain('it must have from 32 to 1024 characters, got 5');
  writeFileSync(tokenFile, TOKEN);
  chmodSync(tokenFile, 0o666);
  expect(await refused()).toContain('got mode 0666');
  rmSync(tokenFile);
  expect(await refused()).toContain('ENOENT');
});

scenario('S61 a secret that everybody can read opens the door, and is said once', WHERE, async (trial) => {
  const port = await freePort();
  const tokenFile = tokenIn(trial, TOKEN);
  chmodSync(tokenFile, 0o444);
  const options = ['--http', `127.0.0.1:${port}`, '--token-file', tokenFile];
  const gsup = await trial.up({ processes: { a: sleeper } }, {}, options);
  // It listens before it starts anything.
  await gsup.record('run-started');
  await until('a word', () => gsup.stderr.text().includes('every user can read the token file'));
  for (let time = 0; time < 3; time++)
    expect((await ask(bearer(port, TOKEN), 'GET', '/v1/status')).status).toBe(200);
  await endWell(gsup);
  const said = gsup.stderr
    .text()
    .split('\n')
    .filter((line) => line.includes('every user can read'));
  expect(said).toHaveLength(1);
});

scenario('S61 an address that is taken is said before anything starts', WHERE, async (trial) => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  trial.afterwards(() => void other.close());
  const { port } = other.address() as { port: number };
  const options = ['--http', `127.0.0.1:${port}`];
  const gsup = await trial.up({ processes: { a: sleeper } }, { brokenLogs: true }, options);
  expect((await gsup.ended()).code).toBe(69);
  expect(gsup.stderr.text()).toContain('another program listens there (EADDRINUSE)');
  expect(gsup.records().filter(({ type }) => type === 'run-forked')).toEqual([]);
});

scenario('S61 another token in the file is the token', WHERE, async (trial) => {
  const { gsup, port, tokenFile, own } = await serve(trial);
  const next = 'f'.repeat(64);
  expect((await ask(own, 'GET', '/v1/status')).status).toBe(200);
  writeFileSync(tokenFile, `${next}\n`);
  expect((await ask(own, 'GET', '/v1/status')).status).toBe(401);
  expect((await ask(bearer(port, next), 'GET', '/v1/status')).status).toBe(200);
  chmodSync(tokenFile, 0o444);
  expect((await ask(bearer(port, next), 'GET', '/v1/status')).status).toBe(200);
  await until('a word', () => gsup.stderr.text().includes('got mode 0444'));
  chmodSync(tokenFile, 0o606);
  expect((await ask(bearer(port, next), 'GET', '/v1/status')).status).toBe(401);
  await until('a complaint', () => gsup.stderr.text().includes('got mode 0606'));
  await endWell(gsup);
});

scenario(
  'S61 1,000 connections over TCP that say nothing keep nobody from the socket, nor from TCP for long',
  { ...WHERE, alone: true },
  async (trial) => {
    const { gsup, port, own } = await serve(trial);
    const supervisor = await gsup.supervisor();
    const silent: Socket[] = Array.from({ length: 1000 }, (_, at) => {
      const socket = connect({ port, host: '127.0.0.1' });
      socket.on('error', () => {});
      if (at % 2 === 1) socket.write('POST /v1/shutdown HTTP/1.1\r\nhost: x\r\ncontent-length: 90\r\n\r\n{');
      return socket;
    });
    trial.afterwards(() => {
      for (const socket of silent) socket.destroy();
    });
    await until(
      'most of them gone',
      () => silent.filter(({ closed }) => closed).length >= 1000 - CONNECTIONS_MAX,
    );
    expect((await ask(socketOf(gsup), 'GET', '/v1/status')).status).toBe(200);
    await until('all of them gone', () => silent.every(({ closed }) => closed), 60_000);
    expect((await ask(own, 'GET', '/v1/status')).status).toBe(200);
    expect(await gsup.supervisor()).toBe(supervisor);
    await endWell(gsup);
  },
);

scenario('S61 whatever bytes come over TCP, nothing happens to the task', WHERE, async (trial) => {
  const { gsup, open, own } = await serve(trial);
  const supervisor = await gsup.supervisor();
  const word = fc.constantFrom(
    'GET ',
    'POST ',
    '/v1/shutdown',
    '/metrics',
    ' HTTP/1.1\r\n',
    'host: 127.0.0.1\r\n',
    'authorization: Bearer ',
    `${TOKEN.slice(0, -1)}\r\n`,
    'content-length: 2\r\n',
    'transfer-encoding: chunked\r\n',
    '\r\n',
    '{}',
    '0\r\n\r\n',
    '\u0000',
  );
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((each) => Buffer.from(each)),
    fc.array(word, { maxLength: 20 }).map((words) => Buffer.from(words.join(''))),
  );
  await fc.assert(
    fc.asyncProperty(bytes, async (sent) => {
      expect(await sendRaw(open, sent)).not.toContain('"processes"');
      expect((await ask(open, 'GET', '/livez')).status).toBe(200);
    }),
    { numRuns: 200 },
  );
  expect(gsup.stderr.text()).not.toContain('internal error');
  expect((await ask(own, 'GET', '/v1/status')).json.processes[0].run).toBe('a#1');
  expect(gsup.records().filter(({ type }) => type === 'stop-requested')).toEqual([]);
  expect(await gsup.supervisor()).toBe(supervisor);
  await endWell(gsup);
});
