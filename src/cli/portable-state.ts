/** The folder of a task where there is no init to open it: what src/init/state.c does, with what Node has. */
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { keptLogs, logFiles } from '../checkpoint/files.ts';
import {
  findStateDirProblem,
  listStateDirs,
  type StateDirQuestion,
  stateDirMode,
  stateFileMode,
} from '../checkpoint/state-dir.ts';
import { isTaskLive } from '../checkpoint/task-folders.ts';
import { readProcess } from '../host/process-table.ts';

export type ClaimedTask =
  | { readonly kind: 'claimed'; readonly task: string; readonly folder: string; release(): void }
  /** Another gsup has the name that was asked for. */
  | { readonly kind: 'held' }
  /** No directory can be had. */
  | { readonly kind: 'none'; readonly path: string; readonly cause: string };

/** Whoever runs so many tasks of one name by accident is better told than served. */
const NAMES_TRIED = 1000;

/** `exact`: this name or none; else the first free one of `node`, `node.2`, ... */
export function claimTask(question: StateDirQuestion, name: string, exact: boolean): ClaimedTask {
  const base = openStateDir(question);
  if ('cause' in base) return { kind: 'none', ...base };
  try {
    for (let number = 1; number <= (exact ? 1 : NAMES_TRIED); number++) {
      const task = number === 1 ? name : `${name}.${number}`;
      const folder = join(base.path, task);
      mkdirSync(folder, { recursive: true, mode: stateDirMode });
      if (!takeLock(folder)) continue;
      keepOldLogs(folder);
      return { kind: 'claimed', task, folder, release: () => rmSync(join(folder, 'lock'), { force: true }) };
    }
    return { kind: 'held' };
  } catch (error) {
    return { kind: 'none', path: base.path, cause: causeOf(error) };
  }
}

/** The first that works. One that was named is not replaced by another. */
function openStateDir(question: StateDirQuestion): { path: string } | { path: string; cause: string } {
  let trouble = { path: '', cause: '' };
  for (const { path } of listStateDirs(question)) {
    try {
      mkdirSync(path, { recursive: true, mode: stateDirMode });
      const facts = lstatSync(path);
      const problem = findStateDirProblem(
        { isDirectory: facts.isDirectory(), uid: facts.uid, mode: facts.mode },
        question.uid,
      );
      if (problem === undefined) return { path };
      trouble = { path, cause: problem };
    } catch (error) {
      trouble = { path, cause: causeOf(error) };
    }
  }
  return trouble;
}

/** A link cannot be made over another: of two that start together one gets the name. */
function takeLock(folder: string): boolean {
  const lock = join(folder, 'lock');
  const draft = `${lock}.${process.pid}`;
  writeFileSync(draft, identity(), { mode: stateFileMode });
  try {
    removeDeadLock(folder, lock);
    linkSync(draft, lock);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Two may find the same dead holder. Moved aside and looked at again, so that the slower one cannot remove the lock of the faster. */
function removeDeadLock(folder: string, lock: string) {
  if (!existsSync(lock)) return;
  const judged = readFileSync(lock, 'latin1');
  if (isTaskLive(folder)) return;
  const aside = `${lock}.${process.pid}.old`;
  try {
    renameSync(lock, aside);
    if (readFileSync(aside, 'latin1') !== judged) linkSync(aside, lock);
  } catch (error) {
    if (!['ENOENT', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

/** The line that src/checkpoint/task-folders.ts reads: boot id, pid namespace, pid and start time. */
function identity(): string {
  const boot = existsSync('/proc/sys/kernel/random/boot_id')
    ? readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    : '';
  const namespace = statSync('/proc/self/ns/pid', { throwIfNoEntry: false })?.ino ?? 0;
  return `${boot} ${namespace} ${process.pid} ${readProcess(process.pid)?.startTicks ?? 0}\n`;
}

/** All of them, or none: what has one number is one story. */
function keepOldLogs(folder: string) {
  const logs = logFiles.map((name) => join(folder, name));
  if (logs.some((log) => existsSync(log))) logs.forEach(keepOld);
}

function keepOld(log: string) {
  rmSync(`${log}.${keptLogs}`, { force: true });
  for (let at = keptLogs - 1; at >= 0; at--) {
    const from = at === 0 ? log : `${log}.${at}`;
    if (existsSync(from)) renameSync(from, `${log}.${at + 1}`);
  }
}

function causeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
