/**
 * argv and environment → what to do. This is the language that src/init/options.c reads too, and both must say the
 * same: hence a scanner of one page instead of a library, which would also cost the supervisor 10 ms at each start.
 */
import { fill, quote, TEMPLATES, unknownOptionHint } from './messages.ts';
import { isList, type ListKind, normalizeList } from './option-lists.ts';
import { environmentName, isForRun, isForUp, needOf, type OptionKind, type OptionRow } from './option-row.ts';
import { MAX_RUNGS, OPTION_ROWS, type OPTIONS, type OptionName, RUNG_EXCLUDES } from './options.ts';
import { convertValue, type OptionValues } from './values.ts';

type Value<K extends OptionKind> = K extends ListKind
  ? readonly OptionValues[K][]
  : K extends 'flag'
    ? boolean
    : OptionValues[K] | null;

/** Every option by its long name, defaults filled in; null: nothing was said and there is no default. */
export type Options = { readonly [Row in (typeof OPTIONS)[number] as Row['long']]: Value<Row['kind']> };

export interface ParsedRun {
  readonly action: 'run';
  readonly options: Options;
  /** The options that were said, and where: `--grace` or `GSUP_GRACE`. */
  readonly given: ReadonlyMap<OptionName, string>;
  /** Nothing in it needs the supervisor: an order can express all of it. */
  readonly plain: boolean;
  readonly command: readonly string[];
}

export interface ParsedUp {
  readonly action: 'up';
  readonly options: Options;
  /** Processes by name; none: all. */
  readonly words: readonly string[];
}

/** Commands that init carries out; each has its options, and its help. */
export type Topic = 'run' | 'up';

export type Parsed =
  | ParsedRun
  | ParsedUp
  | { readonly action: 'help' | 'version'; readonly topic: Topic | null }
  /** Another command than `run`; `words` begins with its name. */
  | { readonly action: 'other'; readonly options: Options; readonly words: readonly string[] }
  | { readonly action: 'error'; readonly message: string; readonly logFormat: string | null };

export type Environment = Readonly<Record<string, string | undefined>>;

const COMMON_ROWS = OPTION_ROWS.filter((row) => row.common);
const RUN_ROWS = OPTION_ROWS.filter(isForRun);
const UP_ROWS = OPTION_ROWS.filter(isForUp);

/** Ends the parsing from inside; never leaves this file. */
class Stop {
  readonly result: Parsed;
  constructor(result: Parsed) {
    this.result = result;
  }
}

interface Said {
  readonly values: Map<string, unknown>;
  readonly given: Map<OptionName, string>;
}

/** `argv` without the program's own name. */
export function parseArguments(argv: readonly string[], env: Environment): Parsed {
  return stoppable((said) => {
    const word = scan(argv, 0, COMMON_ROWS, said, null);
    if (argv[word] === 'run') return parseRest(argv, word + 1, env, said);
    if (argv[word] === 'up') return parseUp(argv, word + 1, env, said);
    readEnvironment(COMMON_ROWS, env, said);
    return { action: 'other', options: collect(said), words: argv.slice(word) };
  });
}

/** What follows the word `run`, also behind `check`. */
export function parseRun(argv: readonly string[], env: Environment): Parsed {
  return stoppable((said) => parseRest(argv, 0, env, said));
}

function stoppable(parse: (said: Said) => Parsed): Parsed {
  const said: Said = { values: new Map(), given: new Map() };
  try {
    return parse(said);
  } catch (stop) {
    if (!(stop instanceof Stop)) throw stop;
    if (stop.result.action !== 'error') return stop.result;
    return { ...stop.result, logFormat: (said.values.get('log-format') as string | undefined) ?? null };
  }
}

