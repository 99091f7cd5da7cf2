// Which tasks there are: the folders under the state directories, and which of them live.
import { closeSync, lstatSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { openLogForReading } from './read-log.ts';
import {
  findStateDirProblem,
  isTaskName,
  listStateDirs,
  ownerByPath,
  type StateDirQuestion,
} from './state-dir.ts';

export type TaskFolder = {
  name: string;
  path: string;
  live: boolean /** When a log was last written to. */;
  touchedMs: number;
};
/** Who holds a lock: pid + start time + boot + namespace; a pid alone may be somebody else's by now. */
export type LockHolder = { bootId: string; pidNs: number; pid: number; startTicks: number };

/** All tasks that this user may look at. Directories that cannot be trusted or read are passed over. */
export function findTaskFolders(question: StateDirQuestion): TaskFolder[] {
  return listDirectories(question)
    .filter(({ path, owner }) => isTrusted(path, owner))
    .flatMap(({ path }) =>
      namesIn(path)
        .filter(isTaskName)
        .map((name) => ({ name, path: join(path, name) })),
    )
    .flatMap(({ name, path }) => readFolder(name, path));
}

type Place = { path: string; owner: number | null };

function listDirectories(question: StateDirQuestion): Place[] {
  const isRoot = question.uid === 0;
  const places: Place[] = listStateDirs(question).map(({ path, named }) => ({
    path,
    owner: isRoot && named ? null : question.uid,
  }));
  if (!isRoot || places.some(({ owner }) => owner === null)) return places;
  return [...places, ...listForeignDirectories(new Set(places.map(({ path }) => path)))];
}

/** `docker exec` comes as root, and has to find the task of a container that runs as another user. */
function listForeignDirectories(known: ReadonlySet<string>): Place[] {
  const paths = [
    ...namesIn('/tmp').map((name) => `/tmp/${name}`),
    ...namesIn('/dev/shm').map((name) => `/dev/shm/${name}`),
    ...namesIn('/run/user').map((name) => `/run/user/${name}/gsup`),
  ];
  return paths.flatMap((path) => {
    const owner = ownerByPath(path);
    return owner === undefined || known.has(path) ? [] : [{ path, owner }];
  });
}

function isTrusted(path: string, owner: number | null): boolean {
  return (
    attempt(() => {
      const stats = lstatSync(path);
      return !findStateDirProblem(
        { isDirectory: stats.isDirectory(), uid: stats.uid, mode: stats.mode },
        owner,
      );
    }) ?? false
  );
}

function readFolder(name: string, path: string): TaskFolder[] {
  if (!attempt(() => lstatSync(path).isDirectory())) return [];
  const times = ['checkpoint.log', 'init.log', 'init.log.old'].flatMap(
    (log) => attempt(() => statSync(join(path, log)).mtimeMs) ?? [],
  );
  if (times.length === 0) return [];
  return [{ name, path, live: isTaskLive(path), touchedMs: Math.max(...times) }];
}

/** Tells one start of a task from another, and lasts as long as it lives. null: nobody holds it. */
export function holderOf(folder: string): string | null {
  const [first = ''] = (attempt(() => readSmallFile(join(folder, 'lock'))) ?? '').split('\n');
  return first.trim() || null;
}

/** Does the gsup that holds this task's lock live? What cannot be verified from here does not count as living. */
export function isTaskLive(folder: string): boolean {
  const text = attempt(() => readSmallFile(join(folder, 'lock')));
  const holder = text === undefined ? undefined : parseLock(text);
  return holder !== undefined && isHolderLive(holder);
}

/** First line: boot id, pid-namespace inode, pid and start time of init. Empty after an orderly end; more lines may follow. */
export function parseLock(text: string): LockHolder | undefined {
  const match = /^(\S*) (\d{1,15}) (\d{1,10}) (\d{1,15})(?:\n|$)/.exec(text);
  if (!match) return undefined;
  const [, bootId, pidNs, pid, startTicks] = match;
  return { bootId: bootId as string, pidNs: Number(pidNs), pid: Number(pid), startTicks: Number(startTicks) };
}

function isHolderLive({ bootId, pidNs, pid, startTicks }: LockHolder): boolean {
  if (pid < 1) return false;
  if (process.platform !== 'linux') return attempt(() => process.kill(pid, 0)) ?? false;
  const here = attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
  const namespace = attempt(() => statSync('/proc/self/ns/pid').ino);
  if (bootId !== here || pidNs !== namespace) return false;
  const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  // The name in parentheses may hold anything, so fields count from the last one: state is field 3, start time 22.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields !== undefined && fields[0] !== 'Z' && fields[0] !== 'X' && Number(fields[19]) === startTicks;
}

export type PickedTask =
  | { kind: 'task'; folder: TaskFolder }
  | { kind: 'none'; message: string }
  /** More than one lives, and none was named. */
  | { kind: 'several'; message: string };

/** The task named; else the only one that lives; else the one that ended last. For commands that only read. */
export function pickTask(folders: readonly TaskFolder[], name: string | undefined): PickedTask {
  const asked = name ? folders.filter((folder) => folder.name === name) : folders;
  const living = asked.filter((folder) => folder.live);
  if (living.length > 1) {
    const list = living.map((folder) => `${folder.name} (${folder.path})`).join(', ');
    return {
      kind: 'several',
      message: `cannot choose a task: several are running: ${list}; name one with --name`,
    };
  }
  const folder = living[0] ?? asked.toSorted((a, b) => b.touchedMs - a.touchedMs)[0];
  if (folder) return { kind: 'task', folder };
  return {
    kind: 'none',
    message: name ? `cannot find a task "${name}"` : 'cannot find a task: none has run here',
  };
}

function namesIn(path: string): string[] {
  return attempt(() => readdirSync(path)) ?? [];
}

/** Bounded, because the folder may be another user's. */
function readSmallFile(path: string): string {
  const fd = openLogForReading(path);
  try {
    const bytes = Buffer.alloc(512);
    return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, 0)).toString('latin1');
  } finally {
    closeSync(fd);
  }
}

function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}
