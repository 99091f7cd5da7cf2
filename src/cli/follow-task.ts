/**
 * The records of a task, and those that come: from its supervisor's stream of events; where no supervisor answers, or there
 * is none, from its files.
 */

import { recordOfMembers } from '../checkpoint/codec.ts';
import type { LogName } from '../checkpoint/merge.ts';
import type { CheckpointRecord } from '../checkpoint/record.ts';
import { readStories } from '../checkpoint/story.ts';
import { holderOf, isTaskLive, type TaskFolder } from '../checkpoint/task-folders.ts';
import { connectTo } from '../control/client.ts';
import type { ControlError } from '../control/connection.ts';
import { watchFolder } from '../logs/watch-folder.ts';
import type { Source } from '../report/timeline/live.ts';

export interface Follower {
  /** Each record once, in the order in which its writer has written it. */
  readonly learn: (record: CheckpointRecord) => void;
  /** From where it is told from now on. */
  readonly turn: (source: Source) => void;
  readonly over: AbortSignal;
}

/** A log is read as a whole, so a burst of records is one look. */
const LOOK_AGAIN_MS = 250;

/** Resolves when the task has ended and all is told, or when it is over for the follower. */
export async function followTask(
  { path, name }: Pick<TaskFolder, 'path' | 'name'>,
  follower: Follower,
): Promise<void> {
  const { learn, turn, over } = follower;
  const told: Record<LogName, number> = { checkpoint: 0, init: 0 };
  const holder = holderOf(path);
  const isSame = () => [holder, null].includes(holderOf(path));
  const take = (log: LogName, record: CheckpointRecord): void => {
    if (record.seq <= told[log]) return;
    told[log] = record.seq;
    learn(record);
  };
  const readFiles = (): void => {
    if (!isSame()) return;
    for (const { log, item } of readPresent(path)) take(log, item.record);
  };

  const files = createLooks(path, readFiles);
  over.addEventListener('abort', () => files.stop());
  let cursor: string | undefined;
  const events = async (): Promise<void> => {
    const onOpen = () => {
      files.stop();
      turn('live');
    };
    const onCut = () => files.start();
    const from = cursor === undefined ? {} : { cursor };
    for await (const event of connectTo(path, name).events({ ...from, signal: over, onOpen, onCut })) {
      cursor = event.cursor;
      const record = recordOfMembers(event.record);
      if (record !== undefined) take(event.log, record);
    }
  };

  readFiles();
  try {
    while (isTaskLive(path) && isSame() && !over.aborted) {
      files.start();
      const why = await events().then(
        () => null,
        (error: ControlError) => error.code ?? 'no-answer',
      );
      if (why === null || why === 'ended' || over.aborted) break;
      // A plain run's files tell all that there is to tell.
      turn(why === 'no-supervisor' ? 'live' : 'alone');
      await files.changed();
    }
  } finally {
    files.stop();
  }
  if (over.aborted) return;
  readFiles();
  turn('ended');
}

/** In memory, or damaged: then it is what the stream has told. */
function readPresent(path: string) {
  try {
    return readStories(path).stories.at(-1) ?? [];
  } catch {
    return [];
  }
}

/** Looks whenever the folder's files may have changed, from `start` to `stop`. */
function createLooks(path: string, look: () => void) {
  let watching: { close(): void } | null = null;
  let timer: NodeJS.Timeout | undefined;
  let wake = (): void => {};
  const soon = (): void => {
    timer ??= setTimeout(() => {
      timer = undefined;
      look();
      wake();
    }, LOOK_AGAIN_MS);
  };
  return {
    start(): void {
      watching ??= watchFolder(path, (file) => {
        if (file === null || file === 'lock' || file.endsWith('.log')) soon();
      });
    },
    /** The next look, or the end of it all. */
    changed: () =>
      new Promise<void>((resolve) => {
        wake = resolve;
      }),
    stop(): void {
      watching?.close();
      watching = null;
      clearTimeout(timer);
      timer = undefined;
      wake();
    },
  };
}