function parseRest(argv: readonly string[], from: number, env: Environment, said: Said): Parsed {
  const end = scan(argv, from, RUN_ROWS, said, 'run');
  const command = argv.slice(argv[end] === '--' ? end + 1 : end);
  readEnvironment(RUN_ROWS, env, said);
  const options = collect(said);
  refuseConflicts(options, said.given);
  if (command.length === 0) fail(TEMPLATES.command);
  return { action: 'run', options, given: said.given, plain: isPlain(options, said.given), command };
}

/** Options may stand between and behind the names of processes, up to `--`. */
function parseUp(argv: readonly string[], from: number, env: Environment, said: Said): Parsed {
  const words: string[] = [];
  let at = scan(argv, from, UP_ROWS, said, 'up');
  while (at < argv.length && argv[at] !== '--') {
    words.push(argv[at] ?? '');
    at = scan(argv, at + 1, UP_ROWS, said, 'up');
  }
  readEnvironment(UP_ROWS, env, said);
  const options = collect(said);
  refuseIdleToken(options, said.given);
  const death = said.given.get('parent-death-signal');
  if (options.detach && death !== undefined) fail(TEMPLATES.detach, death, said.given.get('detach') ?? '');
  return { action: 'up', options, words: [...words, ...argv.slice(at + 1)] };
}

/** Reads options from `argv[at]` on; returns where they end: at `--` or at the first that is none. */
function scan(
  argv: readonly string[],
  from: number,
  rows: readonly OptionRow[],
  said: Said,
  topic: Topic | null,
): number {
  let at = from;
  const value = (row: OptionRow, attached: string | undefined): string => {
    const text = attached ?? argv[++at];
    return text ?? fail(TEMPLATES.missing, `--${row.long}`, needOf(row));
  };
  for (; at < argv.length; at++) {
    const arg = argv[at] ?? '';
    if (arg === '--' || arg === '-' || !arg.startsWith('-')) break;
    if (arg.startsWith('--')) scanLong(arg, rows, said, topic, value);
    else scanShort(arg, rows, said, topic, value);
  }
  return at;
}

type TakeValue = (row: OptionRow, attached: string | undefined) => string;

function scanLong(
  arg: string,
  rows: readonly OptionRow[],
  said: Said,
  topic: Topic | null,
  value: TakeValue,
) {
  const equals = arg.indexOf('=');
  const long = arg.slice(2, equals < 0 ? undefined : equals);
  const attached = equals < 0 ? undefined : arg.slice(equals + 1);
  const row = rows.find((candidate) => candidate.long === long);
  if (row === undefined) fail(TEMPLATES.unknown, quote(`--${long}`), unknownOptionHint(long, rows, topic));
  if (row.kind !== 'flag') say(row, value(row, attached), `--${long}`, said);
  else if (attached !== undefined) fail(TEMPLATES.flag, `--${long}`, quote(attached));
  else sayFlag(row, said, topic);
}

/** Flags may be joined: `-vg5s`. */
function scanShort(
  arg: string,
  rows: readonly OptionRow[],
  said: Said,
  topic: Topic | null,
  value: TakeValue,
) {
  for (let rest = arg.slice(1); rest !== ''; rest = rest.slice(1)) {
    const row = rows.find((candidate) => candidate.short === rest[0]);
    if (row === undefined) fail(TEMPLATES.unknown, quote(`-${rest}`), unknownOptionHint('', rows, topic));
    if (row.kind !== 'flag') return say(row, value(row, rest.slice(1) || undefined), `--${row.long}`, said);
    sayFlag(row, said, topic);
  }
}

function sayFlag(row: OptionRow, said: Said, topic: Topic | null) {
  if (row.action) throw new Stop({ action: row.long as 'help' | 'version', topic });
  said.values.set(row.long, true);
  said.given.set(row.long as OptionName, `--${row.long}`);
}

