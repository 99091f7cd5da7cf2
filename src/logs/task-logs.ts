/** The kept output of a task's processes as lines, in the order of time: what there is, and then what comes. */

import { listCopies, logsFolder } from './copies.ts';
import type { Stream } from './copy-line.ts';
import { type CopyReader, createCopyReader } from './copy-reader.ts';
import { type Assembler, createAssembler, type LogLine, mergeByTime } from './log-line.ts';

export interface LogQuery {
  /** Processes (`web`), replicas (`web.2`) or runs (`web#3`); none: all. */
  readonly names: readonly string[];
  /** Lines of that time or later; null: all. */
  readonly since: string | null;
  /** Only what was written there; null: both. */
  readonly stream: Stream | null;
  /** Of what there is at first, so many lines of each process; null: all. */
  readonly last: number | null;
}

export interface TaskLogs {
  /**
   * What has come since the last call; the first one gives what is asked for of all that is there. `changed`: only these
   * processes are looked at; null: all, also those that were not known yet.
   */
  read(changed: ReadonlySet<string> | null): {
    readonly lines: LogLine[];
    readonly missed: readonly string[];
  };
  /** What has begun and has no end, for when nothing more will come. */
  end(): LogLine[];
  /** Processes of which something was captured, and that are asked for. */
  processes(): string[];
  close(): void;
}

interface Followed {
  readonly reader: CopyReader;
  readonly assembler: Assembler;
}

/** `task`: its folder. Processes that are captured later are found when they are. */
export function openTaskLogs(task: string, query: LogQuery): TaskLogs {
  const logs = logsFolder(task);
  const followed = new Map<string, Followed>();
  let isFirst = true;
  const follow = (name: string): Followed => {
    const known = followed.get(name);
    const one = known ?? { reader: createCopyReader(logs, name), assembler: createAssembler() };
    followed.set(name, one);
    return one;
  };

  const isAsked = ({ run, time, stream }: LogLine): boolean =>
    (query.since === null || time >= query.since) &&
    (query.stream === null || stream === query.stream) &&
    asksForRun(query.names, run);
  const processes = (): string[] =>
    (listCopies(logs) ?? []).filter((name) => asksForProcess(query.names, name));

  return {
    read(changed) {
      const missed: string[] = [];
      const names =
        changed === null ? processes() : [...changed].filter((name) => asksForProcess(query.names, name));
      const lists = names.map((name) => {
        const { reader, assembler } = follow(name);
        const read = reader.read();
        if (read.missed) missed.push(name);
        const lines = assembler.push(read.pieces).filter(isAsked);
        return isFirst && query.last !== null ? lines.slice(Math.max(0, lines.length - query.last)) : lines;
      });
      isFirst = false;
      return { lines: mergeByTime(lists), missed };
    },
    end: () => mergeByTime([...followed.values()].map(({ assembler }) => assembler.end().filter(isAsked))),
    processes,
    close() {
      for (const { reader } of followed.values()) reader.close();
    },
  };
}

/** `web` stands for its replicas too, and `web#3` asks for the process it is a run of. */
export function asksForProcess(names: readonly string[], process: string): boolean {
  return (
    names.length === 0 ||
    names.some((name) => {
      const asked = name.replace(/#.*$/, '');
      return asked === process || process.replace(/\.\d+$/, '') === asked;
    })
  );
}

/** The hooks of a run belong to it. */
function asksForRun(names: readonly string[], run: string): boolean {
  const process = run.replace(/#.*$/, '');
  return (
    names.length === 0 ||
    names.some((name) =>
      name.includes('#') ? run === name || run.startsWith(`${name}/`) : asksForProcess([name], process),
    )
  );
}
