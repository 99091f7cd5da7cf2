/** The commands that are not on the way of a start, read by commander: `checkpoint` and `install-init`. */

import { once } from 'node:events';
import { isatty, type ReadStream, type WriteStream } from 'node:tty';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { EXIT } from '../signals/exit-codes.ts';
import type { CheckOptions } from './check-config.ts';
import type { ClientCommand, ClientOptions } from './client-command.ts';
import { CLIENT_ROWS } from './client-rows.ts';
import { COMMANDS } from './commands.ts';
import type { HistoryOptions } from './history.ts';
import type { ImportOptions } from './import.ts';
import type { LogsOptions, LogsWorld } from './logs.ts';
import { fill, HINTS, quote, TEMPLATES, unknownCommand, unknownOptionHint } from './messages.ts';
import { needOf, type OptionRow } from './option-row.ts';
import { OPTION_ROWS } from './options.ts';
import { complaintLines, failure, type Outcome, writeAll } from './output.ts';
import type { Options } from './parse.ts';
import type { StatusOptions } from './status.ts';
import type { TimelineOptions, TimelineWorld } from './timeline.ts';
import type { TopOptions, TopTerminal } from './top.ts';
import { convertValue } from './values.ts';

const CHECKPOINT_WORDS = ['verify', 'dump', 'compact'] as const;
const COMMON_ROWS = OPTION_ROWS.filter((row) => row.common && !row.action);

