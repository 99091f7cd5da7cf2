/** An app as it is being converted: its mapping, and what has been taken of it. Pure. */
import { type Place, shown } from '../../config/problem.ts';
import { isList, isMapping, type Mapping, type Value } from '../../config/tree.ts';
import type { Notes } from '../draft.ts';
import { splitWords } from '../words.ts';

export interface App {
  readonly entry: string;
  readonly keys: Mapping;
  readonly notes: Notes;
  readonly placeOf: (key: string) => Place;
  readonly taken: Set<string>;
}

export function take(app: App, key: string): Value | undefined {
  app.taken.add(key);
  return app.keys[key];
}

export function lose(app: App, key: string, why: string): void {
  app.notes.note('lost', app.placeOf(key), app.entry, key, why);
}

export function change(app: App, key: string, why: string): void {
  app.notes.note('changed', app.placeOf(key), app.entry, key, why);
}

export function takeText(app: App, key: string): string | undefined {
  const value = take(app, key);
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return value;
  lose(app, key, `a text is needed, got ${shown(value)}`);
  return undefined;
}

/** A list, or a text that is split. */
export function takeWords(app: App, key: string): readonly string[] | undefined {
  const value = take(app, key);
  if (value === undefined || value === null) return undefined;
  const words =
    typeof value === 'string'
      ? splitWords(value)
      : isList(value)
        ? value.filter((item) => typeof item === 'string')
        : undefined;
  if (words === undefined) lose(app, key, 'a text or a list of texts is needed');
  return words;
}

export function takeFlag(app: App, key: string, otherwise: boolean): boolean {
  const text = takeText(app, key);
  return text === undefined ? otherwise : text === 'true';
}

/** Milliseconds, as a number or with a unit. */
export function takeTime(app: App, key: string): string | undefined {
  const text = takeText(app, key);
  if (text === undefined) return undefined;
  if (/^\d{1,12}$/.test(text)) return `${text}ms`;
  if (/^\d{1,9}[hms]$/.test(text)) return text;
  lose(app, key, `a time like 1000 or 10s is needed, got ${shown(text)}`);
  return undefined;
}

export function takeWhole(app: App, key: string): number | undefined {
  const text = takeText(app, key);
  if (text === undefined) return undefined;
  if (/^-?\d{1,6}$/.test(text)) return Number(text);
  lose(app, key, `a number is needed, got ${shown(text)}`);
  return undefined;
}

/** A list of numbers, or one. */
export function takeCodes(app: App, key: string): readonly number[] | undefined {
  const value = take(app, key);
  const list = isList(value) ? value : value === undefined || value === null ? [] : [value];
  const codes = list.map(Number).filter((code) => Number.isInteger(code) && code >= 0 && code <= 255);
  if (codes.length < list.length) lose(app, key, 'numbers from 0 to 255 are needed');
  return codes.length === 0 ? undefined : codes;
}

export function variablesOf(value: Value | undefined): ReadonlyArray<readonly [string, string]> {
  if (!isMapping(value)) return [];
  return Object.entries(value).flatMap(([name, text]) =>
    typeof text === 'string' ? [[name, text] as const] : [],
  );
}
