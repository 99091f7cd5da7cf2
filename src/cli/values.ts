/** From the text of one option to its value. Pure; src/init/options.c reads the same language. */
import { type Duration, parseDuration } from '../config/duration.ts';
import { canBeReceived, normalizeSignal, type SignalName, signalNumber } from '../signals/names.ts';
import { fill, HINT_DIGITS, HINTS } from './messages.ts';
import type { OptionKind, OptionRow } from './option-row.ts';
import { OPTIONS, ULIMITS } from './options.ts';
import { parseHealth, parseReady, parseTcpAddress } from './probe-spec.ts';

/** In milliseconds; null: forever. */
export type WaitMs = number | null;

/** What `--rung` says; the default grace is filled in. */
export type RungSpec =
  | { readonly action: 'signal'; readonly signal: SignalName; readonly waitMs: WaitMs }
  | { readonly action: 'exec'; readonly command: string; readonly waitMs: WaitMs }
  | { readonly action: 'http_post'; readonly url: string; readonly waitMs: WaitMs }
  | { readonly action: 'wait'; readonly waitMs: WaitMs };

/** What becomes of the command's output. */
export type LogSpec = 'inherit' | 'prefix' | 'json' | `file:${string}`;

/** null: unlimited. */
export type UlimitSpec = readonly [resource: string, soft: number | null, hard: number | null];

/** One occurrence of an option; lists of them are put together by the parser. */
export interface OptionValues {
  flag: boolean;
  duration: WaitMs;
  signal: SignalName;
  signals: SignalName;
  choice: string;
  number: number;
  octal: number;
  text: string;
  texts: string;
  name: string;
  user: string;
  group: string;
  env: string;
  ulimits: UlimitSpec;
  'exit-map': readonly [from: number, to: number];
  rewrites: readonly [from: SignalName, to: SignalName | null];
  rungs: RungSpec;
  log: LogSpec;
  /** As they were said; probe-spec.ts says what that is. */
  ready: string;
  health: string;
  /** As it was said, with its host. */
  address: string;
}

export type Converted<T> = { readonly value: T } | { readonly hint: string };

const WRONG = { hint: '' } as const;

const CONVERTERS: { [K in OptionKind]: (text: string, row: OptionRow) => Converted<OptionValues[K]> } = {
  flag: convertFlag,
  duration: convertDuration,
  signal: (text) => valueOrWrong(normalizeSignal(text)),
  signals: (text) => valueOrWrong(receivable(text)),
  choice: (text, row) => (row.choices?.includes(text) ? { value: text } : WRONG),
  number: convertNumber,
  octal: (text) => (/^[0-7]{1,4}$/.test(text) ? inRange(Number.parseInt(text, 8), 0, 0o777) : WRONG),
  text: convertText,
  texts: convertText,
  name: (text) => (/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/.test(text) ? { value: text } : WRONG),
  user: convertUser,
  group: (text) => (isAccount(text) ? { value: text } : WRONG),
  env: (text) => (/^[^=]/.test(text) ? { value: text } : WRONG),
  ulimits: convertUlimit,
  'exit-map': convertExitMap,
  rewrites: convertRewrite,
  rungs: convertRung,
  log: (text) => (isLogSpec(text) ? { value: text } : WRONG),
  ready: (text) => (parseReady(text) === undefined ? WRONG : { value: text }),
  health: (text) => (parseHealth(text) === undefined ? WRONG : { value: text }),
  // Where to listen is said, never guessed: on all interfaces only for who writes so.
  address: (text) => (text.includes(':') && parseTcpAddress(text) ? { value: text } : WRONG),
};

/** The value, or a hint (perhaps empty) for the sentence that says what is needed. */
export function convertValue(row: OptionRow, text: string): Converted<OptionValues[OptionKind]> {
  return CONVERTERS[row.kind](text, row);
}

const DEFAULT_GRACE_MS = OPTIONS.find((row) => row.long === 'grace')?.default ?? 0;

function valueOrWrong<T>(value: T | undefined): Converted<T> {
  return value === undefined ? WRONG : { value };
}

function inRange(value: number, min: number, max: number): Converted<number> {
  return value >= min && value <= max ? { value } : WRONG;
}

function isLogSpec(text: string): text is LogSpec {
  return /^(inherit|prefix|json|file:.+)$/s.test(text);
}

