import { spawnSync } from 'node:child_process';
import { chmodSync, lstatSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'vitest';
import { connectTo } from '../../src/control/client.ts';
import { answered, ask, socketOf } from '../support/control.ts';
import { fixture } from '../support/fixtures.ts';
import type { Gsup } from '../support/gsup.ts';
import { look } from '../support/processes.ts';
import { scenario, type Trial } from '../support/scenario.ts';
import { until } from '../support/until.ts';

const SUPERVISED = { modes: ['supervisor'] } as const;
const sleeper = { command: ['sleep', '600'] };
const document = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../docs/reference/openapi.json'), 'utf8'),
);

/** What the document says of an answer of this name, against what came. */
function faultsOf(name: string, value: unknown): unknown {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  const schema = { ...document, $ref: `#/components/schemas/${name}` };
  return ajv.validate(schema, value) ? null : ajv.errors;
}

async function running(gsup: Gsup, ...runs: string[]): Promise<void> {
  for (const run of runs) await gsup.record('run-started', (line) => line.run === run);
}

async function endWith(gsup: Gsup, code: number): Promise<void> {
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(code);
}

scenario(
  'S61 the control socket is its owner’s alone, and there is no other listener',
  SUPERVISED,
  async (trial) => {
    chmodSync(trial.folder, 0o755);
    const gsup = await trial.up({ processes: { a: sleeper } });
    await running(gsup, 'a#1');
    const socket = lstatSync(socketOf(gsup));
    expect([socket.isSocket(), socket.mode & 0o777]).toEqual([true, 0o600]);
    expect(lstatSync(gsup.folder).mode & 0o777).toBe(0o711);
    await answered(gsup);
    if (process.getuid?.() === 0) expect(connectAs(65534, socketOf(gsup))).toBe('EACCES');
    expect(connectAs(process.getuid?.() ?? 0, socketOf(gsup))).toBe('connected');
    const inodes = listening(await gsup.supervisor());
    expect(inodes).toEqual([]);
    await endWith(gsup, 0);
    expect(lstatSync(socketOf(gsup), { throwIfNoEntry: false })).toBeUndefined();
  },
);

function connectAs(uid: number, path: string): string {
  const script = `require('net').connect(${JSON.stringify(path)})
    .on('connect', function () { console.log('connected'); this.destroy(); })
    .on('error', (error) => console.log(error.code));`;
  return spawnSync(process.execPath, ['-e', script], { uid, encoding: 'utf8' }).stdout.trim();
}

