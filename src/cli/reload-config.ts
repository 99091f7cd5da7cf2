/** Reads the config of a running `up` again, in a process of its own: no supervisor has a YAML parser in its memory. */
import { type ChildProcess, execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { ConfigRead } from '../supervisor/effect.ts';
import type { ConfigPort } from '../supervisor/ports.ts';
import { KEPT_CONFIG, keepNext, settlePlan } from './kept-config.ts';
import type { Environment, ParsedUp } from './parse.ts';

/** A file system that hangs: whoever has asked is to hear of it. */
const TIMEOUT_MS = 30_000;
const MOST_BYTES = 64 * 1024 * 1024;

/** What GSUP_INIT says to that process. */
export const READ_AGAIN = 'reload';

/** `close`: nobody reads any more, and nobody is told; resolves when the last reader has gone. */
export function createConfigPort({ options }: ParsedUp): ConfigPort & { close(): Promise<void> } {
  const readers = new Set<ChildProcess>();
  const closing = new AbortController();
  return {
    read(done) {
      if (options.file.includes('-')) return done({ kind: 'none', why: 'stdin' });
      const reader = readAgain(closing.signal, done);
      readers.add(reader);
      reader.once('close', () => readers.delete(reader));
    },
    async close() {
      closing.abort(); // which kills them
      await Promise.all([...readers].map((reader) => once(reader, 'close')));
    },
    keep: (plan) => keepNext(KEPT_CONFIG, plan),
    settle: (revision) => settlePlan(KEPT_CONFIG, revision),
  };
}

function readAgain(signal: AbortSignal, done: (read: ConfigRead) => void): ChildProcess {
  const env = { ...initialEnvironment(), GSUP_INIT: READ_AGAIN };
  const limits = { signal, timeout: TIMEOUT_MS, killSignal: 'SIGKILL', maxBuffer: MOST_BYTES } as const;
  return execFile(process.execPath, process.argv.slice(1), { env, ...limits }, (error, stdout) => {
    if (signal.aborted) return;
    try {
      done(JSON.parse(stdout) as ConfigRead);
    } catch {
      const why = error?.killed
        ? `it took longer than ${TIMEOUT_MS / 1000} s`
        : (error?.message ?? 'no answer');
      done({ kind: 'problems', problems: [`cannot read the config again: ${why}`] });
    }
  });
}

/** As init was given it: some variables are not for supervisors, and a config may use them. */
function initialEnvironment(): Environment {
  try {
    const pairs = readFileSync(`/proc/${process.ppid}/environ`, 'utf8')
      .split('\0')
      .filter((pair) => pair.includes('='));
    return Object.fromEntries(
      pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
    );
  } catch {
    return process.env;
  }
}
