// Configs as texts, and what comes of them, without a disk.
import { isAbsolute, join } from 'node:path';
import { type ConfigRequest, type LoadedConfig, loadConfig } from '../../src/config/load-config.ts';
import { problemLine } from '../../src/config/problem.ts';
import type { UpConfig } from '../../src/config/up-config.ts';
import { planUp } from '../../src/config/up-plan.ts';
import type { ProcessPlan, TaskPlan } from '../../src/supervisor/plan.ts';

/** By path, relative ones in `/app`. A text, or the code of the error that reading it throws. */
export type Files = Readonly<Record<string, string | { readonly code: string }>>;

export function load(files: Files, more: Partial<ConfigRequest> = {}): LoadedConfig {
  const byPath = new Map(
    Object.entries(files).map(([path, text]) => [isAbsolute(path) ? path : join('/app', path), text]),
  );
  const readFile = (path: string): string => {
    const text = byPath.get(path) ?? { code: 'ENOENT' };
    if (typeof text === 'string') return text;
    throw Object.assign(new Error(`${text.code}: ${path}`), text);
  };
  return loadConfig({ files: null, only: [], env: {}, cwd: '/app', readFile, readStdin: () => '', ...more });
}

export function loadText(text: string, more: Partial<ConfigRequest> = {}): LoadedConfig {
  return load({ 'gsup.yaml': text }, more);
}

export function configOf(loaded: LoadedConfig): UpConfig {
  if (loaded.kind === 'config') return loaded.config;
  throw new Error(loaded.problems.map(problemLine).join('\n'));
}

/** The lines that a user sees. */
export function problemsOf(loaded: LoadedConfig): string[] {
  return loaded.kind === 'config' ? [] : loaded.problems.map(problemLine);
}

export function planOf(text: string, more: Partial<ConfigRequest> = {}): TaskPlan {
  return planUp(configOf(loadText(text, more)), 'app', '0');
}

/** The plan of one process with these lines below its name, and a command. */
export function processWith(lines: string, more: Partial<ConfigRequest> = {}): ProcessPlan {
  const indented = lines.replace(/^/gm, '    ');
  const [process] = planOf(`processes:\n  web:\n    command: [app]\n${indented}`, more).processes;
  if (process === undefined) throw new Error('no process');
  return process;
}