/** `words` begins with the command's name. `options`: what was said before it, and in the environment. */
export async function runProgram(words: readonly string[], options: Options): Promise<Outcome> {
  const done: { outcome?: Outcome } = {};
  try {
    await buildProgram(options, (outcome) => {
      done.outcome = outcome;
    }).parseAsync([...words], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return failure(EXIT.usage, complaint(error, words));
  }
  return done.outcome ?? failure(EXIT.usage, unknownCommand(words.join(' '), []));
}

function buildProgram(options: Options, done: (outcome: Outcome) => void): Command {
  const program = quiet(new Command('gsup'));
  const checkpoint = quiet(program.command('checkpoint'));
  for (const name of CHECKPOINT_WORDS) {
    const command = withCommonOptions(quiet(checkpoint.command(name))).argument('[file]');
    command.action(async (file: string | undefined) => {
      const { checkpointCommand } = await import('./checkpoint.ts');
      const print = (text: string) => writeAll(1, text);
      done(checkpointCommand(name, file, { ...options, ...said(command) }, process.env, print));
    });
  }
  const status = withCommonOptions(withOwnOptions(quiet(program.command('status').alias('ps'))));
  status.action(async (asked: StatusOptions) => {
    const { statusCommand } = await import('./status.ts');
    const { env, hrtime } = process;
    const print = (text: string) => writeAll(1, text);
    const world = { env, size: terminalSize, colour: wantsColour(), nowNs: hrtime.bigint, print };
    done(await statusCommand(asked, { ...options, ...said(status) }, world));
  });
  const top = withCommonOptions(withOwnOptions(quiet(program.command('top'))));
  top.action(async (asked: TopOptions) => {
    const { topCommand } = await import('./top.ts');
    const print = (text: string) => writeAll(1, text);
    const world = { env: process.env, terminal: terminalToDrawOn(), colour: allowsColour(), print };
    done(await topCommand(asked, { ...options, ...said(top) }, world));
  });
  const logs = withCommonOptions(withOwnOptions(quiet(program.command('logs')))).argument('[process...]');
  logs.action(async (names: string[], asked: LogsOptions) => {
    const { logsCommand } = await import('./logs.ts');
    done(await logsCommand(names, asked, { ...options, ...said(logs) }, logsWorld()));
  });
  for (const { name } of CLIENT_ROWS) addClientCommand(program, name as ClientCommand, options, done);
  const history = withCommonOptions(withOwnOptions(quiet(program.command('history')))).argument('[name...]');
  history.action(async (names: string[], asked: HistoryOptions) => {
    const { historyCommand } = await import('./history.ts');
    const around = { env: process.env, nowMs: Date.now(), colour: wantsColour() };
    done(historyCommand(names, asked, { ...options, ...said(history) }, around));
  });
  const timeline = withCommonOptions(withOwnOptions(quiet(program.command('timeline'))));
  timeline.action(async (asked: TimelineOptions) => {
    const { timelineCommand } = await import('./timeline.ts');
    done(await timelineCommand(asked, { ...options, ...said(timeline) }, timelineWorld()));
  });
  const check = withCommonOptions(withOwnOptions(quiet(program.command('check'))));
  const file = check.options.find(({ long }) => long === '--file');
  file?.argParser((path: string, before: readonly string[] = []) => [...before, path]);
  check.action(async (asked: CheckOptions) => {
    const { checkConfig } = await import('./check-config.ts');
    done(checkConfig(asked, { ...options, ...said(check) }.name, process.env));
  });
  withCommonOptions(quiet(program.command('schema'))).action(async () => {
    done((await import('./schema.ts')).schema());
  });
  const importing = withCommonOptions(withOwnOptions(quiet(program.command('import')))).argument('<file>');
  importing.action(async (path: string, asked: ImportOptions) => {
    const { importCommand } = await import('./import.ts');
    done(importCommand(path, asked, process.env));
  });
  withCommonOptions(quiet(program.command('init'))).action(async () => {
    done((await import('./init.ts')).initCommand(process.cwd(), process.env));
  });
  withCommonOptions(quiet(program.command('install-init')))
    .argument('[path]')
    .action(async (path: string | undefined) => {
      const { installInit, packageFolder } = await import('./install-init.ts');
      done(installInit(packageFolder(import.meta.url), path, process.env.PATH ?? ''));
    });
  return program;
}

/** Which words each of them needs is its own to say. */
function addClientCommand(
  program: Command,
  name: ClientCommand,
  options: Options,
  done: (outcome: Outcome) => void,
): void {
  const command = withCommonOptions(withOwnOptions(quiet(program.command(name)))).argument('[word...]');
  if (name === 'shutdown') command.alias('down');
  command.action(async (words: string[], asked: ClientOptions) => {
    const { clientCommand } = await import('./client-command.ts');
    done(await clientCommand(name, words, asked, { ...options, ...said(command) }, process.env));
  });
}

function timelineWorld(): TimelineWorld {
  const { env, hrtime } = process;
  const print = (text: string) => void writeAll(1, text);
  const askedToEnd = () => Promise.race(['SIGINT', 'SIGTERM', 'SIGHUP'].map((name) => once(process, name)));
  return { env, print, say, askedToEnd, nowNs: hrtime.bigint };
}

function say(sentence: string): void {
  writeAll(2, complaintLines([{ level: 'warn', sentence }], isatty(2) ? 'text' : 'json'));
}

function logsWorld(): LogsWorld {
  const terminals = [isatty(1), isatty(2)] as const;
  return { env: process.env, nowMs: Date.now(), terminals, colour: allowsColour(), write: writeAll, say };
}

/** Where keys come from and a screen can be drawn. */
function terminalToDrawOn(): TopTerminal | null {
  if (!isatty(0) || !isatty(1) || process.env.TERM === 'dumb') return null;
  return { input: process.stdin as ReadStream, output: process.stdout as WriteStream };
}

/** null: standard output is no terminal. One that does not say how large it is has the usual size. */
function terminalSize(): { columns: number; rows: number } | null {
  if (!isatty(1)) return null;
  const [columns, rows] = process.stdout.getWindowSize();
  return { columns: columns || 80, rows: rows || 24 };
}

/** https://no-color.org */
function allowsColour(): boolean {
  return !process.env.NO_COLOR && process.env.TERM !== 'dumb';
}

function wantsColour(): boolean {
  return isatty(1) && allowsColour();
}

/** Sentences and exit codes are gsup's own. */
function quiet(command: Command): Command {
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

function withCommonOptions(command: Command): Command {
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

/** By long name, as everywhere else. */
function said(command: Command): Partial<Options> {
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
