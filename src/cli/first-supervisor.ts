/** The first supervisor of `up`: it reads the config, as init has asked for, and when init has taken the task it goes on in the same process. */
import { takePlace } from '../host/first-place.ts';
import { EXIT } from '../signals/exit-codes.ts';
import { complaintsIn, type Outcome, writeAll } from './output.ts';
import type { Environment, ParsedUp } from './parse.ts';
import { CHECKPOINT_LOG, INIT_LOG, INIT_SOCKET, STDERR } from './supervise.ts';

/** What GSUP_INIT says to it. */
export const FIRST = 'first';

/** Of variables that a supervisor is not to obey, and a config may use; init puts it before their names (node.c). */
const ASIDE = 'GSUP_ASIDE_';

export type Supervise = (env: Environment) => Promise<Outcome>;

export async function beFirst(parsed: ParsedUp, env: Environment, supervise: Supervise): Promise<Outcome> {
  const { readConfig } = await import('./read-config.ts');
  const { exitCode, complaints = [] } = readConfig(parsed, environmentGiven(env));
  if (exitCode !== EXIT.success) return { exitCode, complaints };
  // Before anything begins, as ever.
  writeAll(STDERR, complaintsIn(complaints, parsed.options['log-format'], STDERR));
  const place = takePlace({ socket: INIT_SOCKET, checkpoint: CHECKPOINT_LOG, init: INIT_LOG });
  if (place === null) return { exitCode: EXIT.success };
  return supervise({ ...env, GSUP_TASK: place.task, GSUP_TASK_DIR: place.folder });
}

/** As init was given it. */
function environmentGiven(env: Environment): Environment {
  const entries = Object.entries(env).filter(([name]) => name !== 'GSUP_INIT');
  return Object.fromEntries(
    entries.map(([name, value]) => [name.startsWith(ASIDE) ? name.slice(ASIDE.length) : name, value]),
  );
}
