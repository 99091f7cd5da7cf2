/**
 * Names, paths and messages from outside are shown, not obeyed: what moves a cursor, changes a colour, reverses text
 * or ends a line becomes visible. Pure.
 */

/** A line on a terminal is for people; whoever sends more has made a mistake or is up to something. */
export const SHOWN_MAX = 1000;

/**
 * Controls (C0, DEL and C1), line and paragraph separators, marks that change the direction of text, what is
 * invisible, and halves of surrogate pairs.
 */
const harmful =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]|\p{Surrogate}/gu;

/** One line of at most `max` characters and three dots. */
export function escapeText(text: string, max = SHOWN_MAX): string {
  const cut = text.length > max;
  // An escaped character is longer than itself, so what is cut first cannot be too short.
  const shown = text.slice(0, max).replace(harmful, escapeCharacter);
  return cut || shown.length > max ? `${shown.slice(0, max)}...` : shown;
}

/** Colours and the like, and nothing that is hidden by them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what begins a colour
const colour = /\u001b\[(?!(?:[\d;:]*[;:])?0*8(?:[;:]|m))[\d;:]{0,40}m/g;

/** A line of output, for a terminal: its colours and tabs are obeyed, all else is shown. Its length is its writer's. */
export function escapeLine(text: string): string {
  let shown = '';
  let from = 0;
  for (const { index, 0: code } of text.matchAll(colour)) {
    shown += escapeButTabs(text.slice(from, index)) + code;
    from = index + code.length;
  }
  return shown + escapeButTabs(text.slice(from));
}

function escapeButTabs(text: string): string {
  return text.replace(harmful, (character) => (character === '\t' ? character : escapeCharacter(character)));
}

function escapeCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code < 0x100 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`;
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0');
}

/** Every string in a value that is going to be JSON. JSON escapes most by itself, but whoever decodes it may print it. */
export function escapeAll<T>(value: T): T {
  if (typeof value === 'string') return escapeText(value) as T;
  if (Array.isArray(value)) return value.map(escapeAll) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [escapeText(key), escapeAll(item)]),
  ) as T;
}
