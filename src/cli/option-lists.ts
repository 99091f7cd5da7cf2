/** Options that add up. Pure. */
import { signalNumber } from '../signals/names.ts';
import type { OptionKind, OptionRow } from './option-row.ts';
import { ULIMITS } from './options.ts';

const LISTS = [
  'signals',
  'texts',
  'env',
  'ulimits',
  'exit-map',
  'rewrites',
  'rungs',
] as const satisfies readonly OptionKind[];

export type ListKind = (typeof LISTS)[number];

export function isList(kind: OptionKind): kind is ListKind {
  return (LISTS as readonly OptionKind[]).includes(kind);
}

/** Where the order of a list means nothing it is sorted, doubles are gone, and so is what changes nothing. */
export function normalizeList(row: OptionRow, list: readonly unknown[]): readonly unknown[] {
  switch (row.kind) {
    case 'signals':
      return sortBySignal([...new Set([...((row.default as string[] | undefined) ?? []), ...list])], String);
    case 'exit-map':
      return pairs(list).sort(([a], [b]) => Number(a) - Number(b));
    case 'rewrites':
      return sortBySignal(pairs(list), ([from]) => String(from));
    case 'ulimits':
      return lastOfEach(list as unknown[][]).sort((a, b) => ulimitIndex(a[0]) - ulimitIndex(b[0]));
    default:
      return list;
  }
}

function pairs(list: readonly unknown[]): unknown[][] {
  return lastOfEach(list as unknown[][]).filter(([from, to]) => from !== to);
}

function lastOfEach(list: readonly unknown[][]): unknown[][] {
  return [...new Map(list.map((entry) => [entry[0], entry])).values()];
}

function sortBySignal<T>(list: T[], nameOf: (item: T) => string): T[] {
  const number = (item: T) => signalNumber(nameOf(item)) ?? 0;
  return list.sort((a, b) => number(a) - number(b));
}

function ulimitIndex(resource: unknown): number {
  return (ULIMITS as readonly unknown[]).indexOf(resource);
}
