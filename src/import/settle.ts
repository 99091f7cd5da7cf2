/** Until `gsup check` and `gsup up` take it: what they refuse of a draft is taken out of it, with a remark each. */
import type { Environment } from '../cli/parse.ts';
import type { Sources } from '../config/config-files.ts';
import { loadConfig } from '../config/load-config.ts';
import type { Problem } from '../config/problem.ts';
import { type Block, type Draft, type DraftProcess, isBlock, type Plain, type Remark } from './draft.ts';
import { renderDraft } from './render.ts';

export interface Settling extends Sources {
  /** Absolute: where the config is going to be. */
  readonly target: string;
  /** As the user calls the file that it is made from. */
  readonly source: string;
}

export type Settled =
  | { readonly kind: 'config'; readonly text: string; readonly remarks: readonly Remark[] }
  | { readonly kind: 'problems'; readonly problems: readonly Problem[] };

/** Each turn takes something out, so it ends; nobody has so much that is wrong. */
const MAX_TURNS = 1000;

export function settle(first: Draft, settling: Settling): Settled {
  let draft = withNeeds(first, settling);
  for (let turn = 0; turn < MAX_TURNS; turn++) {
    if (draft.processes.length === 0) return { kind: 'problems', problems: [nothingLeft(draft, settling)] };
    const text = renderDraft(draft, settling.source);
    const problems = problemsOf(text, settling);
    if (problems.length === 0) return { kind: 'config', text, remarks: draft.remarks };
    const [next] = problems
      .map((problem) => without(draft, problem, settling.source))
      .filter((one) => one !== undefined);
    if (next === undefined) return { kind: 'problems', problems };
    draft = next;
  }
  return { kind: 'problems', problems: [nothingLeft(draft, settling)] };
}

function nothingLeft({ remarks }: Draft, { source }: Settling): Problem {
  const causes = remarks.filter(({ kind }) => kind === 'lost').slice(0, 5);
  const why = causes.map(({ process, what, why: because }) => `${process ?? what}: ${because}`).join('; ');
  const message = `cannot import "${source}": at least one process is needed, got none`;
  return { file: source, line: 0, column: 0, path: '', message, hint: why };
}

/** All that would be refused, as `up` refuses it. */
function problemsOf(text: string, { target, env, cwd, readFile }: Settling): readonly Problem[] {
  const loaded = loadConfig({
    files: [target],
    only: [],
    env: { ...needsOf(text, env), ...env },
    cwd,
    readFile: (path) => (path === target ? text : readFile(path)),
    readStdin: () => '',
  });
  return loaded.kind === 'problems' ? loaded.problems : [];
}

/** Variables that must be set, by who wrote the file. They are for whoever starts it, and judged as if they were there. */
function needsOf(text: string, env: Environment): Record<string, string> {
  const names = [...text.matchAll(/(?<!\$)(?:\$\$)*\$\{([A-Za-z_][A-Za-z0-9_]*):?\?/g)].map(
    ([, name]) => name ?? '',
  );
  return Object.fromEntries(names.filter((name) => !env[name]).map((name) => [name, '1']));
}

function withNeeds(draft: Draft, { source, env }: Settling): Draft {
  const needs = Object.keys(needsOf(renderDraft({ ...draft, remarks: [] }, source), env));
  const remarks = needs.map((name): Remark => {
    const why = 'it must be set for gsup check and gsup up, as the file demands';
    return { file: source, line: 0, column: 0, kind: 'hint', process: null, what: name, why };
  });
  return { ...draft, remarks: [...draft.remarks, ...remarks] };
}

/** undefined: what is wrong is none of what was written. */
function without(draft: Draft, problem: Problem, source: string): Draft | undefined {
  const process = processOf(draft, problem.path);
  if (process === undefined) return withoutTaskKey(draft, problem, source);
  const steps = stepsOf(problem.path.slice(`processes.${process.name}`.length));
  const keys = steps.length === 0 || steps[0] === 'command' ? undefined : removed(process.keys, steps);
  const rest = draft.processes.filter((one) => one !== process);
  const path = steps[0] === 'logging' ? 'logging' : steps.join('.');
  const what = keys === undefined ? `processes.${process.name}` : path;
  const { file, line, column, name } = process;
  const remark: Remark = {
    file,
    line,
    column,
    kind: 'lost',
    process: name,
    what,
    why: ruleOf(problem),
  };
  return {
    task: draft.task,
    processes:
      keys === undefined
        ? rest
        : draft.processes.map((one) => (one === process ? { ...process, keys } : one)),
    remarks: [...draft.remarks, remark],
  };
}

function withoutTaskKey(draft: Draft, problem: Problem, source: string): Draft | undefined {
  const steps = stepsOf(problem.path);
  const task = steps.length === 0 || steps[0] === 'processes' ? undefined : removed(draft.task, steps);
  if (task === undefined) return undefined;
  const what = steps.join('.');
  const why = ruleOf(problem);
  const remark: Remark = { file: source, line: 0, column: 0, kind: 'lost', process: null, what, why };
  return { ...draft, task, remarks: [...draft.remarks, remark] };
}

/** Names may have dots in them: the longest that fits. */
function processOf({ processes }: Draft, path: string): DraftProcess | undefined {
  const fits = processes.filter(({ name }) => {
    const begin = `processes.${name}`;
    return path === begin || path.startsWith(`${begin}.`) || path.startsWith(`${begin}[`);
  });
  return fits.sort((a, b) => b.name.length - a.name.length)[0];
}

/** `.stop.ladder[0]` → stop, ladder, 0. */
function stepsOf(path: string): string[] {
  return path
    .replaceAll(/\[(\d+)\]/g, '.$1')
    .split('.')
    .filter((step) => step !== '');
}

/** The block without what stands there, or without the nearest thing around it; undefined: it is not there. */
function removed(block: Block, [...steps]: readonly string[]): Block | undefined {
  // Half of it means nothing.
  if (steps[0] === 'logging') steps.length = 1;
  // A key of the user's own may have dots in it.
  const length = steps.findIndex((_, at) => block[steps.slice(0, at + 1).join('.')] !== undefined) + 1;
  if (length === 0) return undefined;
  const key = steps.slice(0, length).join('.');
  const inner = removedFrom(block[key], steps.slice(length));
  return Object.fromEntries(
    Object.entries(block).flatMap(([name, value]) =>
      name !== key ? [[name, value]] : inner === undefined ? [] : [[name, inner]],
    ),
  );
}

function removedFrom(value: Plain | undefined, steps: readonly string[]): Plain | undefined {
  if (steps.length === 0) return undefined;
  if (Array.isArray(value)) {
    const list = (value as readonly Plain[]).filter((_, at) => at !== Number(steps[0]));
    return list.length === 0 || list.length === value.length ? undefined : list;
  }
  if (!isBlock(value)) return undefined;
  const rest = removed(value, steps);
  return rest === undefined || Object.values(rest).every((inner) => inner === undefined) ? undefined : rest;
}

/** What is wrong, without the place, which is one of a text that the user does not know. */
function ruleOf({ message, hint }: Problem): string {
  const rule = message.replace(/^cannot \w+ "[^"]*": /, '');
  return hint === '' ? rule : `${rule}; ${hint}`;
}
