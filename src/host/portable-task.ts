/**
 * The folder of a task, its lock and its logs, where there is no init to see to them (src/init/state.c is the model).
 * Node has no flock: the lock is a file that names its holder, and a holder that is gone holds nothing.
 */
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { findStateDirProblem, listStateDirs, stateDirMode, stateFileMode } from '../checkpoint/state-dir.ts';
import { isTaskLive } from '../checkpoint/task-folders.ts';
import { readOwnIdentity } from './own-identity.ts';

export interface TaskQuestion {
  readonly name: string;
  /** No other name is taken instead. */
  readonly exactName: boolean;
  /** --state-dir. */
  readonly stateDir: string | null;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export type TaskFolder =
  | { readonly kind: 'taken'; readonly name: string; readonly folder: string; readonly release: () => void }
  /** Another gsup has it. */
  | { readonly kind: 'held'; readonly name: string }
  | { readonly kind: 'none'; readonly path: string; readonly cause: string };

const NAMES_TRIED = 1000;
const KEPT_LOGS = 5;

export function takeTaskFolder({ name, exactName, stateDir, env }: TaskQuestion): TaskFolder {
  const uid = process.getuid?.() ?? 0;
  let failed: TaskFolder = { kind: 'none', path: '', cause: 'ENOENT' };
  for (const { path, named } of listStateDirs({ option: stateDir ?? undefined, env, uid })) {
    try {
      useDirectory(path, uid);
      return takeFreeName(path, name, exactName);
    } catch (error) {
      failed = {
        kind: 'none',
        path,
        cause: (error as NodeJS.ErrnoException).code ?? (error as Error).message,
      };
      if (named) break;
    }
  }
  return failed;
}

/** Ended logs become `*.log.1`, and so on; the oldest goes. */
export function rotateLogs(folder: string, log: string): void {
  if (!existsSync(join(folder, log))) return;
  for (let n = KEPT_LOGS; n > 0; n--) {
    const from = join(folder, n > 1 ? `${log}.${n - 1}` : log);
    if (existsSync(from)) renameSync(from, join(folder, `${log}.${n}`));
  }
}

function useDirectory(path: string, uid: number): void {
  if (!existsSync(path)) mkdirSync(path, { mode: stateDirMode });
  const stats = lstatSync(path);
  const facts = { isDirectory: stats.isDirectory(), uid: stats.uid, mode: stats.mode };
  const problem = findStateDirProblem(facts, uid);
  if (problem !== undefined) throw new Error(problem);
  accessSync(path, constants.W_OK | constants.X_OK);
}

function takeFreeName(base: string, wanted: string, exact: boolean): TaskFolder {
  for (let n = 1; n < NAMES_TRIED; n++) {
    const name = n === 1 ? wanted : `${wanted}.${n}`;
    const folder = join(base, name);
    if (!existsSync(folder)) mkdirSync(folder, { mode: stateDirMode });
    const lock = join(folder, 'lock');
    // An empty lock says that its owner left nothing behind.
    if (takeLock(folder, lock)) return { kind: 'taken', name, folder, release: () => truncateSync(lock) };
    if (exact) return { kind: 'held', name };
  }
  return { kind: 'held', name: wanted };
}

function takeLock(folder: string, lock: string): boolean {
  const { bootId, pidNs, pid, startTicks } = readOwnIdentity();
  for (;;) {
    const seen = readLock(lock);
    if (isTaskLive(folder)) return false;
    if (seen !== null && !removeLock(lock, seen)) return false;
    try {
      const fd = openSync(lock, 'wx', stateFileMode);
      writeSync(fd, `${bootId} ${pidNs} ${pid} ${startTicks}\n`);
      closeSync(fd);
      return true;
    } catch (error) {
      // Somebody was quicker: look again who.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

/** Of several who find the same dead holder one removes its lock; who has moved a live one away puts it back. */
function removeLock(lock: string, seen: string): boolean {
  const aside = `${lock}.${process.pid}`;
  try {
    renameSync(lock, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
    throw error;
  }
  if (readLock(aside) === seen) {
    rmSync(aside);
    return true;
  }
  renameSync(aside, lock);
  return false;
}

function readLock(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
