/** Who depends on whom among sources of s6-rc, with bundles taken apart, and who starts. Pure. */
import type { Service } from './folder.ts';

export interface Graph {
  /** What stands in for a name: itself, or all that a bundle has in it. */
  readonly expand: (name: string) => readonly string[];
  readonly dependenciesOf: (service: Service) => readonly string[];
  /** Whether it starts by itself. */
  readonly starts: (service: Service) => boolean;
}

/** Bundles that are brought up when nobody says another. */
const DEFAULTS = ['user', 'user2', 'default'];

export function graphOf(services: readonly Service[]): Graph {
  const byName = new Map(services.map((service) => [service.name, service]));
  const expand = (name: string, seen: readonly string[] = []): readonly string[] => {
    const service = byName.get(name);
    if (service === undefined || service.type !== 'bundle' || seen.includes(name))
      return service?.type === 'bundle' ? [] : [name];
    return [...new Set(namesIn(service, 'contents').flatMap((inner) => expand(inner, [...seen, name])))];
  };
  const dependenciesOf = (service: Service) =>
    [...new Set(namesIn(service, 'dependencies').flatMap((name) => expand(name)))].filter(
      (name) => name !== service.name,
    );
  const bundles = DEFAULTS.filter((name) => byName.get(name)?.type === 'bundle');
  const started = new Set<string>();
  const next = bundles.flatMap((name) => expand(name));
  for (let name = next.pop(); name !== undefined; name = next.pop()) {
    const service = byName.get(name);
    if (started.has(name) || service === undefined) continue;
    started.add(name);
    next.push(...dependenciesOf(service));
  }
  return {
    expand,
    dependenciesOf,
    starts: (service) => !service.isRc || bundles.length === 0 || started.has(service.name),
  };
}

/** `dependencies.d/` holds a file for each, `dependencies` a line. */
function namesIn({ files, folders }: Service, what: 'contents' | 'dependencies'): readonly string[] {
  const lines = (files.get(what) ?? '').split('\n').map((line) => line.replace(/#.*/, '').trim());
  return [...(folders.get(`${what}.d`) ?? []), ...lines.filter((line) => line !== '')];
}
