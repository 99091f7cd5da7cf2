/** Names of entries: what others allow in a name and gsup does not. Pure. */
import type { Place } from '../config/problem.ts';
import type { Notes } from './draft.ts';

const NAME_MAX = 64;

/** Each byte that does not fit the rule for names becomes `_`. */
export function entryName(text: string): string {
  const name = text
    .replace(/[^A-Za-z0-9_.-]/g, '_')
    .replace(/^[.-]/, '_')
    // What begins with x- is nobody's entry.
    .replace(/^x-/, 'x_')
    .slice(0, NAME_MAX);
  return name === '' || name === '__proto__' ? '_' : name;
}

/** Gives each entry a name of its own, near to the one that it had. */
export function newNames(notes: Notes): (wanted: string, place: Place) => string {
  const taken = new Set<string>();
  return (wanted, place) => {
    const first = entryName(wanted);
    let name = first;
    for (let count = 2; taken.has(name); count++) {
      const suffix = `_${count}`;
      name = `${first.slice(0, NAME_MAX - suffix.length)}${suffix}`;
    }
    taken.add(name);
    if (name !== wanted) notes.note('changed', place, name, 'name', `it was "${wanted}"`);
    return name;
  };
}
