// init starts a supervisor without V8's optimizing compiler, which is of no use to a program that mostly sleeps, and costs memory.
// A log that could not be compacted is another matter: without it 100 MB took longer than init waits for an answer.
import { setFlagsFromString } from 'node:v8';

/** What is longer is read with it; of what compaction leaves nothing is. */
export const longLogBytes = 4 * 1024 * 1024;

/** For the rest of this process: whatever follows from a long log is long as well. */
export function optimizeFor(bytes: number): void {
  if (bytes > longLogBytes && process.execArgv.includes('--no-opt')) setFlagsFromString('--opt');
}
