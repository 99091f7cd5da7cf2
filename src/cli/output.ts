/** What a command leaves behind. Only main.ts ends the process. */
import { writeSync } from 'node:fs';
import { EXIT } from '../signals/exit-codes.ts';

export interface Outcome {
  readonly exitCode: number;
  readonly stdout?: string;
  readonly stderr?: string;
}

export function success(stdout: string): Outcome {
  return { exitCode: EXIT.success, stdout };
}

/** Each complaint is a sentence of the form `cannot <do> "<what>": <rule or cause>, got <value>`. */
export function failure(exitCode: number, ...complaints: readonly string[]): Outcome {
  return { exitCode, stderr: complaints.map((complaint) => `gsup: ${complaint}\n`).join('') };
}

/**
 * Writes all of it: a slow reader is waited for, one that has gone (`gsup --help | head -1`) is no reason to fail.
 * False when nobody reads any more.
 */
export function writeAll(fd: number, text: string): boolean {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return false;
      // Somebody made the pipe non-blocking: look again soon.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
  return true;
}
