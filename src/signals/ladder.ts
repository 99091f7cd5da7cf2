/** The stop ladder of a process, and the order that a coordinator has while nobody tells it otherwise. Pure. */
import type { Command, Ladder, Order, OrderRung, Rung, Target, WaitMs } from '../supervisor/vocabulary.ts';

/** What the options that are not `--rung` say of a stop. */
export interface StopOptions {
  readonly graceMs: WaitMs;
  /** null: the signal that asked for the stop. */
  readonly signal: number | null;
  readonly target: Target;
  readonly holdMs: WaitMs;
  readonly preStop: Command | null;
  readonly preStopTimeoutMs: number;
}

/** Hold, pre-stop hook, stop signal; what is not asked for is left out. */
export function buildLadder(stop: StopOptions): Ladder {
  const hold: Rung[] = stop.holdMs === 0 ? [] : [{ action: 'wait', waitMs: stop.holdMs }];
  const hook: Rung[] =
    stop.preStop === null ? [] : [{ action: 'exec', command: stop.preStop, waitMs: stop.preStopTimeoutMs }];
  return [...hold, ...hook, signalRung(stop)];
}

function signalRung(stop: StopOptions): Rung {
  return {
    action: 'signal',
    signal: stop.signal ?? 'received',
    target: stop.target,
    waitMs: stop.graceMs,
  };
}

/** Where a stop stands. index null: none has begun; ladder.length: SIGKILL. */
export interface Position {
  readonly index: number | null;
  readonly deadlineNs: bigint | null;
}

export interface OrderTerms {
  readonly level: number;
  /** Before a stop and until the drain has succeeded: not to be signalled undrained. */
  readonly mustDrain: boolean;
  readonly firstOnly?: true;
  readonly postStop?: true;
  readonly finals?: true;
  /** What the budget leaves for waiting, counted from the moment at which the run's stop begins or began. */
  readonly capMs: WaitMs;
}

/** The order of a run: rungs correspond to those of the ladder by index. */
export function orderOf(ladder: Ladder, position: Position, terms: OrderTerms): Order {
  return { ...terms, ...position, rungs: ladder.map(orderRung) };
}

/** A hook's rung keeps its place, as a wait that is skipped where no supervisor is there to run it. */
function orderRung(rung: Rung): OrderRung {
  if (rung.action === 'signal') {
    return { signal: rung.signal, target: rung.target, hook: false, waitMs: rung.waitMs };
  }
  const busy = rung.action === 'busy' ? { busy: true as const } : {};
  return { signal: 0, target: 'group', hook: rung.action !== 'wait', ...busy, waitMs: rung.waitMs };
}

export function isHook(rung: Rung | undefined): boolean {
  return rung?.action === 'exec' || rung?.action === 'busy' || rung?.action === 'http_post';
}

/** What a rung sends: `received` stands for the signal that asked for the stop. */
export function signalOf(rung: Rung, received: number): number | null {
  if (rung.action !== 'signal') return null;
  return rung.signal === 'received' ? received : rung.signal;
}
