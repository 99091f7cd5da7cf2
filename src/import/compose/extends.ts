/** `extends`: a service over another one of the same file. What it names in another file is not read. Pure. */
import type { Place } from '../../config/problem.ts';
import { isList, isMapping, type Mapping, newMapping, type Value } from '../../config/tree.ts';
import type { Notes } from '../draft.ts';
import { entryName } from '../names.ts';

/** The service with all that it extends below it. */
export function withParents(
  services: Mapping,
  name: string,
  place: Place,
  notes: Notes,
  seen: readonly string[] = [],
): Mapping {
  const own = services[name];
  if (!isMapping(own)) return newMapping([]);
  const { extends: parent, ...keys } = own;
  if (parent === undefined) return own;
  const target = isMapping(parent) && parent.file === undefined ? parent.service : parent;
  const rest = newMapping(Object.entries(keys));
  if (typeof target !== 'string' || services[target] === undefined || [...seen, name].includes(target)) {
    const why = 'what it names is not read; import the output of `docker compose config`';
    notes.note('lost', place, entryName(name), 'extends', why);
    return rest;
  }
  return over(withParents(services, target, place, notes, [...seen, name]), rest);
}

/** Of these the last one counts as a whole. */
const WHOLE = ['command', 'entrypoint', 'test'];

/** Mappings are put together key by key, lists one behind the other. */
function over(base: Mapping, own: Mapping): Mapping {
  const merged = Object.entries(own).map(([key, value]) => [key, merge(key, base[key], value)] as const);
  return newMapping([...Object.entries(base), ...merged]);
}

function merge(key: string, base: Value | undefined, own: Value): Value {
  if (base === undefined || WHOLE.includes(key)) return own;
  if (isMapping(base) && isMapping(own)) return over(base, own);
  return isList(base) && isList(own) ? [...base, ...own] : own;
}
