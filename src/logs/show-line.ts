/**
 * How a line of a log is shown: as it was written where somebody's program reads it, without what could do harm on a
 * terminal, or as JSON. Pure.
 */
import { escapeLine } from '../report/escape.ts';
import type { LogLine } from './log-line.ts';

export interface Style {
  readonly form: 'plain' | 'terminal' | 'json';
  /** Each line begins with the name of its process. */
  readonly prefix: boolean;
  readonly timestamps: boolean;
  readonly colour: boolean;
}

/** The pump's: src/init/lines.c. They can be read on light and on dark. */
const SHADES = [36, 33, 32, 35, 34, 31];
const WIDTH_MAX = 24;
const RESET = '\u001b[0m';

export type ShowLine = (line: LogLine) => Uint8Array;

/** `names`: of all processes that are shown, for the width of the prefix and its colours. More may come later. */
export function createShow(style: Style, names: readonly string[]): ShowLine {
  const shades = new Map(names.map((name, at) => [name, at]));
  const width = Math.min(WIDTH_MAX, Math.max(0, ...names.map((name) => name.length)));
  const shadeOf = (name: string): string => {
    const at = shades.get(name) ?? shades.size;
    shades.set(name, at);
    return `\u001b[${SHADES[at % SHADES.length]}m`;
  };
  const head = ({ process, time }: LogLine): string => {
    const stamp = style.timestamps ? `${time} ` : '';
    if (!style.prefix) return stamp;
    const name = process.padEnd(width);
    return stamp + (style.colour ? `${shadeOf(process)}${name} |${RESET} ` : `${name} | `);
  };
  if (style.form === 'json') return (line) => encode(`${jsonOf(line)}\n`);
  if (style.form === 'terminal') return (line) => encode(`${head(line)}${shownText(line.text)}\n`);
  return (line) => withHead(head(line), line);
}

/** A line without an end gets one all the same, so that the next line is not part of it. */
function withHead(head: string, { text }: LogLine): Uint8Array {
  const before = encode(head);
  const bytes = new Uint8Array(before.length + text.length + 1);
  bytes.set(before);
  bytes.set(text, before.length);
  bytes[bytes.length - 1] = 0x0a;
  return bytes;
}

/** Its colours end with it. */
function shownText(text: Uint8Array): string {
  const shown = escapeLine(decoder.decode(text));
  return shown.includes('\u001b') ? shown + RESET : shown;
}

/** As `--log json` has it. */
function jsonOf({ time, process, run, stream, text, ends }: LogLine): string {
  const line = { time, process, run, stream, msg: decoder.decode(text), ...(ends ? {} : { partial: true }) };
  return JSON.stringify(line).replaceAll(/[\u007f-\u009f]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`);
}

/** What is no UTF-8 becomes U+FFFD. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();

function encode(text: string): Uint8Array {
  return encoder.encode(text);
}
