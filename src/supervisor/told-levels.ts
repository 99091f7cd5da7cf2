/** The stop levels of a plan as records tell them: for pictures, which know of a task what stands in its log. Pure. */
import type { BodyOf } from '../checkpoint/record.ts';
import type { EntryPlan, TaskPlan } from './plan.ts';

type ToldLevels = Pick<BodyOf<'task'>, 'stop_levels' | 'final_levels'>;

/** Nothing for `run`, which has one process and no levels. */
export function toldLevels({ entries }: TaskPlan): ToldLevels {
  if (entries.length === 0) return {};
  const finals = entries.filter(({ role }) => role === 'final');
  return {
    stop_levels: namesByLevel(entries.filter(({ role }) => role !== 'final')),
    ...(finals.length > 0 && { final_levels: namesByLevel(finals) }),
  };
}

/** The highest level, which stops first, comes first. No name has a space in it. */
function namesByLevel(entries: readonly EntryPlan[]): string[] {
  const levels = [...new Set(entries.map(({ level }) => level))].sort((one, other) => other - one);
  const namesOn = (level: number) => entries.filter((entry) => entry.level === level).map(({ name }) => name);
  return levels.map((level) => namesOn(level).join(' '));
}
