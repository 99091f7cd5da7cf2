/** A disk in memory that can be killed: after so many bytes written and calls made nothing happens any more. */
import type { JournalDisk } from '../../src/checkpoint/disk.ts';

export class Killed extends Error {}

export interface MemoryDisk extends JournalDisk {
  bytes(path?: string): Buffer;
  put(bytes: Uint8Array, path?: string): void;
  names(): string[];
  /** Acts and written bytes so far. */
  spent(): number;
  /** The descriptors that are open. */
  open_(): number;
}

export const LOG = 'checkpoint.log';

/** `budget`: what may be spent. `sync`: what becomes of a sync; without it, it is done at once. */
export function createMemoryDisk(
  budget = Number.POSITIVE_INFINITY,
  files: Map<string, Buffer> = new Map(),
  sync: (done: () => void) => void = (done) => done(),
): MemoryDisk {
  const opened = new Map<number, { path: string; append: boolean }>();
  let spent = 0;
  let nextFd = 3;
  const spend = (wanted: number): number => {
    const left = Math.max(0, budget - spent);
    spent += Math.min(wanted, left);
    return Math.min(wanted, left);
  };
  const act = (): void => {
    if (spend(1) < 1) throw new Killed();
  };
  const pathOf = (fd: number): string => {
    const file = opened.get(fd);
    if (file === undefined) throw Object.assign(new Error('closed'), { code: 'EBADF' });
    return file.path;
  };
  const bytesOf = (path: string): Buffer => files.get(path) ?? Buffer.alloc(0);
  const openAs = (path: string, append: boolean): number => {
    if (!files.has(path)) files.set(path, Buffer.alloc(0));
    opened.set(nextFd, { path, append });
    return nextFd++;
  };
  return {
    open: (path) => openAs(path, true),
    reopen: (fd) => openAs(pathOf(fd), false),
    close: (fd) => void opened.delete(fd),
    read: (fd, into, at) => bytesOf(pathOf(fd)).copy(into, 0, at, at + into.length),
    write(fd, bytes, at) {
      act();
      const path = pathOf(fd);
      const old = bytesOf(path);
      const from = opened.get(fd)?.append ? old.length : at;
      const count = spend(bytes.length);
      const size = Math.max(old.length, from + count);
      const next = Buffer.concat([old, Buffer.alloc(size - old.length)]);
      next.set(bytes.subarray(0, count), from);
      files.set(path, next);
      if (count < bytes.length) throw new Killed();
      return count;
    },
    truncate(fd, length) {
      act();
      const old = bytesOf(pathOf(fd));
      files.set(
        pathOf(fd),
        Buffer.concat([old.subarray(0, length), Buffer.alloc(Math.max(0, length - old.length))]),
      );
    },
    sync: (_, done) => sync(() => done(null)),
    size: (fd) => bytesOf(pathOf(fd)).length,
    links: () => 1,
    linksLater: (_, done) => done(1),
    nameOf: (fd) => pathOf(fd),
    exists: (path) => files.has(path),
    copy: (from, to) => void files.set(to, bytesOf(from)),
    rename(from, to) {
      files.set(to, bytesOf(from));
      files.delete(from);
      for (const file of opened.values()) if (file.path === from) file.path = to;
    },
    bytes: (path = LOG) => bytesOf(path),
    put: (bytes, path = LOG) => void files.set(path, Buffer.from(bytes)),
    names: () => [...files.keys()],
    spent: () => spent,
    open_: () => opened.size,
  };
}
