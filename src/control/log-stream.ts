/** What processes have written, as lines of JSON: what there is, and then what comes. From the kept copies, as `gsup logs`. */
import type { Writable } from 'node:stream';
import { logsFolder, processOfCopy } from '../logs/copies.ts';
import { createShow } from '../logs/show-line.ts';
import { type LogQuery, openTaskLogs } from '../logs/task-logs.ts';
import { watchFolder } from '../logs/watch-folder.ts';
import { type HttpAnswer, problem } from './answer.ts';
import { LOG_HELD_MAX_BYTES } from './limits.ts';
import { drained } from './stream.ts';

export interface LogAsked extends LogQuery {
  readonly follow: boolean;
}

export interface LogSource {
  stream(asked: LogAsked): HttpAnswer;
}

/** One write: what a client that does not read costs beside what is held for it. */
const BATCH_BYTES = 64 * 1024;
/** A burst of lines is one look. */
const GATHER_MS = 10;

const show = createShow({ form: 'json', prefix: false, timestamps: false, colour: false }, []);

/** `folder`: of the task. `closing`: it ends, so that what is there then is all. */
export function createLogSource(folder: string, closing: AbortSignal): LogSource {
  /** What is read and not yet taken, of all clients together. */
  let held = 0;

  const write = async (asked: LogAsked, to: Writable, gone: AbortSignal): Promise<void> => {
    const logs = openTaskLogs(folder, asked);
    const news = asked.follow ? watchNews(folder, [gone, closing]) : null;
    const told = new Set<string>();
    try {
      for (;;) {
        const isLast = news === null || closing.aborted;
        const { lines, missed } = logs.read(isLast ? null : news.changed());
        const bytes = Buffer.concat([...lines.map(show), ...(isLast ? logs.end() : []).map(show)]);
        const gaps = missed.filter((name) => !told.has(name));
        for (const name of gaps) told.add(name);
        if (!(await deliver(Buffer.concat([...gaps.map(gapLine), bytes]), to, gone))) return;
        if (isLast || gone.aborted) return;
        await news.more();
      }
    } finally {
      logs.close();
      news?.close();
    }
  };

  /** false: the client has gone, or was cut off. */
  const deliver = async (bytes: Buffer, to: Writable, gone: AbortSignal): Promise<boolean> => {
    held += bytes.length;
    try {
      if (held > LOG_HELD_MAX_BYTES) {
        to.destroy();
        return false;
      }
      for (let at = 0; at < bytes.length; at += BATCH_BYTES) {
        if (gone.aborted || to.destroyed) return false;
        if (!to.write(bytes.subarray(at, at + BATCH_BYTES)) && !(await drained(to, gone))) return false;
      }
      return true;
    } finally {
      held -= bytes.length;
    }
  };

  return {
    stream: (asked) =>
      held > LOG_HELD_MAX_BYTES / 2
        ? BUSY
        : {
            status: 200,
            type: 'application/x-ndjson',
            write: (to, gone) => write(asked, to, gone),
          },
  };
}

const BUSY = problem(503, 'busy', 'other clients take their output too slowly', 'ask again later');

/** Between two looks more was written than a copy holds. */
function gapLine(process: string): Buffer {
  return Buffer.from(`${JSON.stringify({ process, missed: true })}\n`);
}

interface News {
  /** What may have changed since the last call; null: anything. */
  changed(): ReadonlySet<string> | null;
  /** Resolves when there may be more, or when there is no use in waiting. */
  more(): Promise<void>;
  close(): void;
}

function watchNews(folder: string, over: readonly AbortSignal[]): News {
  let names: Set<string> | null = null;
  let wake = (): void => {};
  const watching = watchFolder(logsFolder(folder), (file) => {
    if (file === null) names = null;
    else names?.add(processOfCopy(file));
    wake();
  });
  const onOver = () => wake();
  for (const signal of over) signal.addEventListener('abort', onOver);
  return {
    changed() {
      const taken = names;
      names = new Set();
      return taken;
    },
    more: () =>
      new Promise((resolve) => {
        wake = () => {
          wake = () => {};
          if (over.some(({ aborted }) => aborted)) resolve();
          else setTimeout(resolve, GATHER_MS);
        };
        if (names === null || names.size > 0 || over.some(({ aborted }) => aborted)) wake();
      }),
    close() {
      watching.close();
      for (const signal of over) signal.removeEventListener('abort', onOver);
    },
  };
}
