/** Values of a program's section, each as supervisord reads it. Pure. */
import { normalizeSignal } from '../../signals/names.ts';
import type { Notes } from '../draft.ts';
import { type Expanded, expand, type Variables } from './expand.ts';
import type { Section, Value } from './ini.ts';

/** A section being converted: what has been asked for is known of. */
export interface Reader {
  readonly section: Section;
  readonly notes: Notes;
  readonly variables: Variables;
  readonly asked: Set<string>;
  /** Names of the environment that the values take. */
  readonly env: Set<string>;
}

export function newReader(section: Section, notes: Notes, variables: Variables): Reader {
  return { section, notes, variables, asked: new Set(), env: new Set() };
}

export function rawValue(reader: Reader, key: string): Value | undefined {
  reader.asked.add(key);
  return reader.section.values.get(key);
}

/** For a config, with its variables put in. */
export function textOf(reader: Reader, key: string): string | undefined {
  const value = rawValue(reader, key);
  return value === undefined ? undefined : expandedOf(reader, key, value).text;
}

export function expandedOf(reader: Reader, key: string, value: Value): Expanded {
  const expanded = expand(value.text, reader.variables);
  for (const name of expanded.env) reader.env.add(name);
  if (expanded.problem !== undefined) refuse(reader, key, value, expanded.problem);
  return expanded;
}

export function refuse(reader: Reader, key: string, { place }: Value, rule: string): void {
  reader.notes.refuse(place, `[${reader.section.name}] ${key}: ${rule}`);
}

export function numberOf(reader: Reader, key: string, otherwise: number): number {
  const text = textOf(reader, key);
  if (text === undefined) return otherwise;
  if (/^[-+]?\d{1,9}$/.test(text)) return Number(text);
  refuse(reader, key, rawValue(reader, key) as Value, `a whole number is needed, got ${shown(text)}`);
  return otherwise;
}

const FLAGS: Readonly<Record<string, boolean>> = {
  ...{ yes: true, true: true, on: true, '1': true },
  ...{ no: false, false: false, off: false, '0': false },
};

export function flagOf(reader: Reader, key: string, otherwise: boolean): boolean {
  const text = textOf(reader, key);
  if (text === undefined) return otherwise;
  const word = text.toLowerCase();
  if (Object.hasOwn(FLAGS, word)) return FLAGS[word] === true;
  refuse(reader, key, rawValue(reader, key) as Value, `true or false is needed, got ${shown(text)}`);
  return otherwise;
}

export function signalOf(reader: Reader, key: string, otherwise: string): string {
  const text = textOf(reader, key);
  if (text === undefined) return otherwise;
  const name = normalizeSignal(text.toUpperCase());
  if (name !== undefined) return name;
  refuse(reader, key, rawValue(reader, key) as Value, `a signal is needed, got ${shown(text)}`);
  return otherwise;
}

/** `5MB` → `5MB`, as gsup writes sizes; null: 0, which means no limit. */
export function sizeOf(reader: Reader, key: string, otherwise: string): string | null {
  const text = textOf(reader, key);
  if (text === undefined) return otherwise;
  const [, count = '', unit = ''] = /^(\d{1,12})\s*(kb|mb|gb)?$/i.exec(text) ?? [];
  if (count !== '')
    return Number(count) === 0 ? null : `${Number(count)}${unit === '' ? 'b' : unit.toUpperCase()}`;
  refuse(reader, key, rawValue(reader, key) as Value, `a size like 50MB is needed, got ${shown(text)}`);
  return otherwise;
}

/** `A="1",B='2'`, its variables put in. */
export function environmentOf(reader: Reader, key = 'environment'): Record<string, string> | undefined {
  const value = rawValue(reader, key);
  if (value === undefined) return undefined;
  const found: Record<string, string> = {};
  const pair = /\s*([^\s=,"']+)\s*=\s*("[^"]*"|'[^']*'|[^\s,]*)\s*(?:,|$)/y;
  while (pair.lastIndex < value.text.length) {
    const from = pair.lastIndex;
    const [, name = '', said = ''] = pair.exec(value.text) ?? [];
    if (name === '') {
      refuse(reader, key, value, `pairs like A="1",B="2" are needed, got ${shown(value.text.slice(from))}`);
      break;
    }
    const text = said.replace(/^(["'])(.*)\1$/s, '$2');
    found[name] = expandedOf(reader, key, { ...value, text }).text;
  }
  return Object.keys(found).length === 0 ? undefined : found;
}

export function shown(text: string): string {
  return JSON.stringify(text.slice(0, 64));
}

/** What nobody has asked for. */
export function unasked({ section, asked }: Reader): ReadonlyArray<readonly [key: string, value: Value]> {
  return [...section.values].filter(([key]) => !asked.has(key));
}
