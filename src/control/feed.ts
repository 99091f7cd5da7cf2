/** The log of a living task as it grows: the status that follows from it, and whoever wants to hear of each record. */
import { type FSWatcher, fstatSync, readlinkSync, statSync, watch } from 'node:fs';
import { join } from 'node:path';
import { logNames, setAside } from '../checkpoint/files.ts';
import { type LogName, mergeLogs } from '../checkpoint/merge.ts';
import type { CheckpointRecord } from '../checkpoint/record.ts';
import { createStatusBook, type StatusBook } from '../report/status.ts';
import { type LogTail, tailDescriptor, tailPath } from './log-tail.ts';

export interface Entry {
  readonly log: LogName;
  readonly record: CheckpointRecord;
}

/** The last number of each log that somebody has got. */
export type Position = Readonly<Record<LogName, number>>;

export interface Feed {
  /** Of all that is in the log now. */
  status(): StatusBook;
  /** What comes behind `position`, in the order of the story; at most `most`, at once. */
  after(position: Position, most: number): readonly Entry[];
  end(): Position;
  /** Calls back when there may be more. Returns the way to end that. */
  onGrowth(listener: () => void): () => void;
}

export interface LogPlace {
  /** The task's folder; null: there is none. */
  readonly folder: string | null;
  /** Descriptors that stay open. */
  readonly checkpoint: number;
  readonly init: number;
}

/** Who has got this far is served from memory; whoever is behind, from the files. */
const KEPT_ENTRIES = 2000;
/** A burst of records is told as one growth. */
const SETTLE_MS = 10;
/** Where the kernel does not tell (no inotify left). */
const LOOK_AGAIN_MS = 1000;

export const BEGIN: Position = { checkpoint: 0, init: 0 };

export function createFeed(asked: LogPlace): Feed {
  const place = isInMemory(asked.init) ? { ...asked, folder: null } : asked;
  const tails = openTails(place);
  const book = createStatusBook();
  const listeners = new Set<() => void>();
  const kept: Entry[] = [];
  /** `kept` has everything between these two. */
  let from = BEGIN;
  let to = BEGIN;
  let stopWatching: (() => void) | null = null;

  const refresh = (): void => {
    const news = readBoth(tails);
    for (const entry of news) {
      book.learn(entry.record);
      to = { ...to, [entry.log]: entry.record.seq };
    }
    kept.push(...news);
    const dropped = kept.splice(0, Math.max(0, kept.length - KEPT_ENTRIES));
    for (const { log, record } of dropped) from = { ...from, [log]: record.seq };
  };

  const tell = (): void => {
    for (const listener of listeners) listener();
  };

  return {
    status() {
      refresh();
      return book;
    },
    after(position, most) {
      refresh();
      const known = position.checkpoint >= from.checkpoint && position.init >= from.init;
      return (known ? kept : readAll(place)).filter((entry) => isBehind(entry, position)).slice(0, most);
    },
    end() {
      refresh();
      return to;
    },
    onGrowth(listener) {
      listeners.add(listener);
      stopWatching ??= watchLogs(place, tell);
      return () => {
        listeners.delete(listener);
        if (listeners.size > 0) return;
        stopWatching?.();
        stopWatching = null;
      };
    },
  };
}

/** Of the files as they are; 0 where one cannot be looked at. */
export function logSizes({ folder, checkpoint, init }: LogPlace): Readonly<Record<LogName, number>> {
  // init begins a new file now and then, under its old name.
  const ofInit = folder === null ? null : sizeOf(() => statSync(join(folder, logNames.init)).size);
  return {
    checkpoint: sizeOf(() => fstatSync(checkpoint).size) ?? 0,
    init: ofInit ?? sizeOf(() => fstatSync(init).size) ?? 0,
  };
}

function sizeOf(look: () => number): number | null {
  try {
    return look();
  } catch {
    return null;
  }
}

/** What lies in the folder under its name then is of an earlier start, or of nobody. */
function isInMemory(fd: number): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`).startsWith('/memfd:');
  } catch {
    return false;
  }
}

function isBehind({ log, record }: Entry, position: Position): boolean {
  return record.seq > position[log];
}

type Tails = Readonly<Record<LogName, LogTail>>;

function openTails({ folder, checkpoint, init }: LogPlace): Tails {
  const ofInit =
    folder === null
      ? tailDescriptor(init)
      : tailPath(join(folder, logNames.init), join(folder, setAside), init);
  return { checkpoint: tailDescriptor(checkpoint), init: ofInit };
}

/**
 * Decisions first: this process makes them, so that none is added meanwhile, and a fact that is read after them cannot stand
 * before the decision it follows from.
 */
function readBoth(tails: Tails): Entry[] {
  const decisions = tails.checkpoint.read().map((record) => ({ record }));
  const facts = tails.init.read().map((record) => ({ record }));
  if (decisions.length + facts.length === 0) return [];
  // A folder that was used by another task before has its story in files of other names.
  const present = mergeLogs(decisions, facts).at(-1)?.items ?? [];
  return present.map(({ log, item }) => ({ log, record: item.record }));
}

function readAll(place: LogPlace): Entry[] {
  const tails = openTails(place);
  const entries = readBoth(tails);
  tails.init.close();
  return entries;
}

function watchLogs({ folder, checkpoint, init }: LogPlace, tell: () => void): () => void {
  let timer: NodeJS.Timeout | null = null;
  const soon = (): void => {
    timer ??= setTimeout(() => {
      timer = null;
      tell();
    }, SETTLE_MS);
  };
  const ofInterest = (name: string | null): boolean => name === null || name.endsWith('.log');
  const paths = folder === null ? [`/proc/self/fd/${checkpoint}`, `/proc/self/fd/${init}`] : [folder];
  const watchers = paths.map((path) =>
    attempt(() => watch(path, (_, name) => ofInterest(folder === null ? null : name) && soon())),
  );
  for (const watcher of watchers) watcher?.on('error', () => watcher.close());
  const poll = watchers.includes(null) ? setInterval(soon, LOOK_AGAIN_MS) : undefined;
  return () => {
    for (const watcher of watchers) watcher?.close();
    clearInterval(poll);
    if (timer !== null) clearTimeout(timer);
  };
}

function attempt(open: () => FSWatcher): FSWatcher | null {
  try {
    return open();
  } catch {
    return null;
  }
}