function convertFlag(text: string): Converted<boolean> {
  if (['1', 'true', 'yes'].includes(text)) return { value: true };
  return ['0', 'false', 'no', ''].includes(text) ? { value: false } : WRONG;
}

function convertText(text: string): Converted<string> {
  return text === '' ? WRONG : { value: text };
}

function convertNumber(text: string, row: OptionRow): Converted<number> {
  const [min, max] = row.range ?? [0, 0];
  // Adding 0 makes the -0 of "-0" a plain one.
  return /^[+-]?[0-9]{1,7}$/.test(text) ? inRange(Number(text) + 0, min, max) : WRONG;
}

function convertDuration(text: string, row: OptionRow): Converted<WaitMs> {
  const duration = parseDuration(text);
  switch (duration.kind) {
    case 'duration':
      return row.positive && duration.ms === 0 ? WRONG : { value: duration.ms };
    case 'forever':
      return row.forever ? { value: null } : WRONG;
    case 'bare-number':
      return text.length > HINT_DIGITS ? WRONG : { hint: fill(HINTS.bareNumber, text) };
    case 'too-long':
      return { hint: HINTS.tooLong };
    case 'malformed':
      return WRONG;
  }
}

function receivable(text: string): SignalName | undefined {
  const number = signalNumber(text);
  return number !== undefined && canBeReceived(number) ? normalizeSignal(text) : undefined;
}

/** A name that passwd(5) can hold, or a number that is an id: 2^32 - 1 means "none" to the kernel. */
function isAccount(text: string): boolean {
  if (/^[0-9]+$/.test(text)) return text.length <= 10 && Number(text) < 0xffff_ffff;
  return /^[^-:\n][^:\n]*$/.test(text);
}

function convertUser(text: string): Converted<string> {
  const parts = text.split(':');
  return parts.length <= 2 && parts.every(isAccount) ? { value: text } : WRONG;
}

function convertUlimit(text: string): Converted<UlimitSpec> {
  const match = /^([a-z]+)=([^:]+)(?::([^:]+))?$/.exec(text);
  const [, resource = '', softText = '', hardText = softText] = match ?? [];
  const soft = limit(softText);
  const hard = limit(hardText);
  if (soft === undefined || hard === undefined) return WRONG;
  if (!(ULIMITS as readonly string[]).includes(resource)) return WRONG;
  return (soft ?? Infinity) > (hard ?? Infinity) ? WRONG : { value: [resource, soft, hard] };
}

/** `-1` is how Docker writes `unlimited`. */
function limit(text: string): number | null | undefined {
  if (text === 'unlimited' || text === '-1') return null;
  return /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined;
}

function convertExitMap(text: string): Converted<readonly [number, number]> {
  const match = /^([0-9]{1,3})(?:=([0-9]{1,3}))?$/.exec(text);
  if (match === null) return WRONG;
  const [from, to] = [Number(match[1]), Number(match[2] ?? 0)];
  return from > 255 || to > 255 ? WRONG : { value: [from, to] };
}

function convertRewrite(text: string): Converted<readonly [SignalName, SignalName | null]> {
  const colon = text.indexOf(':');
  if (colon < 0) return WRONG;
  const from = receivable(text.slice(0, colon));
  const to = text.slice(colon + 1) === '0' ? null : normalizeSignal(text.slice(colon + 1));
  return from === undefined || to === undefined ? WRONG : { value: [from, to] };
}

/** The wait is what follows the last colon, if that is a duration; a URL's port is none. */
function convertRung(text: string): Converted<RungSpec> {
  const colon = text.lastIndexOf(':');
  const wait: Duration = colon < 0 ? { kind: 'malformed' } : parseDuration(text.slice(colon + 1));
  const waits = wait.kind === 'duration' || wait.kind === 'forever';
  const head = waits ? text.slice(0, colon) : text;
  const waitMs = wait.kind === 'duration' ? wait.ms : wait.kind === 'forever' ? null : DEFAULT_GRACE_MS;
  if (head === 'wait') return { value: { action: 'wait', waitMs } };
  if (head.startsWith('exec:') && head.length > 5)
    return { value: { action: 'exec', command: head.slice(5), waitMs } };
  if (/^http-post:https?:\/\/./s.test(head)) {
    return { value: { action: 'http_post', url: head.slice(10), waitMs } };
  }
  const signal = normalizeSignal(head);
  return signal === undefined ? WRONG : { value: { action: 'signal', signal, waitMs } };
}
