/** Finds the command that argv names. What `run` needs is loaded with this file, everything else only when it is asked for. */
import { EXIT } from '../signals/exit-codes.ts';
import { failure, finish, type Outcome } from './output.ts';
import { type Environment, parseArguments } from './parse.ts';
import { run } from './run.ts';
import { STDERR } from './supervise.ts';

/** Writes what the command leaves behind; returns the exit code. */
export async function main(argv: readonly string[], env: Environment): Promise<number> {
  // Beside init 2 is no terminal: what is said there would be lost.
  const fd = env.GSUP_INIT === '1' || env.GSUP_INIT === 'first' ? STDERR : 2;
  return finish(dispatch(argv, env), fd);
}

export async function dispatch(argv: readonly string[], env: Environment): Promise<Outcome> {
  const parsed = parseArguments(argv, env);
  if (parsed.action === 'error') {
    return { ...failure(EXIT.usage, parsed.message), logFormat: parsed.logFormat };
  }
  const logFormat = 'options' in parsed ? parsed.options['log-format'] : null;
  if (parsed.action === 'run') return { logFormat, ...(await run(parsed, env)) };
  if (parsed.action === 'up') return { logFormat, ...(await (await import('./up.ts')).up(parsed, env)) };
  const { runOther } = await import('./other-commands.ts');
  return { logFormat, ...(await runOther(parsed, argv, env)) };
}
