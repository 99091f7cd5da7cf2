/** What the rules find in a config, each with its place. */
import type { Path, Problem } from './problem.ts';
import { problemAt } from './shape.ts';
import { keyPlace, type Tree, valueAt } from './tree.ts';

export interface Findings {
  readonly problems: readonly Problem[];
  /** It is written in the file. */
  has(path: Path): boolean;
  refuse(path: Path, rule: string, hint?: string): void;
  refuseKey(path: Path, rule: string): void;
}

export function newFindings(tree: Tree): Findings {
  const problems: Problem[] = [];
  return {
    problems,
    has: (path) => valueAt(tree.value, path) !== undefined,
    refuse: (path, rule, hint = '') => void problems.push(problemAt(tree, path, rule, hint)),
    refuseKey: (path, rule) =>
      void problems.push({ ...problemAt(tree, path, rule), ...keyPlace(tree, path) }),
  };
}
