// What 1, 100 and 1,000 sleeping processes cost, below each supervisor that is there, one after the other:
//   node bench/many.mjs [--counts 1,100,1000] [ROUNDS [SECONDS [NAME...]]]
// Time until all run and until all have ended, by /proc; memory of everything that is not a sleeping process; processor time and
// wake-ups in SECONDS (10) of quiet. Medians of ROUNDS (5), and the least and the most.
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { COMMAND, installedSupervisors } from './supervisors.mjs';
import { table } from './table.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { counts: { type: 'string', default: '1,100,1000' } },
});
const [rounds, seconds] = [Number(positionals[0] ?? 5), Number(positionals[1] ?? 10)];
const dir = mkdtempSync(join(tmpdir(), 'gsup-many-'));
const supervisors = installedSupervisors(positionals.slice(2), dir);
const LONGEST_MS = 180_000;

const read = (path) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};
const field = (text, name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0);
const children = (pid) => read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
/** A command that has not been executed yet has another name. */
const sleeps = (pid) => read(`/proc/${pid}/comm`).trim() === COMMAND[0];
const threads = (pid) => {
  try {
    return readdirSync(`/proc/${pid}/task`).map((tid) => `/proc/${pid}/task/${tid}`);
  } catch {
    return [];
  }
};
const sum = (list, of) => list.reduce((total, each) => total + of(each), 0);

/**
 * The processes of a supervisor's own below `pid`. Whoever was seen to sleep is in `asleep`, and whose child that is in `over`: they
 * are not looked at again, because looking must not cost more than starting.
 */
function look(pid, { asleep, over }) {
  const own = [pid];
  const walk = (parent) => {
    for (const child of children(parent)) {
      if (!asleep.has(child) && sleeps(child)) asleep.add(child);
      if (asleep.has(child)) over.add(parent);
      else own.push(child);
      if (!asleep.has(child) && !over.has(child)) walk(child);
    }
  };
  walk(pid);
  return own;
}

async function until(what, holds) {
  const began = performance.now();
  while (!holds()) {
    if (performance.now() - began > LONGEST_MS) throw new Error(`waited too long: ${what}`);
    await sleep(10);
  }
  return (performance.now() - began) / 1000;
}

const switches = (pid) =>
  sum(threads(pid), (at) => {
    const status = read(`${at}/status`);
    return field(status, 'voluntary_ctxt_switches') + field(status, 'nonvoluntary_ctxt_switches');
  });
const cpuMs = (pid) => sum(threads(pid), (at) => Number(read(`${at}/schedstat`).split(' ')[0])) / 1e6;

async function measure({ name, path, prepare, restMs = 3000, stop: signal = 'SIGTERM' }, n) {
  const folder = mkdtempSync(join(dir, 'run-'));
  const [file, ...argv] = prepare(path, folder, n, COMMAND, false);
  const asleep = new Set();
  const known = { asleep, over: new Set() };
  const child = spawn(file, argv, { stdio: 'ignore', cwd: folder, detached: true });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  try {
    const start = await until(`start of ${n} below ${name}`, () => {
      if (child.exitCode !== null) throw new Error(`${name} has ended with ${child.exitCode}`);
      look(child.pid, known);
      return asleep.size >= n;
    });
    await sleep(restMs);
    const own = look(child.pid, known);
    const before = own.map((pid) => [switches(pid), cpuMs(pid)]);
    await sleep(seconds * 1000);
    const woken = own.reduce((total, pid, i) => total + switches(pid) - before[i][0], 0);
    const cpu = own.reduce((total, pid, i) => total + cpuMs(pid) - before[i][1], 0);
    const pss = sum(own, (pid) => field(read(`/proc/${pid}/smaps_rollup`), 'Pss')) / 1024;
    const rss = sum(own, (pid) => field(read(`/proc/${pid}/status`), 'VmRSS')) / 1024;
    const began = performance.now();
    child.kill(signal);
    await Promise.race([ended, sleep(LONGEST_MS, undefined, { ref: false })]);
    await until(`end of ${n} below ${name}`, () => ![...asleep].some(sleeps));
    const stop = (performance.now() - began) / 1000;
    return { start, stop, pss, rss, woken: woken / seconds, cpu: cpu / seconds, own: own.length };
  } finally {
    for (const pid of [child.pid, ...asleep])
      if (pid === child.pid ? child.exitCode === null : sleeps(pid)) kill(pid);
    await Promise.race([ended, sleep(5000, undefined, { ref: false })]);
    rmSync(folder, { recursive: true, force: true });
  }
}

function kill(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {}
}

function spread(results, what, digits) {
  const sorted = results.map((result) => result[what]).sort((a, b) => a - b);
  const [least, median, most] = [0, Math.floor(sorted.length / 2), sorted.length - 1].map((i) =>
    (sorted[i] ?? Number.NaN).toFixed(digits),
  );
  return least === most ? median : `${median} (${least}–${most})`;
}

try {
  for (const n of values.counts.split(',').map(Number)) {
    const able = supervisors.filter(({ most }) => n <= most);
    const results = new Map(able.map(({ name }) => [name, []]));
    for (let round = 0; round < rounds; round++)
      for (const one of able) results.get(one.name).push(await measure(one, n));
    console.log(
      `\n${n} ${n === 1 ? 'process that sleeps' : 'processes that sleep'}; medians of ${rounds} (least–most)`,
    );
    const head = [
      '',
      'start s',
      'stop s',
      'PSS MB',
      'RSS MB',
      'wake-ups/s',
      'processor ms/s',
      'processes of its own',
    ];
    const row = (name, got) => [
      name,
      spread(got, 'start', 2),
      spread(got, 'stop', 2),
      spread(got, 'pss', 1),
      spread(got, 'rss', 1),
      spread(got, 'woken', 1),
      spread(got, 'cpu', 2),
      spread(got, 'own', 0),
    ];
    table(
      head,
      [...results].map(([name, got]) => row(name, got)),
    );
  }
} finally {
  rmSync(dir, { recursive: true, force: true });
}
