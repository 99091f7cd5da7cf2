/** The terminal that a command is on. */
import { isatty } from 'node:tty';

/** null: standard output is no terminal. One that does not say how large it is has the usual size. */
export function terminalSize(): { columns: number; rows: number } | null {
  if (!isatty(1)) return null;
  const [columns, rows] = process.stdout.getWindowSize();
  return { columns: columns || 80, rows: rows || 24 };
}

/** https://no-color.org */
export function allowsColour(): boolean {
  return !process.env.NO_COLOR && process.env.TERM !== 'dumb';
}
