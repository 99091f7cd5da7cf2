/** What is wrong with a config, and where. */

/** From 1, as editors count; line 0: the file as a whole. Columns are UTF-16 units. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface Problem extends Place {
  /** `processes.web.stop.grace`; empty: the whole file. */
  readonly path: string;
  /** `cannot <do> "<what>": <rule or cause>, got <value>`. */
  readonly message: string;
  /** What to write instead; empty: the message says it all. */
  readonly hint: string;
}

export type Path = readonly (string | number)[];

/** `processes.web.command[2]`. */
export function pathText(path: Path): string {
  return path.map((step, at) => stepText(step, at)).join('');
}

function stepText(step: string | number, at: number): string {
  if (typeof step === 'number') return `[${step}]`;
  return at === 0 ? step : `.${step}`;
}

/** One line for people: place, sentence, hint. */
export function problemLine({ file, line, column, message, hint }: Problem): string {
  const place = line === 0 ? '' : `${file}:${line}:${column}: `;
  return `${place}${message}${hint === '' ? '' : `; ${hint}`}`;
}

/** A value from outside, short enough for a sentence. */
export function shown(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  const text = String(value);
  return `"${text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}...` : text}"`;
}

const SHOWN_LENGTH = 64;

/** By file as they were read, then from top to bottom. */
export function inOrder(problems: readonly Problem[], files: readonly string[]): Problem[] {
  const rank = (problem: Problem) => (files.indexOf(problem.file) + 1 || files.length + 1) - 1;
  const unique = new Map(problems.map((problem) => [JSON.stringify(problem), problem]));
  return [...unique.values()].sort(
    (a, b) => rank(a) - rank(b) || a.line - b.line || a.column - b.column || 0,
  );
}
