/** From config files to a complete config, or to all problems of it at once. */
import { basename, join } from 'node:path';
import {
  causeOf,
  newReading,
  type Reading,
  readConfigFile,
  type Sources,
  type Warning,
} from './config-files.ts';
import { parseDotenv } from './dotenv.ts';
import { type Findings, newFindings } from './findings.ts';
import type { TaskShape } from './keys.ts';
import { checkOrder, nearHint } from './order-rules.ts';
import { inOrder, type Path, type Problem } from './problem.ts';
import { processOf, valuesOf } from './process-config.ts';
import { readShape } from './shape.ts';
import { overlay, type Tree } from './tree.ts';
import type { UpConfig } from './up-config.ts';

export interface ConfigRequest extends Sources {
  /** As the user calls them; a later one over an earlier one. null: the first of DEFAULT_FILES in `cwd`. */
  readonly files: readonly string[] | null;
  /** These entries, and what they depend on. Empty: all. */
  readonly only: readonly string[];
}

export type LoadedConfig =
  | { readonly kind: 'config'; readonly config: UpConfig; readonly warnings: readonly Warning[] }
  | {
      readonly kind: 'problems';
      readonly problems: readonly Problem[];
      readonly warnings: readonly Warning[];
    };

export const DEFAULT_FILES = ['gsup.yaml', 'gsup.yml', 'gsup.json', 'Procfile'] as const;

export function loadConfig(request: ConfigRequest): LoadedConfig {
  const files = request.files ?? defaultFile(request);
  if (files.length === 0) return { kind: 'problems', problems: [noFile(request)], warnings: [] };
  const reading = newReading(request);
  const tree = files
    .map((file) => readConfigFile(reading, file))
    .reduce((under, over) => overlay(under, over));
  const config = reading.broken ? undefined : configOf(tree, reading, request);
  const { problems, warnings } = reading;
  if (config !== undefined && problems.length === 0) return { kind: 'config', config, warnings };
  return { kind: 'problems', problems: inOrder(problems, reading.files), warnings };
}

function defaultFile({ cwd, readFile }: ConfigRequest): string[] {
  return DEFAULT_FILES.filter((file) => {
    try {
      readFile(join(cwd, file));
      return true;
    } catch (error) {
      // What is there and cannot be read is complained of, not passed over.
      return causeOf(error) !== 'ENOENT';
    }
  }).slice(0, 1);
}

function noFile({ cwd }: ConfigRequest): Problem {
  const message = `cannot read a config: one of ${DEFAULT_FILES.join(', ')} is needed in "${cwd}", got none`;
  return { file: cwd, line: 0, column: 0, path: '', message, hint: 'or name one with -f FILE' };
}

function configOf(tree: Tree, reading: Reading, request: ConfigRequest): UpConfig | undefined {
  const findings = newFindings(tree);
  const { shape, problems, doubtful } = readShape(tree);
  reading.problems.push(...problems);
  if (shape === undefined) return undefined;
  const config = upConfigOf(shape, reading, request, findings);
  checkOrder(config, findings, doubtful);
  reading.problems.push(...findings.problems);
  return reading.problems.length > 0 ? undefined : withOnly(config, tree, reading, request.only);
}

function upConfigOf(task: TaskShape, reading: Reading, request: ConfigRequest, findings: Findings): UpConfig {
  const readEnvFiles = (paths: readonly string[], at: Path) =>
    envFiles(paths, at, reading, request, findings);
  const own = valuesOf(task.environment ?? [], request.env);
  const variables = { ...readEnvFiles(task.env_file ?? [], ['env_file']), ...own };
  const common = { task, env: request.env, variables, readEnvFiles };
  return {
    name: task.name ?? folderName(request),
    processes: Object.entries(task.processes).map(([name, shape]) =>
      processOf(name, shape, common, findings),
    ),
    main: task.main ?? null,
    stopBudgetMs: task.stop_budget ?? null,
    maxFailures: task.max_failures,
    maxConcurrency: task.max_concurrency,
    finalizationWaitMs: task.finalization_wait,
    exitWhen: task.exit_when,
  };
}

/** That of the first file; each byte that does not fit the rule for names becomes `_`. */
function folderName({ files, cwd }: ConfigRequest): string {
  const first = files?.[0];
  const folder = first === undefined || first === '-' ? cwd : join(cwd, first, '..');
  const name = basename(first?.startsWith('/') ? join(first, '..') : folder);
  return (
    name
      .replace(/[^A-Za-z0-9_.-]/g, '_')
      .replace(/^[.-]/, '_')
      .slice(0, 64) || '_'
  );
}

function envFiles(
  paths: readonly string[],
  at: Path,
  reading: Reading,
  request: ConfigRequest,
  findings: Findings,
): Record<string, string> {
  const known = { ...reading.dotenv, ...request.env };
  const set: Record<string, string> = {};
  for (const [index, path] of paths.entries()) {
    const place = findings.has([...at, index]) ? [...at, index] : at;
    try {
      const { entries, problems, unset } = parseDotenv(request.readFile(path), path, { ...set, ...known });
      for (const { name, ...where } of unset)
        reading.warnings.push({
          ...where,
          message: `"${path}": ${name} is not set, an empty text is taken for it`,
        });
      for (const { line, rule } of problems) findings.refuse(place, `"${path}" line ${line}: ${rule}`);
      Object.assign(set, valuesOf(entries, request.env));
    } catch (error) {
      findings.refuse(place, `a readable file is needed, got ${causeOf(error)} for "${path}"`);
    }
  }
  return set;
}

/** The entries that were named and what they depend on. */
function withOnly(
  config: UpConfig,
  tree: Tree,
  reading: Reading,
  only: readonly string[],
): UpConfig | undefined {
  if (only.length === 0) return config;
  const findings = newFindings(tree);
  const byName = new Map(config.processes.map((process) => [process.name, process]));
  const wanted = new Set<string>();
  const next = [...only];
  for (let name = next.pop(); name !== undefined; name = next.pop()) {
    const process = byName.get(name);
    if (process === undefined)
      findings.refuse(['processes'], `there is no process "${name}"`, nearHint(name, [...byName.keys()]));
    else if (!wanted.has(name)) next.push(...process.dependsOn.map(({ on }) => on));
    wanted.add(name);
  }
  const processes = config.processes.filter(({ name }) => wanted.has(name));
  if (findings.problems.length === 0 && processes.every(({ role }) => role !== 'ordinary'))
    findings.refuse(['processes'], `of ${only.join(', ')} none is neither ephemeral nor final`);
  reading.problems.push(...findings.problems);
  if (findings.problems.length > 0) return undefined;
  return { ...config, processes, main: config.main !== null && wanted.has(config.main) ? config.main : null };
}
