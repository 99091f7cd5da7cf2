// What an init costs in memory and in wake-ups while its command sleeps: node bench/footprint.mjs [SECONDS [INIT...]]
// SECONDS: how long wake-ups are counted (60). strace is asked for 10 s afterwards where there is one.
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { installedInits } from './inits.mjs';
import { table } from './table.mjs';

const seconds = Number(process.argv[2] ?? 60);
const inits = installedInits(process.argv.slice(3));

const read = (path) => readFileSync(path, 'utf8');
const field = (text, name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1]);
const pss = (pid) => field(read(`/proc/${pid}/smaps_rollup`), 'Pss');
const rss = (pid) => field(read(`/proc/${pid}/status`), 'VmRSS');
const switches = (pid) => field(read(`/proc/${pid}/status`), 'voluntary_ctxt_switches');
const children = (pid) =>
  read(`/proc/${pid}/task/${pid}/children`).trim().split(' ').filter(Boolean).map(Number);
const name = (pid) => read(`/proc/${pid}/comm`).trim();

function descendants(pid) {
  return children(pid).flatMap((child) => [child, ...descendants(child)]);
}

/** text + data + bss as size(1) says, else the file. */
function sizes(path) {
  const printed = spawnSync('size', [path], { encoding: 'utf8' });
  const [text, data, bss] = (printed.stdout ?? '').split('\n')[1]?.trim().split(/\s+/).map(Number) ?? [];
  return { file: statSync(path).size, loaded: text + data + bss };
}

async function until(holds) {
  for (let i = 0; i < 1000 && !holds(); i++) await sleep(10);
  if (!holds()) throw new Error('the command was not started within 10 s');
}

/** Syscalls in 10 s. */
function traced(pid) {
  const run = spawnSync('timeout', ['10', 'strace', '-qq', '-e', 'signal=none', '-p', String(pid)], {
    encoding: 'utf8',
  });
  if (run.error !== undefined || run.status === 127) return '-';
  // The call that it is in when strace comes and goes is none.
  return String(Math.max(0, run.stderr.split('\n').filter((line) => line.includes('(')).length - 1));
}

const started = inits.map((init) => {
  const env = { PATH: process.env.PATH ?? '' };
  const child = spawn(init.path, [...init.argv, 'sleep', '100000'], { stdio: 'ignore', env });
  return { ...init, child, pid: child.pid };
});
try {
  for (const { pid } of started) await until(() => descendants(pid).some((p) => name(p) === 'sleep'));
  await sleep(3000); // come to rest: a supervisor loads and collects garbage
  const before = started.map(({ pid }) => [pid, ...descendants(pid)].map((p) => switches(p)));
  await sleep(seconds * 1000);
  const rows = started.map((init, i) => {
    const pids = [init.pid, ...descendants(init.pid)];
    const own = pids.filter((p) => name(p) !== 'sleep');
    const woken = pids.map((p, k) => switches(p) - (before[i][k] ?? 0));
    const { file, loaded } = sizes(init.path);
    const others = own
      .slice(1)
      .map((p) => `${name(p)}: PSS ${pss(p)}, RSS ${rss(p)}, woken ${woken[pids.indexOf(p)]}`);
    return [
      init.name,
      (file / 1024).toFixed(0),
      (loaded / 1024).toFixed(0),
      pss(init.pid),
      rss(init.pid),
      woken[0],
      traced(init.pid),
      others.join('; '),
    ];
  });
  console.log(`One idle command, kB; wake-ups in ${seconds} s, syscalls in 10 s`);
  table(['init', 'file', 'text+data+bss', 'PSS', 'RSS', 'woken', 'syscalls', 'beside it'], rows);
} finally {
  for (const { child } of started) child.kill('SIGTERM');
  await Promise.all(
    started.map(({ child }) => child.exitCode ?? new Promise((done) => child.once('exit', done))),
  );
}
