/**
 * The sentences about wrong usage. init says the same ones without Node, so they are `printf` templates that the
 * header of init gets too, and everything that comes from outside is quoted byte by byte.
 */
import type { OptionRow } from './option-row.ts';
import { MAX_RUNGS, OPTION_ROWS } from './options.ts';

export const TEMPLATES = {
  value: 'cannot use "%s": %s is needed, got "%s"%s',
  missing: 'cannot use "%s": %s is needed, got nothing',
  unknown: 'cannot use "%s": there is no such option%s',
  flag: 'cannot use "%s": it takes no value, got "%s"',
  rungs: `cannot use "%s": a ladder has at most ${MAX_RUNGS} rungs`,
  rungAlone: 'cannot use "%s" together with "%s": the rungs are the whole ladder, with every signal and wait',
  restart: 'cannot use "%s" together with "%s": what is never restarted fails once',
  readyLog:
    'cannot use "%s" for a line of output: gsup must see it, and the command writes by itself; add --log prefix, json or file:PATH',
  tokenFile: 'cannot use "%s" without --http: there is nothing that it would open',
  detach:
    'cannot use "%s" together with "%s": whoever starts gsup in the background ends as soon as it is up',
  command: 'cannot run nothing: a command is needed, got none; write gsup run [options] -- CMD',
} as const;

export const HINTS = {
  bareNumber: '; write %ss',
  tooLong: '; 3650d is the longest',
  near: '; did you mean --%s?',
  help: '; see gsup run --help',
  helpUp: '; see gsup up --help',
} as const;

/** A longer value is cut here: a message is one line for people. */
export const QUOTE_BYTES = 64;

/** Longer numbers get no hint about the unit they lack. */
export const HINT_DIGITS = 12;

/** Option names typed longer than this get no suggestion. */
export const NEAR_BYTES = 32;

/** Fills the `%s` of a template in their order. */
export function fill(template: string, ...values: readonly string[]): string {
  let next = 0;
  return template.replace(/%s/g, () => values[next++] ?? '');
}

/**
 * Printable ASCII as it is, `"` and `\` escaped, every other byte as `\xNN`: nothing from outside may move a
 * terminal's cursor, and C and JavaScript need not agree on what a character is.
 */
export function quote(text: string): string {
  const bytes = Buffer.from(text.slice(0, QUOTE_BYTES + 1));
  const shown = [...bytes.subarray(0, QUOTE_BYTES)].map(quoteByte).join('');
  return bytes.length > QUOTE_BYTES ? `${shown}...` : shown;
}

/** A word where a command is expected. */
export function unknownCommand(word: string, names: readonly string[], before = ''): string {
  const near = nearest(word, names);
  const elsewhere =
    before === '' ? `to supervise a program write gsup run -- ${quote(word)}` : 'see gsup --help';
  const hint = near === undefined ? elsewhere : `did you mean gsup ${before}${near}?`;
  return `cannot run "${quote(before + word)}": there is no such command; ${hint}`;
}

function quoteByte(byte: number): string {
  if (byte === 0x22 || byte === 0x5c) return `\\${String.fromCharCode(byte)}`;
  if (byte >= 0x20 && byte < 0x7f) return String.fromCharCode(byte);
  return `\\x${byte.toString(16).padStart(2, '0')}`;
}

/** What to add to the sentence about an option that does not exist: the nearest one that does, or where to look. */
export function unknownOptionHint(
  typed: string,
  rows: readonly OptionRow[] = OPTION_ROWS,
  topic: string | null = null,
): string {
  const near = nearest(
    typed,
    rows.map((row) => row.long),
  );
  if (near !== undefined) return fill(HINTS.near, near);
  return topic === 'up' ? HINTS.helpUp : HINTS.help;
}

/**
 * The first name that `typed` begins, because abbreviations are the habit of getopt; else the nearest by single
 * edits, one for every three letters, which is about what a typing error is.
 */
export function nearest(typed: string, names: readonly string[]): string | undefined {
  const bytes = Buffer.from(typed.slice(0, NEAR_BYTES + 1)).toString('latin1');
  if (bytes.length < 2 || bytes.length > NEAR_BYTES) return undefined;
  const begun = names.find((name) => name.startsWith(bytes));
  if (begun !== undefined) return begun;
  let best: string | undefined;
  let least = Math.floor((bytes.length + 1) / 3);
  for (const name of names) {
    const distance = editDistance(bytes, name);
    if (distance > least || (distance === least && best !== undefined)) continue;
    best = name;
    least = distance;
  }
  return best;
}

/** Levenshtein: letters added, left out or replaced. */
function editDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, at) => at);
  for (let i = 1; i <= left.length; i++) {
    const next = [i];
    for (let j = 1; j <= right.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (left[i - 1] === right[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[right.length] ?? 0;
}
