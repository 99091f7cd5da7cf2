import type { Readable } from 'node:stream';
import { until } from './until.ts';

/** What a program has written so far, and lines of it to wait for. */
export interface Output {
  text(): string;
  /** The first line that matches, now or later. */
  line(pattern: RegExp, timeoutMs?: number): Promise<RegExpMatchArray>;
  /** All lines that match so far. */
  lines(pattern: RegExp): RegExpMatchArray[];
}

export function collect(stream: Readable | null): Output {
  let text = '';
  stream?.setEncoding('utf8');
  stream?.on('data', (chunk: string) => {
    text += chunk;
  });
  const lines = (pattern: RegExp) =>
    text
      .split('\n')
      .map((line) => line.match(pattern))
      .filter((match) => match !== null);
  return {
    text: () => text,
    lines,
    line: (pattern, timeoutMs = 30_000) =>
      until(
        `a line ${pattern}`,
        () => lines(pattern)[0],
        timeoutMs,
        () => `output so far: ${text.slice(-2000)}`,
      ),
  };
}

/** The moment that a fixture's line reports, comparable with records. */
export function moment(line: RegExpMatchArray): { mono_ns: string } {
  const at = line.input?.match(/ at (\d+)\r?$/)?.[1];
  if (!at) throw new Error(`no moment in "${line.input}"`);
  return { mono_ns: at };
}
