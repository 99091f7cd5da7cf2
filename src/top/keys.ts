/** From what a terminal sends to the names of keys. Pure. */

/** `up`, `f9`, `ctrl-c`, `enter`, or the character itself. */
export type Key = string;

export interface KeysRead {
  readonly keys: readonly Key[];
  /** The begin of a sequence whose end has not come. */
  readonly rest: string;
}

const LETTERS: Readonly<Record<string, Key>> = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  F: 'end',
  H: 'home',
  P: 'f1',
  Q: 'f2',
  R: 'f3',
  S: 'f4',
};
const NUMBERS: Readonly<Record<string, Key>> = {
  1: 'home',
  3: 'delete',
  4: 'end',
  5: 'pageup',
  6: 'pagedown',
  7: 'home',
  8: 'end',
  11: 'f1',
  12: 'f2',
  13: 'f3',
  14: 'f4',
  15: 'f5',
  17: 'f6',
  18: 'f7',
  19: 'f8',
  20: 'f9',
  21: 'f10',
};
const CONTROLS: Readonly<Record<string, Key>> = {
  '\r': 'enter',
  '\n': 'enter',
  '\t': 'tab',
  '\u0003': 'ctrl-c',
  '\u0008': 'backspace',
  '\u000c': 'ctrl-l',
  '\u001a': 'ctrl-z',
  '\u007f': 'backspace',
};

// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what begins a sequence
const sequence = /^\u001b(?:\[([0-9;:<=>?]*)[ -/]*([@-~])|O([A-Za-z]))/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what begins a sequence
const unfinished = /^\u001b(?:\[[0-9;:<=>?]*[ -/]*|O)?$/;
const PASTE = '\u001b[200~';
const PASTE_END = '\u001b[201~';
/** No key is longer; what is goes to nobody. */
const SEQUENCE_MAX = 32;

/** `text`: the rest of before and what has come. What is pasted is no key: nobody means to press what a clipboard holds. */
export function readKeys(text: string): KeysRead {
  const keys: Key[] = [];
  let rest = text;
  while (rest !== '') {
    if (rest.startsWith(PASTE)) {
      const end = rest.indexOf(PASTE_END);
      // Of what is pasted only its end matters: that may come in two parts.
      if (end < 0) return { keys, rest: PASTE + rest.slice(PASTE.length).slice(-PASTE_END.length) };
      rest = rest.slice(end + PASTE_END.length);
      continue;
    }
    if (unfinished.test(rest) && rest.length <= SEQUENCE_MAX) return { keys, rest };
    const found = sequence.exec(rest);
    const length = found?.[0].length ?? [...rest][0]?.length ?? 1;
    const key = found === null ? CONTROLS[rest[0] ?? ''] : keyOf(found);
    const typed = rest.slice(0, length);
    if (key !== undefined) keys.push(key);
    else if (typed === '\u001b') keys.push('escape');
    else if (found === null && typed >= ' ') keys.push(typed);
    rest = rest.slice(length);
  }
  return { keys, rest: '' };
}

/** With Shift, Alt or Control it is the key all the same. */
function keyOf([, parameters = '', final = '', plain]: RegExpExecArray): Key | undefined {
  if (plain !== undefined) return LETTERS[plain];
  const [number = ''] = parameters.split(';');
  return final === '~' ? NUMBERS[number] : LETTERS[final];
}

/** Nothing has followed an escape for a while, so it was that key. */
export function isLoneEscape(rest: string): boolean {
  return rest === '\u001b';
}