/** `place` is how the user said it: an option or a variable. */
function say(row: OptionRow, text: string, place: string, said: Said) {
  const converted = convertValue(row, text);
  if ('hint' in converted) fail(TEMPLATES.value, place, needOf(row), quote(text), converted.hint);
  said.given.set(row.long as OptionName, place);
  if (!isList(row.kind)) {
    said.values.set(row.long, converted.value);
    return;
  }
  const list = [...((said.values.get(row.long) as unknown[] | undefined) ?? []), converted.value];
  if (row.kind === 'rungs' && list.length > MAX_RUNGS) fail(TEMPLATES.rungs, place);
  said.values.set(row.long, list);
}

/** What the command line has not said; an empty variable says nothing, because an image cannot unset one. */
function readEnvironment(rows: readonly OptionRow[], env: Environment, said: Said) {
  const decided = decidedByArguments(said.given);
  for (const row of rows) {
    const name = environmentName(row.long);
    const text = env[name];
    if (row.action || decided.has(row.long as OptionName) || text === undefined || text === '') continue;
    const texts = isList(row.kind) ? text.split('\n').filter((line) => line !== '') : [text];
    for (const one of texts) say(row, one, name, said);
  }
}

/** A ladder said in the one way leaves nothing to say in the other: an image may set GSUP_GRACE, a user --rung. */
function decidedByArguments(given: ReadonlyMap<OptionName, string>): ReadonlySet<OptionName> {
  const decided = new Set(given.keys());
  if (given.has('rung')) for (const long of RUNG_EXCLUDES) decided.add(long);
  if (RUNG_EXCLUDES.some((long) => given.has(long))) decided.add('rung');
  return decided;
}

function refuseConflicts(options: Options, given: ReadonlyMap<OptionName, string>) {
  const rung = given.get('rung');
  const other = RUNG_EXCLUDES.find((long) => given.has(long));
  if (rung !== undefined && other !== undefined) fail(TEMPLATES.rungAlone, rung, given.get(other) ?? '');
  const failures = options['max-failures'];
  if (options.restart === 'no' && failures !== null && failures !== 1) {
    fail(TEMPLATES.restart, given.get('max-failures') ?? '', given.get('restart') ?? '');
  }
  const isCaptured = options.log !== null && options.log !== 'inherit';
  if (options.ready?.startsWith('log:') && !isCaptured) fail(TEMPLATES.readyLog, given.get('ready') ?? '');
  refuseIdleToken(options, given);
}

function refuseIdleToken(options: Options, given: ReadonlyMap<OptionName, string>) {
  if (options['token-file'] !== null && options.http === null)
    fail(TEMPLATES.tokenFile, given.get('token-file') ?? '');
}

function isPlain(options: Options, given: ReadonlyMap<OptionName, string>): boolean {
  return OPTION_ROWS.every((row) => {
    const long = row.long as OptionName;
    return row.plain || !given.has(long) || isNeutral(long, options);
  });
}

/** An option that would bring the supervisor, said with a value that changes nothing. */
function isNeutral(long: OptionName, options: Options): boolean {
  if (long === 'stay') return !options.stay;
  if (long === 'restart') return options.restart === 'no';
  if (long === 'max-failures') return options['max-failures'] === 1;
  if (long === 'rung')
    return options.rung.every((rung) => rung.action === 'signal' || rung.action === 'wait');
  return false;
}

function collect(said: Said): Options {
  const rows = OPTION_ROWS.filter((row) => !row.action);
  return Object.fromEntries(
    rows.map((row) => [row.long, valueOfRow(row, said.values.get(row.long))]),
  ) as Options;
}

function valueOfRow(row: OptionRow, value: unknown): unknown {
  if (isList(row.kind)) return normalizeList(row, (value as readonly unknown[] | undefined) ?? []);
  if (value !== undefined) return value;
  if (row.kind === 'choice') return row.choices?.[row.default as number] ?? null;
  return row.default ?? (row.kind === 'flag' ? false : null);
}

function fail(template: string, ...values: readonly string[]): never {
  throw new Stop({ action: 'error', message: fill(template, ...values), logFormat: null });
}
