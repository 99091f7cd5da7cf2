// What a look at a task costs: the supervisor's processor time with and without a scrape a second, and how long commands take as whole
// processes, beside Node.js that does nothing.
//   node bench/control-cost.mjs [PROCESSES] [SECONDS] [TIMES]
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';

const [processes = 100, seconds = 30, times = 15] = process.argv.slice(2).map(Number);
const root = new URL('..', import.meta.url).pathname;
const native = join(root, 'dist/native/gsup');
const folder = mkdtempSync(join(tmpdir(), 'gsup-cost-'));
const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK']));
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const load = () => loadavg()[0].toFixed(1);

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** user + system of a process, in seconds; fields 14 and 15 of proc_pid_stat(5). */
function cpuOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

function supervisorOf(init) {
  return readdirSync('/proc').find((pid) => {
    try {
      const [, parent] = /^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
      return Number(parent) === init && readFileSync(`/proc/${pid}/comm`, 'latin1') === 'node\n';
    } catch {
      return false;
    }
  });
}

/** Processor time of the supervisor in a second, in milliseconds. */
async function costOf(pid, each) {
  const before = cpuOf(pid);
  for (let second = 0; second < seconds; second++) await Promise.all([pause(1000), each()]);
  return ((cpuOf(pid) - before) * 1000) / seconds;
}

const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** As a whole process: wall time, and its own processor time. */
function measure(command, args) {
  const walls = [];
  const began = process.resourceUsage ? cpuOfChildren() : 0;
  for (let time = 0; time < times; time++) {
    const from = performance.now();
    const { status } = spawnSync(command, args, { stdio: 'ignore' });
    if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}`);
    walls.push(performance.now() - from);
  }
  return { wall: median(walls), cpu: ((cpuOfChildren() - began) * 1000) / times };
}

/** Of those that were waited for; fields 16 and 17. */
function cpuOfChildren() {
  const fields = readFileSync('/proc/self/stat', 'latin1')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[13]) + Number(fields[14])) / ticksPerSecond;
}

const port = await freePort();
const names = Array.from({ length: processes }, (_, at) => `p${at}`);
writeFileSync(
  join(folder, 'gsup.json'),
  JSON.stringify({
    processes: Object.fromEntries(names.map((name) => [name, { command: ['sleep', '3600'] }])),
  }),
);
const words = ['up', '--state-dir', folder, '--name', 'cost', '-q', '--http', `127.0.0.1:${port}`];
const gsup = spawn(native, [...words, '-f', join(folder, 'gsup.json')], { stdio: 'ignore' });
const task = ['--state-dir', folder, '--name', 'cost'];
try {
  while (spawnSync(native, ['wait', ...task, '--for', 'ready'], { stdio: 'ignore' }).status !== 0)
    if (gsup.exitCode !== null) throw new Error(`gsup ended with ${gsup.exitCode}`);
  const supervisor = Number(supervisorOf(gsup.pid));
  const scrape = async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const bytes = (await scrape()).length;
  const idle = await costOf(supervisor, async () => {});
  const scraped = await costOf(supervisor, scrape);
  console.log(`${processes} processes, ${seconds} s each, load average ${load()}`);
  console.log(`supervisor, idle            ${idle.toFixed(1).padStart(7)} ms of processor time a second`);
  console.log(
    `supervisor, scraped each s  ${scraped.toFixed(1).padStart(7)} ms of processor time a second (${bytes} bytes each)`,
  );
  console.log(`\nwhole processes, ${times} of each     median    processor time (load average ${load()})`);
  const rows = [
    ['node -e 0', process.execPath, ['-e', '0']],
    ['gsup status', native, ['status', ...task]],
    ['gsup wait --for ready', native, ['wait', ...task, '--for', 'ready']],
    ['gsup health', native, ['health', ...task]],
  ];
  for (const [name, command, args] of rows) {
    const { wall, cpu } = measure(command, args);
    console.log(`${name.padEnd(28)} ${wall.toFixed(1).padStart(7)} ms ${cpu.toFixed(1).padStart(7)} ms`);
  }
} finally {
  gsup.kill('SIGTERM');
  await new Promise((resolve) => (gsup.exitCode === null ? gsup.once('exit', resolve) : resolve()));
  rmSync(folder, { recursive: true, force: true });
}
