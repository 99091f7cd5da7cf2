/** From a tree to what the table of keys makes of it; each problem with its place, its path and what was meant. */
import type * as z from 'zod';
import { nearest } from '../cli/messages.ts';
import { type TaskShape, taskShape } from './keys.ts';
import { type Path, type Problem, pathText, shown } from './problem.ts';
import { isMapping, keyPlace, newMapping, type Tree, type Value, valueAt, valuePlace } from './tree.ts';

export interface Shaped {
  /** Without what is wrong; undefined: nothing is left of it. */
  readonly shape: TaskShape | undefined;
  readonly problems: readonly Problem[];
  /** Processes of which something is wrong: what they lack may be what was left out. */
  readonly doubtful: ReadonlySet<string>;
}

export function readShape(tree: Tree): Shaped {
  const result = taskShape.safeParse(tree.value);
  if (result.success) return { shape: result.data, problems: [], doubtful: new Set() };
  const { issues } = result.error;
  const problems = issues.slice(0, MAX_ISSUES).flatMap((issue) => problemsOf(issue, tree));
  const wrong = issues.flatMap(pathsOf);
  const doubtful = new Set(wrong.filter(([first]) => first === 'processes').map(([, name]) => String(name)));
  return { shape: taskShape.safeParse(without(tree.value, wrong)).data, problems, doubtful };
}

type Issue = z.core.$ZodIssue;

/** Nobody reads more at once. */
const MAX_ISSUES = 100;

function pathsOf(issue: Issue): Path[] {
  const path = issue.path as Path;
  return issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...path, key]) : [path];
}

/** So that one wrong key hides none of the other problems, it is left out, with all of what it belongs to. */
function without(value: Value, wrong: readonly Path[]): Value {
  if (!isMapping(value)) return value;
  const prefixes = new Set(wrong.flatMap((path) => [pathText(path.slice(0, 1)), pathText(path.slice(0, 3))]));
  const isWrong = (...path: Path) => prefixes.has(pathText(path));
  const task = Object.entries(value).filter(([key]) => key === 'processes' || !isWrong(key));
  const { processes } = Object.fromEntries(task);
  if (!isMapping(processes)) return newMapping(task);
  const kept = Object.entries(processes).map(([name, process]) => {
    const keys = Object.entries(isMapping(process) ? process : {});
    const good = keys.filter(([key]) => !isWrong('processes', name, key));
    return [name, newMapping([['command', 'true'], ...good])] as const;
  });
  return newMapping([...task, ['processes', newMapping(kept)]]);
}

function problemsOf(issue: Issue, tree: Tree): Problem[] {
  const path = issue.path as Path;
  if (issue.code === 'unrecognized_keys') {
    const names = issue.message.split(' ');
    return issue.keys.slice(0, MAX_ISSUES).map((key) => unknownKey(key, names, path, tree));
  }
  const hint = issue.code === 'custom' ? String(issue.params?.hint ?? '') : '';
  const problem = problemAt(tree, path, ruleOf(issue, valueAt(tree.value, path)), hint);
  return [isOfKey(issue) ? { ...problem, ...keyPlace(tree, path) } : problem];
}

function isOfKey(issue: Issue): boolean {
  return issue.code === 'custom' && issue.params?.where === 'key';
}

/** A problem of the value at `path`. */
export function problemAt(tree: Tree, path: Path, rule: string, hint = ''): Problem {
  const what = path.length === 0 ? valuePlace(tree, path).file : pathText(path);
  const message = `cannot use "${what}": ${rule}`;
  return { ...valuePlace(tree, path), path: pathText(path), message, hint };
}

function unknownKey(key: string, names: readonly string[], path: Path, tree: Tree): Problem {
  const inner = [...path, key];
  const message = `cannot use "${pathText(inner)}": there is no such key`;
  return { ...keyPlace(tree, inner), path: pathText(inner), message, hint: keyHint(key, names) };
}

/** What others call it, and people write out of habit. */
const HABITS: Readonly<Record<string, string>> = {
  services: 'processes',
  programs: 'processes',
  apps: 'processes',
  args: 'command, as a list',
  cmd: 'command',
  entrypoint: 'command',
  script: 'command',
  env: 'environment',
  cwd: 'working_dir',
  dir: 'working_dir',
  directory: 'working_dir',
  uid: 'user',
  health: 'healthcheck',
  instances: 'replicas',
  numprocs: 'replicas',
  scale: 'replicas',
  deploy: 'replicas',
  autorestart: 'restart',
  stopsignal: 'stop.signal',
  kill_signal: 'stop.signal',
  kill_timeout: 'stop.grace',
  stopwaitsecs: 'stop.grace',
  grace: 'stop.grace',
  mem_limit: 'memory_limit',
  max_memory_restart: 'memory_limit',
  exitcodes: 'success_exit_codes',
};

/** More names are no hint any more. */
const NAMES_SHOWN = 13;

function keyHint(key: string, names: readonly string[]): string {
  const near = nearest(key, names) ?? names.find((name) => lettersOf(name) === lettersOf(key));
  if (near !== undefined) return `did you mean ${near}?`;
  const habit = Object.hasOwn(HABITS, key) ? (HABITS[key] ?? '') : '';
  if (names.includes(habit.split(/[., ]/, 1)[0] ?? '')) return `write ${habit}`;
  return names.length > NAMES_SHOWN ? 'gsup schema prints all keys' : `there are ${names.join(', ')}`;
}

/** Equal for words with the same letters: two that changed places are the commonest slip. */
function lettersOf(word: string): string {
  return [...word.slice(0, NAME_LENGTH)].sort().join('');
}

const NAME_LENGTH = 40;

function ruleOf(issue: Issue, value: unknown): string {
  switch (issue.code) {
    case 'custom':
      return issue.message;
    case 'invalid_type':
      return `${NEEDS[issue.expected] ?? issue.expected} is needed, got ${shown(value)}`;
    case 'too_small':
      return 'at least one entry is needed, got an empty list';
    default:
      return issue.message;
  }
}

const NEEDS: Readonly<Record<string, string>> = {
  object: 'a mapping',
  record: 'a mapping',
  array: 'a list',
};
