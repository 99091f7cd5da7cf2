// What captured output costs: node bench/log-throughput.mjs [MEGABYTES]
// The same stream (200 MB) in short and in long lines, as a second `cat` passes it on, below gsup with each driver, and below
// supervisord where it is installed. MB/s of wall time, and processor time of everything but the writer's reading.
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
import { table } from './inits.mjs';

const megabytes = Number(process.argv[2] ?? 200);
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

async function supervisord(input) {
  if (spawnSync('supervisord', ['--version']).error !== undefined) return null;
  const log = join(dir, 'supervised.log');
  const config = join(dir, 'supervisord.conf');
  writeFileSync(
    config,
    `[supervisord]\nnodaemon=true\nlogfile=/dev/null\nlogfile_maxbytes=0\npidfile=${dir}/pid\n[program:cat]\ncommand=cat ${input}\n` +
      `autorestart=false\nstartsecs=0\nstdout_logfile=${log}\nstdout_logfile_maxbytes=0\n`,
  );
  const bytes = statSync(input).size;
  const began = performance.now();
  const child = spawn('supervisord', ['-c', config], { stdio: 'ignore' });
  const size = () => statSync(log, { throwIfNoEntry: false })?.size ?? 0;
  while (size() < bytes) await sleep(20);
  const wall = (performance.now() - began) / 1000;
  const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1].split(' ');
  const cpu = fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / 100;
  child.kill('SIGTERM');
  await new Promise((resolve) => child.once('exit', resolve));
  rmSync(log);
  return { wall, cpu, bytes };
}

try {
  const rows = [];
  for (const [name, size] of [
    ['80 B', 80],
    ['16 kB', 16_000],
  ]) {
    const input = makeStream(`lines-${size}`, size);
    const show = (who, run) => {
      if (run === null) return;
      const mb = run.bytes / 1e6;
      rows.push([name, who, (mb / run.wall).toFixed(0), (run.cpu / (mb / 1000)).toFixed(2)]);
    };
    const state = join(dir, 'state');
    show('cat | cat', timed(['sh', '-c', 'cat "$1" | cat', 'sh', input], input));
    for (const log of ['inherit', 'prefix', 'json', `file:${join(dir, 'out.log')}`]) {
      const argv = [gsup, 'run', '--state-dir', state, '--log', log, '--', 'cat', input];
      show(`gsup --log ${log.split(':')[0]}`, timed(argv, input));
    }
    show('supervisord, file', await supervisord(input));
    rmSync(input);
  }
  table(['lines', 'through', 'MB/s', 'processor seconds per GB'], rows);
} finally {
  rmSync(dir, { recursive: true, force: true });
}
