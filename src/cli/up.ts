/** `gsup up` in Node: the reader of the config before init begins, which becomes the first supervisor, those that come later, and who waits for `up -d`. */
import { httpOf, logOf } from '../config/run-config.ts';
import { EXIT } from '../signals/exit-codes.ts';
import { beFirst, FIRST } from './first-supervisor.ts';
import { KEPT_CONFIG, keptPlan } from './kept-config.ts';
import { failure, type Outcome } from './output.ts';
import type { Environment, ParsedUp } from './parse.ts';
import { createConfigPort, READ_AGAIN } from './reload-config.ts';
import { superviseNative, type Task } from './supervise.ts';
import { VERSION } from './version.gen.ts';

export async function up(parsed: ParsedUp, env: Environment): Promise<Outcome> {
  if (env.GSUP_INIT === FIRST) return beFirst(parsed, env, (told) => superviseUp(parsed, told, true));
  if (env.GSUP_INIT === 'config') return (await import('./read-config.ts')).readConfig(parsed, env);
  if (env.GSUP_INIT === READ_AGAIN) return (await import('./read-config.ts')).readConfigAgain(parsed, env);
  if (env.GSUP_INIT === 'detached') return (await import('./up-detached.ts')).upDetached(parsed, env);
  if (env.GSUP_INIT !== '1') {
    const rule = 'it needs the native part of gsup, which this machine does not have';
    return failure(EXIT.unavailable, `cannot run "up": ${rule}`);
  }
  return superviseUp(parsed, env);
}

function superviseUp(parsed: ParsedUp, env: Environment, readHere = false): Promise<Outcome> {
  const plan = keptPlan(KEPT_CONFIG);
  const { options } = parsed;
  const task: Task = {
    name: plan.name,
    plan: (name, revision) => ({ ...keptPlan(KEPT_CONFIG, revision), name, version: VERSION }),
    config: createConfigPort(parsed),
    log: logOf(options),
    http: httpOf(options),
    memoryOnly: options['no-checkpoint'],
    // Said by who has read the config.
    warnings: [],
    readHere,
  };
  return superviseNative(task, env);
}
