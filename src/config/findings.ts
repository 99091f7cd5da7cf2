/** What the rules find in a config, each with its place. */
import type { Path, Problem } from './problem.ts';
import { problemAt } from './shape.ts';
import { keyPlace, type Tree, valueAt } from './tree.ts';

export interface Finding {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

export interface Findings {
  readonly problems: readonly Problem[];
  readonly warnings: readonly Finding[];
  /** It is written in the file. */
  has(path: Path): boolean;
  refuse(path: Path, rule: string, hint?: string): void;
  warn(path: Path, message: string): void;
}

export function newFindings(tree: Tree): Findings {
  const problems: Problem[] = [];
  const warnings: Finding[] = [];
  return {
    problems,
    warnings,
    has: (path) => valueAt(tree.value, path) !== undefined,
    refuse: (path, rule, hint = '') => void problems.push(problemAt(tree, path, rule, hint)),
    warn: (path, message) => void warnings.push({ ...keyPlace(tree, path), message }),
  };
}
