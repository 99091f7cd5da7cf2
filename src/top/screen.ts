/** What a terminal has to be sent so that it shows other lines than before. Pure. */
import { widthOf } from '../report/width.ts';

/** A part of a line, in one look. */
export interface Span {
  readonly text: string;
  readonly look?: Look;
}

export type Look = 'head' | 'chosen' | 'good' | 'warn' | 'bad' | 'faint' | 'strong';

export type ScreenLine = readonly Span[];

/** As many lines as the terminal has rows, none of them wider than it. */
export type Frame = readonly ScreenLine[];

const ESC = '\u001b[';
/** Other screen, no cursor, no wrapping (so a width that a terminal sees otherwise spoils one line only), pastes are marked. */
export const ENTER = `${ESC}?1049h${ESC}?25l${ESC}?7l${ESC}?2004h${ESC}0m${ESC}2J`;
export const LEAVE = `${ESC}0m${ESC}?2004l${ESC}?7h${ESC}?25h${ESC}?1049l`;

/** Reversed and bold are no colours: https://no-color.org */
const LOOKS: Readonly<Record<Look, readonly [coloured: string, plain: string]>> = {
  head: ['7', '7'],
  chosen: ['7', '7'],
  good: ['32', ''],
  warn: ['33', ''],
  bad: ['31', ''],
  faint: ['2', ''],
  strong: ['1', '1'],
};

export function paintLine(line: ScreenLine, colour: boolean): string {
  return line
    .map(({ text, look }) => {
      const code = look === undefined ? '' : LOOKS[look][colour ? 0 : 1];
      return code === '' || text === '' ? text : `${ESC}${code}m${text}${ESC}0m`;
    })
    .join('');
}

/** `before` null: nobody knows what is there. Nothing is sent for a line that is as it was. */
export function updateScreen(
  before: Frame | null,
  frame: Frame,
  size: { readonly columns: number },
  colour: boolean,
): string {
  const sent = frame.map((line, at) => {
    const painted = paintLine(line, colour);
    const was = before?.[at];
    if (was !== undefined && paintLine(was, colour) === painted) return '';
    // Behind the last column an erasure would take the last character with it.
    const width = line.reduce((sum, { text }) => sum + widthOf(text), 0);
    return `${ESC}${at + 1};1H${painted}${width < size.columns ? `${ESC}K` : ''}`;
  });
  return (before === null ? `${ESC}0m${ESC}2J` : '') + sent.join('');
}
