import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { afterEach, expect, test } from 'vitest';
import { encodeFrame } from '../../src/host/encode.ts';
import * as wire from '../../src/host/protocol.ts';
import { until } from '../support/until.ts';
import { bundleRelay, createRelayedHost } from './world.ts';

const undo: (() => void)[] = [];
afterEach(() => {
  for (const each of undo.splice(0)) each();
});

/** A native host whose init is this test: `init` is the other end of its descriptor 3. */
async function connect() {
  const dir = mkdtempSync(join(tmpdir(), 'gsup-connection-'));
  const path = join(dir, 'relay.sock');
  const relayed = createRelayedHost(path);
  const child: ChildProcess = spawn(process.execPath, [bundleRelay()], {
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    env: { ...process.env, GSUP_INIT: '1', GSUP_RELAY_SOCKET: path },
  });
  const init = child.stdio[3] as Duplex;
  init.on('error', () => {});
  let received = Buffer.alloc(0);
  init.on('data', (bytes: Buffer) => {
    received = Buffer.concat([received, bytes]);
  });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  undo.push(() => {
    child.kill('SIGKILL');
    relayed.close();
    rmSync(dir, { recursive: true, force: true });
  });
  await until('the relay', () => relayed.connected());
  return { init, relayed, exited, received: () => received };
}

const hello = encodeFrame(wire.frameType.HELLO, 0, wire.hello, {
  version: wire.PROTOCOL_VERSION,
  flags: 0,
  restarts: 2,
  init_pid: 7,
  last_number: 40n,
  init_ticks: 5n,
  pid_ns: 6n,
  stay_ns: wire.FOREVER,
  boot_id: 'boot',
});
const sync = (event: bigint): Uint8Array => encodeFrame(wire.frameType.SYNC, 0, wire.sync, { event });

test('news that comes in pieces is put together, and what is asked goes out in its order', async () => {
  const { init, relayed, received } = await connect();
  for (const byte of hello) init.write(Uint8Array.of(byte));
  init.write(sync(1n));
  await until('a sync', () => relayed.news.some(({ kind }) => kind === 'sync'));
  expect(relayed.news[0]).toMatchObject({
    kind: 'hello',
    hello: { restarts: 2, lastNumber: 40, bootId: 'boot' },
  });
  for (let n = 41; n <= 140; n++) relayed.host.forget(n, n);
  const seenSize = wire.head.size + wire.seen.size;
  const forgetSize = wire.head.size + wire.key_request.size;
  await until('all requests', () => received().length === seenSize + 100 * forgetSize);
  const numbers = Array.from({ length: 100 }, (_, i) =>
    received().readBigUInt64LE(seenSize + i * forgetSize + 8),
  );
  expect(numbers).toEqual(Array.from({ length: 100 }, (_, i) => BigInt(41 + i)));
});

test('what cannot be understood closes the connection, with the reason', async () => {
  const { init, relayed, exited } = await connect();
  init.write(hello);
  init.write(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
  await exited;
  await until('the end', () => relayed.news.at(-1)?.kind === 'closed');
  expect(relayed.news.at(-1)).toMatchObject({
    reason: expect.stringContaining('init sent what cannot be understood: protocol version'),
  });
  // Once, although the socket ends after it as well.
  expect(relayed.news.filter(({ kind }) => kind === 'closed')).toHaveLength(1);
});

test('init that has gone closes the connection', async () => {
  const { init, relayed, exited } = await connect();
  init.write(hello);
  init.end();
  await exited;
  await until('the end', () => relayed.news.at(-1)?.kind === 'closed');
  expect(relayed.news.map(({ kind }) => kind)).toEqual(['hello', 'closed']);
});
