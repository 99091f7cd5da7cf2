/** What the log tells, folded. Pure. */
import type { CheckpointRecord } from '../checkpoint/record.ts';
import { evolve } from './evolve.ts';
import type { TaskPlan } from './plan.ts';
import { initialState, type State } from './state.ts';

export function replay(plan: TaskPlan, records: readonly CheckpointRecord[]): State {
  return records.reduce<State>(
    (state, record) => (record.type === 'unknown' ? state : evolve(state, record)),
    initialState(plan),
  );
}
