/** `gsup init`: a gsup.yaml and a Dockerfile for what is in a folder, and never over a file. */
import { join } from 'node:path';
import { causeOf } from '../config/config-files.ts';
import { problemLine } from '../config/problem.ts';
import { readDockerfile } from '../import/dockerfile.ts';
import type { Draft, Plain } from '../import/draft.ts';
import { entryName } from '../import/names.ts';
import { type Settled, settle } from '../import/settle.ts';
import { literal, literalForShell } from '../import/words.ts';
import { disk } from '../import/world.ts';
import { DOCKERFILE_LINES, DOCKERIGNORE, dockerfileText } from '../scaffold/dockerfile-text.ts';
import { type Package, readPackage } from '../scaffold/package-json.ts';
import { CONFIGS, type Source, sourcesIn } from '../scaffold/sources.ts';
import { EXIT } from '../signals/exit-codes.ts';
import { realSources } from './config-sources.ts';
import { convertFile, remarkComplaint, writeNew } from './import.ts';
import { type Complaint, failure, type Outcome } from './output.ts';
import type { Environment } from './parse.ts';

const LOOKED_AT =
  'package.json, Procfile, supervisord.conf, ecosystem.config.js, a Compose file or a Dockerfile with a command';

interface Scaffold {
  readonly text: string;
  readonly from: string;
  readonly complaints: readonly Complaint[];
}

/** `cwd` is where gsup is. */
export function initCommand(cwd: string, env: Environment): Outcome {
  const files = new Set(disk.list(cwd).map(({ name }) => name));
  const own = CONFIGS.find((name) => files.has(name));
  const pkg = packageIn(cwd, files);
  if (typeof pkg === 'string') return failure(EXIT.config, pkg);
  const scaffold = own === undefined ? firstOf(sourcesIn(files), cwd, files, pkg, env) : null;
  if (typeof scaffold === 'string') return failure(EXIT.config, scaffold);
  const lines: string[] = [];
  const text = scaffold?.text.replace(' by gsup import.', ' by gsup init.') ?? '';
  const written = scaffold === null ? null : writeNew(join(cwd, 'gsup.yaml'), text);
  if (written !== null) return failure(EXIT.usage, written);
  lines.push(
    scaffold === null ? `${own}: is there, and was left alone` : `gsup.yaml: written, from ${scaffold.from}`,
  );
  const others =
    scaffold === null
      ? []
      : sourcesIn(files).filter(({ kind, file }) => kind === 'import' && !scaffold.from.startsWith(file));
  lines.push(
    ...others.map(({ file }) => `${file}: was not looked at; gsup import ${file} says what it comes to`),
  );
  const unwritten = writeDocker(cwd, files, pkg, lines);
  if (unwritten !== null) return { ...failure(EXIT.usage, unwritten), stdout: `${lines.join('\n')}\n` };
  return { exitCode: EXIT.success, stdout: `${lines.join('\n')}\n`, complaints: scaffold?.complaints ?? [] };
}

/** null: there is none; a text: what is wrong with it. */
function packageIn(cwd: string, files: ReadonlySet<string>): Package | null | string {
  if (!files.has('package.json')) return null;
  try {
    return readPackage(disk.readFile(join(cwd, 'package.json')), files);
  } catch (error) {
    return `cannot read "package.json": JSON is needed, got ${causeOf(error)}`;
  }
}

/** The first that says a command. What is wrong with one is not passed over. */
function firstOf(
  sources: readonly Source[],
  cwd: string,
  files: ReadonlySet<string>,
  pkg: Package | null,
  env: Environment,
): Scaffold | string {
  for (const source of sources) {
    const settled =
      source.kind === 'import' ? importedFrom(source.file, cwd, env) : ownFrom(source, cwd, pkg, env);
    if (settled !== null) return settled;
  }
  return `cannot make a config for "${cwd}": ${LOOKED_AT} is needed, got ${files.size === 0 ? 'nothing' : 'none of them'}`;
}

function importedFrom(file: string, cwd: string, env: Environment): Scaffold | string {
  const converted = convertFile(join(cwd, file), null, join(cwd, 'gsup.yaml'), env);
  if (converted.kind === 'unknown') return converted.message;
  if (converted.kind === 'problems') return converted.problems.map(problemLine).join('\n');
  // As the user calls it, and not by its whole path.
  const text = converted.text.replaceAll(join(cwd, file), file);
  return {
    text,
    from: file,
    complaints: converted.remarks.map((remark) => remarkComplaint({ ...remark, file })),
  };
}

/** null: it says no command. */
function ownFrom(
  { kind, file }: Source,
  cwd: string,
  pkg: Package | null,
  env: Environment,
): Scaffold | string | null {
  const found =
    kind === 'package' ? commandOfPackage(pkg) : commandOfDockerfile(disk.readFile(join(cwd, file)));
  if (found === null) return null;
  const { name, command, from } = found;
  const place = { file, line: 0, column: 0 };
  const draft: Draft = {
    task: {},
    processes: [{ ...place, name: entryName(name), keys: { command } }],
    remarks: [],
  };
  const settled: Settled = settle(draft, {
    ...realSources(env),
    cwd,
    target: join(cwd, 'gsup.yaml'),
    source: file,
  });
  if (settled.kind === 'problems') return settled.problems.map(problemLine).join('\n');
  return { text: settled.text, from: `${file}${from}`, complaints: settled.remarks.map(remarkComplaint) };
}

interface Found {
  readonly name: string;
  readonly command: Plain;
  readonly from: string;
}

function commandOfPackage(pkg: Package | null): Found | null {
  if (pkg?.command === undefined) return null;
  return { name: pkg.name ?? 'app', command: pkg.command.map(literal), from: ` (${pkg.from})` };
}

function commandOfDockerfile(text: string): Found | null {
  const { entrypoint, cmd } = readDockerfile(text, null);
  if (entrypoint?.shell !== undefined)
    return { name: 'app', command: literalForShell(entrypoint.shell), from: ' (ENTRYPOINT)' };
  if (cmd?.shell !== undefined && entrypoint === undefined)
    return { name: 'app', command: literalForShell(cmd.shell), from: ' (CMD)' };
  const words = [
    ...(entrypoint?.words ?? []),
    ...(cmd?.words ?? (cmd?.shell === undefined ? [] : ['/bin/sh', '-c', cmd.shell])),
  ];
  const [first = ''] = words;
  // A Dockerfile that starts gsup already says nothing about what gsup is to start.
  if (first === '' || first.split('/').at(-1) === 'gsup') return null;
  return {
    name: 'app',
    command: words.map(literal),
    from: entrypoint === undefined ? ' (CMD)' : ' (ENTRYPOINT and CMD)',
  };
}

/** null: all is well; else what could not be written. */
function writeDocker(
  cwd: string,
  files: ReadonlySet<string>,
  pkg: Package | null,
  lines: string[],
): string | null {
  if (files.has('Dockerfile')) {
    lines.push(
      'Dockerfile: is there, and was left alone; with Node.js in its image it needs',
      ...DOCKERFILE_LINES.map((line) => `  ${line}`),
    );
    return null;
  }
  const unwritten = writeNew(join(cwd, 'Dockerfile'), dockerfileText(files, pkg));
  if (unwritten !== null) return unwritten;
  lines.push('Dockerfile: written');
  if (files.has('.dockerignore')) {
    lines.push('.dockerignore: is there, and was left alone');
    return null;
  }
  const ignored = writeNew(join(cwd, '.dockerignore'), DOCKERIGNORE);
  if (ignored === null) lines.push('.dockerignore: written');
  return ignored;
}
