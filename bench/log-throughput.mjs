// What captured output costs: node bench/log-throughput.mjs [MEGABYTES] [ROUNDS]
// The same stream (200 MB) in short and in long lines, as a second `cat` passes it on, below gsup with each driver, and below
// supervisord and pm2 where they are installed (pm2: in PATH, or PM2=/path/to/bin/pm2). MB/s of wall time, and processor time
// of everything that takes part, the writer too. Each round measures all of them, one after the other; the median is told.
import { spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { table } from './table.mjs';

const megabytes = Number(process.argv[2] ?? 200);
const rounds = Number(process.argv[3] ?? 3);
const pm2 = process.env.PM2 ?? 'pm2';
const gsup = new URL('../dist/native/gsup', import.meta.url).pathname;
const dir = mkdtempSync(join(tmpdir(), 'gsup-log-'));

function makeStream(name, size) {
  const path = join(dir, name);
  const line = `${'x'.repeat(size - 1)}\n`;
  const block = Buffer.from(line.repeat(Math.ceil(1e6 / size)));
  const fd = openSync(path, 'w');
  for (let n = 0; n < megabytes; n++) writeSync(fd, block);
  closeSync(fd);
  return path;
}

/** Wall and processor seconds, of children too: GNU time reads them with wait4. */
function timed(argv, input) {
  const out = join(dir, 'time');
  const run = spawnSync(
    '/usr/bin/time',
    ['-f', '%e %U %S', '-o', out, 'sh', '-c', '"$@" > /dev/null', 'sh', ...argv],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  if (run.status !== 0) throw new Error(`cannot run ${argv.join(' ')}: exit code ${run.status}`);
  const [wall, user, system] = readFileSync(out, 'utf8').trim().split('\n').at(-1).split(' ').map(Number);
  return { wall, cpu: user + system, bytes: statSync(input).size };
}

/** Until so many bytes are in the log; the processor time is that of these processes and of all that they have waited for. */
async function untilLogged(log, bytes, began, pids) {
  const size = () => statSync(log, { throwIfNoEntry: false })?.size ?? 0;
  while (size() < bytes) await sleep(20);
  const wall = (performance.now() - began) / 1000;
  const cpu = pids().reduce((sum, pid) => sum + secondsOf(pid), 0);
  rmSync(log);
  return { wall, cpu, bytes };
}

function secondsOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / 100;
}

async function throughSupervisord(input) {
  if (spawnSync('supervisord', ['--version']).error !== undefined) return null;
  const log = join(dir, 'supervised.log');
  const config = join(dir, 'supervisord.conf');
  writeFileSync(
    config,
    `[supervisord]\nnodaemon=true\nlogfile=/dev/null\nlogfile_maxbytes=0\npidfile=${dir}/pid\n[program:cat]\ncommand=cat ${input}\n` +
      `autorestart=false\nstartsecs=0\nstdout_logfile=${log}\nstdout_logfile_maxbytes=0\n`,
  );
  const began = performance.now();
  const child = spawn('supervisord', ['-c', config], { stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  try {
    return await untilLogged(log, statSync(input).size, began, () => [child.pid]);
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
}

/** Its daemon is started before; what is measured begins with the start of the process. */
async function throughPm2(input) {
  const home = join(dir, 'pm2');
  const env = { ...process.env, PM2_HOME: home };
  const run = (...words) => spawnSync(pm2, words, { env, stdio: 'ignore' });
  if (spawnSync(pm2, ['--version'], { env }).error !== undefined) return null;
  run('ping');
  const daemon = Number(readFileSync(join(home, 'pm2.pid'), 'utf8'));
  const log = join(dir, 'pm2.log');
  const before = secondsOf(daemon);
  const began = performance.now();
  try {
    run('start', '/bin/cat', '--no-autorestart', '--interpreter', 'none', '--output', log, '--', input);
    const all = await untilLogged(log, statSync(input).size, began, () => [daemon]);
    return { ...all, cpu: all.cpu - before };
  } finally {
    run('kill');
  }
}

const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];

function waysOf(input) {
  const below = (log) => [gsup, 'run', '--state-dir', join(dir, 'state'), '--log', log, '--', 'cat', input];
  const piped = (argv) => ['sh', '-c', '"$@" | cat', 'sh', ...argv];
  return [
    ['cat → cat', () => timed(piped(['cat', input]), input)],
    ['gsup --log inherit → cat', () => timed(piped(below('inherit')), input)],
    ['gsup --log prefix → cat', () => timed(piped(below('prefix')), input)],
    ['gsup --log json → cat', () => timed(piped(below('json')), input)],
    ['gsup --log file', () => timed(below(`file:${join(dir, 'out.log')}`), input)],
    ['supervisord, file', () => throughSupervisord(input)],
    ['pm2, file', () => throughPm2(input)],
  ];
}

try {
  const rows = [];
  for (const [name, size] of [
    ['80 B', 80],
    ['16 kB', 16_000],
  ]) {
    const input = makeStream(`lines-${size}`, size);
    const ways = waysOf(input);
    const runs = ways.map(() => []);
    for (let round = 0; round < rounds; round++)
      for (const [at, [, run]] of ways.entries()) {
        const one = await run();
        if (one !== null) runs[at].push(one);
      }
    for (const [at, [who]] of ways.entries()) {
      if (runs[at].length === 0) continue;
      const mb = runs[at][0].bytes / 1e6;
      const speed = median(runs[at].map(({ wall }) => mb / wall));
      const cpu = median(runs[at].map((one) => one.cpu / (mb / 1000)));
      rows.push([name, who, speed.toFixed(0), cpu.toFixed(2)]);
    }
    rmSync(input);
  }
  table(['lines', 'through', 'MB/s', 'processor seconds per GB'], rows);
} finally {
  rmSync(dir, { recursive: true, force: true });
}
