/** Finds the command that argv names. What `run` needs is loaded with this file, everything else only when it is asked for. */
import { EXIT } from '../signals/exit-codes.ts';
import { failure, type Outcome, writeAll } from './output.ts';
import { type Environment, parseArguments } from './parse.ts';
import { run } from './run.ts';

/** Writes what the command leaves behind; returns the exit code. */
export async function main(argv: readonly string[], env: Environment): Promise<number> {
  try {
    const { stdout = '', stderr = '', exitCode } = await dispatch(argv, env);
    writeAll(1, stdout);
    writeAll(2, stderr);
    return exitCode;
  } catch (error) {
    writeAll(2, `gsup: internal error: ${error instanceof Error ? error.stack : String(error)}\n`);
    return EXIT.internal;
  }
}

export async function dispatch(argv: readonly string[], env: Environment): Promise<Outcome> {
  const parsed = parseArguments(argv, env);
  if (parsed.action === 'error') return failure(EXIT.usage, parsed.message);
  if (parsed.action === 'run') return run(parsed, env);
  const { runOther } = await import('./other-commands.ts');
  return runOther(parsed, argv, env);
}
