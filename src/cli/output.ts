/** What a command leaves behind. Only main.cjs ends the process. */
import { writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { escapeText } from '../report/escape.ts';
import { type Level, levels } from '../report/levels.ts';
import { EXIT } from '../signals/exit-codes.ts';

export interface Outcome {
  readonly exitCode: number;
  readonly stdout?: string;
  /** Help that nobody has asked for. */
  readonly stderr?: string;
  readonly complaints?: readonly Complaint[];
  /** What `--log-format` said. null, absent: text for a terminal, JSON otherwise. */
  readonly logFormat?: string | null;
}

/** A sentence of the form `cannot <do> "<what>": <rule or cause>, got <value>`. */
export interface Complaint {
  readonly level: Level;
  readonly sentence: string;
}

export function success(stdout: string): Outcome {
  return { exitCode: EXIT.success, stdout };
}

export function failure(exitCode: number, ...sentences: readonly string[]): Outcome {
  return { exitCode, complaints: sentences.map((sentence) => ({ level: 'error', sentence })) };
}

/** Writes what a command leaves behind, complaints to `fd`; its exit code. */
export async function finish(command: Promise<Outcome>, fd: number): Promise<number> {
  const outcome = await command.catch((error): Outcome => {
    const what = error instanceof Error ? error.stack : String(error);
    return failure(EXIT.internal, `internal error: ${what}`);
  });
  const { stdout = '', stderr = '', complaints = [], logFormat } = outcome;
  writeAll(1, stdout);
  writeAll(fd, stderr + complaintsIn(complaints, logFormat, fd));
  return outcome.exitCode;
}

/** Lines as `--log-format` said, or as is usual at `fd`. */
export function complaintsIn(
  complaints: readonly Complaint[],
  logFormat: string | null | undefined,
  fd: number,
): string {
  const isText = logFormat ? logFormat === 'text' : isatty(fd);
  return complaintLines(complaints, isText ? 'text' : 'json');
}

/** Lines as init and the supervisor write them. */
export function complaintLines(complaints: readonly Complaint[], format: 'text' | 'json'): string {
  return complaints
    .map(({ level, sentence }) => {
      const msg = escapeText(sentence);
      if (format === 'text') return `gsup: ${level === 'warn' ? 'warning: ' : ''}${msg}\n`;
      const line = { level: levels[level], time: Date.now(), pid: process.pid, name: 'gsup', msg };
      return `${JSON.stringify(line)}\n`;
    })
    .join('');
}

/**
 * Writes all of it: a slow reader is waited for, one that has gone (`gsup --help | head -1`) is no reason to fail.
 * False when nobody reads any more.
 */
export function writeAll(fd: number, text: string | Uint8Array): boolean {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
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
