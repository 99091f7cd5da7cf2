// Bundles the JavaScript part into dist/: what the supervisor needs, and beside it what is loaded only when it is asked
// for. Every file that a start opens costs half a millisecond, so the two share no chunks.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../', import.meta.url));
const dist = join(root, 'dist');
const library = existsSync(join(root, 'src/index.ts'));

const common = {
  absWorkingDir: root,
  outdir: 'dist',
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  write: false,
  metafile: true,
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
};
/** Loaded by the supervisor's bundle, and no part of it. */
const apart = {
  name: 'apart',
  setup: ({ onResolve }) => {
    onResolve({ filter: /^\.\/other-commands\.ts$/ }, () => ({ path: './commands.js', external: true }));
    onResolve({ filter: /^\.\.\/control\/server\.ts$/ }, () => ({ path: './control.js', external: true }));
  },
};
const entries = [
  { in: 'src/cli/other-commands.ts', out: 'commands' },
  { in: 'src/control/server.ts', out: 'control' },
];
if (library) entries.push({ in: 'src/index.ts', out: 'index' });
/** One file each, and CommonJS: Node is faster with it, and somebody waits. `cached.cjs` loads them. */
const early = {
  ...common,
  splitting: false,
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
  plugins: [apart],
  define: { 'import.meta.url': '__here.url' },
  banner: { js: "const __here={get url(){return require('node:url').pathToFileURL(__filename).href}};" },
};
const builds = await Promise.all([
  buildEarly({ in: 'src/cli/client-entry.ts', out: 'client-commands' }),
  buildEarly({ in: 'src/cli/dispatch.ts', out: 'dispatch' }),
  build({ ...common, entryPoints: entries }),
]);
const outputFiles = [
  ...builds.flatMap((one) => one.outputFiles),
  ...['cached.cjs', 'client.cjs', 'main.cjs', 'main.js'].map((name) => ({
    path: join(dist, name),
    contents: readFileSync(join(root, 'src', name)),
  })),
  ...(await buildPage()),
  notices(),
];

/** What is compiled from a cache has no import() of its own, and tells at its end which code it is. */
async function buildEarly(entry) {
  const { outputFiles, metafile } = await build({ ...early, entryPoints: [entry] });
  const [{ imports }] = Object.values(metafile.outputs);
  const [{ path, text }] = outputFiles;
  const pieces = text.split(/\bimport\(/);
  const known = imports.filter(({ kind, external }) => kind === 'dynamic-import' && external).length;
  if (pieces.length - 1 !== known)
    throw new Error(`${path}: ${pieces.length - 1} times import(, and ${known} imports`);
  const code = pieces.join('__import(');
  const digest = createHash('sha256').update(code).digest('hex').slice(0, 16);
  return { outputFiles: [{ path, contents: `${code}//${digest}` }], metafile };
}

/** Of the libraries that the bundles have in them: their licences ask for that. */
function notices() {
  const inputs = builds.flatMap(({ metafile }) => Object.keys(metafile.inputs));
  const folder = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//;
  const folders = [...new Set(inputs.flatMap((input) => folder.exec(input)?.[1] ?? []))].sort();
  const text = folders.map((at) => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, at, 'package.json'), 'utf8'));
    const file = readdirSync(join(root, at)).find((entry) => /^licen[cs]e/i.test(entry));
    const words = file ? readFileSync(join(root, at, file), 'utf8').trim() : `Licence: ${license}`;
    return `${name} ${version}\n\n${words}\n`;
  });
  return { path: join(dist, 'THIRD-PARTY-LICENSES.txt'), contents: text.join(`\n${'-'.repeat(80)}\n\n`) };
}

/** What a timeline's page has in it. */
async function buildPage() {
  const page = {
    absWorkingDir: root,
    outdir: 'dist/assets',
    write: false,
    minify: true,
    logLevel: 'warning',
  };
  const from = 'src/report/timeline/';
  const built = await Promise.all([
    build({
      ...page,
      bundle: true,
      format: 'iife',
      target: 'es2022',
      entryPoints: [{ in: `${from}page.ts`, out: 'timeline' }],
    }),
    build({
      ...page,
      entryPoints: [
        { in: `${from}style.css`, out: 'timeline' },
        { in: `${from}page.css`, out: 'timeline-page' },
      ],
    }),
  ]);
  return built.flatMap((one) => one.outputFiles);
}

// Chunks before what imports them, each in one step: a gsup that starts meanwhile finds the old build or the new one.
const isEntry = (file) => dirname(file.path) === dist;
for (const { path, contents } of outputFiles.sort((a, b) => Number(isEntry(a)) - Number(isEntry(b)))) {
  mkdirSync(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}.new`;
  writeFileSync(draft, contents);
  renameSync(draft, path);
}
const chunks = join(dist, 'chunks');
const built = new Set(outputFiles.map((file) => basename(file.path)));
// What is young may be of a build that runs beside this one, and whose entries come after these.
const STALE_MS = 60_000;
for (const name of existsSync(chunks) ? readdirSync(chunks) : []) {
  const written = statSync(join(chunks, name), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (!built.has(name) && Date.now() - written > STALE_MS) rmSync(join(chunks, name), { force: true });
}
rmSync(join(dist, 'cache'), { recursive: true, force: true });

if (library) {
  // With the very node that runs this: npx would cost a second.
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
}
