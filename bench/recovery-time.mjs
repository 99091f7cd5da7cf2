// Recovery: from the moment at which a supervisor has been killed to the first decision that the next one writes, by length of
// the checkpoint log. Each kill has a gsup of its own, because init starts one that dies again and again later each time.
//   node bench/recovery-time.mjs [--kills 30] [--sizes 1k,10k,100k,1M,10M,100M]
// Two rows for each size: the log as long as that, which compaction does not allow to happen, and what compaction makes of it.
// Needs dist/ (npm run build).
import { spawn } from 'node:child_process';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '30' },
    sizes: { type: 'string', default: '1k,10k,100k,1M,10M,100M' },
  },
});
const kills = Number(values.kills);
const root = new URL('..', import.meta.url).pathname;
const gsup = join(root, 'dist/native/gsup');
const folder = mkdtempSync(join(tmpdir(), 'gsup-recovery-'));
const UNITS = { k: 1000, M: 1_000_000 };

const { encodeBody, repairLog, planCompaction, readPieces, neededRecords, keepBytes } = await loadSource();
/** Writes the history that it is told, in the place of an empty log, and is then the supervisor that it stands for. */
const starter = join(folder, 'supervisor.mjs');
writeFileSync(
  starter,
  `import { fstatSync, readFileSync, writeSync } from 'node:fs';
if (fstatSync(4).size === 0) writeSync(4, readFileSync(process.env.BENCH_HISTORY));
await import(${JSON.stringify(join(root, 'dist/main.js'))});
`,
);

try {
  console.log('log                       bytes  records   median ms   p99 ms');
  for (const size of values.sizes.split(',')) await measureSize(size);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function measureSize(size) {
  const bytes = Number(size.slice(0, -1)) * UNITS[size.at(-1)];
  const history = makeHistory(bytes);
  const { entries, lastSeq } = repairLog(history);
  const everything = (records) => neededRecords(records, Number.POSITIVE_INFINITY);
  const shortest = compact(history, entries, everything, 0);
  const start = join(folder, 'history');
  writeFileSync(start, shortest);
  report(`${size}, not compacted`, history, entries.length, await measure(start, history, lastSeq));
  if (bytes < 1_000_000) return;
  const kept = compact(history, entries, everything, keepBytes);
  report(`${size}, compacted`, kept, repairLog(kept).entries.length, await measure(start, kept, lastSeq));
}

function report(name, log, records, times) {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)].toFixed(0);
  const columns = [
    String(log.length).padStart(11),
    String(records).padStart(8),
    at(0.5).padStart(11),
    at(0.99).padStart(8),
  ];
  console.log(name.padEnd(20) + columns.join(' '));
}

async function measure(start, log, lastSeq) {
  const times = [];
  for (let n = 0; n < kills; n++) times.push(await killOnce(join(folder, `task-${n}`), start, log, lastSeq));
  return times;
}

/** One gsup, one supervisor that is killed. Returns milliseconds. */
async function killOnce(state, start, log, lastSeq) {
  const child = spawn(
    gsup,
    ['run', '--state-dir', state, '--name', 't', '--restart', 'always', '-q', '--', 'sleep', '1000'],
    {
      env: { ...process.env, GSUP_SUPERVISOR: starter, BENCH_HISTORY: start },
      stdio: 'ignore',
    },
  );
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const file = join(state, 't/checkpoint.log');
  try {
    await until(() => linesOf(join(state, 't/init.log')).some((line) => line.type === 'run-started'));
    const supervisor = linesOf(file).findLast((line) => line.type === 'supervisor-started').pid;
    await until(() => isIdle(supervisor));
    child.kill('SIGSTOP');
    await until(() => stateOf(child.pid) === 'T');
    process.kill(supervisor, 'SIGKILL');
    const own = readFileSync(file, 'latin1')
      .split('\n')
      .filter((line) => line && JSON.parse(line).seq > lastSeq);
    const fd = openSync(file, 'r+');
    let at = 0;
    while (at < log.length) at += writeSync(fd, log, at);
    at += writeSync(fd, `${own.join('\n')}\n`, at);
    closeSync(fd);
    await until(() => stateOf(supervisor) === 'Z');
    const killedNs = process.hrtime.bigint();
    child.kill('SIGCONT');
    const started = () => linesFrom(file, at).find((line) => line.type === 'supervisor-started');
    await until(() => statSync(file).size > at && started());
    const first = started();
    return Number(BigInt(first.mono_ns) - killedNs) / 1e6;
  } finally {
    child.kill('SIGCONT');
    child.kill('SIGTERM');
    await ended;
    rmSync(state, { recursive: true, force: true });
  }
}

