/**
 * What the core knows of each of many, by name. A change makes a new table, and the old one stays as it was; what they share
 * is where each name has its place. So a change costs one short copy however large the values are, and the core can be a
 * function without copying a thousand names for each fact. Values are met in the order in which their names came.
 */
import { memo } from './memo.ts';

export interface Table<T> {
  readonly places: Places;
  readonly values: readonly (T | undefined)[];
  /** How many there are. */
  readonly size: number;
}

/** Names are only ever added: to tables without them they are places beyond the end, or empty ones. */
interface Places {
  readonly of: Map<string, number>;
  readonly names: string[];
}

/** Names that came and went leave empty places; more of them than this, and than are taken, are cleared away. */
const SPARE = 64;

export function emptyTable<T>(): Table<T> {
  return { places: { of: new Map(), names: [] }, values: [], size: 0 };
}

export function tableOf<T>(entries: Iterable<readonly [string, T]>): Table<T> {
  const of = new Map<string, number>();
  const values: T[] = [];
  for (const [name, value] of entries) {
    of.set(name, values.length);
    values.push(value);
  }
  return { places: { of, names: [...of.keys()] }, values, size: values.length };
}

export function lookUp<T>({ places, values }: Table<T>, name: string): T | undefined {
  const place = places.of.get(name);
  return place === undefined ? undefined : values[place];
}

export function put<T>(table: Table<T>, name: string, value: T): Table<T> {
  const known = table.places.of.get(name);
  if (known === undefined && table.places.names.length >= 2 * table.size + SPARE)
    return put(tableOf(entriesOf(table)), name, value);
  const place = known ?? newPlace(table.places, name);
  const values = table.values.slice();
  while (values.length < place) values.push(undefined);
  const isNew = values[place] === undefined;
  values[place] = value;
  return { places: table.places, values, size: table.size + (isNew ? 1 : 0) };
}

function newPlace({ of, names }: Places, name: string): number {
  of.set(name, names.length);
  return names.push(name) - 1;
}

export function drop<T>(table: Table<T>, name: string): Table<T> {
  const place = table.places.of.get(name);
  if (place === undefined || table.values[place] === undefined) return table;
  const values = table.values.slice();
  values[place] = undefined;
  return { places: table.places, values, size: table.size - 1 };
}

/** Each value as `change` makes it; undefined: it goes. The same table where nothing changes. */
export function mapTable<T>(table: Table<T>, change: (value: T, name: string) => T | undefined): Table<T> {
  let size = 0;
  let same = true;
  const values = table.values.map((value, place) => {
    const next = value === undefined ? undefined : change(value, table.places.names[place] ?? '');
    if (next !== undefined) size++;
    if (next !== value) same = false;
    return next;
  });
  return same ? table : { places: table.places, values, size };
}

const listed = memo((values: readonly unknown[]) => values.filter((value): boolean => value !== undefined));

export function valuesOf<T>(table: Table<T>): readonly T[] {
  return listed(table.values) as readonly T[];
}

export function entriesOf<T>({ places, values }: Table<T>): (readonly [string, T])[] {
  return values.flatMap((value, place) =>
    value === undefined ? [] : [[places.names[place] ?? '', value] as const],
  );
}
