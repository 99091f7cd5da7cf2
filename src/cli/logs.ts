/** `gsup logs [PROCESS...]`: what processes have written, from the files in which it is kept. */
import { readStories } from '../checkpoint/story.ts';
import { findTaskFolders, isTaskLive, pickTask, type TaskFolder } from '../checkpoint/task-folders.ts';
import { listCopies, logsFolder, processOfCopy } from '../logs/copies.ts';
import type { LogLine } from '../logs/log-line.ts';
import { createShow, type ShowLine, type Style } from '../logs/show-line.ts';
import { asksForProcess, openTaskLogs, type TaskLogs } from '../logs/task-logs.ts';
import { watchFolder } from '../logs/watch-folder.ts';
import { buildStatus } from '../report/status.ts';
import { EXIT } from '../signals/exit-codes.ts';
import { readTime, wrongTime } from './asked-time.ts';
import { failure, type Outcome, success } from './output.ts';
import type { Environment, Options } from './parse.ts';

/** As typed. */
export interface LogsOptions {
  readonly follow?: boolean;
  readonly lines?: string;
  readonly tail?: string;
  readonly since?: string;
  readonly timestamps?: boolean;
  readonly json?: boolean;
}

export interface LogsWorld {
  readonly env: Environment;
  readonly nowMs: number;
  /** Of standard output and standard error: what could do harm there is shown, not obeyed. */
  readonly terminals: readonly [out: boolean, err: boolean];
  readonly colour: boolean;
  /** false: nobody reads any more. */
  readonly write: (fd: 1 | 2, bytes: Uint8Array) => boolean;
  readonly say: (sentence: string) => void;
}

export async function logsCommand(
  names: readonly string[],
  asked: LogsOptions,
  options: Options,
  world: LogsWorld,
): Promise<Outcome> {
  const sinceMs = readTime(asked.since, world.nowMs);
  if (sinceMs === undefined) return wrongTime('--since', asked.since);
  const last = countOf(asked.lines ?? asked.tail);
  if (last === undefined) return wrongCount(asked);
  const folder = findTask(options, world.env);
  if ('exitCode' in folder) return folder;
  const since = sinceMs === null ? null : new Date(sinceMs).toISOString();
  const logs = openTaskLogs(folder.path, { names, since, stream: null, last });
  try {
    return await show(logs, folder, names, asked, world);
  } finally {
    logs.close();
  }
}

function findTask(options: Options, env: Environment): TaskFolder | Outcome {
  const option = options['state-dir'] ?? undefined;
  const folders = findTaskFolders({ option, env, uid: process.getuid?.() ?? -1 });
  const picked = pickTask(folders, options.name ?? (env.GSUP_TASK || undefined));
  if (picked.kind === 'task') return picked.folder;
  return failure(picked.kind === 'several' ? EXIT.usage : EXIT.unavailable, picked.message);
}

