// What looking at a task costs: processor time of its supervisor and of `gsup top` itself, with nobody looking and with `gsup top`
// on a terminal of 80 by 24; and what pidusage takes per process:
//   node bench/top.mjs [SECONDS [N...]]
// SECONDS (30) each, for 100 and 1,000 processes. `script` of util-linux is the terminal.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pidusage from 'pidusage';
import { table } from './table.mjs';

const seconds = Number(process.argv[2] ?? 30);
const counts = process.argv.length > 3 ? process.argv.slice(3).map(Number) : [100, 1000];
const gsup = join(import.meta.dirname, '../dist/native/gsup');
const LONGEST_MS = 180_000;
const TICKS_PER_SECOND = Number(spawnSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }).stdout);

const read = (path) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};
const children = (pid) => read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
const nameOf = (pid) => read(`/proc/${pid}/comm`).trim();
const cpuMs = (pid) => {
  const fields = read(`/proc/${pid}/stat`).split(') ').pop().split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND;
};
const nodeBelow = (pid) => children(pid).find((child) => nameOf(child) === 'node');

async function until(what, probe) {
  const end = performance.now() + LONGEST_MS;
  for (;;) {
    const found = probe();
    if (found) return found;
    if (performance.now() > end) throw new Error(`waited too long: ${what}`);
    await sleep(100);
  }
}

/** Milliseconds of processor time per second, of each of these. */
async function spent(pids) {
  const before = pids.map(cpuMs);
  const began = performance.now();
  await sleep(seconds * 1000);
  const passed = (performance.now() - began) / 1000;
  return pids.map((pid, at) => (cpuMs(pid) - before[at]) / passed);
}

const shown = (perSecond) => (perSecond === undefined ? '' : `${(perSecond / 10).toFixed(1)} %`);

async function measure(count) {
  const dir = mkdtempSync(join(tmpdir(), 'gsup-top-'));
  const state = join(dir, 'state');
  mkdirSync(state);
  const processes = { web: { command: ['sleep', '100000'], replicas: count } };
  writeFileSync(join(dir, 'gsup.json'), JSON.stringify({ name: 'many', processes }));
  const env = { ...process.env, GSUP_STATE_DIR: state, TERM: 'xterm' };
  const task = spawn(gsup, ['up', '-q', '-f', join(dir, 'gsup.json')], { env, stdio: 'ignore' });
  const ended = new Promise((resolve) => task.once('exit', resolve));
  const rows = [];
  try {
    const sleepers = () =>
      children(task.pid)
        .flatMap(children)
        .filter((pid) => nameOf(pid) === 'sleep');
    const pids = await until('all processes to run', () => {
      const found = sleepers();
      return found.length === count ? found : null;
    });
    // Somebody asks, so that the supervisor is there, and stays.
    spawnSync(gsup, ['status', '--json'], { env, stdio: 'ignore' });
    const supervisor = await until('a supervisor', () => nodeBelow(task.pid));
    await sleep(3000);
    const [idle] = await spent([supervisor]);
    rows.push([`${count}: nobody looks`, shown(idle), '', '']);

    const words = `stty rows 24 cols 80; exec ${gsup} top`;
    const top = spawn('script', ['-qec', words, '/dev/null'], { env, stdio: ['pipe', 'pipe', 'ignore'] });
    let bytes = 0;
    top.stdout.on('data', (part) => {
      bytes += part.length;
    });
    const topEnded = new Promise((resolve) => top.once('exit', resolve));
    const own = await until(
      'top',
      () => nodeBelow(top.pid) ?? children(top.pid).map(nodeBelow).find(Boolean),
    );
    await sleep(3000);
    const before = bytes;
    const [bySupervisor, byTop] = await spent([supervisor, own]);
    rows.push([`${count}: top`, shown(bySupervisor), shown(byTop), Math.round((bytes - before) / seconds)]);
    top.stdin.write('q');
    await topEnded;

    rows.push([`${count}: pidusage, per process and look`, `${(await usageUs(pids)).toFixed(0)} µs`, '', '']);
  } finally {
    task.kill('SIGTERM');
    await ended;
    rmSync(dir, { recursive: true, force: true });
  }
  return rows;
}

/** The second look and later ones: the first opens a file for each process, and keeps it open. */
async function usageUs(pids) {
  await pidusage([...pids]);
  const rounds = 20;
  const { user, system } = process.cpuUsage();
  for (let i = 0; i < rounds; i++) await pidusage([...pids]);
  const after = process.cpuUsage();
  return (after.user - user + after.system - system) / rounds / pids.length;
}

console.log(
  `load average at the begin: ${loadavg()
    .map((load) => load.toFixed(1))
    .join(' ')}`,
);
const rows = [];
for (const count of counts) rows.push(...(await measure(count)));
table(['', 'supervisor', 'top', 'bytes/s to the terminal'], rows);
console.log(
  `load average at the end: ${loadavg()
    .map((load) => load.toFixed(1))
    .join(' ')}`,
);
