/**
 * What the first supervisor of a task has read from the files of `--env-file` holds for the whole task: a later one
 * must find the same, whatever has become of the files. It lies beside the logs, readable by the owner alone.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { normalizeRun, type RunConfig } from '../config/run-config.ts';
import type { Environment, ParsedRun } from './parse.ts';

type Variables = Readonly<Record<string, string>>;

export interface BesideInit {
  readonly config: RunConfig;
  /** Of files that cannot be read any more. */
  readonly problems: readonly string[];
}

export type ConfiguredBesideInit =
  | ({ readonly kind: 'config' } & BesideInit)
  | { readonly kind: 'problems'; readonly problems: readonly string[] };

/**
 * `log`: of the task, to know whether something of it runs already: then nothing here is a reason to give up. `isRunning`: it does,
 * whatever that says.
 */
export function configureBesideInit(
  parsed: ParsedRun,
  env: Environment,
  log: string,
  isRunning = false,
): ConfiguredBesideInit {
  const folder = parsed.options['env-file'].length > 0 ? (env.GSUP_TASK_DIR ?? '') : '';
  const kept = folder === '' ? null : keptEnvironment(folder);
  const around = { env, readFile: (path: string) => readFileSync(path, 'utf8') };
  const configured = normalizeRun(parsed, kept === null ? around : { ...around, envSet: kept });
  if (configured.kind === 'problems' && !isRunning && !hasRun(log)) return configured;
  const { config } = configured;
  if (configured.kind === 'problems') return { kind: 'config', config, problems: configured.problems };
  if (folder !== '' && kept === null) keepEnvironment(folder, config.launch.envSet);
  return { kind: 'config', config, problems: [] };
}

/** null: nothing was kept for the init that has this folder now. */
export function keptEnvironment(folder: string): Variables | null {
  try {
    const { owner, set } = JSON.parse(readFileSync(join(folder, NAME), 'utf8'));
    return owner === ownerOf(folder) ? set : null;
  } catch {
    return null;
  }
}

/** As a whole or not at all. Where there is no room, a later supervisor reads the files again. */
export function keepEnvironment(folder: string, set: Variables): void {
  const draft = join(folder, `${NAME}.${process.pid}`);
  try {
    writeFileSync(draft, JSON.stringify({ owner: ownerOf(folder), set }), { mode: 0o600, flag: 'wx' });
    renameSync(draft, join(folder, NAME));
  } catch {
    rmSync(draft, { force: true });
  }
}

export function forgetEnvironment(folder: string): void {
  rmSync(join(folder, NAME), { force: true });
}

const NAME = 'env';

/** init's line in its lock: boot id, pid namespace, pid and start time. What runs follows it there. */
function ownerOf(folder: string): string {
  const [line = ''] = readFileSync(join(folder, 'lock'), 'latin1').split('\n');
  if (line === '') throw new Error('nobody holds the lock');
  return line;
}

function hasRun(log: string): boolean {
  try {
    return readFileSync(log, 'latin1').includes('"type":"run-forked"');
  } catch {
    return false;
  }
}
