// What a timeline of many runs costs: `node bench/timeline.mjs [RUNS [ROUNDS]]`, after `npm run build`. Size of the page and of the SVG, time to
// draw them; in Chromium (Debian's package, headless, without a GPU) time to the first paint and between frames while it is zoomed, moved and
// scrolled, a step in each frame. Medians, the 95th percentile and the most of ROUNDS (5) loads of a page of RUNS (1,000) runs on four levels.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { quantile } from './table.mjs';

const [runs, rounds] = [Number(process.argv[2] ?? 1000), Number(process.argv[3] ?? 5)];
const root = fileURLToPath(new URL('../', import.meta.url));
const LEVELS = ['edge', 'web worker', 'api', 'db cache'];
const STEPS = 120;
const SIZES = [
  [1200, 700],
  [2560, 1440],
];
const browserPath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  existsSync,
);

const { outputFiles } = await build({
  entryPoints: [join(root, 'src/checkpoint/codec.ts')],
  bundle: true,
  write: false,
  format: 'esm',
  platform: 'node',
});
const code = Buffer.from(outputFiles[0].contents).toString('base64');
const { encodeBody } = await import(`data:text/javascript;base64,${code}`);

/** Each run becomes ready, is stopped, and half of them leave something behind; each tenth has to be killed. */
function* bodies() {
  const levels = { stop_levels: LEVELS };
  const task = { task: 'shop', version: '0', config_digest: '0', boot_id: 'b', pid_ns: 1, pid: 1 };
  yield [0, { type: 'task', ...task, ...levels }];
  const names = LEVELS.join(' ').split(' ');
  const rusage = { user_us: 12_000, sys_us: 3000, max_rss_kb: 65_536 };
  for (let n = 0; n < runs; n++) {
    const process = names[n % names.length];
    const run = `${process}#${Math.floor(n / names.length) + 1}`;
    const [at, forced] = [n * 100, n % 10 === 9];
    const died = forced ? { code: null, signal: 'SIGKILL' } : { code: 0, signal: null };
    const rung = { index: 0, action: 'signal', signal: 'SIGTERM', target: 'group', pids: [n + 10] };
    const wait = { wait_ms: 2000, deadline_ns: BigInt(at + 4000) * 1_000_000n, cut_ms: 0 };
    yield [at, { type: 'run-started', run, pid: n + 10, start_ticks: 1 }];
    yield [at + 300, { type: 'run-ready', process, run }];
    yield [at + 2000, { type: 'rung', run, ...rung, ...wait }];
    yield [at + 2000, { type: 'signal', run, signal: 'SIGTERM', target: 'group', pids: [n + 10] }];
    if (n % 2 === 0)
      yield [at + 2500, { type: 'leader-exited', run, pid: n + 10, code: 0, signal: null, rusage }];
    if (forced) yield [at + 4000, { type: 'kill', run, pids: [n + 10] }];
    yield [at + (forced ? 4010 : 3200), { type: 'run-ended', run, ...died, forced, rusage }];
  }
}

function writeLog(dir) {
  const told = [...bodies()].sort(([one], [other]) => one - other);
  const lines = told.map(([ms, body], i) =>
    encodeBody(body, i + 1, {
      at: new Date(1_770_000_000_000 + ms).toISOString(),
      mono_ns: BigInt(ms) * 1_000_000n,
    }),
  );
  mkdirSync(join(dir, 'shop'));
  writeFileSync(join(dir, 'shop/init.log'), Buffer.concat(lines));
}

function drawTo(dir, file) {
  const began = performance.now();
  const words = ['timeline', '--state-dir', dir, '--name', 'shop', '-o', file];
  const { status, stderr } = spawnSync(join(root, 'bin/gsup'), words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return performance.now() - began;
}

/** In the page: a step in each frame, and how far apart the frames were. */
function framesWhile({ steps, act }) {
  const scroll = document.getElementById('scroll');
  const press = (key) => dispatchEvent(new KeyboardEvent('keydown', { key }));
  const acts = {
    zooming: (i) => press(i % 24 < 12 ? '+' : '-'),
    moving: (i) => press(i % 24 < 12 ? 'ArrowRight' : 'ArrowLeft'),
    scrolling: (i) => scroll.scrollTo(0, (i % 60) * 130),
  };
  return new Promise((done) => {
    const frames = [];
    let before = 0;
    let i = 0;
    const frame = (now) => {
      if (before > 0) frames.push(now - before);
      before = now;
      if (i === steps) return done(frames);
      acts[act](i++);
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
}

const firstPaint = () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime;

const text = (list) => [0.5, 0.95, 1].map((part) => quantile(list, part).toFixed(1)).join(' / ');

const dir = mkdtempSync(join(tmpdir(), 'gsup-timeline-'));
const browser = await chromium.launch({
  executablePath: browserPath ?? '',
  args: ['--disable-gpu', '--no-sandbox'],
});
try {
  writeLog(dir);
  for (const name of ['shop.html', 'shop.svg']) {
    const ms = Array.from({ length: rounds }, () => drawTo(dir, join(dir, name)));
    const kB = (statSync(join(dir, name)).size / 1000).toFixed(0);
    console.log(`${name}: ${runs} runs, ${kB} kB, drawn by gsup timeline in ${text(ms)} ms`);
  }
  for (const [width, height] of SIZES) {
    const found = { 'first paint': [], zooming: [], moving: [], scrolling: [] };
    for (let round = 0; round < rounds; round++) {
      const page = await browser.newPage({ viewport: { width, height } });
      await page.goto(`file://${join(dir, 'shop.html')}`);
      await page.waitForFunction(firstPaint);
      found['first paint'].push(await page.evaluate(firstPaint));
      for (const act of ['zooming', 'moving', 'scrolling'])
        found[act].push(...(await page.evaluate(framesWhile, { steps: STEPS, act })));
      await page.close();
    }
    for (const [what, ms] of Object.entries(found))
      console.log(`${width}x${height}, ${what}: ${text(ms)} ms${what === 'first paint' ? '' : ' a frame'}`);
  }
} finally {
  await browser.close();
  rmSync(dir, { recursive: true, force: true });
}
