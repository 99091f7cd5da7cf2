// What a journal asks of the file system, in one place: a test, and the simulation, hand in a disk of their own.
import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fdatasync,
  fstat,
  fstatSync,
  ftruncateSync,
  openSync,
  readlinkSync,
  readSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs';

/** Calls throw what `fs` throws, unless a line says otherwise. Reads and writes are by position. */
export type JournalDisk = {
  /** Made for its owner alone when it is not there; a link in its place is not followed. */
  open(path: string): number;
  /** The same file once more, to be written at any place: also one that is only appended to, or has no name. */
  reopen(fd: number, path: string | undefined): number;
  close(fd: number): void;
  read(fd: number, into: Uint8Array, at: number): number;
  /** Returns how many bytes were written: a full disk takes a part. */
  write(fd: number, bytes: Uint8Array, at: number): number;
  truncate(fd: number, length: number): void;
  /** Does not throw, and does not wait. */
  sync(fd: number, done: (error: Error | null) => void): void;
  size(fd: number): number;
  /** How many names the file has; a memfd and what was deleted have none. */
  links(fd: number): number;
  /** The same without waiting; undefined: it cannot be said. */
  linksLater(fd: number, done: (links: number | undefined) => void): void;
  /** The name of an inherited file, as long as it is still the name of that file. */
  nameOf(fd: number): string | undefined;
  exists(path: string): boolean;
  copy(from: string, to: string): void;
  rename(from: string, to: string): void;
};

const { O_RDWR, O_CREAT, O_APPEND, O_NOFOLLOW } = constants;

export const realDisk: JournalDisk = {
  open: (path) => openSync(path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW, 0o600),
  reopen: (fd, path) => {
    const found = openSync(existsSync('/proc/self/fd') ? `/proc/self/fd/${fd}` : (path ?? ''), O_RDWR);
    const [there, here] = [fstatSync(found), fstatSync(fd)];
    if (there.dev === here.dev && there.ino === here.ino) return found;
    closeSync(found);
    throw Object.assign(new Error('another file has taken its name'), { code: 'ESTALE' });
  },
  close: closeSync,
  // By position, so the offset that the descriptor shares with init stays where it is.
  read: (fd, into, at) => readSync(fd, into, 0, into.length, at),
  // pwrite: with O_APPEND Linux appends whatever the position; a memfd has no O_APPEND, and its shared offset may lie anywhere.
  write: (fd, bytes, at) => writeSync(fd, bytes, 0, bytes.length, at),
  truncate: ftruncateSync,
  sync: fdatasync,
  size: (fd) => fstatSync(fd).size,
  links: (fd) => fstatSync(fd).nlink,
  linksLater: (fd, done) => fstat(fd, (_, stats) => done(stats?.nlink)),
  nameOf: (fd) => {
    const path = readlinkSync(`/proc/self/fd/${fd}`);
    const [there, here] = [statSync(path), fstatSync(fd)];
    return there.dev === here.dev && there.ino === here.ino ? path : undefined;
  },
  exists: existsSync,
  copy: copyFileSync,
  rename: renameSync,
};
