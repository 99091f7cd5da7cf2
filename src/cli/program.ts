/** How the commands other than `run` and `up` are read, by commander; what each of them does is in the tables that it is given. */

import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { EXIT } from '../signals/exit-codes.ts';
import { ALIASES, COMMANDS } from './commands.ts';
import { fill, HINTS, quote, TEMPLATES, unknownCommand, unknownOptionHint } from './messages.ts';
import { needOf, type OptionRow } from './option-row.ts';
import { OPTION_ROWS } from './options.ts';
import { failure, type Outcome } from './output.ts';
import type { Options } from './parse.ts';
import { convertValue } from './values.ts';

export const CHECKPOINT_WORDS = ['verify', 'dump', 'compact'] as const;
const COMMON_ROWS = OPTION_ROWS.filter((row) => row.common && !row.action);

/** Adds a command to a program. `options`: what was said before it, and in the environment. */
export type AddCommand = (asked: {
  readonly program: Command;
  readonly options: Options;
  readonly done: (outcome: Outcome) => void;
}) => void;

/** `words` begins with the command's name. Only that command is built: each costs a millisecond. */
export async function runProgram(
  words: readonly string[],
  options: Options,
  commands: Readonly<Record<string, AddCommand>>,
): Promise<Outcome> {
  const [typed = '', ...rest] = words;
  const name = ALIASES[typed] ?? typed;
  const end: { outcome?: Outcome } = {};
  const program = quiet(new Command('gsup'));
  const done = (outcome: Outcome) => {
    end.outcome = outcome;
  };
  try {
    commands[name]?.({ program, options, done });
    await program.parseAsync([name, ...rest], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return failure(EXIT.usage, complaint(error, words));
  }
  return end.outcome ?? failure(EXIT.usage, unknownCommand(words.join(' '), []));
}

/** With its own options and those that all have. */
export function newCommand(program: Command, name: string): Command {
  return withCommonOptions(withOwnOptions(quiet(program.command(name))));
}

/** Sentences and exit codes are gsup's own. */
export function quiet(command: Command): Command {
  return command
    .exitOverride()
    .helpOption(false)
    .helpCommand(false)
    .showSuggestionAfterError(false)
    .allowExcessArguments(false)
    .configureOutput({ writeOut: () => {}, writeErr: () => {} });
}

function withOwnOptions(command: Command): Command {
  const row = COMMANDS.find(({ name }) => name === command.name());
  for (const { long, short, value } of row?.options ?? []) {
    const names = short === undefined ? `--${long}` : `-${short}, --${long}`;
    command.option(value === undefined ? names : `${names} <${value.toLowerCase()}>`);
  }
  return command;
}

export function withCommonOptions(command: Command): Command {
  for (const row of COMMON_ROWS) {
    const names = row.short === undefined ? `--${row.long}` : `-${row.short}, --${row.long}`;
    const option = new Option(row.kind === 'flag' ? names : `${names} <value>`);
    command.addOption(row.kind === 'flag' ? option : option.argParser((text) => convert(row, text)));
  }
  return command;
}

function convert(row: OptionRow, text: string): unknown {
  const converted = convertValue(row, text);
  if ('value' in converted) return converted.value;
  throw new InvalidArgumentError(
    fill(TEMPLATES.value, `--${row.long}`, needOf(row), quote(text), converted.hint),
  );
}

/** What was said behind the command; by long name, as everywhere else. */
export function said(command: Command): Partial<Options> {
  const values = command.options.map(
    (option) => [option.name(), command.getOptionValue(option.attributeName())] as const,
  );
  return Object.fromEntries(values.filter(([, value]) => value !== undefined));
}

function hintFor(typed: string, words: readonly string[]): string {
  const hint = unknownOptionHint(typed.replace(/^--/, ''), COMMON_ROWS);
  return hint === HINTS.help ? `; see gsup ${words[0]} --help` : hint;
}

/** An own option of a command, without its value. */
function missingOwn(typed: string, words: readonly string[]): string {
  const rows = COMMANDS.find(({ name }) => name === words[0])?.options ?? [];
  const row = rows.find(({ long }) => typed.includes(`--${long} `));
  return fill(TEMPLATES.missing, `--${row?.long}`, row?.value ?? 'a value');
}

/** commander's errors in gsup's words. What stands between the quotes of its messages is what was typed. */
function complaint(error: CommanderError, words: readonly string[]): string {
  const typed = /'(.*)'/s.exec(error.message)?.[1] ?? '';
  switch (error.code) {
    case 'commander.unknownOption':
      return fill(TEMPLATES.unknown, quote(typed), hintFor(typed, words));
    case 'commander.optionMissingArgument': {
      const row = COMMON_ROWS.find((candidate) => typed.includes(`--${candidate.long} `));
      if (row === undefined) return missingOwn(typed, words);
      return fill(TEMPLATES.missing, `--${row.long}`, needOf(row));
    }
    case 'commander.invalidArgument':
      return error.message.slice(error.message.indexOf('cannot use'));
    case 'commander.excessArguments':
      return `cannot run "${quote(words.join(' '))}": fewer words are needed; see gsup ${words[0]} --help`;
    case 'commander.missingArgument':
      return `cannot run "${quote(words.join(' '))}": ${typed === '' ? 'a word' : `a ${typed.toUpperCase()}`} is needed, got nothing; see gsup ${words[0]} --help`;
    case 'commander.help':
    case 'commander.unknownCommand':
      return words.length > 1
        ? unknownCommand(words[1] ?? '', [...CHECKPOINT_WORDS], `${words[0]} `)
        : `cannot run "${words[0]}": verify, dump or compact is needed, got nothing`;
    default:
      return error.message.replace(/^error: /, '');
  }
}
