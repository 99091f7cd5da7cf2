/** `gsup run` in Node: the supervisor beside init, or the whole thing over the portable host where there is no init. */
import { readFileSync } from 'node:fs';
import { normalizeRun } from '../config/run-config.ts';
import { EXIT } from '../signals/exit-codes.ts';
import { configureBesideInit, forgetEnvironment } from './kept-environment.ts';
import { failure, type Outcome } from './output.ts';
import type { Environment, ParsedRun } from './parse.ts';
import { CHECKPOINT_LOG, superviseNative, taskOfRun } from './supervise.ts';

export async function run(parsed: ParsedRun, env: Environment): Promise<Outcome> {
  if (env.GSUP_INIT === '1') return runBesideInit(parsed, env);
  const configured = normalizeRun(parsed, { env, readFile: (path) => readFileSync(path, 'utf8') });
  if (configured.kind === 'problems') return failure(EXIT.usage, ...configured.problems);
  return (await import('./run-portable.ts')).runPortable(configured.config, env, true);
}

async function runBesideInit(parsed: ParsedRun, env: Environment): Promise<Outcome> {
  const visits = env.GSUP_VISIT === '1';
  const configured = configureBesideInit(parsed, env, `/proc/self/fd/${CHECKPOINT_LOG}`, visits);
  if (configured.kind === 'problems') return failure(EXIT.usage, ...configured.problems);
  const outcome = await superviseNative(taskOfRun(configured.config, configured.problems, visits), env);
  if (outcome.exitCode === EXIT.success && env.GSUP_TASK_DIR) forgetEnvironment(env.GSUP_TASK_DIR);
  return outcome;
}
