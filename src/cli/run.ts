/** `gsup run` in Node: the supervisor beside init, or the portable host where there is no init. */
import { readFileSync } from 'node:fs';
import { normalizeRun } from '../config/run-config.ts';
import { EXIT } from '../signals/exit-codes.ts';
import { failure, type Outcome } from './output.ts';
import type { Environment, ParsedRun } from './parse.ts';

/** undefined: the supervisor runs, and ends the process itself. */
export async function run(parsed: ParsedRun, env: Environment): Promise<Outcome | undefined> {
  const configured = normalizeRun(parsed, { env, readFile: (path) => readFileSync(path, 'utf8') });
  if (configured.kind === 'problems') return failure(EXIT.usage, ...configured.problems);
  // Composed when the loop is there.
  return failure(EXIT.internal, 'internal error: the supervisor is not there yet');
}
