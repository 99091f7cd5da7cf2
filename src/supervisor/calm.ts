/** Whether there is time to rewrite the log. Pure. */
import { rungOf, runsOf } from './select.ts';
import type { State } from './state.ts';

/**
 * In a stop every millisecond counts, and after it the log does not grow any more. But a stop that waits for as long as something
 * is busy (`stop.busy`) can take days, in which questions are written down.
 */
export function isCalm(state: State): boolean {
  if (state.task.stop === null) return true;
  const stopping = runsOf(state).filter(({ phase, serves }) => phase === 'stopping' && serves === null);
  return stopping.length > 0 && stopping.every((run) => rungOf(state, run)?.action === 'busy');
}
