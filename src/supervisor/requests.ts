/**
 * What a record asks of the host. A function of record and state alone, so that a supervisor that finds the record in
 * the log, and sees that init has not carried it out, makes the same request again, under the same number.
 */
import type { BodyOf, RecordBody } from '../checkpoint/record.ts';
import { msOf } from '../signals/budget.ts';
import { orderOf, type Position } from '../signals/ladder.ts';
import { signalNumber } from '../signals/names.ts';
import { ladderShareNs, waitsEndNs, waitsFrom, waitsTotalNs } from './budget-share.ts';
import type { HostRequest } from './effect.ts';
import { hookLaunch, launchOf } from './launch.ts';
import { hookKind } from './names.ts';
import { stopLevelsOf } from './plan.ts';
import { drainIndex, isUndrained, ladderOf, planOf, snapshotOf } from './select.ts';
import type { Run, State } from './state.ts';
import { lookUp } from './table.ts';
import type { Order } from './vocabulary.ts';

const SIGTERM = 15;
const NOT_STOPPING: Position = { index: null, deadlineNs: null };

/** `state`: as it is after the record. null: nothing is asked of the host. */
export function requestOf(state: State, record: RecordBody, nowNs: bigint): HostRequest | null {
  switch (record.type) {
    case 'run-forked':
      return spawn(state, record.run);
    case 'hook':
      return hookRequest(state, record);
    case 'rung': {
      const position = { index: record.index, deadlineNs: record.deadline_ns };
      return rung(state, record.run, position, nowNs);
    }
    case 'order': {
      const run = lookUp(state.runs, record.run);
      return run === undefined ? null : { to: 'rung', run: record.run, order: orderBefore(state, run) };
    }
    case 'kill':
      return record.run === undefined ? null : rung(state, record.run, 'kill', nowNs);
    case 'outcome':
      return { to: 'forget', run: record.run };
    case 'signal-requested': {
      const signal = signalNumber(record.signal) ?? SIGTERM;
      return { to: 'signal', run: record.run, signal, target: record.target };
    }
    case 'clearing':
      return { to: 'clear' };
    case 'upgrade':
      return { to: 'upgrade', installation: record.installation };
    case 'task-state':
      return record.exit_code === null ? null : { to: 'exit', code: record.exit_code };
    default:
      return null;
  }
}

function hookRequest(state: State, record: BodyOf<'hook'>): HostRequest | null {
  if (hookKind(record.hook) === 'http-post') return null;
  return record.state === 'started' ? spawn(state, record.hook) : { to: 'forget', run: record.hook };
}

function spawn(state: State, name: string): HostRequest | null {
  const run = lookUp(state.runs, name);
  if (run === undefined) return null;
  const launch = run.serves === null ? launchOf(state, run) : hookLaunch(state, run);
  return { to: 'spawn', run: name, launch, order: orderBefore(state, run) };
}

/** What a coordinator does with a stop of which nobody has told it more. */
export function orderBefore(state: State, run: Run): Order {
  const total = run.serves === null ? waitsTotalNs(state) : null;
  return orderOf(ladderOf(state, run), NOT_STOPPING, {
    level: planOf(state, run).level,
    ...whatFollows(state, run),
    mustDrain: drainIndex(state, run) !== null,
    capMs: total === null ? null : msOf(ladderShareNs(state, run, waitsFrom(state, run, 0), total)),
  });
}

/** What init has to own up to, should nobody be there to start it. Nothing follows on a hook. */
function whatFollows(state: State, run: Run): Pick<Order, 'postStop' | 'finals'> {
  if (run.serves !== null) return {};
  return {
    ...(planOf(state, run).postStop !== null && { postStop: true as const }),
    ...(areFinalsLeft(state) && { finals: true as const }),
  };
}

function areFinalsLeft({ plan, processes }: State): boolean {
  if (!stopLevelsOf(plan).finals) return false;
  const isLeft = (name: string): boolean => (lookUp(processes, name)?.runs ?? 0) === 0;
  return plan.processes.some(({ name, role, autostart }) => role === 'final' && autostart && isLeft(name));
}

function rung(state: State, name: string, position: Position | 'kill', nowNs: bigint): HostRequest | null {
  const run = lookUp(state.runs, name);
  return run === undefined
    ? null
    : { to: 'rung', run: name, order: orderDuring(state, run, position, nowNs) };
}

/** The rest of the ladder, for when this supervisor is gone: `received` has its signal by now. */
function orderDuring(state: State, run: Run, position: Position | 'kill', nowNs: bigint): Order {
  const ladder = ladderOf(state, run);
  const undrained = position !== 'kill' && isUndrained(state, run);
  const end = waitsEndNs(state);
  const from = position === 'kill' ? ladder.length : (position.index ?? 0);
  const at: Position = position === 'kill' ? { index: ladder.length, deadlineNs: null } : position;
  // What must drain is not to be signalled when a hold or a hook is over, only when the budget is.
  const order = orderOf(ladder, undrained ? { ...at, deadlineNs: end } : at, {
    level: planOf(state, run).level,
    ...whatFollows(state, run),
    mustDrain: undrained,
    capMs: capMs(state, run, from, nowNs),
  });
  const firstOnly = position !== 'kill' && run.rung?.firstOnly ? ({ firstOnly: true } as const) : {};
  const received = run.stop?.signal ?? SIGTERM;
  const rungs = order.rungs.map((each) =>
    each.signal === 'received' ? { ...each, signal: received } : each,
  );
  return { ...order, ...firstOnly, rungs };
}

/** A cap counts from the begin of the run's stop. */
function capMs(state: State, run: Run, from: number, nowNs: bigint): number | null {
  const endNs = waitsEndNs(state);
  if (run.serves !== null || endNs === null) return null;
  const stopNs = snapshotOf(state, run)?.stopNs ?? 0n;
  const ladderEndNs = nowNs + ladderShareNs(state, run, waitsFrom(state, run, from), endNs - nowNs);
  const left = ladderEndNs - (stopNs > 0n ? stopNs : nowNs);
  return left > 0n ? msOf(left) : 0;
}
