/** Reads the bounded copy of one process, from its oldest line on, and then what is new, across the pump's rotation. */
import { closeSync, fstatSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { openLogForReading } from '../checkpoint/read-log.ts';
import { type Piece, splitPieces } from './copy-line.ts';

export interface CopyReader {
  /** What has come since the last call; the first one gives all that is there. Never throws. */
  read(): CopyRead;
  close(): void;
}

export interface CopyRead {
  readonly pieces: Piece[];
  /** Between two calls more came than a copy holds, so lines may have gone that nobody has read. */
  readonly missed: boolean;
}

/** Files take turns, and a reader that is slower than the writer would never be done. */
const TURNS_MAX = 16;
const CHUNK_BYTES = 64 * 1024;
/** No copy is longer; of what is longer all the same, the end is read. */
const FILE_MAX_BYTES = 8 * 1024 * 1024;
/** The pump's lines are shorter: what has no newline within this is none of them. */
const REST_MAX_BYTES = 64 * 1024;

/** A file that is open keeps its inode, so that no other file can be taken for it. */
interface Open {
  readonly fd: number;
  readonly inode: number;
  at: number;
  rest: Uint8Array;
}

/** `logs`: the folder of the copies. A copy that is not there yet, or cannot be read, has no lines. */
export function createCopyReader(logs: string, process: string): CopyReader {
  const [path, olderPath] = [join(logs, process), join(logs, `${process}~1`)];
  let current: Open | null = null;

  const moveTo = (next: Open | null): void => {
    if (current !== null && current !== next) closeSync(current.fd);
    current = next;
  };

  /** Goes on with the newer file, when there is one. false: there is nothing more to read. */
  const turn = (read: { pieces: Piece[]; missed: boolean }): boolean => {
    const next = openFile(path);
    const older = openFile(olderPath);
    if (next !== null && inodeOf(path) !== next.inode) {
      // Renamed in between, so the older one may not be the one before it: another turn.
      for (const { fd } of [next, ...(older === null ? [] : [older])]) closeSync(fd);
      return true;
    }
    // What was written before it was renamed.
    if (current !== null) read.pieces.push(...readOn(current));
    const isKnown = older !== null && older.inode === current?.inode;
    if (older !== null && !isKnown) {
      read.missed ||= current !== null;
      read.pieces.push(...readOn(older));
    }
    if (next !== null) moveTo(next);
    // In the middle of a rotation the older file is all there is.
    else if (older !== null && !isKnown) {
      moveTo(older);
      return true;
    }
    if (older !== null) closeSync(older.fd);
    return next !== null;
  };

  return {
    read() {
      const read = { pieces: [] as Piece[], missed: false };
      for (let turns = 0; turns < TURNS_MAX; turns++) {
        if (current !== null) read.pieces.push(...readOn(current));
        if (current !== null && inodeOf(path) === current.inode) break;
        if (!turn(read)) break;
      }
      return read;
    },
    close: () => moveTo(null),
  };
}

function openFile(path: string): Open | null {
  return (
    attempt(() => {
      const fd = openLogForReading(path);
      const { ino, size } = fstatSync(fd);
      return { fd, inode: ino, at: Math.max(0, size - FILE_MAX_BYTES), rest: NOTHING };
    }) ?? null
  );
}

const NOTHING = new Uint8Array(0);

function inodeOf(path: string): number | undefined {
  return attempt(() => statSync(path).ino);
}

/** To its present end. */
function readOn(file: Open): Piece[] {
  const pieces: Piece[] = [];
  const size = attempt(() => fstatSync(file.fd).size) ?? 0;
  if (size < file.at) {
    // On a full disk the pump takes back a write that was not whole.
    file.at = size;
    file.rest = NOTHING;
  }
  while (file.at < size) {
    const chunk = new Uint8Array(Math.min(CHUNK_BYTES, size - file.at));
    const count = attempt(() => readSync(file.fd, chunk, 0, chunk.length, file.at)) ?? 0;
    if (count === 0) break;
    file.at += count;
    const split = splitPieces(joined(file.rest, chunk.subarray(0, count)));
    pieces.push(...split.pieces);
    file.rest = split.rest.length > REST_MAX_BYTES ? NOTHING : split.rest;
  }
  return pieces;
}

function joined(rest: Uint8Array, chunk: Uint8Array): Uint8Array {
  if (rest.length === 0) return chunk;
  const all = new Uint8Array(rest.length + chunk.length);
  all.set(rest);
  all.set(chunk, rest.length);
  return all;
}

function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}
