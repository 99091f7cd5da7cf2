// Bundles the JavaScript part into dist/: one small entry and a chunk for each thing that is imported lazily, so that
// a start loads only what it uses. dist/ is the same wherever it was built.
import { execFileSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../', import.meta.url));
const library = existsSync(`${root}src/index.ts`);

for (const old of ['main.js', 'index.js', 'chunks', 'types', 'cache']) {
  rmSync(`${root}dist/${old}`, { recursive: true, force: true });
}

await build({
  absWorkingDir: root,
  entryPoints: library ? ['src/main.ts', 'src/index.ts'] : ['src/main.ts'],
  outdir: 'dist',
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  // Names stay, for stack traces; the rest is what the parser would have to read at each start.
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'none',
  logLevel: 'warning',
  // commander and pino are CommonJS and require Node's own modules.
  banner: {
    js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
  },
});

if (library) {
  // With the very node that runs this: npx would cost a second.
  const tsc = `${root}node_modules/typescript/bin/tsc`;
  execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
}
