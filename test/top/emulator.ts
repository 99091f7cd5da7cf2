/** As much of a terminal as `gsup top` uses. Whatever else it is sent is an error. */
import { characterWidth } from '../../src/report/width.ts';

export interface Emulator {
  readonly feed: (text: string) => void;
  /** The characters on the screen, a text for each row. */
  readonly rows: () => string[];
}

export function createEmulator({ columns, rows }: { columns: number; rows: number }): Emulator {
  const blank = (): string[] => Array.from({ length: columns }, () => ' ');
  let screen = Array.from({ length: rows }, blank);
  let [row, column] = [0, 0];

  const put = (character: string): void => {
    const width = characterWidth(character);
    const line = screen[row];
    if (line === undefined || column + width > columns)
      throw new Error(`"${character}" is outside of the screen`);
    if (width === 0) line[column - 1] += character;
    else line.splice(column, width, character, ...Array.from({ length: width - 1 }, () => ''));
    column += width;
  };
  const obey = (parameters: string, final: string): void => {
    const [first = 1, second = 1] = parameters.split(';').map(Number);
    if (final === 'H') [row, column] = [first - 1, second - 1];
    else if (final === 'K') {
      if (column >= columns) throw new Error('an erasure behind the last column');
      screen[row]?.splice(column, columns, ...blank().slice(column));
    } else if (final === 'J' && parameters === '2') screen = Array.from({ length: rows }, blank);
    else if (final !== 'm') throw new Error(`unknown: ${parameters}${final}`);
  };
  return {
    feed(text) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what begins a sequence
      for (const [character, parameters, final] of text.matchAll(/\u001b\[([\d;]*)([A-Za-z])|./gsu))
        if (final !== undefined) obey(parameters ?? '', final);
        else if (character < ' ' || (character >= '\u007f' && character < '\u00a0'))
          throw new Error(`a control character: ${JSON.stringify(character)}`);
        else put(character);
    },
    rows: () => screen.map((line) => line.join('')),
  };
}