/** null: all of them; undefined: it is no number. */
function countOf(text: string | undefined): number | null | undefined {
  if (text === undefined || text === 'all') return null;
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

function wrongCount({ lines, tail }: LogsOptions): Outcome {
  const option = lines === undefined ? '--tail' : '--lines';
  return failure(EXIT.usage, `cannot use "${option}": a number or "all" is needed, got "${lines ?? tail}"`);
}

async function show(
  logs: TaskLogs,
  folder: TaskFolder,
  names: readonly string[],
  asked: LogsOptions,
  world: LogsWorld,
): Promise<Outcome> {
  const known = processesOf(folder);
  const captured = logs.processes();
  const asksFor = (one: string): boolean => asksForProcess(names, one);
  const wrong = names.find((name) => ![...known, ...captured].some((one) => asksForProcess([name], one)));
  if (wrong !== undefined && known.length > 0)
    return failure(EXIT.unavailable, `cannot find "${wrong}" in "${folder.name}": it has ${listed(known)}`);
  const silent = known.filter((name) => asksFor(name) && !captured.includes(name));
  const follows = asked.follow === true && isTaskLive(folder.path);
  if (captured.length === 0 && !follows)
    return failure(EXIT.unavailable, `cannot show output: ${whyNone(folder, silent)}`);
  // Where everything is asked for, who has written nothing yet is not missed.
  const isMissed = captured.length === 0 ? listCopies(logsFolder(folder.path)) === null : names.length > 0;
  if (silent.length > 0 && isMissed) world.say(whyNone(folder, silent));
  const processes = () => [...new Set([...logs.processes(), ...known.filter(asksFor)])].sort();
  const write = createWriter(processes, asked, world);
  if (follows) return follow(logs, folder, write, world);
  write([...logs.read(null).lines, ...logs.end()]);
  return success('');
}

function whyNone({ path, name }: TaskFolder, silent: readonly string[]): string {
  const captures =
    'capture it with gsup run --log prefix (json, file:PATH), or in a config with logging.driver';
  const who = listed(silent) || name;
  const [writes, has, they] =
    silent.length > 1 ? ['write', 'have', 'they write'] : ['writes', 'has', 'it writes'];
  return listCopies(logsFolder(path)) === null
    ? `what ${who} ${writes} goes where gsup's own output goes; ${captures}`
    : `${who} ${has} written nothing that is kept; if ${they}, ${captures}`;
}

const LISTED_MAX = 20;

function listed(names: readonly string[]): string {
  const more = names.length > LISTED_MAX ? ', ...' : '';
  return names.slice(0, LISTED_MAX).join(', ') + more;
}

/** Of which the task's log tells. What cannot be read tells of none. */
function processesOf({ path }: TaskFolder): string[] {
  try {
    const { stories } = readStories(path);
    const records = (stories.at(-1) ?? []).map(({ item }) => item.record);
    return buildStatus(records, { nowNs: 0n, live: false, treeOf: () => null }).processes.map(
      ({ name }) => name,
    );
  } catch {
    return [];
  }
}

type Write = (lines: readonly LogLine[]) => boolean;

/** As the streams were apart, they stay apart. JSON says which one it was. */
function createWriter(processes: () => string[], asked: LogsOptions, world: LogsWorld): Write {
  let shows = showsFor([], asked, world);
  return (lines) => {
    // A task that begins gets its processes one after the other.
    if (lines.some(({ process }) => !shows.processes.includes(process)))
      shows = showsFor(processes(), asked, world);
    let parts: Uint8Array[] = [];
    let fd: 1 | 2 = 1;
    const flush = (): boolean => {
      const all = parts.length === 0 || world.write(fd, Buffer.concat(parts));
      parts = [];
      return all;
    };
    for (const line of lines) {
      const to = line.stream === 'stderr' && !asked.json ? 2 : 1;
      if (to !== fd && !flush()) return false;
      fd = to;
      parts.push((to === 1 ? shows.out : shows.err)(line));
    }
    return flush();
  };
}

interface Shows {
  readonly processes: readonly string[];
  readonly out: ShowLine;
  readonly err: ShowLine;
}

function showsFor(processes: readonly string[], asked: LogsOptions, world: LogsWorld): Shows {
  const [out, err] = world.terminals.map((terminal) => {
    const form: Style['form'] = asked.json ? 'json' : terminal ? 'terminal' : 'plain';
    const style = { form, prefix: processes.length > 1, timestamps: asked.timestamps ?? false };
    return createShow({ ...style, colour: terminal && world.colour }, processes);
  }) as [ShowLine, ShowLine];
  return { processes, out, err };
}

/** A burst of lines is one look. */
const GATHER_MS = 10;

/** Until the task has ended and what it has written is shown, or nobody reads any more. */
async function follow(
  logs: TaskLogs,
  { path }: TaskFolder,
  write: Write,
  { say }: LogsWorld,
): Promise<Outcome> {
  const told = new Set<string>();
  let changed: Set<string> | null = null;
  let wake = (): void => {};
  const watching = watchFolder(logsFolder(path), (file) => {
    if (file === null) changed = null;
    else changed?.add(processOfCopy(file));
    wake();
  });
  const watchingEnd = watchFolder(path, (file) => {
    if (file === 'lock') wake();
  });
  // What waits does not keep the process alive, so this does.
  const alive = setInterval(() => {}, 2 ** 30);
  try {
    for (;;) {
      const isLive = isTaskLive(path);
      const what = changed;
      changed = new Set();
      const { lines, missed } = logs.read(isLive ? what : null);
      if (!write(lines)) return success('');
      for (const name of missed)
        if (!told.has(name)) say(`lines of ${name} may be missing: it writes faster than they can be shown`);
      for (const name of missed) told.add(name);
      if (!isLive) {
        write(logs.end());
        return success('');
      }
      await new Promise<void>((resolve) => {
        wake = () => {
          wake = () => {};
          setTimeout(resolve, GATHER_MS);
        };
        if (changed === null || changed.size > 0) wake();
      });
    }
  } finally {
    clearInterval(alive);
    watching.close();
    watchingEnd.close();
  }
}
