/** A state as text, to compare two of them. In which order the runs of a table are looked at is no part of what is known. */
import { entriesOf, type Table } from '../../src/supervisor/table.ts';

export function plainly(value: unknown): string {
  return JSON.stringify(value, (_, each) => {
    if (typeof each === 'bigint') return `${each}n`;
    return isTable(each) ? Object.fromEntries(entriesOf(each).sort(byName)) : each;
  });
}

export function isTable(value: unknown): value is Table<unknown> {
  return typeof value === 'object' && value !== null && 'places' in value;
}

function byName([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number {
  return one < other ? -1 : 1;
}
