// A year of a task that is restarted once a minute, on a virtual clock: how long its log gets, and how long its replay takes.
//   node --expose-gc bench/year.mjs [RESTARTS]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';

const root = new URL('..', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'gsup-year-'));
try {
  const outfile = join(folder, 'year.mjs');
  const entryPoints = [join(root, 'test/simulation/year.ts')];
  await build({ entryPoints, outfile, bundle: true, platform: 'node', format: 'esm', target: 'node20' });
  const { simulateYear } = await import(outfile);
  const began = performance.now();
  const year = simulateYear(Number(process.argv[2] ?? 365 * 24 * 60), join(folder, 'checkpoint.log'));
  for (const [name, value] of Object.entries(year)) console.log(name.padEnd(18), String(value));
  console.log('took'.padEnd(18), `${((performance.now() - began) / 1000).toFixed(0)} s`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
