import { readFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'vitest';
import { connectTo, type LogLine, type LogOptions } from '../../src/control/client.ts';
import { ask, type Reply, socketOf } from '../support/control.ts';
import type { Gsup } from '../support/gsup.ts';
import { scenario, type Trial } from '../support/scenario.ts';
import { until, untilAsync } from '../support/until.ts';

const WHERE = { modes: ['supervisor'], rings: ['subreaper'] } as const;
const sleeper = { command: ['sleep', '600'] };
const captured = (script: string) => ({ command: ['sh', '-c', script], logging: { driver: 'prefix' } });

interface Line {
  readonly time?: string;
  readonly process: string;
  readonly run?: string;
  readonly stream?: string;
  readonly msg?: string;
}

function linesOf(text: string): Line[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

const document = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../docs/reference/openapi.json'), 'utf8'),
);
const isLine = new Ajv2020({ strict: false, validateFormats: false }).compile({
  ...document,
  $ref: '#/components/schemas/logs',
});

async function start(trial: Trial, processes: unknown): Promise<Gsup> {
  const gsup = await trial.up({ processes });
  await gsup.record('run-started');
  return gsup;
}

/** As soon as it has so many lines. */
async function linesWhen(gsup: Gsup, path: string, count: number): Promise<Line[]> {
  let reply: Reply | undefined;
  await untilAsync(`${count} lines`, async () => {
    reply = await ask(socketOf(gsup), 'GET', path);
    return reply.status === 200 && linesOf(reply.text).length >= count;
  });
  return linesOf(reply?.text ?? '');
}

async function endWell(gsup: Gsup): Promise<void> {
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(0);
}

scenario('S60 logs over the API: by time, and as much as is asked for', WHERE, async (trial) => {
  const gsup = await start(trial, {
    a: captured('echo one; echo two >&2; echo three; exec sleep 600'),
    b: captured('echo other; exec sleep 600'),
  });
  const all = await linesWhen(gsup, '/v1/logs/a,b', 4);
  for (const line of all) expect(isLine(line), JSON.stringify(isLine.errors)).toBe(true);
  const ofA = all.filter(({ process }) => process === 'a');
  expect(ofA.filter(({ stream }) => stream === 'stdout').map(({ msg }) => msg)).toEqual(['one', 'three']);
  expect(ofA.filter(({ stream }) => stream === 'stderr').map(({ msg }) => msg)).toEqual(['two']);
  expect(all.map(({ time }) => time)).toEqual(all.map(({ time }) => time).sort());
  const messages = async (path: string) =>
    linesOf((await ask(socketOf(gsup), 'GET', path)).text).map(({ msg }) => msg);
  expect(await messages('/v1/logs/a?stream=stderr')).toEqual(['two']);
  expect(await messages('/v1/logs/a?stream=stdout&tail=1')).toEqual(['three']);
  expect(await messages('/v1/logs/b?tail=0')).toEqual([]);
  expect(await messages('/v1/logs/b?since=2000-01-01T00:00:00Z')).toEqual(['other']);
  expect(await messages('/v1/logs/b?since=2999-01-01T00:00:00Z')).toEqual([]);
  expect(await messages('/v1/logs/b?since=1d')).toEqual(['other']);
  expect(await messages('/v1/logs/b%231')).toEqual(['other']);
  expect(await messages('/v1/logs/b%232')).toEqual([]);
  await endWell(gsup);
});

scenario(
  'S60 the library reads logs, follows them to the end of the task, and says what is wrong',
  WHERE,
  async (trial) => {
    const gsup = await start(trial, {
      a: captured("trap 'echo bye; exit 0' TERM; echo one; echo two >&2; while :; do sleep 0.05; done"),
    });
    await linesWhen(gsup, '/v1/logs/a', 2);
    const client = connectTo(gsup.folder, 'task');
    const read = async (names: string[], options: LogOptions = {}) => {
      const found: LogLine[] = [];
      for await (const line of client.logs(names, options)) found.push(line);
      return found.map((line) => ('missed' in line ? 'missed' : line.msg));
    };
    expect((await read(['a'])).sort()).toEqual(['one', 'two']);
    expect(await read(['a#1'], { stream: 'stderr', since: '1d' })).toEqual(['two']);
    expect(await read(['a'], { tail: 1, stream: 'stdout' })).toEqual(['one']);
    await expect(read(['a', 'x y'])).rejects.toMatchObject({ code: 'no-such-process' });
    const over = new AbortController();
    for await (const line of client.logs(['a'], { follow: true, signal: over.signal })) {
      expect(line).toMatchObject({ process: 'a', run: 'a#1' });
      over.abort();
    }
    const followed: LogLine[] = [];
    const following = (async () => {
      for await (const line of client.logs(['a'], { follow: true })) followed.push(line);
    })();
    await until('the follower to be there', () => followed.length >= 2);
    await endWell(gsup);
    await following;
    const texts = followed.map((line) => ('missed' in line ? 'missed' : line.msg));
    expect(texts.slice(0, 2).sort()).toEqual(['one', 'two']);
  },
);

scenario('S60 the library says when logs are cut off', WHERE, async (trial) => {
  const gsup = await start(trial, { a: captured('echo one; exec sleep 600') });
  await linesWhen(gsup, '/v1/logs/a', 1);
  const supervisor = await gsup.supervisor();
  const cut = async () => {
    for await (const line of connectTo(gsup.folder, 'task').logs(['a'], { follow: true })) {
      expect(line).toMatchObject({ msg: 'one' });
      process.kill(supervisor, 'SIGKILL');
    }
  };
  await expect(cut()).rejects.toMatchObject({ code: 'no-answer', hint: 'ask again, with since' });
  await endWell(gsup);
});

scenario('S64 logs over the API: what moves a terminal is an escape of JSON', WHERE, async (trial) => {
  const script = "printf '\\033[2J\\r\\001\\302\\233\\377\\n'; exec sleep 600";
  const gsup = await start(trial, { a: captured(script) });
  const [line] = await linesWhen(gsup, '/v1/logs/a', 1);
  expect(line?.msg).toBe('\u001b[2J\r\u0001\u009b\ufffd');
  const { text } = await ask(socketOf(gsup), 'GET', '/v1/logs/a');
  expect([...text].filter((c) => c !== '\n' && (c < ' ' || (c >= '\u007f' && c <= '\u009f')))).toEqual([]);
  await endWell(gsup);
});

scenario('logs over the API say what is wrong with a request', WHERE, async (trial) => {
  const gsup = await start(trial, { a: sleeper, b: captured('exec sleep 600') });
  const refused = async (path: string) => {
    const { status, json } = await ask(socketOf(gsup), 'GET', path);
    return [status, json?.code];
  };
  expect(await refused('/v1/logs/a')).toEqual([409, 'not-captured']);
  expect(await refused('/v1/logs/b')).toEqual([200, undefined]);
  expect(await refused('/v1/logs/x')).toEqual([404, 'no-such-process']);
  expect(await refused('/v1/logs/b,x')).toEqual([404, 'no-such-process']);
  expect(await refused('/v1/logs/..%2fb')).toEqual([404, 'no-such-process']);
  for (const query of ['tail=-1', 'tail=x', 'since=x', 'since=', 'stream=3', 'follow=1', 'x=1'])
    expect(await refused(`/v1/logs/b?${query}`), query).toEqual([400, 'bad-request']);
  await endWell(gsup);
});

scenario('logs over the API are those of 32 processes at once at most', WHERE, async (trial) => {
  const gsup = await start(trial, { c: { ...captured('exec sleep 600'), replicas: 33 } });
  const asked = async (path: string) => (await ask(socketOf(gsup), 'GET', path)).status;
  expect([await asked('/v1/logs/c'), await asked('/v1/logs/c.33')]).toEqual([400, 200]);
  await endWell(gsup);
});

scenario('logs over the API go on with what comes, until the task ends', WHERE, async (trial) => {
  const script =
    "trap 'echo second' USR1; trap 'echo last; exit 0' TERM; echo first; while :; do sleep 0.05; done";
  const gsup = await start(trial, { a: captured(script), b: sleeper });
  await linesWhen(gsup, '/v1/logs/a', 1);
  const stream = await new Promise<IncomingMessage>((resolve, reject) => {
    get(
      { socketPath: socketOf(gsup), path: '/v1/logs/a?follow=true&stream=stdout', agent: false },
      resolve,
    ).on('error', reject);
  });
  let text = '';
  let isOver = false;
  stream.setEncoding('utf8');
  stream.on('data', (part: string) => {
    text += part;
  });
  stream.on('end', () => {
    isOver = true;
  });
  const messages = () => linesOf(text.slice(0, text.lastIndexOf('\n') + 1)).map(({ msg }) => msg);
  await until('what there was', () => messages().length === 1);
  for (let at = 0; at < 3; at++) {
    expect(
      (await ask(socketOf(gsup), 'POST', '/v1/processes/a/signal', { signal: 'USR1', target: 'leader' }))
        .status,
    ).toBe(200);
    await until('what came', () => messages().length === 2 + at);
  }
  // It ends while the task goes on: what it has written last comes as well.
  expect((await ask(socketOf(gsup), 'POST', '/v1/processes/a/stop')).status).toBe(200);
  await until('its last line', () => messages().at(-1) === 'last');
  expect(messages()).toEqual(['first', 'second', 'second', 'second', 'last']);
  expect(isOver).toBe(false);
  await endWell(gsup);
  await until('the end of the stream', () => isOver);
});

scenario(
  'S61 a log that nobody takes costs bounded memory, and its reader is cut off',
  { ...WHERE, timeoutMs: 240_000, alone: true },
  async (trial) => {
    const line = 'x'.repeat(100);
    const gsup = await start(trial, {
      a: captured(`while :; do for i in 1 2 3 4 5 6 7 8 9; do echo ${line}; done; sleep 0.01; done`),
    });
    await linesWhen(gsup, '/v1/logs/a', 1000);
    const supervisor = await gsup.supervisor();
    const rss = () =>
      Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${supervisor}/status`, 'utf8'))?.[1]) / 1024;
    const before = rss();
    const readers = Array.from({ length: 30 }, () => {
      const socket = connect(socketOf(gsup)).pause();
      socket.on('error', () => {});
      socket.write('GET /v1/logs/a?follow=true HTTP/1.1\r\nhost: x\r\n\r\n');
      return socket;
    });
    trial.afterwards(() => {
      for (const socket of readers) socket.destroy();
    });
    let most = 0;
    // Who has been cut off cannot write any more.
    await until(
      'the end of all of them',
      () => {
        most = Math.max(most, rss());
        for (const socket of readers) if (!socket.destroyed) socket.write(' ');
        return readers.every(({ destroyed }) => destroyed);
      },
      90_000,
    );
    console.log(
      `supervisor: ${before.toFixed(0)} MB before, ${most.toFixed(0)} with 30 readers that do not read`,
    );
    expect(most).toBeLessThan(before + 80);
    expect((await ask(socketOf(gsup), 'GET', '/v1/logs/a?tail=1')).status).toBe(200);
    expect(await gsup.supervisor()).toBe(supervisor);
    await endWell(gsup);
  },
);
