// From the SIGKILL of a process to the first moment of the next one, below each supervisor that is there:
//   node bench/restart.mjs [ROUNDS [NAME...]]
// Each is told to start it again at once, where that can be said. The process has lived for longer than the second that s6 and
// runit put between two starts, and the rounds are interleaved.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { installedSupervisors } from './supervisors.mjs';
import { quantile, table } from './table.mjs';

const rounds = Number(process.argv[2] ?? 30);
const LIVED_MS = 1500;
const LONGEST_MS = 60_000;
const dir = mkdtempSync(join(tmpdir(), 'gsup-restart-'));
const probe = join(dir, 'restart-probe');

/** Those that have begun, the last one last. */
function begun(file) {
  try {
    const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
    return lines.map((line) => line.split(' ')).map(([pid, ns]) => ({ pid: Number(pid), ns: BigInt(ns) }));
  } catch {
    return [];
  }
}

async function untilBegun(file, count) {
  for (let waited = 0; waited < LONGEST_MS; waited++) {
    const all = begun(file);
    if (all.length >= count) return all[count - 1];
    await sleep(1);
  }
  throw new Error(`the process was not started ${count} times within ${LONGEST_MS / 1000} s`);
}

function start(one, at) {
  const folder = join(dir, String(at));
  mkdirSync(folder);
  const file = join(folder, 'begun');
  const [command, ...argv] = one.prepare(one.path, folder, 1, [probe, file], true);
  const child = spawn(command, argv, { stdio: 'ignore', cwd: folder });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  return { ...one, file, child, ended, times: [] };
}

/** @returns milliseconds */
async function killOnce({ file }, round) {
  const { pid } = await untilBegun(file, round + 1);
  await sleep(LIVED_MS);
  const killedNs = process.hrtime.bigint();
  process.kill(pid, 'SIGKILL');
  const next = await untilBegun(file, round + 2);
  return Number(next.ns - killedNs) / 1e6;
}

async function end({ child, ended, stop = 'SIGTERM' }) {
  child.kill(stop);
  await Promise.race([ended, sleep(10_000, undefined, { ref: false })]);
  if (child.exitCode === null) child.kill('SIGKILL');
}

const started = [];
try {
  execFileSync('cc', ['-O2', '-o', probe, new URL('restart-probe.c', import.meta.url).pathname]);
  for (const [at, one] of installedSupervisors(process.argv.slice(3), dir).entries())
    started.push(start(one, at));
  for (let round = 0; round < rounds; round++)
    for (const one of started) one.times.push(await killOnce(one, round));
  console.log(`\nKilled → the first moment of the next one, ms, ${rounds} times`);
  table(
    ['', 'median', 'least', 'most'],
    started.map(({ name, times }) => [name, ...[0.5, 0, 1].map((part) => quantile(times, part).toFixed(1))]),
  );
} finally {
  await Promise.all(started.map(end));
  rmSync(dir, { recursive: true, force: true });
}
