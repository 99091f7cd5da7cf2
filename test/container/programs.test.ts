// Servers that people run, under gsup in a real container, stopped while they work. What counts is what their users
// would notice: a lost row, a broken download, a key that is gone.
import { spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import {
  bothWays,
  type Container,
  podman,
  podmanEnv,
  programsImage,
  recordOf,
  recordsOf,
  start,
  waitFor,
  whyNoContainers,
} from './podman.ts';

const reason = await whyNoContainers('programs');
const image = programsImage;

async function expectCleanStop(container: Container, code: number): Promise<void> {
  expect(await container.ended()).toMatchObject({ code });
  expect(recordsOf(await container.records(), 'kill')).toEqual([]);
}

describe.skipIf(reason).each(bothWays)('container program, $way', ({ way, options }) => {
  test('PostgreSQL shuts down cleanly under a write load and keeps every committed row', async () => {
    const server = '/usr/lib/postgresql/*/bin/postgres';
    const cluster = 'config_file=$(echo /etc/postgresql/*/main/postgresql.conf)';
    const container = await start({
      image,
      podman: ['--stop-signal', 'SIGINT'],
      options: [...options, '--name', 'db', '--user', 'postgres'],
      command: ['sh', '-c', `exec ${server} -c ${cluster} -c listen_addresses=`],
    });
    // Debian's cluster has TLS on: its key can be read only with the supplementary groups of the user.
    await container.waitForLine(/ready to accept connections/);
    await psql(container, 'create table load (writer int, n int)');

    const writers = [1, 2, 3].map((writer) => writeRows(container, writer));
    await waitFor(
      async () => writers.every((writer) => writer.committed() > 20),
      () => `rows so far: ${writers.map((writer) => writer.committed())}`,
    );
    if (way === 'supervisor present') await killSupervisor(container);
    await container.stop(10);
    await expectCleanStop(container, 0);
    expect(await container.text()).toContain('database system is shut down');
    await Promise.all(writers.map((writer) => writer.ended));

    const old = (await container.lines()).length;
    await container.restart();
    await container.waitForLine(/ready to accept connections/, old);
    expect((await container.lines()).slice(old).map((line) => line.text)).not.toContainEqual(
      expect.stringContaining('not properly shut down'),
    );
    const rows = await psql(container, 'select writer, max(n), count(*) from load group by 1 order by 1');
    rows.split('\n').forEach((row, index) => {
      const [, last, count] = row.split('|').map(Number);
      expect(count, 'no hole').toBe(last);
      expect(last).toBeGreaterThanOrEqual(writers[index]?.committed() ?? Number.NaN);
    });
    expect(rows.split('\n')).toHaveLength(3);
    await container.stop(10);
  });

  test('nginx drains on SIGQUIT: every download that had begun arrives whole', async () => {
    const config = [
      'user www-data; worker_processes 2; error_log stderr notice; pid /run/nginx.pid; events {}',
      'http { access_log off; keepalive_timeout 60s; server { listen 8080; root /srv;',
      'location = /hello { return 200 "hello\\n"; } location = /slow { limit_rate 200k; } } }',
    ].join('\n');
    const prepare = 'head -c 400000 /dev/zero >/srv/slow; printf "%s" "$NGINX_CONF" >/tmp/nginx.conf';
    const container = await start({
      image,
      podman: ['--stop-signal', 'SIGQUIT', '-e', `NGINX_CONF=${config}`],
      options: [...options, '--name', 'web'],
      command: ['sh', '-c', `${prepare}; exec nginx -c /tmp/nginx.conf -g "daemon off;"`],
    });
    await container.waitForLine(/start worker process /);
    const client = clientInNetworkOf(await container.inspect('{{.State.Pid}}'));
    await waitFor(
      async () => client.output().includes('downloading'),
      () => `the client says: ${client.output()}`,
    );
    await container.stop(10);
    await expectCleanStop(container, 0);
    expect(await client.code, client.output()).toBe(0);
    expect(client.output()).toContain('8 whole');
    expect(recordsOf(await container.records(), 'rung')[0]).toMatchObject({ signal: 'SIGQUIT' });
  });

  test('Redis saves on TERM and has its keys when it is back', async () => {
    const container = await start({
      image,
      options: [...options, '--name', 'cache', '--user', 'redis', '--cwd', '/data'],
      command: ['redis-server', '--save', '3600 1', '--dir', '/data', '--daemonize', 'no'],
    });
    await container.waitForLine(/Ready to accept connections/);
    expect(await container.exec('redis-cli', 'set', 'kept', 'yes')).toBe('OK');
    await container.stop(10);
    await expectCleanStop(container, 0);
    expect(await container.text()).toContain('DB saved on disk');

    const old = (await container.lines()).length;
    await container.restart();
    await container.waitForLine(/Ready to accept connections/, old);
    expect(await container.exec('redis-cli', 'get', 'kept')).toBe('yes');
    await container.stop(10);
    expect(recordOf((await container.records()).slice(-1), 'task-state')).toMatchObject({ exit_code: 0 });
  });
});

function psql(container: Container, sql: string): Promise<string> {
  return podman('exec', '--user', 'postgres', container.name, 'psql', '-Atqc', sql);
}

/** Inserts 1, 2, 3 ... each in its own transaction; psql says each number only when its commit has succeeded. */
function writeRows(container: Container, writer: number) {
  const client = ['stdbuf', '-oL', 'psql', '-q', '-v', 'ON_ERROR_STOP=1'];
  const child = spawn('podman', ['exec', '-i', '--user', 'postgres', container.name, ...client], {
    env: podmanEnv,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  // The server goes away while rows are on their way to it: that is the point.
  child.stdin.on('error', () => {});
  Readable.from(insertsOf(writer)).pipe(child.stdin);
  let last = 0;
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const rows = (rest + text).split('\n');
    rest = rows.pop() ?? '';
    last = Math.max(last, ...rows.map(Number));
  });
  return {
    committed: () => last,
    ended: new Promise<void>((resolve) => child.on('close', () => resolve())),
  };
}

function* insertsOf(writer: number) {
  for (let n = 1; ; n += 1) yield `insert into load values (${writer}, ${n});\n\\echo ${n}\n`;
}

async function killSupervisor(container: Container): Promise<void> {
  const started = recordsOf(await container.records(), 'supervisor-started').at(-1);
  await container.exec('sh', '-c', `kill -KILL ${started?.pid}`);
}

/** This machine's node in the container's network: it goes on when the container has ended. */
function clientInNetworkOf(pid: string) {
  const script = `
    const http = require('node:http');
    const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
    const get = (path) => new Promise((resolve, reject) => {
      http.get({ host: '127.0.0.1', port: 8080, path, agent }, (response) => {
        let bytes = 0;
        response.on('data', (data) => { bytes += data.length; });
        response.on('end', () => resolve(bytes));
        response.on('error', reject);
        if (path === '/slow') begun();
      }).on('error', reject);
    });
    let count = 0;
    const begun = () => { count += 1; if (count === 8) console.log('downloading'); };
    (async () => {
      const all = (path) => Promise.all(Array.from({ length: 8 }, () => get(path)));
      await all('/hello');
      const sizes = await all('/slow');
      console.log(sizes.filter((size) => size === 400000).length, 'whole');
      process.exit(0);
    })().catch((error) => { console.log(error); process.exit(1); });
  `;
  const child = spawn('nsenter', ['--net', '--target', pid, process.execPath, '-e', script], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  return {
    output: () => output,
    code: new Promise<number | null>((resolve) => child.on('close', resolve)),
  };
}
