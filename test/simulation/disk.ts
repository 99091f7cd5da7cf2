/**
 * A simulated disk with the real journal on it. What a process has written stays when the process is killed, as the page
 * cache does; what was not synced is at the mercy of a power failure: each sector of it may be there or not.
 */
import type { JournalDisk } from '../../src/checkpoint/disk.ts';
import type { Scheduler } from './scheduler.ts';

/**
 * Writes `from` to `to`, counted from 0 over all supervisors, fail; a number: so many bytes of them are written. What cannot even be
 * prepared, because nothing can be cut off, counts as one.
 */
export interface DiskFault {
  readonly from: number;
  readonly to: number;
  readonly fault: 'EIO' | 'ENOSPC' | number;
  /** And nothing can be cut off meanwhile. */
  readonly noTruncate?: true;
}

export interface SimulatedDisk {
  readonly disk: JournalDisk;
  /** What init hands on. */
  readonly fd: number;
  bytes(path: string): Uint8Array;
  /** How many bytes were to be written so far. */
  asked(): number;
  /** Only so many bytes of what is written from now on arrive: the writer is killed in it. */
  tear(bytes: number): void;
  mend(): void;
  /** The folder is deleted. */
  unlink(): void;
  flip(path: string, at: number): void;
  empty(path: string): void;
  /** What is left after a power failure. `keeps`: whether the nth thing that was not synced got there. */
  afterPowerLoss(path: string, keeps: (nth: number) => boolean): Uint8Array;
}

type Operation = { readonly at: number; readonly bytes: Uint8Array } | { readonly length: number };

interface Inode {
  bytes: Uint8Array;
  links: number;
  synced: Uint8Array;
  /** How many operations that were, and those after them. */
  done: number;
  unsynced: Operation[];
}

export const LOG = '/task/checkpoint.log';
const SECTOR = 512;
const SYNC_MS = 4;

export function createDisk(scheduler: Scheduler, faults: readonly DiskFault[] = []): SimulatedDisk {
  const names = new Map<string, Inode>();
  const open = new Map<number, Inode>();
  let nextFd = 4;
  let writes = 0;
  let asked = 0;
  let room: number | null = null;

  const inodeOf = (fd: number): Inode => {
    const inode = open.get(fd);
    if (inode === undefined) throw failure('EBADF');
    return inode;
  };
  const named = (path: string): Inode => {
    const inode = names.get(path);
    if (inode === undefined) throw failure('ENOENT');
    return inode;
  };
  const openFile = (path: string): number => {
    const inode = names.get(path) ?? { bytes: empty, links: 1, synced: empty, done: 0, unsynced: [] };
    names.set(path, inode);
    open.set(nextFd, inode);
    return nextFd++;
  };
  const faultNow = (): DiskFault | undefined => faults.find(({ from, to }) => from <= writes && writes <= to);

  const write = (fd: number, bytes: Uint8Array, at: number): number => {
    const fault = faultNow()?.fault;
    writes++;
    asked += bytes.length;
    if (typeof fault === 'string') throw failure(fault);
    const fits = Math.min(bytes.length, fault ?? bytes.length);
    const count = Math.min(fits, room ?? fits);
    if (room !== null) room -= count;
    apply(inodeOf(fd), { at, bytes: bytes.slice(0, count) });
    // Whoever is killed in a write does not see what it returns.
    return count < fits ? bytes.length : count;
  };
  const truncate = (fd: number, length: number): void => {
    if (faultNow()?.noTruncate) {
      writes++;
      throw failure('EIO');
    }
    if (room === null || room > 0) apply(inodeOf(fd), { length });
  };
  const sync = (fd: number, done: (error: Error | null) => void): void => {
    const inode = inodeOf(fd);
    const { bytes } = inode;
    const upTo = inode.done + inode.unsynced.length;
    scheduler.after(SYNC_MS, () => {
      if (upTo > inode.done) {
        inode.synced = bytes;
        inode.unsynced = inode.unsynced.slice(upTo - inode.done);
        inode.done = upTo;
      }
      done(null);
    });
  };

  const disk: JournalDisk = {
    open: openFile,
    reopen: (fd) => {
      open.set(nextFd, inodeOf(fd));
      return nextFd++;
    },
    close: (fd) => void open.delete(fd),
    read: (fd, into, at) => {
      const part = inodeOf(fd).bytes.subarray(at, at + into.length);
      into.set(part);
      return part.length;
    },
    write,
    truncate,
    sync,
    size: (fd) => inodeOf(fd).bytes.length,
    links: (fd) => inodeOf(fd).links,
    linksLater: (fd, done) => done(open.get(fd)?.links),
    nameOf: (fd) => [...names].find(([, inode]) => inode === open.get(fd))?.[0],
    exists: (path) => names.has(path),
    copy: (from, to) => {
      const { bytes } = named(from);
      names.set(to, { bytes, links: 1, synced: empty, done: 0, unsynced: [{ at: 0, bytes }] });
    },
    rename: (from, to) => {
      names.set(to, named(from));
      names.delete(from);
    },
  };

  return {
    disk,
    fd: openFile(LOG),
    bytes: (path) => names.get(path)?.bytes ?? open.get(4)?.bytes ?? empty,
    asked: () => asked,
    tear: (bytes) => {
      room = bytes;
    },
    mend: () => {
      room = null;
    },
    unlink: () => {
      for (const inode of names.values()) inode.links = 0;
      names.clear();
    },
    flip: (path, at) => {
      const inode = named(path);
      const old = inode.bytes[at];
      if (old !== undefined) apply(inode, { at, bytes: Uint8Array.of(old ^ 0x20) });
    },
    empty: (path) => apply(named(path), { length: 0 }),
    afterPowerLoss: (path, keeps) => survivors(named(path), keeps),
  };
}

const empty = new Uint8Array(0);

function apply(inode: Inode, operation: Operation): void {
  inode.bytes = applied(inode.bytes, operation);
  inode.unsynced.push(operation);
}

/** A new array each time, so that what was seen before stays as it was. */
function applied(bytes: Uint8Array, operation: Operation): Uint8Array {
  if ('length' in operation) return bytes.slice(0, operation.length);
  const grown = new Uint8Array(Math.max(bytes.length, operation.at + operation.bytes.length));
  grown.set(bytes);
  grown.set(operation.bytes, operation.at);
  return grown;
}

/** Sectors arrive in any order, so any of them may be missing: a hole of zeros, where something behind it is there. */
function survivors({ synced, unsynced }: Inode, keeps: (nth: number) => boolean): Uint8Array {
  const pieces = unsynced.flatMap((operation): Operation[] =>
    'length' in operation ? [operation] : sectors(operation),
  );
  let bytes = synced;
  for (const [nth, piece] of pieces.entries()) if (keeps(nth)) bytes = applied(bytes, piece);
  return bytes;
}

function sectors({ at, bytes }: { at: number; bytes: Uint8Array }): Operation[] {
  const pieces: Operation[] = [];
  for (let from = 0; from < bytes.length; ) {
    const to = Math.min(bytes.length, from + SECTOR - ((at + from) % SECTOR));
    pieces.push({ at: at + from, bytes: bytes.slice(from, to) });
    from = to;
  }
  return pieces;
}

function failure(code: string): Error {
  return Object.assign(new Error(code), { code });
}
