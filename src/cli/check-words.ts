/** What `gsup check` is asked to check: a config file, or a command line of `run`. Pure. */
import { ORCHESTRATORS, type Orchestrator } from '../config/orchestrators.ts';
import { fill, quote, TEMPLATES } from './messages.ts';
import { OPTION_ROWS } from './options.ts';

export type Asked =
  | { readonly kind: 'config' }
  /** `words`: what is left for the command line of `run`. */
  | { readonly kind: 'run'; readonly words: readonly string[]; readonly for: Orchestrator | null }
  | { readonly kind: 'error'; readonly message: string };

const FLAGS = ['--print'];
const VALUES = ['--file', '-f', '--for'];

/**
 * Whatever is left when its own options are taken away is a command line of `run`, as in `check -g 5s -- app`. Options of
 * every command may stand among them.
 */
export function askedOf(words: readonly string[]): Asked {
  const left: string[] = [];
  const own = new Map<string, string>();
  let at = 0;
  while (at < words.length) {
    const word = words[at] ?? '';
    const name = nameOf(word);
    const common = OPTION_ROWS.find((row) => row.common && !row.action && isNamed(row, name));
    if (!FLAGS.includes(name) && !VALUES.includes(name) && common === undefined) break;
    const takesNext =
      word === name && (VALUES.includes(name) || (common !== undefined && common.kind !== 'flag'));
    if (common === undefined)
      own.set(name, takesNext ? (words[at + 1] ?? '') : word.slice(name.length).replace(/^=/, ''));
    else left.push(...words.slice(at, takesNext ? at + 2 : at + 1));
    at += takesNext ? 2 : 1;
  }
  if (at >= words.length) return { kind: 'config' };
  return runOf(own, [...left, ...words.slice(words[at] === 'run' ? at + 1 : at)]);
}

/** `--for=docker` → `--for`; `-fx` → `-f`. */
function nameOf(word: string): string {
  if (word.startsWith('--')) return word.split('=', 1)[0] ?? word;
  return /^-[a-z]./.test(word) ? word.slice(0, 2) : word;
}

function isNamed(row: { readonly long: string; readonly short?: string }, name: string): boolean {
  return name === `--${row.long}` || (row.short !== undefined && name === `-${row.short}`);
}

function runOf(own: ReadonlyMap<string, string>, words: readonly string[]): Asked {
  const asked = own.get('--for');
  const other = [...own.keys()].find((name) => name !== '--for');
  if (other !== undefined) {
    const message = `cannot use "${other}" together with "${quote(words[0] ?? '')}": a config file is checked, or a command`;
    return { kind: 'error', message };
  }
  if (asked === undefined) return { kind: 'run', words, for: null };
  const orchestrator = orchestratorOf(asked);
  if (orchestrator === undefined) return { kind: 'error', message: unknownOrchestrator(asked) };
  return { kind: 'run', words, for: orchestrator };
}

export function orchestratorOf(text: string): Orchestrator | undefined {
  return ORCHESTRATORS.find((name) => name === text);
}

export function unknownOrchestrator(text: string): string {
  const need = ORCHESTRATORS.join(', ').replace(/, ([^,]*)$/, ' or $1');
  return fill(TEMPLATES.value, '--for', need, quote(text), '');
}
