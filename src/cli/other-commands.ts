/** Every command but `run`. A bundle of its own: none of it is needed where time counts. */

import type { Orchestrator } from '../config/orchestrators.ts';
import { EXIT } from '../signals/exit-codes.ts';
import { check } from './check.ts';
import { askedOf } from './check-words.ts';
import { ALIASES, COMMANDS } from './commands.ts';
import { commandHelp, generalHelp } from './help.ts';
import { quote, unknownCommand } from './messages.ts';
import { failure, type Outcome, success } from './output.ts';
import type { Environment, Parsed } from './parse.ts';
import { VERSION } from './version.gen.ts';

type Other = Extract<Parsed, { action: 'help' | 'version' | 'other' }>;
type Words = Extract<Parsed, { action: 'other' }>;

export async function runOther(parsed: Other, argv: readonly string[], env: Environment): Promise<Outcome> {
  switch (parsed.action) {
    case 'version':
      return success(`${VERSION}\n`);
    case 'help':
      return success(help(parsed.topic));
    case 'other':
      return runCommand(parsed, argv.slice(0, argv.length - parsed.words.length), env);
  }
}

/** `before`: the common options that stand before the command's name. */
async function runCommand(parsed: Words, before: readonly string[], env: Environment): Promise<Outcome> {
  const [name, ...rest] = parsed.words;
  switch (name) {
    case undefined:
      return { exitCode: EXIT.usage, stderr: help(null) };
    case 'help':
      return success(help(rest[0] ?? null));
    case 'check': {
      if (rest[0] === '--help' || rest[0] === '-h') return success(help(name));
      const asked = askedOf(rest);
      if (asked.kind === 'error') return failure(EXIT.usage, asked.message);
      if (asked.kind === 'run') return checkOrSo(before, asked.words, env, asked.for);
      return runWithCommander(parsed);
    }
    default: {
      const row = COMMANDS.find((each) => each.name === (ALIASES[name] ?? name));
      if (row === undefined)
        return failure(
          EXIT.usage,
          unknownCommand(
            name,
            COMMANDS.map((each) => each.name),
          ),
        );
      if (rest.includes('--help') || rest.includes('-h')) return success(help(row.name));
      if (name === 'completion') return (await import('./completion.ts')).completion(rest[0]);
      if (name === 'health') return healthWithoutInit(rest);
      return runWithCommander(parsed);
    }
  }
}

async function runWithCommander({ words, options }: Words): Promise<Outcome> {
  const [{ runProgram }, { CLIENT_PROGRAMS }, { OTHER_PROGRAMS }] = await Promise.all([
    import('./program.ts'),
    import('./client-programs.ts'),
    import('./other-programs.ts'),
  ]);
  return runProgram(words, options, { ...CLIENT_PROGRAMS, ...OTHER_PROGRAMS });
}

/** init answers it; what comes here it has not understood, or there is no init. */
function healthWithoutInit([word]: readonly string[]): Outcome {
  if (word !== undefined && !word.startsWith('-'))
    return failure(
      EXIT.usage,
      `cannot run "health ${quote(word)}": it takes no words; see gsup health --help`,
    );
  const rule = 'it needs the native part of gsup, which this machine does not have';
  return failure(EXIT.unavailable, `cannot run "health": ${rule}`);
}

function checkOrSo(
  before: readonly string[],
  rest: readonly string[],
  env: Environment,
  asked: Orchestrator | null,
): Outcome {
  const outcome = check(before, rest, env, asked);
  if (outcome === 'version') return success(`${VERSION}\n`);
  return outcome === 'help' ? success(help('check')) : outcome;
}

function help(topic: string | null): string {
  const command = COMMANDS.find((row) => row.name === topic);
  return command === undefined ? generalHelp() : commandHelp(command);
}
