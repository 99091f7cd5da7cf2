/** From file names to one tree: formats, variables, includes. Every file is read once. */
import { dirname, isAbsolute, join, normalize } from 'node:path';
import type { Environment } from '../cli/parse.ts';
import { parseDotenv } from './dotenv.ts';
import { interpolate, ownValue } from './interpolate.ts';
import { type Path, type Place, type Problem, pathText, shown } from './problem.ts';
import { isProcfile, readProcfile } from './procfile.ts';
import { problemAt } from './shape.ts';
import {
  isList,
  isMapping,
  newMapping,
  overlay,
  placeKey,
  type Tree,
  type Value,
  valueAt,
  valuePlace,
} from './tree.ts';
import { emptyTree, type Read, readYaml } from './yaml.ts';

export interface Sources {
  readonly env: Environment;
  /** Absolute. */
  readonly cwd: string;
  /** Takes an absolute path. Throws what `fs.readFileSync` throws, and for what is no regular file, or too long. */
  readonly readFile: (path: string) => string;
  /** What `-` means. */
  readonly readStdin: () => string;
}

export interface Warning extends Place {
  readonly message: string;
}

/** What has been read so far. */
export interface Reading {
  readonly sources: Sources;
  readonly files: string[];
  readonly problems: Problem[];
  readonly warnings: Warning[];
  /** What the `.env` files beside the configs say. */
  readonly dotenv: Record<string, string>;
  /** A file, or a part of it, could not be read at all: what seems to be missing may be there. */
  broken: boolean;
}

export const STDIN = '-';
export const STDIN_NAME = 'standard input';

/** Nobody includes so many by intent. */
const MAX_FILES = 100;

export function newReading(sources: Sources): Reading {
  return { sources, files: [], problems: [], warnings: [], dotenv: {}, broken: false };
}

/** `shown`: as the user calls it. `path`: absolute, or `-`. */
interface Source {
  readonly path: string;
  readonly shown: string;
}

export function readConfigFile(reading: Reading, file: string): Tree {
  const path = file === STDIN ? STDIN : absolute(file, reading.sources.cwd);
  const source = { path, shown: file === STDIN ? STDIN_NAME : file };
  return readSource(reading, source, [], {}, { file: source.shown, line: 0, column: 0 });
}

function absolute(path: string, folder: string): string {
  return isAbsolute(path) ? normalize(path) : join(folder, path);
}

/** `above`: the files that include this one. `dotenv`: what their `.env` files say. `place`: where it is named. */
function readSource(
  reading: Reading,
  source: Source,
  above: readonly Source[],
  dotenv: Environment,
  place: Place,
): Tree {
  reading.files.push(source.shown);
  const text = readText(reading, source, place);
  if (text === undefined) return emptyTree(source.shown);
  const read = isProcfile(source.path) ? readProcfile(text, source.shown) : readYaml(text, source.shown);
  const tree = treeOf(reading, read, source);
  const own = { ...readDotenv(reading, source, tree), ...dotenv };
  Object.assign(reading.dotenv, { ...own, ...reading.dotenv });
  const ready = withVariables(reading, tree, { ...own, ...reading.sources.env });
  const named = withAbsoluteFiles(ready, folderOf(source, reading.sources.cwd));
  return withIncludes(
    reading,
    isProcfile(source.path) ? withEnvironment(named, own) : named,
    [...above, source],
    own,
  );
}

function readText(reading: Reading, source: Source, place: Place): string | undefined {
  try {
    return source.path === STDIN ? reading.sources.readStdin() : reading.sources.readFile(source.path);
  } catch (error) {
    const message = `cannot read "${source.shown}": a readable file is needed, got ${causeOf(error)}`;
    reading.problems.push({ ...place, path: '', message, hint: '' });
    reading.broken = true;
    return undefined;
  }
}

/** `ENOENT`, or what it says of itself. */
export function causeOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message ?? String(error);
}

function treeOf(reading: Reading, read: Read, source: Source): Tree {
  reading.problems.push(...read.problems);
  if (read.tree !== null && isMapping(read.tree.value)) return read.tree;
  if (read.tree !== null && read.tree.value !== null) {
    reading.problems.push(problemAt(read.tree, [], `a mapping is needed, got ${shown(read.tree.value)}`));
  }
  reading.broken ||= read.tree?.value !== null;
  return emptyTree(source.shown);
}

function folderOf(source: Source, cwd: string): string {
  return source.path === STDIN ? cwd : dirname(source.path);
}

/** The file of variables beside a config. It need not be there. */
function readDotenv(reading: Reading, source: Source, tree: Tree): Record<string, string> {
  const path = join(folderOf(source, reading.sources.cwd), '.env');
  let text: string;
  try {
    text = reading.sources.readFile(path);
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR'].includes(causeOf(error))) {
      const message = `cannot read "${path}": a readable file is needed, got ${causeOf(error)}`;
      reading.problems.push({ ...valuePlace(tree, []), path: '', message, hint: '' });
    }
    return {};
  }
  return variablesOf(reading, text, path);
}

function variablesOf(reading: Reading, text: string, file: string): Record<string, string> {
  const { entries, problems, unset } = parseDotenv(text, file, reading.sources.env);
  for (const { name, ...place } of unset)
    reading.warnings.push({
      ...place,
      message: `"${file}": ${name} is not set, an empty text is taken for it`,
    });
  for (const { rule, ...place } of problems)
    reading.problems.push({ ...place, path: '', message: `cannot read "${file}": ${rule}`, hint: '' });
  const set: Record<string, string> = {};
  for (const [key, value] of entries) {
    const own = value ?? ownValue(reading.sources.env, key);
    if (own !== undefined) set[key] = own;
  }
  return set;
}

