/**
 * A config as it was written: mappings, lists and texts, each with its place. Scalars stay the texts that they are in
 * the file, so that `022`, `1.10` and `no` mean what they look like; each key knows how to read its own.
 */
import { type Path, type Place, pathText } from './problem.ts';

export type Value = string | null | readonly Value[] | Mapping;

/** Without prototype: a key is a key, whatever it is called. */
export interface Mapping {
  readonly [key: string]: Value;
}

export interface Tree {
  readonly value: Value;
  /** By path, as `placeKey` writes it: where the value begins, and where its key does. */
  readonly places: ReadonlyMap<string, Places>;
}

export interface Places {
  readonly key: Place;
  readonly value: Place;
}

export function placeKey(path: Path): string {
  return JSON.stringify(path);
}

/** Where the key of `path` stands, or that of the nearest mapping around it. */
export function keyPlace(tree: Tree, path: Path): Place {
  return nearestPlaces(tree, path).key;
}

/** Where the value of `path` stands. What is not there stands where the mapping that lacks it does. */
export function valuePlace(tree: Tree, path: Path): Place {
  const own = tree.places.get(placeKey(path));
  return own === undefined ? nearestPlaces(tree, path).key : own.value;
}

function nearestPlaces(tree: Tree, path: Path): Places {
  for (let length = path.length; length >= 0; length--) {
    const places = tree.places.get(placeKey(path.slice(0, length)));
    if (places !== undefined) return places;
  }
  throw new Error(`no place for "${pathText(path)}"`);
}

export function isMapping(value: Value | undefined): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isList(value: Value | undefined): value is readonly Value[] {
  return Array.isArray(value);
}

export function newMapping(entries: Iterable<readonly [string, Value]>): Mapping {
  const mapping: Record<string, Value> = Object.create(null);
  for (const [key, value] of entries) mapping[key] = value;
  return mapping;
}

/** What stands at `path`; undefined: nothing does. */
export function valueAt(value: Value, path: Path): Value | undefined {
  let found: Value | undefined = value;
  for (const step of path) {
    if (isList(found)) found = found[Number(step)];
    else if (isMapping(found)) found = found[String(step)];
    else return undefined;
  }
  return found;
}

/** Mappings are put together key by key, `over` wins everywhere else; places likewise. */
export function overlay(under: Tree, over: Tree): Tree {
  const places = new Map(under.places);
  const value = overlayValue(under.value, over.value, [], places);
  for (const [key, place] of over.places) places.set(key, place);
  return { value, places };
}

function overlayValue(under: Value, over: Value, path: Path, places: Map<string, Places>): Value {
  if (!isMapping(under) || !isMapping(over)) {
    forgetBelow(places, path);
    return over;
  }
  const added = Object.entries(over).map(([key, value]) => {
    const below = under[key];
    return [key, below === undefined ? value : overlayValue(below, value, [...path, key], places)] as const;
  });
  return newMapping([...Object.entries(under), ...added]);
}

function forgetBelow(places: Map<string, Places>, path: Path): void {
  const begin = placeKey(path).slice(0, -1);
  for (const key of places.keys()) {
    if (key === `${begin}]` || key.startsWith(`${begin},`) || path.length === 0) places.delete(key);
  }
}