/** TCP sockets that listen and are of this process or of init. */
function listening(supervisor: number): string[] {
  const rows = ['tcp', 'tcp6'].flatMap((name) =>
    readFileSync(`/proc/${supervisor}/net/${name}`, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((cells) => cells[3] === '0A')
      .map((cells) => cells[9]),
  );
  const own = spawnSync('ls', ['-l', `/proc/${supervisor}/fd`, `/proc/${look(supervisor)?.parent}/fd`], {
    encoding: 'utf8',
  }).stdout;
  return rows.flatMap((inode) => (inode && own.includes(`socket:[${inode}]`) ? [inode] : []));
}

scenario('status over the socket is what the document says', SUPERVISED, async (trial) => {
  const gsup = await trial.up({
    processes: {
      a: sleeper,
      b: { ...sleeper, depends_on: { c: { condition: 'completed_successfully' } } },
      c: sleeper,
    },
  });
  await running(gsup, 'a#1', 'c#1');
  const { status, json } = await ask(socketOf(gsup), 'GET', '/v1/status');
  expect(status).toBe(200);
  expect(faultsOf('status', json)).toBeNull();
  const states = json.processes.map((each: { name: string; state: string }) => `${each.name} ${each.state}`);
  expect(states).toEqual(['a running', 'b waiting', 'c running']);
  expect(json.processes[0].rss_bytes).toBeGreaterThan(0);
  const plain = await ask(socketOf(gsup), 'GET', '/v1/status?usage=false');
  expect(plain.json.processes[0].rss_bytes).toBeNull();
  const one = await ask(socketOf(gsup), 'GET', '/v1/processes/b');
  expect(faultsOf('processes', one.json)).toBeNull();
  expect(one.json.processes.map((each: { name: string }) => each.name)).toEqual(['b']);
  const ready = await ask(socketOf(gsup), 'GET', '/readyz');
  expect([ready.status, faultsOf('health', ready.json)]).toEqual([503, null]);
  expect(ready.json.waiting_for).toEqual([{ process: 'b', state: 'waiting' }]);
  expect((await ask(socketOf(gsup), 'GET', '/healthz')).status).toBe(200);
  expect((await ask(socketOf(gsup), 'GET', '/v1/openapi.json')).json).toEqual(document);
  await endWith(gsup, 0);
});

scenario('stop and start of a process; the task goes on', SUPERVISED, async (trial) => {
  const gsup = await trial.up({ processes: { a: sleeper, b: sleeper } });
  await running(gsup, 'a#1', 'b#1');
  const stopped = await ask(socketOf(gsup), 'POST', '/v1/processes/a/stop');
  expect([stopped.status, faultsOf('done', stopped.json)]).toEqual([200, null]);
  expect(stopped.json).toEqual({ processes: ['a'], unchanged: [] });
  await gsup.record('outcome', (line) => line.run === 'a#1');
  const again = await ask(socketOf(gsup), 'POST', '/v1/processes/a,b/stop', {});
  expect(again.json).toEqual({ processes: ['b'], unchanged: ['a'] });
  await gsup.record('outcome', (line) => line.run === 'b#1');
  expect((await ask(socketOf(gsup), 'POST', '/v1/processes/a/start')).json.processes).toEqual(['a']);
  await running(gsup, 'a#2');
  const unknown = await ask(socketOf(gsup), 'POST', '/v1/processes/a,x/stop');
  expect([unknown.status, unknown.json.code, faultsOf('problem', unknown.json)]).toEqual([
    404,
    'no-such-process',
    null,
  ]);
  expect((await ask(socketOf(gsup), 'GET', '/v1/processes/a')).json.processes[0].state).toBe('running');
  await endWith(gsup, 0);
});

scenario('S27 a start that comes during the stop is refused', SUPERVISED, async (trial) => {
  const gsup = await trial.up({
    processes: { a: { command: [fixture('cleans-up-for'), '1500'] }, b: { ...sleeper, autostart: false } },
  });
  await gsup.ready();
  const asked = await ask(socketOf(gsup), 'POST', '/v1/shutdown');
  expect([asked.status, asked.json.processes]).toEqual([200, ['a', 'b']]);
  const started = await ask(socketOf(gsup), 'POST', '/v1/processes/b/start');
  expect([started.status, started.json.code]).toEqual([409, 'stopping']);
  expect((await ask(socketOf(gsup), 'GET', '/readyz')).status).toBe(503);
  expect((await gsup.ended()).code).toBe(0);
  const forked = gsup.records().filter((line) => line.type === 'run-forked');
  expect(forked.map((line) => line.run)).toEqual(['a#1']);
});

scenario('shutdown with SIGKILL', SUPERVISED, async (trial) => {
  const gsup = await trial.up({
    processes: { a: { command: [fixture('ignores-sigterm')], stop: { grace: '60s' } } },
  });
  await gsup.ready();
  await ask(socketOf(gsup), 'POST', '/v1/shutdown');
  await gsup.record('rung');
  await ask(socketOf(gsup), 'POST', '/v1/shutdown', { now: true });
  expect((await gsup.ended()).code).toBe(137);
});

scenario('a signal is sent once, to whom it is meant for', SUPERVISED, async (trial) => {
  const gsup = await trial.up({ processes: { a: { command: [fixture('reports-signals')] } } });
  await gsup.ready();
  const { json } = await ask(socketOf(gsup), 'POST', '/v1/processes/a/signal', { signal: 'usr1' });
  expect(json.processes).toEqual(['a']);
  await gsup.stdout.line(/^got SIGUSR1/);
  const wrong = await ask(socketOf(gsup), 'POST', '/v1/processes/a/signal', { signal: 'FOO' });
  expect([wrong.status, wrong.json.code]).toEqual([400, 'bad-request']);
  expect(gsup.stdout.lines(/^got SIGUSR1/)).toHaveLength(1);
  await endWith(gsup, 0);
});

scenario(
  'S42 a request that comes while there is no supervisor is answered by the next one',
  SUPERVISED,
  async (trial) => {
    const gsup = await trial.up({ processes: { a: sleeper } });
    await running(gsup, 'a#1');
    await answered(gsup);
    for (let time = 0; time < 3; time++) {
      process.kill(await gsup.supervisor(), 'SIGKILL');
      const { json } = await ask(socketOf(gsup), 'GET', '/v1/status').catch(() =>
        ask(socketOf(gsup), 'GET', '/v1/status'),
      );
      expect(json.processes[0]).toMatchObject({ state: 'running', run: 'a#1' });
    }
    await endWith(gsup, 0);
  },
);

scenario('events go on behind a cursor, also across supervisors, each once', SUPERVISED, async (trial) => {
  const gsup = await trial.up({ processes: { a: sleeper, b: sleeper } });
  await running(gsup, 'a#1', 'b#1');
  const client = connectTo(gsup.folder, 't');
  const seen: { cursor: string; key: string }[] = [];
  const reading = (async () => {
    for await (const { cursor, log, record } of client.events())
      seen.push({ cursor, key: `${log} ${record.seq}` });
  })();
  await until('the start', () => seen.some(({ key }) => key === 'init 2'));
  process.kill(await gsup.supervisor(), 'SIGKILL');
  await client.stop(['a']);
  await gsup.record('outcome', (line) => line.run === 'a#1');
  const half = seen[Math.floor(seen.length / 2)];
  const rest = await ask(socketOf(gsup), 'GET', `/v1/events?follow=false&cursor=${half?.cursor}`);
  const lines = rest.text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.map((line) => faultsOf('events', line))).toEqual(lines.map(() => null));
  const told = lines.map(({ log, record }) => `${log} ${record.seq}`);
  const before = seen.slice(0, seen.indexOf(half as (typeof seen)[0]) + 1).map(({ key }) => key);
  expect(new Set([...before, ...told]).size).toBe(before.length + told.length);
  const strange = await ask(socketOf(gsup), 'GET', '/v1/events?cursor=1.1-0-0');
  expect([strange.status, strange.json.code]).toEqual([410, 'cursor-unknown']);
  await endWith(gsup, 0);
  await reading;
  const written = gsup
    .records()
    .map(({ file, seq }) => `${file === 'init.log' ? 'init' : 'checkpoint'} ${seq}`);
  expect(seen.map(({ key }) => key).sort()).toEqual(
    written.filter((key) => seen.some((each) => each.key === key)).sort(),
  );
  // The last record of init is written when the supervisor has gone.
  expect(written.length - seen.length).toBeLessThanOrEqual(2);
});

