// The checkpoint log by itself: records appended per second, and replayed per second.
//   node bench/checkpoint.mjs [RECORDS [ROUNDS]]
// Appended: by the journal, as a supervisor does it (number, date, CRC-32C, one write(2) for each, fdatasync beside it), beside the
// same bytes with one write(2) for each line and nothing else. Replayed: the file read, checked and folded to the state of the task.
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { quantile, table } from './table.mjs';

const records = Number(process.argv[2] ?? 100_000);
const rounds = Number(process.argv[3] ?? 5);
const root = new URL('..', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'gsup-checkpoint-'));
const clock = { nowNs: () => process.hrtime.bigint(), wallMs: () => Date.now() };
const complain = (news) => {
  throw new Error(`the log cannot be used: ${news.kind}`);
};

/** A command that fails again and again: four records for each run, the most frequent there are. */
function* history() {
  const name = { task: 't', version: '0.1.0', config_digest: '1aca5632' };
  yield { type: 'task', ...name, boot_id: 'bench', pid_ns: 1, pid: 1 };
  yield { type: 'task-state', state: 'active', exit_code: null };
  yield { type: 'supervisor-started', pid: 7, version: '0.1.0' };
  for (let run = 1; ; run++) {
    const [of, forked_ns] = [{ process: 't', run: `t#${run}` }, process.hrtime.bigint()];
    const result = { outcome: 'failed', cause: 'exit', code: 1, signal: null, forced: false, failures: run };
    yield { type: 'run-forked', ...of };
    yield { type: 'outcome', ...of, ...result, forked_ns, ended_ns: forked_ns + 1n };
    yield { type: 'backoff', process: 't', wait_ms: 1, deadline_ns: forked_ns + 2n, failures: run };
  }
}

/** @returns records per second */
function perSecond(count, act) {
  const began = performance.now();
  act();
  return count / ((performance.now() - began) / 1000);
}

async function append(openJournal, path) {
  const { journal } = openJournal({ path, clock, report: complain });
  const bodies = history();
  const speed = perSecond(records, () => {
    for (let n = 0; n < records; n++) journal.append(bodies.next().value);
  });
  await journal.settled();
  journal.close();
  return speed;
}

function writePlainly(lines, path) {
  const fd = openSync(path, 'w');
  const speed = perSecond(lines.length, () => {
    for (const line of lines) writeSync(fd, line);
  });
  closeSync(fd);
  return speed;
}

function replayed({ openJournal, replay, plan }, path) {
  return perSecond(records, () => {
    const { journal, log } = openJournal({ path, clock, report: complain });
    if (log.records.length !== records) throw new Error(`${log.records.length} records were read`);
    replay(plan, log.records);
    journal.close();
  });
}

async function loadSource() {
  const outfile = join(folder, 'source.mjs');
  const contents = [
    "export { openJournal } from './src/checkpoint/journal.ts';",
    "export { replay } from './src/supervisor/replay.ts';",
    "import { restarts, runPlan } from './test/simulation/plans.ts';",
    "export const plan = runPlan({ restart: restarts({ policy: 'always' }) });",
  ].join('\n');
  const stdin = { contents, resolveDir: root, loader: 'ts' };
  await build({ stdin, outfile, bundle: true, platform: 'node', format: 'esm', target: 'node20' });
  return import(outfile);
}

try {
  const source = await loadSource();
  const speeds = { 'appended by the journal': [], 'one write(2) for each line': [], replayed: [] };
  for (let round = 0; round < rounds; round++) {
    const path = join(folder, `log-${round}`);
    speeds['appended by the journal'].push(await append(source.openJournal, path));
    const lines = readFileSync(path, 'latin1').split(/(?<=\n)/);
    speeds['one write(2) for each line'].push(writePlainly(lines, join(folder, 'plain')));
    speeds.replayed.push(replayed(source, path));
    rmSync(path);
  }
  console.log(`\n${records} records, thousands per second, ${rounds} times`);
  table(
    ['', 'median', 'least', 'most'],
    Object.entries(speeds).map(([what, list]) => [
      what,
      ...[0.5, 0, 1].map((part) => (quantile(list, part) / 1000).toFixed(1)),
    ]),
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
