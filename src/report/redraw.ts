/** A text that takes the place of the one before on a terminal. Pure. */

const ESC = '\u001b[';

/**
 * Line over line, so that nothing flickers; only the first time the screen is emptied before. What has more lines than
 * the terminal has rows is cut, and says so: else its beginning would be scrolled away. `size` null: all of it, for the last time.
 */
export function redraw(text: string, first: boolean, size: { readonly rows: number } | null): string {
  const all = text.replace(/\n$/, '').split('\n');
  const lines = size === null || all.length < size.rows ? all : cut(all, size.rows - 1);
  return `${first ? `${ESC}2J` : ''}${ESC}H${lines.map((line) => `${line}${ESC}K\n`).join('')}${ESC}J`;
}

function cut(lines: readonly string[], rows: number): string[] {
  const kept = Math.max(1, rows - 1);
  return [...lines.slice(0, kept), `... and ${lines.length - kept} more lines`];
}
