/**
 * Variables in the values of a config, as Compose has them: `${VAR}`, `$VAR`, `${VAR:-default}`, `${VAR-default}`,
 * `${VAR:?message}`, `${VAR?message}`, `${VAR:+other}`, `${VAR+other}`, and `$$` for a dollar. In a command for a shell
 * everything that is not a braced variable with a value is left to the shell, which has the same language. Pure.
 */
import type { Environment } from '../cli/parse.ts';

export interface Interpolated {
  readonly text: string;
  /** Variables that had no value, and no default. */
  readonly unset: readonly string[];
  /** Rules that the text breaks. */
  readonly problems: readonly string[];
}

/** Defaults in defaults in defaults: a mistake. */
const MAX_DEPTH = 10;

export function interpolate(text: string, variables: Environment, forShell: boolean): Interpolated {
  const unset: string[] = [];
  const problems: string[] = [];
  const read = (part: string, depth: number): string => {
    let out = '';
    for (let at = 0; at < part.length; ) {
      const dollar = part.indexOf('$', at);
      if (dollar < 0) return out + part.slice(at);
      const found = findReference(part, dollar);
      out += part.slice(at, dollar) + replace(found, depth);
      at = dollar + found.source.length;
    }
    return out;
  };
  const replace = (found: Reference, depth: number): string => {
    if (found.kind === 'text') return found.text;
    if (found.kind === 'broken' || depth > MAX_DEPTH) {
      if (forShell) return found.source;
      problems.push(
        `a variable like \${NAME} is needed (write $$ for a dollar), got ${JSON.stringify(found.source.slice(0, 64))}`,
      );
      return '';
    }
    if (forShell && (!found.braced || ownValue(variables, found.name) === undefined)) return found.source;
    return expand(found, depth);
  };
  const expand = (found: Variable, depth: number): string => {
    const value = ownValue(variables, found.name);
    const has = value !== undefined && !(found.colon && value === '');
    switch (found.operator) {
      case '-':
        return has ? value : read(found.word, depth + 1);
      case '+':
        return has ? read(found.word, depth + 1) : '';
      case '?':
        if (has) return value;
        problems.push(`${found.name} must be set${found.word === '' ? '' : `: ${found.word.slice(0, 200)}`}`);
        return '';
      case '':
        if (value === undefined) unset.push(found.name);
        return value ?? '';
    }
  };
  return { text: read(text, 0), unset: [...new Set(unset)], problems };
}

/** What is inherited from Object is no variable. */
export function ownValue(variables: Environment, name: string): string | undefined {
  return Object.hasOwn(variables, name) ? variables[name] : undefined;
}

interface Variable {
  readonly kind: 'variable';
  readonly source: string;
  readonly name: string;
  readonly braced: boolean;
  readonly operator: '' | '-' | '?' | '+';
  /** An empty value counts as none. */
  readonly colon: boolean;
  readonly word: string;
}

type Reference =
  | Variable
  | { readonly kind: 'text'; readonly source: string; readonly text: string }
  | { readonly kind: 'broken'; readonly source: string };

/** What begins with the dollar at `at`. */
function findReference(text: string, at: number): Reference {
  const next = text[at + 1];
  if (next === '$') return { kind: 'text', source: '$$', text: '$' };
  if (next === '{') return findBraced(text, at);
  const name = /^[A-Za-z_][A-Za-z0-9_]*/.exec(text.slice(at + 1, at + 1 + NAME_MAX))?.[0];
  if (name === undefined) return { kind: 'text', source: '$', text: '$' };
  return { kind: 'variable', source: `$${name}`, name, braced: false, operator: '', colon: false, word: '' };
}

const NAME_MAX = 256;

function findBraced(text: string, at: number): Reference {
  const end = closingBrace(text, at + 2);
  if (end < 0) return { kind: 'broken', source: text.slice(at) };
  const source = text.slice(at, end + 1);
  const match = /^([A-Za-z_][A-Za-z0-9_]*)(?:(:?)([-?+])(.*))?$/s.exec(source.slice(2, -1));
  if (match === null) return { kind: 'broken', source };
  const [, name = '', colon = '', operator = '', word = ''] = match;
  return {
    ...{ kind: 'variable', source, name, braced: true, word },
    operator: operator as Variable['operator'],
    colon: colon !== '',
  };
}

function closingBrace(text: string, from: number): number {
  let depth = 1;
  for (let at = from; at < text.length; at++) {
    if (text[at] === '{' && text[at - 1] === '$') depth++;
    if (text[at] === '}' && --depth === 0) return at;
  }
  return -1;
}
