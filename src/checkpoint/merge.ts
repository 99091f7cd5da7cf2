// Two files, one story. Pure.
import type { CheckpointRecord } from './record.ts';

export type LogName = 'checkpoint' | 'init';
export type Merged<T> = { log: LogName; item: T };
/** What happened under one gsup: one boot, one init. `bootId` null: neither log says. */
export type Story<T> = { bootId: string | null; items: Merged<T>[] };

/**
 * Merges by mono_ns and keeps the order within each file, also where a clock went back. At the same nanosecond the
 * decision (checkpoint.log) stands before the fact (init.log): where the clock is coarse, the short way from a decision to
 * its effect is the likelier one to fall into one tick.
 *
 * A `task` record with another boot, namespace or pid of init begins another story: times of two boots cannot be compared,
 * and a log that was left by an earlier gsup must not be told as if it were this one's. Records before any `task` record
 * belong to the last story of the other file: init writes none while there is a supervisor. Init always writes, so its
 * last story is the present one, and stands last.
 */
export function mergeLogs<T extends { record: CheckpointRecord }>(
  checkpoint: readonly T[],
  init: readonly T[],
): Story<T>[] {
  const decisions = splitByTask(checkpoint);
  const facts = splitByTask(init);
  houseHomeless(decisions, facts);
  houseHomeless(facts, decisions);
  return orderTasks(decisions, facts).map((key) => ({
    bootId: key && (JSON.parse(key)[0] as string),
    items: mergeByTime(decisions.get(key) ?? [], facts.get(key) ?? []),
  }));
}

/**
 * A log, and the part of it that was put aside before: one file again. The gap record that the later part begins with says
 * that something stands before it; where that is at hand nothing is missing.
 */
export function joinParts<T extends { record: CheckpointRecord }>(
  older: readonly T[],
  newer: readonly T[],
): readonly T[] {
  const [last, first] = [older.at(-1)?.record, newer[0]?.record];
  const follows = last !== undefined && first?.type === 'gap' && first.seq === last.seq + 1;
  return older.length === 0 ? newer : [...older, ...(follows ? newer.slice(1) : newer)];
}

/** By identity of the task; null: not yet known. */
type ByTask<T> = Map<string | null, T[]>;

function splitByTask<T extends { record: CheckpointRecord }>(items: readonly T[]): ByTask<T> {
  const tasks: ByTask<T> = new Map();
  let key: string | null = null;
  for (const item of items) {
    const { record } = item;
    if (record.type === 'task') key = JSON.stringify([record.boot_id, record.pid_ns, record.pid]);
    const task = tasks.get(key);
    if (task) task.push(item);
    else tasks.set(key, [item]);
  }
  return tasks;
}

/** Gives records without a task to the last one that is known, first of all to one of the other file. */
function houseHomeless<T>(mine: ByTask<T>, others: ByTask<T>): void {
  const homeless = mine.get(null);
  const home = lastTask(others) ?? lastTask(mine);
  if (homeless === undefined || home === undefined) return;
  mine.delete(null);
  mine.set(home, [...homeless, ...(mine.get(home) ?? [])]);
}

function lastTask<T>(tasks: ByTask<T>): string | undefined {
  return [...tasks.keys()].filter((key) => key !== null).at(-1);
}

function orderTasks<T>(decisions: ByTask<T>, facts: ByTask<T>): (string | null)[] {
  return [...[...decisions.keys()].filter((key) => !facts.has(key)), ...facts.keys()];
}

function mergeByTime<T extends { record: CheckpointRecord }>(
  decisions: readonly T[],
  facts: readonly T[],
): Merged<T>[] {
  const items: Merged<T>[] = [];
  let d = 0;
  let f = 0;
  while (d < decisions.length || f < facts.length) {
    const decision = decisions[d];
    const fact = facts[f];
    if (decision !== undefined && (fact === undefined || decision.record.mono_ns <= fact.record.mono_ns)) {
      items.push({ log: 'checkpoint', item: decision });
      d++;
    } else if (fact !== undefined) {
      items.push({ log: 'init', item: fact });
      f++;
    }
  }
  return items;
}
