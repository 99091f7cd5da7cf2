// Two files, one story. Pure.
import type { CheckpointRecord } from './record.ts';

export type LogName = 'checkpoint' | 'init';
export type Merged<T> = { log: LogName; item: T };
/** What happened within one boot: mono_ns of another boot cannot be compared. `bootId` null: the log does not say. */
export type Story<T> = { bootId: string | null; items: Merged<T>[] };

/**
 * Merges by mono_ns and keeps the order within each file, also where a clock went back. At the same nanosecond the
 * decision (checkpoint.log) stands before the fact (init.log): where the clock is coarse, the short way from a decision to
 * its effect is the likelier one to fall into one tick.
 *
 * A `task` record with another boot id begins a new story. Records before any `task` record belong to the story that
 * the other file has at that place: init writes none while a supervisor does. The last story is the present one.
 */
export function mergeLogs<T extends { record: CheckpointRecord }>(
  checkpoint: readonly T[],
  init: readonly T[],
): Story<T>[] {
  const decisions = splitByBoot(checkpoint);
  const facts = splitByBoot(init);
  houseHomeless(decisions, facts);
  houseHomeless(facts, decisions);
  return orderBoots(decisions, facts).map((bootId) => ({
    bootId,
    items: mergeByTime(decisions.get(bootId) ?? [], facts.get(bootId) ?? []),
  }));
}

type ByBoot<T> = Map<string | null, T[]>;

function splitByBoot<T extends { record: CheckpointRecord }>(items: readonly T[]): ByBoot<T> {
  const boots: ByBoot<T> = new Map();
  let bootId: string | null = null;
  for (const item of items) {
    if (item.record.type === 'task') bootId = item.record.boot_id;
    const boot = boots.get(bootId);
    if (boot) boot.push(item);
    else boots.set(bootId, [item]);
  }
  return boots;
}

/** Gives records without a boot id to the last boot that is known, first of all to one of the other file. */
function houseHomeless<T>(mine: ByBoot<T>, others: ByBoot<T>): void {
  const homeless = mine.get(null);
  const home = lastBoot(others) ?? lastBoot(mine);
  if (homeless === undefined || home === undefined) return;
  mine.delete(null);
  mine.set(home, [...homeless, ...(mine.get(home) ?? [])]);
}

/** The order of the file that has seen more boots. */
function orderBoots<T>(decisions: ByBoot<T>, facts: ByBoot<T>): (string | null)[] {
  const [more, fewer] = decisions.size > facts.size ? [decisions, facts] : [facts, decisions];
  return [...new Set([...more.keys(), ...fewer.keys()])];
}

function lastBoot<T>(boots: ByBoot<T>): string | undefined {
  return [...boots.keys()].filter((bootId) => bootId !== null).at(-1);
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
