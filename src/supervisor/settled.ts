/**
 * Which runs cannot have anything to answer, because nothing has changed of what run-events.ts asks of them since nothing was
 * left to be done. With a thousand runs and one of them ended, that is all but a few. Pure. The simulation holds it against a look
 * at everything, after each turn.
 */
import { deadlinesOf } from './deadlines.ts';
import { askedOf } from './probes.ts';
import { hooksServing, isTerminal, snapshotOf } from './select.ts';
import type { Process, Run, State } from './state.ts';
import { lookUp } from './table.ts';

/** A state in which nothing was left to be done, and until when that holds of itself. null: for ever. */
export interface Settled {
  readonly state: State;
  readonly untilNs: bigint | null;
}

export function isUntouched(state: State, settled: Settled | null, run: Run, nowNs: bigint): boolean {
  if (settled === null) return false;
  const before = settled.state;
  if (state.plan !== before.plan || state.task !== before.task || state.live.missing !== before.live.missing)
    return false;
  const process = lookUp(state.processes, run.process);
  if (process !== lookUp(before.processes, run.process) || dependsOnOthers(run, process)) return false;
  if (lookUp(before.runs, run.name) !== run) return false;
  if (snapshotOf(state, run) !== snapshotOf(before, run)) return false;
  if (!hasSameHooks(state, before, run) || !hasSameAnswers(state, before, run)) return false;
  if (settled.untilNs === null || nowNs < settled.untilNs) return true;
  return isTerminal(run) || !deadlinesOf(before, run).some((at) => at <= nowNs);
}

/** On what becomes of other processes: when it may start or must make way, and when its level's turn to stop has come. */
function dependsOnOthers({ phase, stop, rung }: Run, process: Process | undefined): boolean {
  if (phase === 'waiting' || phase === 'backoff' || (stop !== null && (rung === null || rung.firstOnly)))
    return true;
  return process !== undefined && process.renewal !== null;
}

function hasSameHooks(state: State, before: State, run: Run): boolean {
  if (run.serves !== null) return lookUp(state.runs, run.serves.run) === lookUp(before.runs, run.serves.run);
  // It has never had one.
  if (run.hook === null && run.probes === 0) return true;
  const [now, then] = [hooksServing(state, run), hooksServing(before, run)];
  const isSame = (hook: Run, i: number): boolean =>
    hook === then[i] && snapshotOf(state, hook) === snapshotOf(before, hook);
  return now.length === then.length && now.every(isSame);
}

function hasSameAnswers(state: State, before: State, run: Run): boolean {
  if (state.live.probes === before.live.probes) return true;
  return (['ready', 'health', 'memory'] as const).every(
    (role) => askedOf(state, run, role) === askedOf(before, run, role),
  );
}
