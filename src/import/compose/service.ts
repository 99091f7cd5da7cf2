/** A service as it is being converted: its mapping, and what has been taken of it. Pure. */
import { type Place, shown } from '../../config/problem.ts';
import { isList, isMapping, type Mapping, type Tree, type Value, valuePlace } from '../../config/tree.ts';
import type { Notes, Plain, RemarkKind } from '../draft.ts';

export interface Service {
  /** As Compose calls it, and as gsup does. */
  readonly name: string;
  readonly entry: string;
  readonly keys: Mapping;
  readonly tree: Tree;
  readonly notes: Notes;
  readonly taken: Set<string>;
}

export function take(service: Service, key: string): Value | undefined {
  service.taken.add(key);
  return service.keys[key];
}

export function placeIn({ name, tree }: Service, ...path: readonly (string | number)[]): Place {
  return valuePlace(tree, ['services', name, ...path]);
}

export function remark(
  service: Service,
  kind: RemarkKind,
  path: readonly (string | number)[],
  why: string,
): void {
  service.notes.note(kind, placeIn(service, ...path), service.entry, path.join('.'), why);
}

/** A text, whatever it looks like; what is none is remarked on. */
export function takeText(service: Service, key: string): string | undefined {
  const value = take(service, key);
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return value;
  remark(service, 'lost', [key], `a text is needed, got ${shown(value)}`);
  return undefined;
}

export function takeFlag(service: Service, key: string): boolean {
  const text = takeText(service, key);
  if (text === undefined || /^(?:false|no|off)$/i.test(text)) return false;
  if (/^(?:true|yes|on)$/i.test(text)) return true;
  remark(service, 'lost', [key], `true or false is needed, got ${shown(text)}`);
  return false;
}

/** As it stands: scalars stay the texts that they are in the file. */
export function plain(value: Value): Plain {
  if (isList(value)) return value.map(plain);
  if (!isMapping(value)) return value as string | null;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

/** A text, or a list of texts; undefined: something else. */
export function textsOf(value: Value | undefined): readonly string[] | undefined {
  if (typeof value === 'string') return [value];
  if (!isList(value)) return undefined;
  const texts = value.filter((item) => typeof item === 'string');
  return texts.length === value.length ? texts : undefined;
}
