// What a supervisor costs: from exec to its first request, and its memory then and after 20,000 batches of news.
//   npm run build && node bench/supervisor-start.mjs [RUNS] [NODE] [-- FLAGS...]
// This program is init for it: descriptor 3 is a socket on which it says HELLO and SYNC, and the request that comes is
// SPAWN. Nothing is started. FLAGS are V8's; without, those that init gives (src/init/node.c, node_flags).
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildSync } from 'esbuild';

const root = join(import.meta.dirname, '..');
const dir = mkdtempSync(join(tmpdir(), 'gsup-bench-'));
process.on('exit', () => rmSync(dir, { recursive: true, force: true }));
const { encodeFrame, wire } = await importTypeScript(
  "export { encodeFrame } from './src/host/encode.ts'; export * as wire from './src/host/protocol.ts';",
);

const split = process.argv.indexOf('--');
const [runs = '20', node = process.execPath] = process.argv.slice(2, split < 0 ? undefined : split);
const flags = split < 0 ? initFlags() : process.argv.slice(split + 1);

/** Clients would come here; none does. */
const control = createServer().listen(join(dir, 'control.sock'));
await once(control, 'listening');

const starts = [];
for (let i = 0; i < Number(runs); i++) starts.push(await measure(0));
const soaked = await measure(20_000);

console.log(`${node} ${flags.join(' ')}`);
console.log('from exec to the first request:', spread(starts, 'wallMs', 'ms'));
console.log('CPU until it waits:', spread(starts, 'cpuMs', 'ms'));
for (const what of ['Rss', 'Pss', 'Private_Dirty']) {
  console.log(
    `${what}:`,
    spread(starts, what, 'MB'),
    `; after 20,000 batches: ${soaked[what].toFixed(1)} MB`,
  );
}
console.log('threads:', starts[0].threads);
control.close();

function measure(batches) {
  const log = openSync(join(dir, 'checkpoint.log'), 'w+');
  const began = process.hrtime.bigint();
  const command = ['run', '--stay', '--name', 'bench', '--log-format', 'text', '--', 'sleep', '1000'];
  const child = spawn(node, [...flags, '--', join(root, 'dist/main.cjs'), ...command], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', log, 'ignore', 'ignore', 'inherit', control._handle.fd],
    env: { PATH: process.env.PATH, GSUP_INIT: '1', GSUP_TASK: 'bench' },
  });
  const init = child.stdio[3];
  init.on('error', () => {});
  init.write(hello());
  init.write(sync(1));
  return new Promise((resolve) => {
    child.once('exit', () => closeSync(log));
    init.once('data', async (request) => {
      const wallMs = Number(process.hrtime.bigint() - began) / 1e6;
      const key = request.readBigUInt64LE(8);
      init.resume();
      for (let n = 1; n <= batches; n++) {
        const free = init.write(Buffer.concat([run(key, n), sync(n + 1)]));
        if (!free) await new Promise((go) => init.once('drain', go));
      }
      await idle(child.pid);
      resolve({ wallMs, ...memory(child.pid), cpuMs: cpuMs(child.pid), threads: threads(child.pid).length });
      child.kill('SIGKILL');
    });
  });
}

function hello() {
  return encodeFrame(wire.frameType.HELLO, 0, wire.hello, {
    version: wire.PROTOCOL_VERSION,
    flags: 0,
    restarts: 0,
    init_pid: process.pid,
    last_number: 0n,
    init_ticks: 0n,
    pid_ns: 0n,
    stay_ns: wire.FOREVER,
    boot_id: 'bench',
  });
}

function sync(event) {
  return encodeFrame(wire.frameType.SYNC, 0, wire.sync, { event: BigInt(event) });
}

/** A run that lives, and has notified `count` times: the news that changes nothing else. */
function run(key, count) {
  const blank = wire.run_state.read(new DataView(new ArrayBuffer(wire.run_state.size)), 0);
  const alive = {
    phase: 2,
    pid: 400,
    code: -1,
    signal: -1,
    rung: wire.NOT_STOPPING,
    deadline_ns: wire.FOREVER,
  };
  const raw = { ...blank, ...alive, key, started_ns: 1n, notify_count: count, name: 'bench#1' };
  return encodeFrame(wire.frameType.RUN, 0, wire.run_state, raw);
}

/** It waits: its CPU time stands still. */
async function idle(pid) {
  for (let before = -1; before !== cpuMs(pid); ) {
    before = cpuMs(pid);
    await new Promise((go) => setTimeout(go, 200));
  }
}

function memory(pid) {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const of = (name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)[1]) / 1024;
  return { Rss: of('Rss'), Pss: of('Pss'), Private_Dirty: of('Private_Dirty') };
}

function threads(pid) {
  return readdirSync(`/proc/${pid}/task`);
}

/** schedstat counts nanoseconds on a CPU, per thread. */
function cpuMs(pid) {
  const spent = threads(pid).map(
    (tid) => readFileSync(`/proc/${pid}/task/${tid}/schedstat`, 'utf8').split(' ')[0],
  );
  return spent.reduce((sum, ns) => sum + Number(ns), 0) / 1e6;
}

function spread(samples, name, unit) {
  const sorted = samples.map((sample) => sample[name]).sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))].toFixed(1);
  return `median ${at(0.5)} ${unit}, least ${at(0)}, most ${at(1)}`;
}

function initFlags() {
  const source = readFileSync(join(root, 'src/init/node.c'), 'utf8');
  return [.../node_flags\[\] = \{(.*?)\}/s.exec(source)[1].matchAll(/"([^"]+)"/g)].map(([, flag]) => flag);
}

async function importTypeScript(contents) {
  const outfile = join(dir, 'codec.mjs');
  buildSync({
    stdin: { contents, resolveDir: root, loader: 'ts' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    outfile,
  });
  return import(pathToFileURL(outfile).href);
}