/** `.env` is the environment of a Procfile; what gsup's own environment says wins, as everywhere in a shell. */
function withEnvironment(tree: Tree, dotenv: Environment): Tree {
  if (Object.keys(dotenv).length === 0) return tree;
  const set = Object.entries(dotenv).map(([key, value]) => [key, value ?? null] as const);
  const value = newMapping([...Object.entries(tree.value as object), ['environment', newMapping(set)]]);
  return { value, places: tree.places };
}

function withVariables(reading: Reading, tree: Tree, variables: Environment): Tree {
  const change = (value: Value, path: Path): Value => {
    if (isList(value)) return value.map((item, at) => change(item, [...path, at]));
    if (isMapping(value))
      return newMapping(
        Object.entries(value).map(([key, item]) => [key, change(item, [...path, key])] as const),
      );
    if (value === null || !value.includes('$')) return value;
    const { text, unset, problems } = interpolate(value, variables, isForShell(tree.value, path));
    for (const rule of problems) reading.problems.push(problemAt(tree, path, rule));
    for (const name of unset) {
      const message = `"${pathText(path)}": ${name} is not set, an empty text is taken for it`;
      reading.warnings.push({ ...valuePlace(tree, path), message });
    }
    return text;
  };
  return { value: change(tree.value, []), places: tree.places };
}

const COMMANDS = ['command', 'pre_start', 'pre_stop', 'post_stop', 'busy', 'exec', 'test'];

/** A text where a command is expected is read by a shell. */
function isForShell(root: Value, path: Path): boolean {
  if (path[0] !== 'processes' || path.includes('environment')) return false;
  if (path.length > 2 && COMMANDS.includes(String(path.at(-1)))) return true;
  const list = path.at(-2) === 'test' ? valueAt(root, path.slice(0, -1)) : undefined;
  return isList(list) && list[0] === 'CMD-SHELL';
}

/** What a file names beside itself is found there whoever includes it. */
function withAbsoluteFiles(tree: Tree, folder: string): Tree {
  const rename = (value: Value): Value => {
    if (isList(value)) return value.map(rename);
    return typeof value === 'string' && value !== '' ? absolute(value, folder) : value;
  };
  const withKey = (value: Value): Value =>
    isMapping(value) && value.env_file !== undefined
      ? newMapping(Object.entries({ ...value, env_file: rename(value.env_file) }))
      : value;
  const root = withKey(tree.value);
  if (!isMapping(root) || !isMapping(root.processes)) return { ...tree, value: root };
  const processes = Object.entries(root.processes).map(([name, value]) => [name, withKey(value)] as const);
  const value = newMapping(Object.entries({ ...root, processes: newMapping(processes) }));
  return { ...tree, value };
}

function withIncludes(reading: Reading, tree: Tree, above: readonly Source[], dotenv: Environment): Tree {
  if (!isMapping(tree.value)) return tree;
  const { include, ...rest } = tree.value;
  const own: Tree = { ...tree, value: newMapping(Object.entries(rest)) };
  const named = isList(include) ? include : [include ?? null];
  const current = above.at(-1);
  const folder = current === undefined ? reading.sources.cwd : folderOf(current, reading.sources.cwd);
  let under: Tree | undefined;
  for (const [at, file] of named.entries()) {
    const path = isList(include) ? ['include', at] : ['include'];
    if (include === undefined) continue;
    if (typeof file !== 'string' || file === '') {
      reading.problems.push(problemAt(tree, path, `a path is needed, got ${shown(file)}`));
      continue;
    }
    const source = { path: absolute(file, folder), shown: shownBeside(current, file) };
    const included = includeOne(reading, tree, path, source, above, dotenv);
    if (included === undefined) continue;
    if (under !== undefined) refuseDoubles(reading, under, included);
    under = under === undefined ? included : overlay(under, included);
  }
  if (under === undefined) return own;
  refuseDoubles(reading, under, own);
  return overlay(under, own);
}

function shownBeside(current: Source | undefined, file: string): string {
  return current === undefined || current.path === STDIN || isAbsolute(file)
    ? file
    : join(dirname(current.shown), file);
}

/** undefined: it is there already, or cannot be. */
function includeOne(
  reading: Reading,
  tree: Tree,
  path: Path,
  source: Source,
  above: readonly Source[],
  dotenv: Environment,
): Tree | undefined {
  const circle = above.findIndex((other) => other.path === source.path);
  if (circle >= 0) {
    const names = [...above.slice(circle), source].map((other) => other.shown).join(' -> ');
    reading.problems.push(problemAt(tree, path, `a file cannot include itself, got ${names}`));
    return undefined;
  }
  if (reading.files.includes(source.shown)) return undefined;
  if (reading.files.length >= MAX_FILES) {
    reading.problems.push(problemAt(tree, path, `a config has at most ${MAX_FILES} files`));
    return undefined;
  }
  return readSource(reading, source, above, dotenv, valuePlace(tree, path));
}

/** Two files that mean different processes by one name. */
function refuseDoubles(reading: Reading, under: Tree, over: Tree): void {
  const before = valueAt(under.value, ['processes']);
  const after = valueAt(over.value, ['processes']);
  if (!isMapping(before) || !isMapping(after)) return;
  for (const name of Object.keys(after)) {
    if (before[name] === undefined) continue;
    const path = ['processes', name];
    const first = under.places.get(placeKey(path))?.key ?? valuePlace(under, path);
    const rule = `each process is written once, got it in "${first.file}" line ${first.line} too`;
    const place = over.places.get(placeKey(path))?.key ?? valuePlace(over, path);
    reading.problems.push({
      ...place,
      path: pathText(path),
      message: `cannot use "${pathText(path)}": ${rule}`,
      hint: '',
    });
  }
}
