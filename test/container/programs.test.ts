// Servers that people run, under gsup in a real container, stopped while they work. What counts is what their users
// would notice: a lost row, a broken download, a key that is gone.
import { spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { expect } from 'vitest';
import { collect } from '../support/output.ts';
import { findPrograms } from '../support/processes.ts';
import { theOne, types } from '../support/story.ts';
import { until } from '../support/until.ts';
import { type Container, start } from './container.ts';
import { containerRing, podman, podmanEnv, programsImage } from './podman.ts';

const { scenario } = await containerRing('--programs');

/** Stops it, and expects that nothing was killed. */
async function expectCleanStop(container: Container, task: string): Promise<void> {
  await container.stop(10);
  expect(await container.ended(), container.text()).toBe(0);
  expect(types(await container.records(`/run/gsup/${task}`))).not.toContain('kill');
}

scenario('PostgreSQL shuts down cleanly under a write load and keeps every committed row', async (mode) => {
  const cluster = '-c config_file=$(echo /etc/postgresql/*/main/postgresql.conf) -c listen_addresses=';
  const command = ['sh', '-c', `exec /usr/lib/postgresql/*/bin/postgres ${cluster}`];
  const container = await start(mode, ['--name', 'db', '--user', 'postgres'], command, {
    image: programsImage,
    podman: ['--stop-signal', 'SIGINT'],
  });
  // Debian's cluster has TLS on: its key can be read only with the supplementary groups of the user.
  await container.line(/ready to accept connections/);
  await psql(container, 'create table load (writer int, n int)');
  const writers = [1, 2, 3].map((writer) => writeRows(container, writer));
  await until('rows of every writer', () => writers.every((writer) => writer.committed() > 20));
  if (mode === 'supervisor') await killSupervisor(container);
  await expectCleanStop(container, 'db');
  expect(container.text()).toContain('database system is shut down');
  await Promise.all(writers.map((writer) => writer.ended));

  const old = container.lines().length;
  await container.restart();
  await container.line(/ready to accept connections/, old);
  const since = container.lines().slice(old);
  expect(since.filter((line) => line.text.includes('not properly shut down'))).toEqual([]);
  const answer = await psql(container, 'select max(n), count(*) from load group by writer order by writer');
  const rows = answer.split('\n').map((row) => row.split('|').map(Number));
  expect(rows).toHaveLength(3);
  for (const [index, [last, rowCount]] of rows.entries()) {
    expect(rowCount, 'no hole').toBe(last);
    expect(last, 'what was committed').toBeGreaterThanOrEqual(writers[index]?.committed() ?? Number.NaN);
  }
  await expectCleanStop(container, 'db');
});

scenario('nginx drains on SIGQUIT: every download that had begun arrives whole', async (mode) => {
  const config = [
    'user www-data; worker_processes 2; error_log stderr notice; pid /run/nginx.pid; events {}',
    'http { access_log off; keepalive_timeout 60s; server { listen 8080; root /srv;',
    'location = /hello { return 200 "hello\\n"; } location = /slow { limit_rate 200k; } } }',
  ].join('\n');
  const prepare = 'head -c 400000 /dev/zero >/srv/slow; printf "%s" "$NGINX_CONF" >/tmp/nginx.conf';
  const command = ['sh', '-c', `${prepare}; exec nginx -c /tmp/nginx.conf -g "daemon off;"`];
  const container = await start(mode, ['--name', 'web'], command, {
    image: programsImage,
    podman: ['--stop-signal', 'SIGQUIT', '-e', `NGINX_CONF=${config}`],
  });
  await container.line(/start worker process /);
  const client = download(container);
  await client.output.line(/^downloading$/);
  await expectCleanStop(container, 'web');
  expect(await client.code, client.output.text()).toBe(0);
  expect(client.output.text()).toContain('8 whole');
  expect(theOne(await container.records('/run/gsup/web'), 'rung')).toMatchObject({ signal: 'SIGQUIT' });
});

scenario('Redis saves on TERM and has its keys when it is back', async (mode) => {
  const options = ['--name', 'cache', '--user', 'redis', '--cwd', '/data'];
  const command = ['redis-server', '--save', '3600 1', '--dir', '/data', '--daemonize', 'no'];
  const container = await start(mode, options, command, { image: programsImage });
  await container.line(/Ready to accept connections/);
  expect(await container.exec('redis-cli', 'set', 'kept', 'yes')).toBe('OK');
  await expectCleanStop(container, 'cache');
  expect(container.text()).toContain('DB saved on disk');

  const old = container.lines().length;
  await container.restart();
  await container.line(/Ready to accept connections/, old);
  expect(await container.exec('redis-cli', 'get', 'kept')).toBe('yes');
  await expectCleanStop(container, 'cache');
});

/** Ends a request that has begun, then itself. `/slow` takes 2 s. */
const nodeServer = `
  const http = require('node:http');
  const server = http.createServer((request, response) => {
    if (request.url === '/hello') return response.end('hello');
    let left = 20;
    const timer = setInterval(() => {
      response.write(Buffer.alloc(20000));
      left -= 1;
      if (left === 0) { clearInterval(timer); response.end(); }
    }, 100);
  });
  server.listen(8080, () => console.log('listening'));
  process.on('SIGTERM', () => server.close(() => { console.log('drained'); process.exit(0); }));
`;

scenario('a Node server drains: every download that had begun arrives whole', async (mode) => {
  const container = await start(mode, ['--name', 'web'], ['node', '-e', nodeServer]);
  await container.line(/^listening$/);
  const client = download(container);
  await client.output.line(/^downloading$/);
  await expectCleanStop(container, 'web');
  expect(await client.code, client.output.text()).toBe(0);
  expect(container.text()).toMatch(/^drained$/m);
});

scenario('npm start: the server behind npm and its shell drains as well', async (mode) => {
  const script =
    'mkdir /app; cd /app; printf "%s" "$PACKAGE" >package.json; printf "%s" "$SERVER" >server.js';
  const settings = ['-e', 'PACKAGE={"scripts":{"start":"node server.js"}}', '-e', `SERVER=${nodeServer}`];
  const command = ['sh', '-c', `${script}; exec npm start`];
  const container = await start(mode, ['--name', 'web'], command, { podman: settings });
  await container.line(/^listening$/);
  const client = download(container);
  await client.output.line(/^downloading$/);
  await container.stop(10);
  await container.ended();
  expect(await client.code, client.output.text()).toBe(0);
  expect(container.text()).toMatch(/^drained$/m);
  expect(types(await container.records('/run/gsup/web'))).not.toContain('kill');
});

scenario('a shell pipeline: its last stage writes what the first one says on TERM', async (mode) => {
  const first = 'trap "sleep 1; echo last words; exit" TERM; echo ready; while :; do sleep 0.1; done';
  const last = 'trap "" TERM; while read -r line; do echo "app: $line"; done';
  const container = await start(mode, ['--name', 'pipe'], ['sh', '-c', `(${first}) | (${last})`]);
  await container.line(/^app: ready$/);
  await container.stop(10);
  expect(await container.ended()).toBe(143);
  expect(container.text()).toMatch(/^app: last words$/m);
  expect(theOne(await container.records('/run/gsup/pipe'), 'run-ended')).toMatchObject({ forced: false });
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
  const [pid] = await until('the supervisor', () => {
    const found = findPrograms(container.pid(), 'node');
    return found.length > 0 && found;
  });
  process.kill(pid as number, 'SIGKILL');
}

/** This machine's node in the container's network, so that it goes on when the container has ended. */
function download(container: Container) {
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
  const enter = ['--net', '--target', String(container.pid()), process.execPath, '-e', script];
  const child = spawn('nsenter', enter, { stdio: ['ignore', 'pipe', 'inherit'] });
  const code = new Promise<number | null>((resolve) => child.on('close', resolve));
  return { output: collect(child.stdout), code };
}
