// Each example of a config file does what the comment at its head claims, started by the command that the comment gives.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { until } from '../support/until.ts';
import { commandOf, type Example, withExample } from './example.ts';

/** Each line as its process wrote it: what gsup puts before it is taken away, and so is how it aligns names. */
function said(example: Example): string[] {
  return example.stdout
    .text()
    .split('\n')
    .map((line) => line.replace(/^\S+ +\| /, ''));
}

/** They stand there in this order; other lines may stand between them. */
function expectOrder(example: Example, ...lines: string[]): void {
  const places = lines.map((line) => said(example).indexOf(line));
  expect(places, example.stdout.text()).not.toContain(-1);
  expect(places, example.stdout.text()).toEqual([...places].sort((a, b) => a - b));
}

const line = (example: Example, text: string) => until(text, () => said(example).includes(text), 60_000);
const ready = (example: Example, count: number) =>
  until(
    `${count} that are ready`,
    () => example.records().filter(({ type }) => type === 'run-ready').length === count,
    60_000,
  );
const started = (example: Example, run: string) =>
  until(`${run} to be started`, () =>
    example.records().some((record) => record.type === 'run-started' && record.run === run),
  );

function up(example: string, body: (example: Example) => Promise<void>, env = {}): Promise<void> {
  return withExample(commandOf(`up/${example}`), body, { command: 'up', env });
}

async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return String(port);
}

test('shop.yaml: the migration before web and worker, the database stops last, the upload runs after all', async () => {
  await up(
    'shop.yaml',
    async (shop) => {
      await line(shop, 'worker: at work');
      await ready(shop, 2);
      shop.signal('SIGTERM');
      expect(await shop.ended(), shop.stderr.text()).toBe(0);
      expectOrder(shop, 'db: ready', 'migrate: done', 'worker: at work');
      expectOrder(shop, 'worker: job finished', 'db: clean shutdown', 'upload: logs are safe');
    },
    { PORT: await freePort() },
  );
});

test('ci-runner.yaml: not signalled before it is deregistered, which is tried again; dockerd stops after it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gsup-busy-'));
  const busy = join(folder, 'busy');
  writeFileSync(busy, '');
  const body = async (runner: Example) => {
    await line(runner, 'runner: at work');
    runner.signal('SIGTERM');
    const failed = () =>
      runner.records().filter(({ type, state }) => type === 'hook' && state === 'ended').length;
    await until('the hook to fail twice', () => failed() >= 2, 60_000);
    const before = runner.records().filter(({ type, run }) => type === 'signal' && run === 'runner#1');
    expect(before, 'signals before it was deregistered').toEqual([]);
    rmSync(busy);
    expect(await runner.ended(), runner.stderr.text()).toBe(0);
    expectOrder(runner, 'runner: deregistered', 'runner: job cancelled and reported', 'dockerd: stopped');
    expect(runner.stderr.text().match(/not stopped before hook/g), 'said once').toHaveLength(1);
  };
  await up('ci-runner.yaml', body, { BUSY: busy }).finally(() => rmSync(folder, { recursive: true }));
});

test('replicas.yaml: the balancer opens when all are ready, and closes first', async () => {
  await up('replicas.yaml', async (replicas) => {
    await line(replicas, 'balancer: open');
    expect(replicas.records().filter(({ type }) => type === 'run-ready')).toHaveLength(3);
    replicas.signal('SIGTERM');
    expect(await replicas.ended(), replicas.stderr.text()).toBe(0);
    for (const number of [1, 2, 3])
      expectOrder(replicas, 'balancer: no more requests', `app ${number}: drained`);
  });
});

test('agents.yaml: stops in reverse order, by SIGINT, and ends with 0', async () => {
  await up('agents.yaml', async (agents) => {
    await ready(agents, 4);
    agents.signal('SIGTERM');
    expect(await agents.ended(), agents.stderr.text()).toBe(0);
    for (const agent of ['agent.1#1', 'agent.2#1'])
      expectOrder(agents, `${agent}: stopped`, 'agency#1: stopped', 'servers#1: stopped');
    const sent = agents.records().filter(({ type, run }) => type === 'signal' && run !== undefined);
    expect(new Set(sent.map(({ signal }) => signal))).toEqual(new Set(['SIGINT']));
  });
});

test('thermos.yaml: order, the clean-up of an app below its shell, an ephemeral, a final', async () => {
  await up('thermos.yaml', async (thermos) => {
    await line(thermos, 'ready');
    await started(thermos, 'watcher#1');
    thermos.signal('SIGTERM');
    expect(await thermos.ended(), thermos.stderr.text()).toBe(0);
    expectOrder(thermos, 'fetch: done', 'ready', 'app: cleaning up', 'app: cleaned up', 'checkpoint: saved');
    expect(thermos.records().filter(({ type }) => type === 'kill')).toEqual([]);
  });
});

test('Procfile: a process a line', async () => {
  await up('Procfile', async (procfile) => {
    await until('the server', () => /\blistening on \d+/.test(procfile.stdout.text()), 60_000);
    procfile.signal('SIGTERM');
    expect(await procfile.ended(), procfile.stderr.text()).toBe(0);
  });
});

test('every config file among the examples has its test', () => {
  const here = ['Procfile', 'agents.yaml', 'ci-runner.yaml', 'replicas.yaml', 'shop.yaml', 'thermos.yaml'];
  const tested = [...here, 'postgres.yaml'].sort(); // that one in test/container
  expect(readdirSync(join(import.meta.dirname, '../../examples/up')).sort()).toEqual(tested);
});
