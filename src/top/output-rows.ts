/** The output of a process as rows of the screen. Pure. */
import { escapeText } from '../report/escape.ts';
import { wrapTo } from '../report/width.ts';
import type { View } from './model.ts';

const TAB = 8;
/** More than a line of the model has: whoever filled that has cut it. */
const LINE_MAX = 40_000;

/** The last lines that fit, above those that are scrolled away; a long one takes several rows. */
export function outputRows(
  { lines, back, why }: Extract<View, { kind: 'logs' }>,
  { rows, columns }: { readonly rows: number; readonly columns: number },
): string[] {
  if (lines.length === 0) return wrapTo(escapeText(why), columns).slice(0, rows);
  let shown: string[] = [];
  for (let at = lines.length - 1 - back; at >= 0 && shown.length < rows; at--)
    shown = [...wrapTo(escapeText(withoutTabs(lines[at] ?? ''), LINE_MAX), columns), ...shown];
  return shown.slice(-Math.max(0, rows));
}

/** To the next column that 8 divides. */
function withoutTabs(text: string): string {
  return text
    .split('\t')
    .reduce((all, part, at) => (at === 0 ? part : all + ' '.repeat(TAB - (all.length % TAB)) + part), '');
}
