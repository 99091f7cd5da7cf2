/** A rung that was decided, and whose request nobody has carried out: its supervisor was killed between the two. Pure. */
import type { BodyOf, RecordBody } from '../checkpoint/record.ts';
import { begunAnew } from './climb.ts';
import { snapshotOf } from './select.ts';
import type { State } from './state.ts';
import { lookUp } from './table.ts';

/**
 * Such rungs of `undone`, as they begin now. Nobody has been told, so the wait has not begun: the signal goes out with all of it, or
 * with what the budget leaves, and not with what is left of a deadline that was meant for an earlier signal. Where the coordinator
 * has taken the rung by itself, later, that deadline counts.
 */
export function lateRungs(state: State, undone: readonly RecordBody[], nowNs: bigint): BodyOf<'rung'>[] {
  const begun = new Set<string>();
  return undone.flatMap((record) => {
    if (record.type !== 'rung' || begun.has(record.run) || !isLate(state, record, undone)) return [];
    const run = lookUp(state.runs, record.run);
    const anew = run === undefined ? undefined : begunAnew(state, run, nowNs);
    if (anew === undefined) return [];
    begun.add(record.run);
    return [anew];
  });
}

/** What only waits (a hold) has nobody whom it gives time, and what was asked for again is followed by the next rung anyhow. */
function isLate(state: State, record: BodyOf<'rung'>, undone: readonly RecordBody[]): boolean {
  if (record.action === 'wait' || record.deadline_ns === null) return false;
  const run = lookUp(state.runs, record.run);
  if (run?.phase !== 'stopping' || run.owed !== null || run.rung?.index !== record.index) return false;
  const seen = snapshotOf(state, run);
  if (seen === undefined)
    return undone.some((other) => other.type === 'run-forked' && other.run === run.name);
  if (seen.phase === 'ended') return false;
  if (seen.rung === null || seen.rung < record.index) return true;
  return seen.rung === record.index && seen.alone && (seen.deadlineNs ?? 0n) > record.deadline_ns;
}

/** The last of those for the same rung says all that is to be asked for. */
export function withoutOvertaken<T extends { readonly body: RecordBody }>(undone: readonly T[]): T[] {
  const last = new Map<string, T>();
  for (const each of undone) last.set(rungKey(each.body) ?? '', each);
  return undone.filter((each) => {
    const key = rungKey(each.body);
    return key === null || last.get(key) === each;
  });
}

function rungKey(record: RecordBody): string | null {
  return record.type === 'rung' ? `${record.run} ${record.index}` : null;
}
