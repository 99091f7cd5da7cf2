// `gsup checkpoint verify|dump [FILE]`: which files are meant, and what is in them. Changes nothing.
import { closeSync, readSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { decodeLine, escapeControls } from './codec.ts';
import { joinParts, type LogName, mergeLogs } from './merge.ts';
import { openLogForReading, type ReadLog, readLogFile, readSettledLog } from './read-log.ts';
import { formatVersion } from './record.ts';
import type { LogEntry } from './repair.ts';
import type { StateDirQuestion } from './state-dir.ts';
import { findTaskFolders, pickTask } from './task-folders.ts';

/** How many ended logs the next invocation of a task keeps: `*.log.1` is the last one. */
export const keptLogs = 5;
export const logNames = { checkpoint: 'checkpoint.log', init: 'init.log' } as const satisfies Record<
  LogName,
  string
>;

/** What init puts aside when its log has grown long: the part before it, of which there is one. */
export const setAside = `${logNames.init}.old`;
/** In the order in which they are listed; all of them are kept under one number. */
export const logFiles = [logNames.checkpoint, setAside, logNames.init] as const;

/** `logs`: a task's folder, with whatever logs are in it. `file`: one log, and no other. */
export type LocatedLogs =
  | { kind: 'folder'; path: string }
  | { kind: 'file'; path: string }
  /** `several` is wrong usage (64), `none` is that there is nothing (69). */
  | { kind: 'several' | 'none'; message: string };

export type LogQuestion = StateDirQuestion & {
  /** A folder or a log, as given on the command line. */
  file?: string | undefined;
  /** The value of --name. */
  name?: string | undefined;
};

export function locateLogs(question: LogQuestion): LocatedLogs {
  const { file, name, env } = question;
  if (file !== undefined) return locateFile(file);
  const picked = pickTask(findTaskFolders(question), name || env.GSUP_TASK);
  return picked.kind === 'task' ? { kind: 'folder', path: picked.folder.path } : picked;
}

function locateFile(path: string): LocatedLogs {
  try {
    if (!statSync(path).isDirectory()) return { kind: 'file', path };
    if (listLogs(path).length > 0) return { kind: 'folder', path };
    return { kind: 'none', message: `cannot read ${quoted(path)}: there is no checkpoint log in it` };
  } catch (error) {
    return { kind: 'none', message: `cannot read ${quoted(path)}: ${codeOf(error)}` };
  }
}

/** The logs of a folder that are there: the present ones, then the kept ones, newest first. */
export function listLogs(folder: string): string[] {
  const endings = ['', ...Array.from({ length: keptLogs }, (_, i) => `.${i + 1}`)];
  return endings
    .flatMap((ending) => logFiles.map((name) => join(folder, name + ending)))
    .filter((path) => isThere(path));
}

/** `ok` false: exit 65. */
export type Verified = { lines: string[]; ok: boolean };

/** One line per file. A torn tail is no fault: it is what a crash leaves, and the next start cuts it off. */
export function verifyFiles(located: Extract<LocatedLogs, { path: string }>): Verified {
  const paths = located.kind === 'file' ? [located.path] : listLogs(located.path);
  const found = paths.map(verifyFile);
  return { lines: found.map(({ line }) => line), ok: found.every(({ ok }) => ok) };
}

function verifyFile(path: string): { line: string; ok: boolean } {
  const name = escapeControls(JSON.stringify(basename(path)).slice(1, -1));
  try {
    const log = readLogFile(path);
    const fault = faultOf(log);
    return { line: `${name}: ${fault ?? describeLog(log)}`, ok: fault === undefined };
  } catch (error) {
    return { line: `${name}: cannot be read: ${codeOf(error)}`, ok: false };
  }
}

export function faultOf({ damage, newer, entries }: ReadLog): string | undefined {
  if (newer) {
    const place = `line ${newer.line}, offset ${newer.offset}`;
    return `${place}: format version ${newer.version}, and this gsup reads ${formatVersion}; use a newer gsup`;
  }
  if (!damage) return undefined;
  const place = `line ${damage.line}, offset ${damage.offset}, seq ${damage.seq}`;
  return `damaged at ${place}: ${damage.reason}; ${count(entries.length, 'good record')} before it`;
}

function describeLog({ entries, lastSeq, torn, unfinished }: ReadLog): string {
  const first = entries[0]?.record.seq;
  const parts = [count(entries.length, 'record')];
  if (first !== undefined) parts.push(first === lastSeq ? `seq ${first}` : `seq ${first}-${lastSeq}`);
  const missing = entries.reduce((sum, { record }) => sum + (record.type === 'gap' ? record.missing : 0), 0);
  if (missing > 0) parts.push(`${missing} missing by its own account`);
  const unknown = entries.flatMap(({ record }) => (record.type === 'unknown' ? [record] : []));
  if (unknown[0]) {
    const { seq, was, reason } = unknown[0];
    parts.push(`${unknown.length} not understood (first: seq ${seq}, type ${quoted(was)}: ${reason})`);
  }
  if (unfinished) parts.push('and a compaction that was interrupted, to be cut off at the next start');
  if (torn !== undefined)
    parts.push(`torn last line of ${count(torn, 'byte')}, to be cut off at the next start`);
  return [...parts, 'ok'].join(', ');
}

/** `problems`: what keeps the picture from being whole, one line each, for stderr; exit 65 where there is one. */
export type Dumped = { problems: string[]; ok: boolean };

/** Writes the merged log of a folder, or the lines of one file, as they are stored; up to where they are good. */
export function dumpFiles(
  located: Extract<LocatedLogs, { path: string }>,
  write: (line: string) => void,
): Dumped {
  if (located.kind === 'file') return dumpLogs([openLog(located.path)], ([log]) => log?.items ?? [], write);
  // Nothing but kept logs: the task was about to start anew. The last kept ones are its story then.
  const ending = /\.\d$/.exec(listLogs(located.path)[0] ?? '')?.[0] ?? '';
  const logs = logFiles.map((name) => openLog(join(located.path, name + ending)));
  return dumpLogs(logs, mergeItems, write);
}

type Item = LogEntry & { fd: number };
type OpenLog = { fd?: number; items: Item[]; problem?: string };

function openLog(path: string): OpenLog {
  const name = basename(path);
  try {
    const fd = openLogForReading(path);
    const log = readSettledLog(fd);
    const fault = faultOf(log);
    const items = log.entries.map((entry) => ({ ...entry, fd }));
    return { fd, items, ...(fault === undefined ? {} : { problem: `${name}: ${fault}` }) };
  } catch (error) {
    // One of the two may well not be there: without a supervisor there is no checkpoint.log.
    return {
      items: [],
      ...(codeOf(error) === 'ENOENT' ? {} : { problem: `${name}: cannot be read: ${codeOf(error)}` }),
    };
  }
}

function mergeItems(logs: readonly OpenLog[]): Item[] {
  const [checkpoint, older, init] = logs;
  const stories = mergeLogs(checkpoint?.items ?? [], joinParts(older?.items ?? [], init?.items ?? []));
  return stories.flatMap((story) => story.items.map(({ item }) => item));
}

function dumpLogs(
  logs: readonly OpenLog[],
  arrange: (logs: readonly OpenLog[]) => readonly Item[],
  write: (line: string) => void,
): Dumped {
  const problems = logs.flatMap(({ problem }) => problem ?? []);
  try {
    for (const item of arrange(logs)) {
      const line = readLine(item);
      if (line === undefined) {
        problems.push('the log was compacted while it was read; read it again');
        break;
      }
      write(line);
    }
  } finally {
    for (const { fd } of logs) if (fd !== undefined) closeSync(fd);
  }
  return { problems, ok: problems.length === 0 };
}

/** undefined: it is not there any more. */
function readLine({ fd, offset, length, record }: Item): string | undefined {
  const bytes = Buffer.alloc(length);
  if (readSync(fd, bytes, 0, length, offset) < length) return undefined;
  const decoded = decodeLine(bytes, 0, length - 1);
  return decoded.kind === 'record' && decoded.record.seq === record.seq ? bytes.toString() : undefined;
}

/** What cannot be looked at is there: reading it will say why. */
function isThere(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    return codeOf(error) !== 'ENOTDIR';
  }
}

function quoted(text: string): string {
  return escapeControls(JSON.stringify(text.slice(0, 200)));
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : String(error);
}
