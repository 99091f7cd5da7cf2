/** Another config comes into force: read again, or scaled. */
import type { Answer, ConfigDifference, Refusal } from './client-request.ts';
import { differenceOf, isNoDifference } from './difference.ts';
import type { ConfigRead } from './effect.ts';
import { evolve } from './evolve.ts';
import type { TaskPlan } from './plan.ts';
import { reloadedPlan, scaledPlan, transitionOf } from './replan.ts';
import { orderBefore } from './requests.ts';
import { isAlive, mainRuns } from './select.ts';
import type { By, Reader, State } from './state.ts';
import { toldLevels } from './told-levels.ts';
import { note, say, type Turn } from './turn.ts';

type Asked = { readonly cause: 'reload' | 'scale'; readonly by: By };

export function scale(
  turn: Turn,
  to: ReadonlyArray<{ readonly entry: string; readonly replicas: number }>,
  by: By,
): Answer {
  const next = scaledPlan(turn.state.plan, to);
  return 'refusal' in next ? refused(next.refusal) : apply(turn, next.plan, { cause: 'scale', by });
}

/** Who asks while it is being read may have changed it since: for him it is read once more. */
export function askForReload(turn: Turn, reader: Reader): void {
  const isFirst = turn.state.live.reload === null;
  turn.state = evolve(turn.state, { type: 'host', about: 'reload', reader });
  if (isFirst) turn.effects.push({ kind: 'read-config' });
}

/** A signal that asks for it is counted by init, as a stop is. Once a stop has begun nothing is to be reloaded. */
export function hearReload(turn: Turn): boolean {
  const { live, task } = turn.state;
  const reloads = live.asks?.reloads;
  if (reloads === undefined || task.stop !== null || task.state !== 'active') return false;
  const heard = [...(live.reload?.reading ?? []), ...(live.reload?.waiting ?? [])];
  if (reloads.count <= Math.max(task.reloads, ...heard.map(({ count }) => count))) return false;
  askForReload(turn, { id: null, by: { pid: reloads.pid, uid: reloads.uid }, count: reloads.count });
  return true;
}

/** The config has been read, for all who had asked by then. */
export function takeConfig(turn: Turn, read: ConfigRead): void {
  const readers = turn.state.live.reload?.reading ?? [];
  turn.state = evolve(turn.state, { type: 'host', about: 'reloaded' });
  if (turn.state.live.reload !== null) turn.effects.push({ kind: 'read-config' });
  const answer = answerOf(turn, read, readers[0]?.by ?? null);
  const result = answer.kind === 'refused' ? 'refused' : isUnchanged(answer) ? 'unchanged' : 'applied';
  // The end is the last record.
  if (turn.state.task.exitCode === null) {
    const count = Math.max(turn.state.task.reloads, ...readers.map((reader) => reader.count));
    note(turn, { type: 'reload', result, count, by: readers[0]?.by ?? null });
  }
  if (answer.kind === 'refused') say(turn, { kind: 'not-reloaded', refusal: answer.refusal });
  else if (result === 'unchanged') say(turn, { kind: 'config-unchanged' });
  for (const { id } of readers) if (id !== null) turn.effects.push({ kind: 'answer', id, answer });
}

function isUnchanged(answer: Answer): boolean {
  return answer.kind === 'done' && answer.difference !== undefined && isNoDifference(answer.difference);
}

function answerOf(turn: Turn, read: ConfigRead, by: By): Answer {
  const { task, plan } = turn.state;
  if (task.exitCode !== null) return refused({ reason: 'ended' });
  if (task.stop !== null || task.state !== 'active') return refused({ reason: 'stopping' });
  if (read.kind === 'none') return refused({ reason: 'no-config', why: read.why });
  if (read.kind === 'problems') return refused({ reason: 'bad-config', problems: read.problems });
  const next = reloadedPlan(plan, read.plan);
  return 'refusal' in next ? refused(next.refusal) : apply(turn, next.plan, { cause: 'reload', by });
}

/** What it is to be is kept before the record says that it is in force: whoever takes over finds it. */
function apply(turn: Turn, wanted: TaskPlan, { cause, by }: Asked): Answer {
  const before = turn.state;
  const difference = differenceOf(before.plan, wanted);
  const isSame = isNoDifference(difference) && before.plan.configDigest === wanted.configDigest;
  if (isSame) return done(before, difference);
  const { renewed, former } = transitionOf(before, wanted);
  const plan: TaskPlan = { ...wanted, former, revision: before.plan.revision + 1 };
  turn.effects.push({ kind: 'keep', plan });
  turn.state = { ...before, plan };
  const { added, removed } = difference;
  const reordered = changedOrders(before, turn.state, renewed);
  const { configDigest: config_digest, revision } = plan;
  const what = { config_digest, revision, cause, by, added, removed, renewed, reordered };
  note(turn, { type: 'config', ...what, ...toldLevels(plan) });
  turn.effects.push({ kind: 'kept', revision });
  if (!isNoDifference(difference)) say(turn, { kind: 'config-changed', cause, difference });
  return done(turn.state, difference);
}

/** What a coordinator does alone must be what the config says now. Whoever is on the way down goes on as before. */
function changedOrders(before: State, after: State, renewed: readonly string[]): string[] {
  const runs = mainRuns(before).filter(
    (run) => isAlive(run) && run.stop === null && !renewed.includes(run.process),
  );
  const stay = runs.filter(({ process }) => after.plan.processes.some(({ name }) => name === process));
  return stay
    .filter((run) => JSON.stringify(orderBefore(before, run)) !== JSON.stringify(orderBefore(after, run)))
    .map(({ name }) => name);
}

function done({ plan }: State, difference: ConfigDifference): Answer {
  const { added, removed, changed } = difference;
  const processes = [...added, ...removed, ...changed.map(({ process }) => process)];
  const unchanged = plan.processes.map(({ name }) => name).filter((name) => !processes.includes(name));
  return { kind: 'done', processes, unchanged, difference };
}

function refused(refusal: Refusal): Answer {
  return { kind: 'refused', refusal };
}
