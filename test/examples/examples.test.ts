// Each example does what the comment at its head claims, started by the command that the comment gives.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { expectWait, theOne, types } from '../support/story.ts';
import { commandOf, type Example, withExample } from './example.ts';

/** The lines of a text stand there in this order. */
function expectOrder(output: string, ...lines: RegExp[]): void {
  const places = lines.map((line) => output.search(line));
  expect(places, output).not.toContain(-1);
  expect(places, output).toEqual([...places].sort((a, b) => a - b));
}

function expectNobodyKilled(example: Example): void {
  expect(types(example.records())).not.toContain('kill');
  expect(theOne(example.records(), 'run-ended').forced).toBe(false);
}

/** A request whose body is not complete. The server has taken it: it has asked for the rest. */
async function beginRequest(port: number) {
  const headers = { expect: '100-continue' };
  const outgoing = request({ port, host: '127.0.0.1', method: 'POST', headers });
  const answer = new Promise<string>((resolve) => {
    outgoing.on('error', () => resolve('cut off'));
    outgoing.once('response', async (response) => resolve(`${response.statusCode} ${await text(response)}`));
  });
  const taken = new Promise((resolve) => outgoing.once('continue', resolve));
  outgoing.write('half');
  await taken;
  return { answer, finish: () => outgoing.end('half') };
}

function tryToConnect(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'));
    socket.once('connect', () => {
      socket.destroy();
      resolve('connected');
    });
  });
}

async function portOf(example: Example): Promise<number> {
  return Number((await example.stdout.line(/^listening on (\d+)/))[1]);
}

for (const signal of ['SIGTERM', 'SIGINT'] as const)
  test(`draining-server.mjs finishes on ${signal} what has begun, and takes nothing new`, async () => {
    await withExample(commandOf('draining-server.mjs'), async (server) => {
      const port = await portOf(server);
      const upload = await beginRequest(port);
      server.signal(signal);
      await server.stdout.line(new RegExp(`^${signal}: no new connections, 1 underway`));
      expect(await tryToConnect(port)).toBe('ECONNREFUSED');
      expect(server.stdout.text()).not.toContain('drained');
      upload.finish();
      expect(await upload.answer).toBe('200 got 8 bytes\n');
      expect(await server.ended()).toBe(0);
      expectOrder(server.stdout.text(), /^listening/m, /^SIG/m, /^drained/m);
      expect(theOne(server.records(), 'rung').signal).toBe(signal);
      expectNobodyKilled(server);
    });
  });

test('draining-server.mjs is killed when its requests take longer than its grace', async () => {
  const words = commandOf('draining-server.mjs').map((word) => word.replace('8s', '300ms'));
  await withExample(words, async (server) => {
    const upload = await beginRequest(await portOf(server));
    server.signal('SIGTERM');
    expect(await server.ended()).toBe(137);
    expect(await upload.answer).toBe('cut off');
    expectWait(theOne(server.records(), 'rung'), theOne(server.records(), 'kill'), 300);
  });
});

test('stubborn.sh lives as long as its grace lasts, and is killed and named then', async () => {
  await withExample(commandOf('stubborn.sh'), async (stubborn) => {
    await stubborn.stdout.line(/^ready/);
    stubborn.signal('SIGTERM');
    expect(await stubborn.ended()).toBe(137);
    expectOrder(stubborn.stdout.text(), /^ready/m, /^heard SIGTERM, going on/m);
    const records = stubborn.records();
    expectWait(theOne(records, 'rung'), theOne(records, 'kill'), 2000);
    expect(theOne(records, 'run-ended')).toMatchObject({ code: null, signal: 'SIGKILL', forced: true });
    expect(stubborn.stderr.text()).toMatch(
      /SIGKILL after [23]\.\ds for what ignored termination: .*stubborn\.sh/,
    );
  });
});

test('stubborn.sh: a second request ends the wait', async () => {
  const words = commandOf('stubborn.sh').map((word) => word.replace('2s', 'forever'));
  await withExample(words, async (stubborn) => {
    await stubborn.stdout.line(/^ready/);
    stubborn.signal('SIGTERM');
    await stubborn.stdout.line(/^heard SIGTERM/);
    // Another signal: the same one within 250 ms would be the same request.
    stubborn.signal('SIGINT');
    expect(await stubborn.ended()).toBe(137);
    expect(theOne(stubborn.records(), 'rung').deadline_ns).toBe(null);
    theOne(stubborn.records(), 'kill');
  });
});

test('daemonising.mjs: the daemon that is left gets SIGTERM and the time to remove its pid file', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gsup-daemon-'));
  const file = join(folder, 'daemon.pid');
  const words = commandOf('daemonising.mjs').map((word) => (word.startsWith('/') ? file : word));
  await withExample(words, async (daemon) => {
    expect(await daemon.ended()).toBe(0);
    expectOrder(
      daemon.stdout.text(),
      /^starter: .*ending/m,
      /^daemon: SIGTERM/m,
      /^daemon: pid file removed/m,
    );
    expect(existsSync(file)).toBe(false);
    const records = daemon.records();
    const story = ['leader-exited', 'stragglers', 'stop-requested', 'rung', 'run-ended'];
    expect(types(records).filter((type) => story.includes(type))).toEqual(story);
    expect(theOne(records, 'stop-requested').cause).toBe('main-ended');
    expect(theOne(records, 'leader-exited').code).toBe(0);
    expectNobodyKilled(daemon);
  });
  rmSync(folder, { recursive: true });
});

test('shell-wrapper.sh: S01 the app below the shell cleans up, and nobody is killed', async () => {
  await withExample(commandOf('shell-wrapper.sh'), async (wrapper) => {
    await wrapper.stdout.line(/^ready/);
    wrapper.signal('SIGTERM');
    expect(await wrapper.ended()).toBe(143);
    expectOrder(wrapper.stdout.text(), /^ready/m, /^app: cleaning up/m, /^app: cleaned up/m);
    const left = theOne(wrapper.records(), 'leader-exited');
    expect(left.signal).toBe('SIGTERM');
    // The shell died long before the app was done: that is what the example is about.
    expectWait(left, theOne(wrapper.records(), 'run-ended'), 900, 2000);
    expectNobodyKilled(wrapper);
  });
});

test('every example has a comment with a command, and a test here', () => {
  const tests = readFileSync(import.meta.filename, 'utf8');
  const examples = readdirSync(join(import.meta.dirname, '../../examples'));
  // Those of `up` and of the library have tests of their own.
  for (const example of examples.filter((name) => name !== 'up' && name !== 'library')) {
    expect(commandOf(example).join(' ')).toContain(`examples/${example}`);
    expect(tests).toContain(`commandOf('${example}')`);
  }
});
