/**
 * What the host has and the log does not know: the log was lost, or could not be written; the run was not. It is written
 * down again, by its name, so that it is waited for as if nothing had been, and nothing is started twice.
 */
import type { BodyOf } from '../checkpoint/record.ts';
import { postStopEndNs } from './budget-share.ts';
import { isUnknown } from './evolve-live.ts';
import { answerBy, hookDeadline } from './hooks.ts';
import { memo } from './memo.ts';
import { hookKind, hookNumber, isHookName, isProbe, processName, runNumber, servedRun } from './names.ts';
import { processOf } from './plan.ts';
import { preStartEndNs } from './pre-start.ts';
import { READY_ANSWER_MS } from './probes.ts';
import { hasClimbed, ladderOf } from './select.ts';
import type { HookKind, Run, State } from './state.ts';
import { lookUp, valuesOf } from './table.ts';
import { note, type Turn } from './turn.ts';

const MS = 1_000_000n;

/** A run that is there. */
export function adoptRun(turn: Turn): boolean {
  const run = unknownRuns(turn.state).find((name) => !isHookName(name));
  if (run === undefined) return false;
  note(turn, { type: 'run-forked', process: processName(run), run });
  return true;
}

/** A hook is there, and the run that it serves is nowhere: that was started, and has ended; nobody knows how. */
export function judgeServed(turn: Turn): boolean {
  const { processes } = turn.state;
  const served = unknownRuns(turn.state)
    .filter((name) => isHookName(name) && hookKind(name) !== 'pre-start')
    .map(servedRun)
    .find((run) => runNumber(run) > (lookUp(processes, processName(run))?.runs ?? 0));
  if (served === undefined) return false;
  const process = processName(served);
  note(turn, {
    type: 'outcome',
    process,
    run: served,
    outcome: 'lost',
    cause: 'exit',
    code: null,
    signal: null,
    forced: false,
    failures: (lookUp(processes, process)?.failures ?? 0) + 1,
    forked_ns: 0n,
    ended_ns: turn.nowNs,
  });
  return true;
}

/**
 * A hook or a question that is there. The first one first, so that the last is the one which counts; and not before its
 * run stands where its coordinator has it, which tells what the hook is for.
 */
export function adoptHook(turn: Turn): boolean {
  const { state } = turn;
  const hook = unknownRuns(state)
    .filter((name) => !mustClimbFirst(state, servedRun(name)))
    .sort((one, other) => hookNumber(one) - hookNumber(other))[0];
  if (hook === undefined) return false;
  note(turn, startedRecord(turn, hook));
  return true;
}

const unknownRuns = memo((state: State): readonly string[] =>
  valuesOf(state.live.seen)
    .filter((seen) => isUnknown(state, seen))
    .map(({ name }) => name),
);

function mustClimbFirst(state: State, served: string): boolean {
  const run = lookUp(state.runs, served);
  return run !== undefined && hasClimbed(state, run);
}

function startedRecord(turn: Turn, hook: string): BodyOf<'hook'> {
  const run = lookUp(turn.state.runs, servedRun(hook));
  const kind = hookKind(hook);
  const index = run === undefined ? null : rungFor(turn.state, run, kind, hook);
  const deadlineNs = timeOut(turn, kind, processName(hook), run, index);
  return {
    type: 'hook',
    process: processName(hook),
    run: servedRun(hook),
    hook,
    state: 'started',
    code: null,
    signal: null,
    ...(index === null ? {} : { index }),
    ...(deadlineNs === null ? {} : { deadline_ns: deadlineNs }),
  };
}

function rungFor(state: State, run: Run, kind: HookKind, hook: string): number | null {
  if (kind === 'busy') return ladderOf(state, run).findIndex(({ action }) => action === 'busy');
  return kind === 'pre-stop' ? rungOfHook(state, run, hook) : null;
}

/** The rung that the run stands on, or the last one before it that has a command. Another hook that is known came later. */
function rungOfHook(state: State, run: Run, hook: string): number | null {
  const isLatest = hookNumber(hook) > run.hooks;
  const before = isLatest ? (run.rung?.index ?? 0) + 1 : (run.hook?.index ?? 0);
  const commands = ladderOf(state, run).flatMap(({ action }, at) => (action === 'exec' ? [at] : []));
  return commands.findLast((at) => at < before) ?? commands[0] ?? null;
}

/** A new one: of the old one nothing is known but what its run's rung says. What serves nobody any more has had its time. */
function timeOut(
  turn: Turn,
  kind: HookKind,
  process: string,
  run: Run | undefined,
  index: number | null,
): bigint | null {
  if (kind === 'pre-start') return preStartEndNs(turn.state, process, turn.nowNs);
  if (run === undefined) return turn.nowNs;
  if (isProbe(kind)) {
    const { health } = processOf(turn.state.plan, process);
    const timeoutMs = kind === 'ready' ? READY_ANSWER_MS : (health?.timeoutMs ?? 0);
    return turn.nowNs + BigInt(timeoutMs) * MS;
  }
  // Its rung may have no end: what is asked must have an answer.
  if (kind === 'busy') return answerBy(turn, run.rung?.deadlineNs ?? null);
  if (kind === 'post-stop') return postStopEndNs(turn.state, run, turn.nowNs);
  const rung = index === null ? undefined : ladderOf(turn.state, run)[index];
  return rung === undefined ? turn.nowNs : hookDeadline(turn, run, rung);
}