/** As gsup writes it where a command fails once a minute. The last run waits for the next one. */
function makeHistory(bytes) {
  const lines = [];
  let [size, seq, ns] = [0, 0, 1_000_000_000n];
  const add = (body) => {
    const line = encodeBody(body, ++seq, {
      at: new Date(Number(ns / 1_000_000n)).toISOString(),
      mono_ns: ns,
    });
    lines.push(line);
    size += line.length;
  };
  const name = { task: 't', version: '0.1.0', config_digest: '1aca5632' };
  add({ type: 'task', ...name, boot_id: 'cc3bb9df-12d7-455d-8926-a1d5964a8a8e', pid_ns: 4026531836, pid: 1 });
  add({ type: 'task-state', state: 'active', exit_code: null });
  add({ type: 'supervisor-started', pid: 7, version: '0.1.0' });
  for (let run = 1; size < bytes || run === 1; run++) {
    const of = { process: 't', run: `t#${run}` };
    const result = { outcome: 'failed', cause: 'exit', code: 1, signal: null, forced: false, failures: run };
    add({ type: 'run-forked', ...of });
    ns += 1000n;
    add({ type: 'outcome', ...of, ...result, forked_ns: ns - 900n, ended_ns: ns - 10n });
    add({ type: 'backoff', process: 't', wait_ms: 60, deadline_ns: ns + 60n, failures: run });
    ns += 60n;
  }
  return Buffer.concat(lines);
}

function compact(log, entries, needed, keep) {
  const disk = { read: (_, into, at) => log.copy(into, 0, at, at + into.length), size: () => log.length };
  return Buffer.from(readPieces(planCompaction(entries, needed, keep), 0, disk));
}

function linesOf(path) {
  return statSync(path, { throwIfNoEntry: false }) ? linesFrom(path, 0) : [];
}

/** Whole lines from there on. */
function linesFrom(path, from) {
  const fd = openSync(path, 'r');
  const bytes = Buffer.alloc(Math.max(0, statSync(path).size - from));
  const text = bytes.toString('latin1', 0, readSync(fd, bytes, 0, bytes.length, from));
  closeSync(fd);
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

function stateOf(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return stat.slice(stat.lastIndexOf(')') + 2)[0];
}

/** It sleeps, and has nothing left to do. */
async function isIdle(pid) {
  const spent = () => readFileSync(`/proc/${pid}/stat`, 'latin1').split(' ').slice(13, 15).join();
  const before = spent();
  await pause(60);
  return spent() === before && stateOf(pid) === 'S';
}

async function until(holds) {
  for (let tries = 0; !(await holds()); tries++) {
    if (tries > 100_000) throw new Error('waited in vain');
    await pause(2);
  }
}

async function loadSource() {
  const outfile = join(folder, 'source.mjs');
  const contents = [
    "export { encodeBody } from './src/checkpoint/codec.ts';",
    "export { repairLog } from './src/checkpoint/repair.ts';",
    "export { planCompaction } from './src/checkpoint/compaction.ts';",
    "export { readPieces } from './src/checkpoint/rewrite.ts';",
    "export { keepBytes } from './src/checkpoint/compactor.ts';",
    "export { neededRecords } from './src/supervisor/needed.ts';",
  ].join('\n');
  const stdin = { contents, resolveDir: root, loader: 'ts' };
  await build({ stdin, outfile, bundle: true, platform: 'node', format: 'esm', target: 'node20' });
  return import(outfile);
}
