import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { realClock } from '../../src/host/clock.ts';
import { createHttpPort, type PostResult, postHook } from '../../src/host/http.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/drain`;
}

const post = (url: string, timeoutMs: number | null): Promise<PostResult> =>
  new Promise((resolve) => {
    const deadlineNs = timeoutMs === null ? null : realClock.nowNs() + BigInt(timeoutMs) * 1_000_000n;
    createHttpPort(realClock).post(url, 'web#1/http-post.1', deadlineNs, (ok, detail = '') =>
      resolve({ ok, detail }),
    );
  });

test('postHook posts once, and 2xx is success', async () => {
  const seen: string[] = [];
  const url = await serve((request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers['idempotency-key']}`);
    response.writeHead(204).end();
  });
  expect(await post(url, 5000)).toEqual({ ok: true, detail: 'status 204' });
  expect(seen).toEqual(['POST /drain web#1/http-post.1']);
});

test('S62 postHook fails at once on another status, and when nobody listens', async () => {
  const url = await serve((_, response) => response.writeHead(503).end('x'.repeat(1e6)));
  expect(await post(url, null)).toEqual({ ok: false, detail: 'status 503' });
  expect((await post('http://127.0.0.1:1/', null)).ok).toBe(false);
});

test('postHook does not follow a redirect: what drains is what was named', async () => {
  const url = await serve((_, response) => response.writeHead(302, { location: '/elsewhere' }).end());
  expect(await post(url, 5000)).toEqual({ ok: false, detail: 'status 302' });
});

test('postHook gives up when its time is over', async () => {
  const url = await serve(() => {});
  expect(await post(url, 50)).toEqual({ ok: false, detail: 'no answer in time' });
});

test('a deadline further away than a time-out of Node can be is no reason to fail at once', async () => {
  const url = await serve((_, response) => response.writeHead(200).end());
  expect(await post(url, 40 * 86_400_000)).toEqual({ ok: true, detail: 'status 200' });
});

test('postHook says that nobody listens', async () => {
  expect((await post('http://127.0.0.1:1/', null)).detail).toContain('ECONNREFUSED');
});

test('postHook does not wait for the rest of an answer that never ends', async () => {
  const url = await serve((_, response) => response.writeHead(200).write('more to come'));
  expect(await post(url, 5000)).toEqual({ ok: true, detail: 'status 200' });
});

test('postHook that was called off says nothing', async () => {
  let arrived = (): void => {};
  const there = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  let closed = (): void => {};
  const gone = new Promise<void>((resolve) => {
    closed = resolve;
  });
  const url = await serve((request) => {
    request.socket.once('close', closed);
    arrived();
  });
  const results: PostResult[] = [];
  const cancel = postHook(url, 'web#1/http-post.1', (result) => results.push(result));
  await there;
  cancel();
  await gone;
  expect(results).toEqual([]);
});

test.each(['not a url', 'ftp://127.0.0.1/', 'http://127.0.0.1:99999/'])(
  'postHook fails on %s',
  async (url) => {
    expect((await post(url, 1000)).ok).toBe(false);
  },
);
