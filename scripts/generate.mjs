// Writes the files that come from the tables in src/cli and src/signals: init's header, docs/reference/ and man/. They are
// checked in, so that a build needs nothing but a compiler; a test says when they are out of date.
import { readFileSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';

const root = new URL('../', import.meta.url);
const { outputFiles } = await build({
  entryPoints: [new URL('src/cli/generate.ts', root).pathname],
  bundle: true,
  write: false,
  platform: 'node',
  format: 'esm',
  target: 'node20',
});
const code = Buffer.from(outputFiles[0].contents).toString('base64');
const { generateFiles } = await import(`data:text/javascript;base64,${code}`);
const { version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));
for (const [path, text] of Object.entries(generateFiles(version))) writeFileSync(new URL(path, root), text);
