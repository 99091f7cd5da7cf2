/**
 * What dist/client.cjs runs, which init starts in place of main.cjs for what it does not carry out itself. `status` and what else
 * asks a running task is in one file with this, because loading is nearly all that such a command costs beside Node's own start:
 * CommonJS in one file, without what supervises.
 */
import { CLIENT_PROGRAMS } from './client-programs.ts';
import { ALIASES } from './commands.ts';
import { finish } from './output.ts';
import { parseArguments } from './parse.ts';
import { runProgram } from './program.ts';

/** The exit code. null: it is no such command, so it is for main.cjs. */
export function runClient(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> | null {
  const parsed = parseArguments(argv, env);
  if (parsed.action !== 'other') return null;
  const { words, options } = parsed;
  const [name = '', ...rest] = words;
  if (!Object.hasOwn(CLIENT_PROGRAMS, ALIASES[name] ?? name)) return null;
  if (rest.includes('--help') || rest.includes('-h')) return null;
  const outcome = runProgram(words, options, CLIENT_PROGRAMS);
  return finish(
    outcome.then((each) => ({ logFormat: options['log-format'], ...each })),
    2,
  );
}
