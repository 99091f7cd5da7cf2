/** One event being dealt with: what was decided so far, and the state that follows from it. */
import type { RecordBody } from '../checkpoint/record.ts';
import type { Effect } from './effect.ts';
import { evolve } from './evolve.ts';
import type { Happening } from './happening.ts';
import { requestOf } from './requests.ts';
import type { State } from './state.ts';
import { lookUp } from './table.ts';

/** The only thing in the core that is filled while it is used; it does not leave `decide`. */
export interface Turn {
  state: State;
  readonly nowNs: bigint;
  readonly effects: Effect[];
}

/** Decide something: the record, then what it asks of the host. */
export function decideOn(turn: Turn, record: RecordBody): void {
  turn.state = evolve(turn.state, record);
  turn.effects.push({ kind: 'record', record, request: requestOf(turn.state, record, turn.nowNs) });
}

/** Write down what is so already. */
export function note(turn: Turn, record: RecordBody): void {
  turn.state = evolve(turn.state, record);
  turn.effects.push({ kind: 'record', record, request: null });
}

export function say(turn: Turn, happening: Happening): void {
  turn.effects.push({ kind: 'say', happening });
}

/** True the first time in the life of this supervisor. `what` begins with the name of a run. */
export function once(turn: Turn, what: string): boolean {
  if (lookUp(turn.state.live.done, what) === true) return false;
  turn.state = evolve(turn.state, { type: 'host', about: 'done', what });
  return true;
}

export function isDone(state: State, what: string): boolean {
  return lookUp(state.live.done, what) === true;
}
