// `npm run soak -- --minutes N [--seed S] [--faults]`: the simulation for as long as one likes. Exits with 1 and a script of the
// failing case when something does not hold. With --faults: one scenario after the other, beginning with the Sth, with all faults of
// the disk.
import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const root = new URL('../', import.meta.url);
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string' },
    faults: { type: 'boolean' },
  },
});
const minutes = Number(values.minutes);
const seed = values.seed === undefined ? Date.now() % 2 ** 31 : Number(values.seed);
if (!(minutes > 0) || !Number.isSafeInteger(seed)) {
  console.error('cannot soak: --minutes takes a number above 0, --seed a whole number');
  process.exit(64);
}

// The scenarios bring the checks of the suite along, which are not made here.
const withoutVitest = {
  name: 'without-vitest',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^vitest$/ }, () => ({ path: 'vitest', namespace: 'none' }));
    onLoad({ filter: /.*/, namespace: 'none' }, () => ({ contents: 'export const expect = null;' }));
  },
};
const { outputFiles } = await build({
  entryPoints: [new URL('test/simulation/soak.ts', root).pathname],
  bundle: true,
  write: false,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  plugins: [withoutVitest],
});
mkdirSync(new URL('build', root), { recursive: true });
const bundle = new URL('build/soak.mjs', root);
writeFileSync(bundle, outputFiles[0].contents);
const { soak } = await import(bundle);
const holds = soak({
  minutes,
  seed,
  faults: values.faults === true,
  nowMs: () => performance.now(),
  say: (line) => console.log(line),
});
process.exit(holds ? 0 : 1);
