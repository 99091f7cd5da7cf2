/** What the words of a config can say and this version cannot do yet: refused, never ignored. Pure. */
import type { ProcessPlan, TaskPlan } from '../supervisor/plan.ts';

const MISSING: ReadonlyArray<readonly [what: string, isAsked: (process: ProcessPlan) => boolean]> = [
  ['memory_limit', ({ memoryLimitBytes }) => memoryLimitBytes !== null],
];

export function missingProblems({ processes }: TaskPlan): string[] {
  const found = processes.flatMap(({ entry, ...process }) =>
    MISSING.filter(([, isAsked]) => isAsked({ entry, ...process })).map(
      ([what]) => `cannot use "processes.${entry}.${what}": it is not in this version of gsup`,
    ),
  );
  return [...new Set(found)];
}
