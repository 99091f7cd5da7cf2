/**
 * Files of variables as Compose reads them: `.env` beside a config, and `env_file`. Beyond what `--env-file` takes
 * (env-file.ts): `export NAME=value`, quotes, and comments after a value.
 */
import type { Place } from './problem.ts';

export interface Dotenv {
  /** In the order of the file; null: the value that gsup has, if any. */
  readonly entries: ReadonlyArray<readonly [key: string, value: string | null]>;
  readonly problems: ReadonlyArray<Place & { readonly rule: string }>;
}

export function parseDotenv(text: string, file: string): Dotenv {
  const entries: Array<readonly [string, string | null]> = [];
  const problems: Array<Place & { rule: string }> = [];
  for (const [at, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const entry = entryOf(line);
    if (typeof entry !== 'string') entries.push(entry);
    else problems.push({ file, line: at + 1, column: raw.length - raw.trimStart().length + 1, rule: entry });
  }
  return { entries, problems };
}

/** The entry, or the rule that the line breaks. */
function entryOf(line: string): readonly [string, string | null] | string {
  if (line.includes('\0')) return 'a text is needed, got a NUL byte';
  const [, key = '', value] = /^(?:export\s+)?([^\s=]+)(?:\s*=\s*(.*))?$/.exec(line) ?? [];
  if (key === '' || key === '__proto__')
    return `a variable like NAME=value is needed, got ${JSON.stringify(line.slice(0, 64))}`;
  if (value === undefined) return [key, null];
  const plain = unquoted(value);
  return plain === undefined ? 'a closing quote is needed at the end of the line' : [key, plain];
}

/** undefined: a quote is open. */
function unquoted(text: string): string | undefined {
  const quote = text[0];
  if (quote !== '"' && quote !== "'") return text.replace(/(?:^|\s)#.*$/, '').trimEnd();
  const pattern = quote === '"' ? /^"((?:[^"\\]|\\.)*)"\s*(?:#.*)?$/ : /^'([^']*)'\s*(?:#.*)?$/;
  const inner = pattern.exec(text)?.[1];
  return quote === '"' ? inner?.replace(/\\(.)/g, (_, letter) => ESCAPES[letter] ?? letter) : inner;
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };
