// What an init costs in time, against tini: node bench/run-latency.mjs [RUNS [INIT...]]
// Not as PID 1 but as a subreaper, so that no namespace is measured with it. The runs are interleaved, so that what else
// the machine does falls on all of them.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installedInits } from './inits.mjs';
import { quantile, table } from './table.mjs';

const runs = Number(process.argv[2] ?? 200);
const inits = installedInits(process.argv.slice(3));
const [SIGNALS, ORPHANS] = [1000, 10_000];
const folder = mkdtempSync('/dev/shm/gsup-bench-');
const probe = join(folder, 'latency-probe');

const states = mkdtempSync(join(tmpdir(), 'gsup-bench-'));
let count = 0;

function measure(init, words) {
  const env = { PATH: process.env.PATH ?? '' };
  if (init.fresh) env.GSUP_STATE_DIR = join(states, String(count++));
  const printed = execFileSync(probe, words, {
    encoding: 'utf8',
    env,
    timeout: 60_000,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return printed
    .trim()
    .split(' ')
    .map((ns) => Number(ns) / 1000);
}

try {
  execFileSync('cc', ['-O2', '-o', probe, new URL('latency-probe.c', import.meta.url).pathname]);
  const samples = inits.map(() => ({ signal: [], end: [], whole: [], signals: [], orphans: [] }));
  // A supervised run takes a hundred times as long to start: fewer of them say as much.
  const takesPart = (init, i) => !init.supervised || i % 10 === 0;
  for (let i = -5; i < runs; i++) {
    for (const [k, init] of inits.entries()) {
      if (!takesPart(init, i)) continue;
      const command = [init.path, ...init.argv];
      const [signal, end] = measure(init, [
        'stop',
        join(folder, 'shared'),
        ...command,
        probe,
        'child',
        join(folder, 'shared'),
      ]);
      const [whole] = measure(init, ['start', ...command, '/bin/true']);
      const many = (what, child, n) => {
        const shared = [String(n), join(folder, 'shared')];
        return measure(init, [what, ...shared, ...command, probe, child, ...shared])[0];
      };
      const rarely = i >= 0 && i % 20 === 0; // they take long, and say more each
      if (rarely) samples[k].signals.push(many('signals', 'counts', SIGNALS));
      if (rarely) samples[k].orphans.push(many('orphans', 'leaves', ORPHANS));
      if (i < 0) continue; // the first ones fill caches
      samples[k].signal.push(signal);
      samples[k].end.push(end);
      samples[k].whole.push(whole);
    }
  }
  const base = samples[inits.findIndex((init) => init.name === 'tini')] ?? samples[0];
  const titles = {
    signal: 'signal to init → handler of its child',
    end: "child's end → init's end",
    whole: 'start to end of `true`',
    signals: `${SIGNALS} real-time signals to init → all of them at its child`,
    orphans: `${ORPHANS} orphans, until all are reaped`,
  };
  for (const [key, title] of Object.entries(titles)) {
    console.log(`\n${title}, µs, ${samples[0][key].length} runs`);
    table(
      [
        'init',
        'median',
        'p99',
        `median / ${inits.some((init) => init.name === 'tini') ? 'tini' : inits[0].name}`,
      ],
      inits.map((init, k) => {
        const list = samples[k][key];
        const middle = quantile(list, 0.5);
        return [
          init.name,
          middle.toFixed(0),
          quantile(list, 0.99).toFixed(0),
          (middle / quantile(base[key], 0.5)).toFixed(2),
        ];
      }),
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
  rmSync(states, { recursive: true, force: true });
}
