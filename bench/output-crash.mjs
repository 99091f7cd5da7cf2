// Output while its supervisor is killed: npm run soak:output [-- --megabytes 200 --kills 50 --pump-kills 10 --through pipe,files]
// A process of `gsup up` writes numbered lines, and the supervisor gets SIGKILL again and again, each time when it has taken
// over. The writer gets its bytes in the measure in which kills are done, so that all of them hit it while it writes. First
// through a pipe; then into files that rotate, with the pump killed as well. Every line must arrive once, and in order.
import { spawn } from 'node:child_process';
import { createReadStream, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { table } from './table.mjs';

const { values } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '200' },
    kills: { type: 'string', default: '50' },
    'pump-kills': { type: 'string', default: '10' },
    /** pipe, files, or both. */
    through: { type: 'string', default: 'pipe,files' },
  },
});
const KILLS = Number(values.kills);
const PUMP_KILLS = Number(values['pump-kills']);
const LINE_BYTES = 100;
const CHUNK_LINES = 640;
const CHUNKS = Math.ceil((Number(values.megabytes) * 1e6) / (LINE_BYTES * CHUNK_LINES));
const LINES = CHUNKS * CHUNK_LINES;
/** After so many kills in a row the next supervisor may live so long that init takes it for a good one, and delays its start no more. */
const IN_A_ROW = 6;
const GOOD_AFTER_MS = 11_000;
/** What a kill may take on a busy machine until the next supervisor has taken over. */
const PATIENCE_MS = 60_000;
const gsup = fileURLToPath(new URL('../dist/native/gsup', import.meta.url));

/** Writes a chunk for each byte that it reads. */
const WRITER = `
const { readSync, writeSync } = require('node:fs');
const byte = Buffer.alloc(1);
let number = 0;
while (readSync(0, byte, 0, 1) === 1) {
  let text = '';
  for (let n = 0; n < ${CHUNK_LINES}; n++) text += String(number++).padStart(10, '0').padEnd(${LINE_BYTES - 1}, 'x') + '\\n';
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at);
}
`;

const childrenOf = (pid) =>
  readIfThere(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
const readIfThere = (path) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};
const childNamed = (pid, name) =>
  childrenOf(pid).find((child) => readIfThere(`/proc/${child}/comm`).trim() === name);

function kill(pid) {
  try {
    process.kill(pid, 'SIGKILL');
    return true;
  } catch {
    return false; // it has gone by itself
  }
}

/** Checks numbered lines as they come. */
function createCheck(prefix) {
  let rest = '';
  const seen = { lines: 0, doubled: 0, missing: 0, strange: 0 };
  const check = (line) => {
    const number = line.startsWith(prefix)
      ? Number(line.slice(prefix.length, prefix.length + 10))
      : Number.NaN;
    if (line.length !== prefix.length + LINE_BYTES - 1 || Number.isNaN(number)) seen.strange++;
    else if (number < seen.lines) seen.doubled++;
    else {
      seen.missing += number - seen.lines;
      seen.lines = number + 1;
    }
  };
  return {
    seen,
    push(text) {
      const lines = (rest + text).split('\n');
      rest = lines.pop();
      lines.forEach(check);
    },
    end() {
      if (rest !== '') seen.strange++;
      seen.missing += LINES - seen.lines;
    },
  };
}

async function trial(name, logging, pumpKills) {
  const dir = mkdtempSync(join(tmpdir(), 'gsup-output-'));
  const log = join(dir, 'out.log');
  const config = {
    processes: { p: { command: [process.execPath, '-e', WRITER], stdin: 'inherit', logging: logging(log) } },
  };
  writeFileSync(join(dir, 'gsup.json'), JSON.stringify(config));
  const argv = ['up', '--state-dir', join(dir, 'state'), '--name', 't', '-f', join(dir, 'gsup.json')];
  const child = spawn(gsup, argv, { cwd: dir, stdio: ['pipe', 'pipe', 'ignore'] });
  const ended = new Promise((resolve) => child.once('close', resolve));
  const check = createCheck(logging === toPipe ? 'p | ' : '');
  child.stdout.setEncoding('latin1');
  child.stdout.on('data', (text) => check.push(text));
  child.stdin.on('error', () => {});
  const began = performance.now();
  let [given, killed, pumpsKilled, killedAt] = [0, 0, 0, performance.now()];
  // The bytes of the next kill never come to an end before it.
  const share = () => Math.min(1, (killed + 1 - Math.exp((killedAt - performance.now()) / 3000)) / KILLS);
  const giver = setInterval(() => {
    for (const due = Math.floor(share() * CHUNKS); given < due; given++) child.stdin.write('.');
  }, 5);
  const checkpoint = join(dir, 'state/t/checkpoint.log');
  // Before that gsup ends when its supervisor does not come to anything.
  const isStarted = () => readIfThere(join(dir, 'state/t/init.log')).includes('"type":"run-started"');
  const hasTakenOver = (pid) =>
    readIfThere(checkpoint)
      .split('\n')
      .some((line) => line.includes('"type":"supervisor-started"') && line.includes(`"pid":${pid},`));
  try {
    for (let last = 0, seen = 0, seenAt = 0; killed < KILLS; ) {
      if (performance.now() - killedAt > PATIENCE_MS) throw new Error(`no supervisor after ${killed} kills`);
      await sleep(20);
      const pid = childNamed(child.pid, 'node');
      if (pid === undefined || pid === last || !isStarted() || !hasTakenOver(pid)) continue;
      if (pid !== seen) [seen, seenAt] = [pid, performance.now()];
      if (killed > 0 && killed % IN_A_ROW === 0 && performance.now() - seenAt < GOOD_AFTER_MS) continue;
      if (!kill(pid)) continue;
      last = pid;
      killed++;
      killedAt = performance.now();
      if (pumpsKilled < pumpKills && pumpsKilled / pumpKills < killed / KILLS) {
        const pump = childNamed(child.pid, 'gsup pump');
        if (pump !== undefined && kill(pump)) pumpsKilled++;
      }
    }
  } finally {
    clearInterval(giver);
    for (; given < CHUNKS; given++) child.stdin.write('.');
    child.stdin.end();
    setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS * 5).unref();
  }
  const code = await ended;
  const seconds = (performance.now() - began) / 1000;
  if (logging === toFiles)
    for (const file of [`${log}.4`, `${log}.3`, `${log}.2`, `${log}.1`, log])
      if (existsSync(file)) for await (const text of createReadStream(file, 'latin1')) check.push(text);
  check.end();
  rmSync(dir, { recursive: true, force: true });
  const { lines, doubled, missing, strange } = check.seen;
  const mb = ((LINES * LINE_BYTES) / 1e6).toFixed(0);
  const row = [name, mb, killed, pumpsKilled, lines, missing, doubled, strange, code, seconds.toFixed(0)];
  return { row, holds: doubled + missing + strange + code === 0 && lines === LINES };
}

const toPipe = () => ({ driver: 'prefix' });
const toFiles = (path) => ({ driver: 'file', path, max_size: '50MB', max_files: 5 });

const wanted = values.through.split(',');
const trials = [];
if (wanted.includes('pipe')) trials.push(await trial('pipe, prefix', toPipe, 0));
if (wanted.includes('files')) trials.push(await trial('files, rotated', toFiles, PUMP_KILLS));
table(
  ['through', 'MB', 'supervisors killed', 'pumps killed', 'lines', 'missing', 'doubled', 'torn', 'exit', 's'],
  trials.map(({ row }) => row),
);
process.exit(trials.every(({ holds }) => holds) ? 0 : 1);
