/** `gsup run` in Node: the supervisor beside init, or the whole thing over the portable host where there is no init. */
import { readFileSync } from 'node:fs';
import { normalizeRun } from '../config/run-config.ts';
import { EXIT } from '../signals/exit-codes.ts';
import { failure, type Outcome } from './output.ts';
import type { Environment, ParsedRun } from './parse.ts';
import { superviseNative } from './supervise.ts';

export async function run(parsed: ParsedRun, env: Environment): Promise<Outcome> {
  const configured = normalizeRun(parsed, { env, readFile: (path) => readFileSync(path, 'utf8') });
  if (configured.kind === 'problems') return failure(EXIT.usage, ...configured.problems);
  if (env.GSUP_INIT === '1') return superviseNative(configured.config, env);
  return (await import('./run-portable.ts')).runPortable(configured.config, env, true);
}
