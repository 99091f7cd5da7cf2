import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Taker, takerOf, untilTaken } from '../../src/control/last-taken.ts';

const LONG_MS = 600_000;

/** Two ends of a unix socket. The client does not read yet. */
async function withSockets(body: (client: Socket, server: Socket) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'gsup-taken-'));
  const listening = createServer().listen(join(folder, 's'));
  try {
    await once(listening, 'listening');
    const client = connect(join(folder, 's')).pause();
    const [server] = (await once(listening, 'connection')) as [Socket];
    await body(client, server).finally(() => {
      client.destroy();
      server.destroy();
    });
  } finally {
    listening.close();
    rmSync(folder, { recursive: true });
  }
}

/** Far more than the kernel keeps for a client. */
const BYTES = 8 * 1024 * 1024;

test('who reads late gets all that was written before the end', () =>
  withSockets(async (client, server) => {
    let heard = 0;
    client.on('data', (part) => {
      heard += part.length;
    });
    client.pause();
    let isSaid = false;
    for (let at = 0; at < 64; at++) server.write(Buffer.alloc(BYTES / 64));
    const taken = untilTaken([takerOf(server, () => isSaid)], { looks: 1e6, mostMs: LONG_MS });
    let isOver = false;
    taken.then(() => {
      isOver = true;
    });
    // Not as long as it is not read, and not as long as more may be said.
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(isOver).toBe(false);
    client.resume();
    await expect.poll(() => server.writableLength, { timeout: 30_000 }).toBe(0);
    expect(isOver).toBe(false);
    isSaid = true;
    await taken;
    server.destroySoon();
    await once(client, 'close');
    expect(heard).toBe(BYTES);
  }));

test('who reads nothing is not waited for, nor who has gone', () =>
  withSockets(async (client, server) => {
    server.write(Buffer.alloc(BYTES));
    await untilTaken([takerOf(server, () => true)], { looks: 3, mostMs: LONG_MS });
    expect(server.writableLength).toBeGreaterThan(0);
    server.on('error', () => {});
    const gone = new Promise((resolve) => server.once('close', resolve));
    client.destroy();
    await gone;
    await untilTaken([takerOf(server, () => false)], { looks: 1e9, mostMs: LONG_MS });
  }));

test('one who takes a little at a time has its bound, and one who takes nothing ends no wait of another', async () => {
  let taken = 0;
  let looks = 0;
  const little: Taker = { isDone: () => false, taken: () => taken++ };
  await untilTaken([little], { looks: 1, mostMs: 30 });
  const idle: Taker = { isDone: () => false, taken: () => 0 };
  const busy: Taker = { isDone: () => ++looks > 10, taken: () => taken++ };
  await untilTaken([idle, busy], { looks: 2, mostMs: LONG_MS });
  expect(looks).toBe(11);
});
