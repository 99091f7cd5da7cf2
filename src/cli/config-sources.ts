/** Where config files really are: the disk and standard input, within bounds. */
import { isUtf8 } from 'node:buffer';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { Sources } from '../config/config-files.ts';
import { MAX_CONFIG_BYTES } from '../config/yaml.ts';
import type { Environment } from './parse.ts';

export function realSources(env: Environment): Sources {
  let stdin: string | undefined;
  return {
    env,
    cwd: process.cwd(),
    readFile: readRegularFile,
    // Read once: what has been read from a pipe is not there any more.
    readStdin: () => {
      stdin ??= readAtMost(0);
      return stdin;
    },
  };
}

/** What blocks, or never ends, is no config. */
export function readRegularFile(path: string): string {
  const fd = openSync(path, READ_NONBLOCK);
  try {
    const stat = fstatSync(fd);
    if (stat.isDirectory()) throw Object.assign(new Error(`${path} is a directory`), { code: 'EISDIR' });
    if (!stat.isFile()) throw new Error('what is no regular file');
    return readAtMost(fd);
  } finally {
    closeSync(fd);
  }
}

/** O_RDONLY | O_NONBLOCK: opening a FIFO must not wait for a writer. */
const READ_NONBLOCK = constants.O_RDONLY | constants.O_NONBLOCK;

/** One byte more than is allowed, so that whoever looks at the length sees it. */
function readAtMost(fd: number): string {
  const buffer = Buffer.allocUnsafe(MAX_CONFIG_BYTES + 1);
  let length = 0;
  while (length < buffer.length) {
    const count = readSome(fd, buffer, length);
    if (count === 0) break;
    length += count;
  }
  const bytes = buffer.subarray(0, length);
  // What is too long is refused for that, and may be cut within a character.
  if (length <= MAX_CONFIG_BYTES && !isUtf8(bytes)) throw notUtf8(bytes);
  return bytes.toString('utf8');
}

/** Read all the same, a byte that is no text would become another one, and a password the wrong one. */
function notUtf8(bytes: Buffer): Error {
  const again = Buffer.from(bytes.toString('utf8'));
  const at = bytes.findIndex((byte, place) => byte !== again[place]);
  const lines = bytes.toString('utf8', 0, at).split('\n');
  const place = `line ${lines.length}, column ${(lines.at(-1)?.length ?? 0) + 1}`;
  return new Error(`byte 0x${bytes.toString('hex', at, at + 1)} in ${place}, which is not UTF-8`);
}

function readSome(fd: number, buffer: Buffer, at: number): number {
  for (;;) {
    try {
      return readSync(fd, buffer, at, buffer.length - at, null);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EOF') return 0;
      if (code !== 'EAGAIN') throw error;
      // Somebody made the pipe non-blocking: look again soon.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}
