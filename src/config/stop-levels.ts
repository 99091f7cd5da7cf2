/** Who stops when: whoever depends on a process is gone before that gets its first signal. Pure. */
import type { Dependency } from '../supervisor/plan.ts';

export interface Node {
  readonly name: string;
  readonly dependsOn: readonly Dependency[];
}

/**
 * The stop level of each, by name; higher ones stop first. Who has nobody above it stops with the first, however long
 * the chains of others are. Who waited for a completion does not count: that process has ended, or its dependent was
 * never started.
 */
export function stopLevels(nodes: readonly Node[]): ReadonlyMap<string, number> {
  const edges = nodes.flatMap(({ name, dependsOn }) =>
    dependsOn
      .filter(({ condition }) => condition !== 'completed_successfully')
      .map(({ on }) => [name, on] as const),
  );
  const depths = longestPaths(
    nodes.map(({ name }) => name),
    edges,
  );
  const deepest = Math.max(0, ...depths.values());
  return new Map([...depths].map(([name, depth]) => [name, deepest - depth]));
}

/** The start level of each: 0 waits for nobody. */
export function startLevels(nodes: readonly Node[]): ReadonlyMap<string, number> {
  const edges = nodes.flatMap(({ name, dependsOn }) => dependsOn.map(({ on }) => [on, name] as const));
  return longestPaths(
    nodes.map(({ name }) => name),
    edges,
  );
}

/** For each name the number of edges on the longest path that ends there. There are no circles. */
function longestPaths(
  names: readonly string[],
  edges: ReadonlyArray<readonly [from: string, to: string]>,
): Map<string, number> {
  const lengths = new Map(names.map((name) => [name, 0]));
  const open = new Map(names.map((name) => [name, 0]));
  const next = new Map<string, string[]>();
  for (const [from, to] of edges) {
    if (!open.has(from) || !open.has(to)) continue;
    open.set(to, (open.get(to) ?? 0) + 1);
    next.set(from, [...(next.get(from) ?? []), to]);
  }
  const ready = names.filter((name) => open.get(name) === 0);
  for (let name = ready.pop(); name !== undefined; name = ready.pop()) {
    for (const to of next.get(name) ?? []) {
      lengths.set(to, Math.max(lengths.get(to) ?? 0, (lengths.get(name) ?? 0) + 1));
      open.set(to, (open.get(to) ?? 0) - 1);
      if (open.get(to) === 0) ready.push(to);
    }
  }
  return lengths;
}
