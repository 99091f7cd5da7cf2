/**
 * Files of variables as Compose reads them: `.env` beside a config, and `env_file`. Beyond what `--env-file` takes
 * (env-file.ts): `export NAME=value`, quotes, comments after a value, and variables in what is not in single quotes.
 */
import type { Environment } from '../cli/parse.ts';
import { interpolate } from './interpolate.ts';
import type { Place } from './problem.ts';

export interface Dotenv {
  /** In the order of the file; null: the value that gsup has, if any. */
  readonly entries: ReadonlyArray<readonly [key: string, value: string | null]>;
  readonly problems: ReadonlyArray<Place & { readonly rule: string }>;
  /** Variables without a value: an empty text is taken for them. */
  readonly unset: ReadonlyArray<Place & { readonly name: string }>;
}

/** `variables`: what values may name. They win over what stands further above in the file, as in Compose. */
export function parseDotenv(text: string, file: string, variables: Environment): Dotenv {
  const entries: Array<readonly [string, string | null]> = [];
  const problems: Array<Place & { rule: string }> = [];
  const unset: Array<Place & { name: string }> = [];
  const known: Record<string, string | undefined> = { ...variables };
  for (const [at, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const place = { file, line: at + 1, column: raw.length - raw.trimStart().length + 1 };
    const entry = entryOf(line);
    if (typeof entry === 'string') {
      problems.push({ ...place, rule: entry });
      continue;
    }
    const read = entry.literal ? ownText(entry.value) : interpolate(entry.value ?? '', known, false);
    problems.push(...read.problems.map((rule) => ({ ...place, rule })));
    unset.push(...read.unset.map((name) => ({ ...place, name })));
    entries.push([entry.key, entry.value === null ? null : read.text]);
    if (entry.value !== null && !Object.hasOwn(variables, entry.key)) known[entry.key] = read.text;
  }
  return { entries, problems, unset };
}

interface Entry {
  readonly key: string;
  readonly value: string | null;
  /** In single quotes: a dollar is a dollar. */
  readonly literal: boolean;
}

const ownText = (value: string | null) => ({ text: value ?? '', problems: [], unset: [] });

/** The entry, or the rule that the line breaks. */
function entryOf(line: string): Entry | string {
  if (line.includes('\0')) return 'a text is needed, got a NUL byte';
  const [, key = '', value] = /^(?:export\s+)?([^\s=]+)(?:\s*=\s*(.*))?$/.exec(line) ?? [];
  if (key === '' || key === '__proto__')
    return `a variable like NAME=value is needed, got ${JSON.stringify(line.slice(0, 64))}`;
  if (value === undefined) return { key, value: null, literal: true };
  const plain = unquoted(value);
  if (plain === undefined) return 'a closing quote is needed at the end of the line';
  return { key, value: plain, literal: value.startsWith("'") };
}

/** Its text, a dollar that is none of a variable doubled. undefined: a quote is open. */
function unquoted(text: string): string | undefined {
  const quote = text[0];
  if (quote !== '"' && quote !== "'") return text.replace(/(?:^|\s)#.*$/, '').trimEnd();
  const pattern = quote === '"' ? /^"((?:[^"\\]|\\.)*)"\s*(?:#.*)?$/ : /^'([^']*)'\s*(?:#.*)?$/;
  const inner = pattern.exec(text)?.[1];
  return quote === '"' ? inner?.replace(/\\(.)/g, (_, letter) => ESCAPES[letter] ?? letter) : inner;
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', $: '$$' };
