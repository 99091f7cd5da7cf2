// All the measurements that compare gsup with others, and docs/benchmarks.md from them:
//   npm run bench [-- --quick]
// Nothing else should run meanwhile; 15 minutes on two cores. --quick: fewer of each, printed and not written.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
const root = new URL('..', import.meta.url).pathname;
const page = join(root, 'docs/benchmarks.md');
const pick = (all, few) => String(values.quick ? few : all);

const SECTIONS = [
  {
    title: 'One command: time',
    script: 'run-latency.mjs',
    args: [pick(100, 20)],
    text: `Not as PID 1 but as a subreaper. A run with \`--stay\` has its supervisor, which is a Node process; a plain run has none. The runs of
all of them are interleaved. "First" has no earlier task's logs to rename, as in a new container.`,
  },
  {
    title: 'One command: memory, and what it does while nothing happens',
    script: 'footprint.mjs',
    args: [pick(30, 5)],
    text: '`sleep` below each of them. PSS shares out what several processes map; what gsup has in pages of its own is most of its PSS.',
  },
  {
    title: 'Many processes',
    script: 'many.mjs',
    args: [pick(2, 1), pick(5, 2)],
    text: `Each supervisor has as many processes as that, each \`sleep\`, from the configuration that its users would write. Start: until all are
executed. Stop: from the signal until all have ended. Memory: everything but the sleeping processes, when it has come to rest: gsup's supervisor has left by
then, and is not needed for the stop.`,
  },
  {
    title: 'Killed, and started again',
    script: 'restart.mjs',
    args: [pick(10, 5)],
    text: `Each is told to start it again without a wait, where it has an option for that. s6 and supervisord wait for a second.`,
  },
  {
    title: 'Captured output',
    script: 'log-throughput.mjs',
    args: [pick(200, 20), '1'],
    text: 'The same stream through each, to `/dev/null`, to a second `cat`, or to a file. Processor time includes the writer.',
  },
  {
    title: 'The checkpoint log',
    script: 'checkpoint.mjs',
    args: [pick(100_000, 20_000), pick(5, 2)],
    text: `No other supervisor has one; it stands beside the system calls that it cannot do without.`,
  },
];

const VERSIONS = {
  tini: ['tini', '--version'],
  'dumb-init': ['dumb-init', '--version'],
  catatonit: ['catatonit', '--version'],
  s6: ['dpkg-query', '-W', 's6'],
  runit: ['dpkg-query', '-W', 'runit'],
  supervisord: ['supervisord', '--version'],
};

function versionOf([file, ...words]) {
  const { stdout, stderr, error, status } = spawnSync(file, words, { encoding: 'utf8' });
  if (error !== undefined || status !== 0) return null;
  return /\d+\.\d[\w.+~-]*/.exec(stdout || stderr)?.[0] ?? null;
}

function machine() {
  const native = readFileSync(join(root, 'dist/native/gsup'));
  const libc =
    spawnSync('sh', ['-c', 'command -v musl-gcc'], { stdio: 'ignore' }).status === 0
      ? 'musl'
      : 'the cc of the system';
  const versions = Object.entries(VERSIONS).map(([name, words]) => [name, versionOf(words)]);
  const there = versions.filter(([, version]) => version !== null).map((pair) => pair.join(' '));
  const missing = versions.filter(([, version]) => version === null).map(([name]) => name);
  const processors = `${cpus().length} processors (${cpus()[0]?.model.trim() ?? 'unknown'})`;
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  return [
    `On Linux ${release()}, ${process.arch}, ${processors}, ${memory}; load average when it began: ${loadavg()[0].toFixed(2)}.`,
    `Node ${process.version}; gsup built with ${libc}, ${Math.round(native.length / 1024)} kB; beside it ${there.join(', ')}.`,
    ...(missing.length === 0 ? [] : [`Not installed, so not measured: ${missing.join(', ')}.`]),
  ].join('\n');
}

function measure({ title, script, args, text }) {
  console.error(`${title}: bench/${script} ${args.join(' ')}`);
  const run = spawnSync(process.execPath, [join(root, 'bench', script), ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (run.status !== 0) throw new Error(`bench/${script} failed: exit code ${run.status ?? run.signal}`);
  const tables = run.stdout.trim().replace(/^(?!\||$)(.*)$/gm, '$1:\n');
  return `## ${title}\n\n${text}\n\n\`node bench/${script} ${args.join(' ')}\`\n\n${tables}\n`;
}

const head = `# Benchmarks

Written by \`npm run bench\`, which measures gsup and what else is installed in one go, with the same work; nothing here is quoted.
The figures are of one machine and one day: what they say is how the columns compare.

${machine()}
`;

if (!existsSync(join(root, 'dist/native/gsup')))
  throw new Error('there is no dist/native/gsup: npm run build');
const text = [head, ...SECTIONS.map(measure)].join('\n');
if (values.quick) console.log(text);
else writeFileSync(page, text);