scenario('a folder whose path no socket address has room for', SUPERVISED, async (trial: Trial) => {
  const stateDir = join(trial.folder, 'd'.repeat(60), 'e'.repeat(60));
  mkdirSync(stateDir, { recursive: true });
  const gsup = await trial.up({ processes: { a: sleeper } }, { stateDir });
  await running(gsup, 'a#1');
  const client = connectTo(gsup.folder, 't');
  expect((await client.status()).processes[0]?.state).toBe('running');
  await client.shutdown();
  expect((await gsup.ended()).code).toBe(0);
});

scenario(
  'what a killed gsup has left in the place of its socket is replaced',
  { ...SUPERVISED, rings: ['subreaper'] },
  async (trial) => {
    const config = { processes: { a: { command: ['sleep', '600'] } } };
    const first = await trial.up(config, { mayLeave: true, brokenLogs: true });
    await running(first, 'a#1');
    first.signal('SIGKILL');
    await first.ended();
    expect(lstatSync(socketOf(first)).isSocket()).toBe(true);
    const second = await trial.up(config);
    await answered(second);
    await endWith(second, 0);
  },
);

scenario('metrics tell what is and what has been', SUPERVISED, async (trial) => {
  const gsup = await trial.up({
    exit_when: 'all',
    processes: {
      a: { command: [fixture('ignores-sigterm')], stop: { grace: '100ms' } },
      b: { command: ['sleep', '600'], replicas: 2 },
    },
  });
  await gsup.ready();
  await running(gsup, 'b.1#1', 'b.2#1');
  await ask(socketOf(gsup), 'POST', '/v1/processes/a/stop');
  await gsup.record('outcome', (line) => line.run === 'a#1');
  const scrape = async () => (await ask(socketOf(gsup), 'GET', '/metrics')).text.split('\n');
  const lines = await scrape();
  for (const line of [
    'gsup_process_up{process="a"} 0',
    'gsup_process_wanted{process="a"} 0',
    'gsup_process_up{process="b.2"} 1',
    'gsup_runs_started_total{process="b.1"} 1',
    'gsup_runs_ended_total{process="a",outcome="killed",cause="stopped"} 1',
    'gsup_runs_forced_total{process="a"} 1',
    'gsup_stop_duration_seconds_count{process="a"} 1',
    'gsup_supervisor_starts_total 1',
    'gsup_task_info{task="t",state="active"} 1',
  ])
    expect(lines).toContain(line);
  expect(lines.find((line) => line.startsWith('gsup_process_resident_memory_bytes{process="b.1"}'))).toMatch(
    / \d{5,}$/,
  );
  // Counted once, however often it is asked.
  expect(await scrape()).toContain('gsup_runs_forced_total{process="a"} 1');
  await endWith(gsup, 137);
});

scenario('who has asked for something is in the log, for each of many at once', SUPERVISED, async (trial) => {
  const names = Array.from({ length: 20 }, (_, at) => `p${at}`);
  const gsup = await trial.up({ processes: Object.fromEntries(names.map((name) => [name, sleeper])) });
  await running(gsup, ...names.map((name) => `${name}#1`));
  const uid = process.getuid?.() ?? -1;
  // In a pid namespace of its own gsup cannot see who is outside.
  const pid = trial.ring === 'pid1' ? 0 : process.pid;
  const answers = await Promise.all(
    names.map((name) => ask(socketOf(gsup), 'POST', `/v1/processes/${name}/stop`)),
  );
  expect(answers.map(({ status }) => status)).toEqual(names.map(() => 200));
  const stops = gsup.records().filter(({ type }) => type === 'stop-requested');
  expect(stops.map(({ by }) => by)).toEqual(names.map(() => ({ pid, uid })));
  const other = spawnSync(process.execPath, ['-e', POST_SCRIPT, socketOf(gsup)], { encoding: 'utf8' });
  expect(other.stdout.trim()).toBe('200');
  const started = await gsup.record('start-requested');
  expect(started.by).toEqual({ pid: trial.ring === 'pid1' ? 0 : other.pid, uid });
  await endWith(gsup, 0);
});

const POST_SCRIPT = `require('http').request({ socketPath: process.argv[1], method: 'POST', path: '/v1/processes/p0/start' })
  .on('response', (answer) => { console.log(answer.statusCode); answer.resume(); }).end();`;
