/** Finds the command that argv names. Each lives in a file of its own, loaded when it is needed. */
import { EXIT } from '../signals/exit-codes.ts';
import { COMMANDS } from './commands.ts';
import { unknownCommand } from './messages.ts';
import { failure, type Outcome, success } from './output.ts';
import { type Environment, type Options, parseArguments } from './parse.ts';

/** undefined: the command goes on, and ends the process itself. */
export async function dispatch(argv: readonly string[], env: Environment): Promise<Outcome | undefined> {
  const parsed = parseArguments(argv, env);
  switch (parsed.action) {
    case 'error':
      return failure(EXIT.usage, parsed.message);
    case 'version':
      return success(`${(await import('./version.gen.ts')).VERSION}\n`);
    case 'help':
      return success(await help(parsed.topic));
    case 'run':
      return (await import('./run.ts')).run(parsed, env);
    case 'other':
      return otherCommand(
        argv.slice(0, argv.length - parsed.words.length),
        parsed.words,
        parsed.options,
        env,
      );
  }
}

/** `before`: the common options that stand before the command's name. */
async function otherCommand(
  before: readonly string[],
  words: readonly string[],
  options: Options,
  env: Environment,
): Promise<Outcome> {
  const [name, ...rest] = words;
  if (rest.includes('--help') || rest.includes('-h')) return success(await help(name ?? null));
  switch (name) {
    case undefined:
      return { exitCode: EXIT.usage, stderr: await help(null) };
    case 'help':
      return success(await help(rest[0] ?? null));
    case 'check':
      return (await import('./check.ts')).check(before, rest, env);
    case 'checkpoint':
    case 'install-init':
      return (await import('./program.ts')).runProgram(words, options);
    default: {
      const names = COMMANDS.map((row) => row.name);
      return failure(EXIT.usage, unknownCommand(name, names));
    }
  }
}

async function help(topic: string | null): Promise<string> {
  const { commandHelp, generalHelp } = await import('./help.ts');
  const command = COMMANDS.find((row) => row.name === topic);
  return command === undefined ? generalHelp() : commandHelp(command);
}
