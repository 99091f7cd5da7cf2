import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import fc from 'fast-check';
import { expect } from 'vitest';
import { CONNECTIONS_MAX } from '../../src/control/limits.ts';
import { answered, ask, type Reply, sendRaw, socketOf } from '../support/control.ts';
import type { Gsup } from '../support/gsup.ts';
import { scenario } from '../support/scenario.ts';
import { until } from '../support/until.ts';

const WHERE = { modes: ['supervisor'], rings: ['subreaper'], timeoutMs: 240_000, alone: true } as const;
const PROBLEM = /^\{"code":"[a-z-]+","message":".+","hint":".*"\}\n$/;

async function start(trial: Parameters<Parameters<typeof scenario>[2]>[0]): Promise<Gsup> {
  const gsup = await trial.up({
    processes: { a: { command: ['sleep', '600'], logging: { driver: 'prefix' } } },
  });
  await gsup.record('run-started');
  await answered(gsup);
  return gsup;
}

function rssMb(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

/** The same supervisor answers, nothing has happened to the process, and a stop works. */
async function unharmed(gsup: Gsup, supervisor: number): Promise<void> {
  expect((await ask(socketOf(gsup), 'GET', '/v1/status')).json.processes[0]).toMatchObject({
    state: 'running',
    run: 'a#1',
  });
  expect(await gsup.supervisor()).toBe(supervisor);
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(0);
}

scenario(
  'S61 bad methods, paths, queries, headers and bodies get 4xx, and harm nobody',
  WHERE,
  async (trial) => {
    const gsup = await start(trial);
    const supervisor = await gsup.supervisor();
    const path = socketOf(gsup);
    const status = async (method: string, url: string, body?: string): Promise<[number, string]> => {
      const { status: code, text } = await ask(path, method, url, body);
      expect(text, url).toMatch(PROBLEM);
      return [code, JSON.parse(text).code];
    };
    expect(await status('GET', '/')).toEqual([404, 'no-such-route']);
    expect(await status('GET', '/v1/processes/')).toEqual([404, 'no-such-route']);
    expect(await status('GET', '/v1/processes/%ff')).toEqual([404, 'no-such-route']);
    expect(await status('GET', '/v1/processes/..%2f..%2fetc%2fpasswd')).toEqual([404, 'no-such-process']);
    expect(await status('DELETE', '/v1/status')).toEqual([405, 'method-not-allowed']);
    expect(await status('GET', '/v1/shutdown')).toEqual([405, 'method-not-allowed']);
    expect(await status('GET', '/v1/status?usage=maybe')).toEqual([400, 'bad-request']);
    expect(await status('GET', '/v1/status?other=1')).toEqual([400, 'bad-request']);
    for (const body of [
      '{',
      '[]',
      '"x"',
      '1',
      'null',
      '{"now":1}',
      '{"now":true,"x":1}',
      '{"__proto__":{"now":true}}',
    ])
      expect(await status('POST', '/v1/shutdown', body), body).toEqual([400, 'bad-request']);
    expect(await status('POST', '/v1/shutdown', 'x'.repeat(300_000))).toEqual([413, 'too-large']);
    expect(await status('POST', '/v1/processes/a/signal', `{"signal":"${'9'.repeat(1000)}"}`)).toEqual([
      400,
      'bad-request',
    ]);
    expect(await sendRaw(path, 'hello\r\n\r\n')).toMatch(/^HTTP\/1.1 400 .*"code":"bad-request"/s);
    expect(await sendRaw(path, `GET /livez HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 431 /,
    );
    expect(await sendRaw(path, 'CONNECT a:1 HTTP/1.1\r\nhost: x\r\n\r\n')).not.toMatch(/^HTTP\/1.1 2/);
    expect(
      await sendRaw(path, 'GET /livez HTTP/1.1\r\nhost: x\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n'),
    ).toMatch(/^HTTP\/1.1 200 /);
    expect(
      await sendRaw(
        path,
        'POST /v1/drain HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      ),
    ).toMatch(/^HTTP\/1.1 400 /);
    await unharmed(gsup, supervisor);
  },
);

scenario('S61 whatever bytes come, the supervisor answers the next one', WHERE, async (trial) => {
  const gsup = await start(trial);
  const supervisor = await gsup.supervisor();
  const word = fc.constantFrom(
    'GET',
    'POST',
    'HEAD',
    '/v1/status',
    '/v1/events',
    '/v1/processes/a',
    '/v1/logs/a',
    '/v1/logs/a?follow=true',
    '&tail=',
    '&since=',
    '?cursor=',
    'HTTP/1.1',
    '\r\n',
    '\r\n\r\n',
    'content-length: ',
    '99999999999',
    'transfer-encoding: chunked',
    '0\r\n',
    '{}',
    ' ',
    '\u0000',
    'host: x',
  );
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((each) => Buffer.from(each)),
    fc.array(word, { maxLength: 20 }).map((words) => Buffer.from(words.join(' '))),
  );
  await fc.assert(
    fc.asyncProperty(bytes, async (sent) => {
      await sendRaw(socketOf(gsup), sent);
      expect((await ask(socketOf(gsup), 'GET', '/livez')).status).toBe(200);
    }),
    { numRuns: 300 },
  );
  expect(gsup.stderr.text()).not.toContain('internal error');
  await unharmed(gsup, supervisor);
});

scenario(
  'S61 1,000 connections at once, and clients that do not finish: memory is bounded',
  WHERE,
  async (trial) => {
    const gsup = await start(trial);
    const supervisor = await gsup.supervisor();
    const path = socketOf(gsup);
    const before = rssMb(supervisor);
    const idle = sockets(supervisor);
    const silent: Socket[] = Array.from({ length: 1000 }, (_, at) => {
      const socket = connect(path);
      socket.on('error', () => {});
      // Some say nothing, some begin a head, some a body.
      if (at % 3 > 0)
        socket.write(
          at % 3 === 1
            ? 'GET /v1/status HTTP/1.1\r\nhost: '
            : 'POST /v1/shutdown HTTP/1.1\r\nhost: x\r\ncontent-length: 90\r\n\r\n{',
        );
      return socket;
    });
    trial.afterwards(() => {
      for (const socket of silent) socket.destroy();
    });
    await until('as many as there is room for', () => sockets(supervisor) >= CONNECTIONS_MAX);
    // Whoever comes later is taken, and closed at once: one of those can be seen.
    expect(sockets(supervisor)).toBeLessThanOrEqual(idle + CONNECTIONS_MAX + 1);
    const during = rssMb(supervisor);
    // They are let go after 10 s, and then there is room again.
    const patient = async (): Promise<Reply> => ask(path, 'GET', '/v1/status').catch(() => patient());
    expect((await patient()).status).toBe(200);
    await until('all of them gone', () => silent.every((socket) => socket.closed), 60_000);
    const asked = await Promise.allSettled(
      Array.from({ length: 1000 }, () => ask(path, 'GET', '/v1/status')),
    );
    const answers = asked.flatMap((each) => (each.status === 'fulfilled' ? [each.value.status] : []));
    expect(answers.length).toBeGreaterThanOrEqual(100);
    expect(new Set(answers)).toEqual(new Set([200]));
    const after = rssMb(supervisor);
    console.log(
      `supervisor: ${before.toFixed(0)} MB before, ${during.toFixed(0)} with 1,000 connections, ${after.toFixed(0)} after 1,000 requests at once (${answers.length} answered)`,
    );
    expect(Math.max(during, after)).toBeLessThan(before + 60);
    await unharmed(gsup, supervisor);
  },
);

scenario('S61 a stream that nobody reads costs no memory, and is cut off', WHERE, async (trial) => {
  const script = "trap '' USR1; echo ready; sleep 600";
  const gsup = await trial.up({ processes: { a: { command: ['sh', '-c', script] } } });
  await gsup.ready();
  const supervisor = await gsup.supervisor();
  const path = socketOf(gsup);
  const ask2000 = async (): Promise<void> => {
    for (let at = 0; at < 200; at++) {
      const some = Array.from({ length: 10 }, () =>
        ask(path, 'POST', '/v1/processes/a/signal', { signal: 'USR1' }),
      );
      expect((await Promise.all(some)).map(({ status }) => status)).toEqual(some.map(() => 200));
    }
  };
  // To init, the one that listens, and what its stderr may be.
  const idle = sockets(supervisor);
  // What Node.js itself takes for the first of them, which differs from version to version.
  await ask2000();
  const stalled = connect(path).pause();
  stalled.on('error', () => {});
  trial.afterwards(() => void stalled.destroy());
  stalled.write('GET /v1/events HTTP/1.1\r\nhost: x\r\n\r\n');
  await until('its connection', () => sockets(supervisor) > idle);
  const before = rssMb(supervisor);
  // Two records each: more than a socket holds.
  await ask2000();
  await until('the end of its connection', () => sockets(supervisor) <= idle, 60_000);
  expect(rssMb(supervisor)).toBeLessThan(before + 40);
  await unharmed(gsup, supervisor);
});

function sockets(pid: number): number {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).filter((fd) => linkOf(`${folder}/${fd}`).startsWith('socket:')).length;
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
