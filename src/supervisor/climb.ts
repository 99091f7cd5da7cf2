/** A run climbs its stop ladder. */
import type { BodyOf } from '../checkpoint/record.ts';
import { msOf, type Share } from '../signals/budget.ts';
import { isHook, signalOf } from '../signals/ladder.ts';
import { signalName } from '../signals/names.ts';
import { ladderShareNs, leftNs, shareOfRung } from './budget-share.ts';
import { drainIndex, isDraining, ladderOf, rungOf, snapshotOf } from './select.ts';
import type { Run, State } from './state.ts';
import { decideOn, say, type Turn } from './turn.ts';
import type { Rung, RunSnapshot } from './vocabulary.ts';

const SIGTERM = 15;
const MS = 1_000_000n;

/** Enter a rung, or beyond the last: SIGKILL. */
export function enterRung(turn: Turn, run: Run, index: number): void {
  const rung = ladderOf(turn.state, run)[index];
  if (rung === undefined) {
    killRun(turn, run);
    return;
  }
  const { waitNs, cutNs } = waitOf(turn, run, index);
  const cutMs = msOf(cutNs);
  decideOn(turn, {
    ...rungRecord(turn.state, run, index, rung),
    wait_ms: waitNs === null ? null : msOf(waitNs),
    deadline_ns: waitNs === null ? null : turn.nowNs + waitNs,
    cut_ms: cutMs,
  });
  if (cutMs > 0) say(turn, { kind: 'cut', run: run.name, index, cutMs });
}

/** A drain has all the time there is. */
function waitOf(turn: Turn, run: Run, index: number): Share {
  if (run.stop?.firstOnly) return { waitNs: null, cutNs: 0n };
  return shareOfRung(turn.state, run, index, turn.nowNs);
}

/** What a drain has begun: the wait of its rung begins now; or has begun, where its coordinator was asked and nobody else. */
export function resumeLadder(turn: Turn, run: Run): void {
  const begun = begunAnew(turn.state, run, turn.nowNs);
  if (begun !== undefined) decideOn(turn, begun);
}

/** The rung on which it stands, with all of its wait that the budget leaves now. undefined: it stands on none. */
export function begunAnew(state: State, run: Run, nowNs: bigint): RungRecord | undefined {
  const rung = rungOf(state, run);
  if (rung === undefined || run.rung === null) return undefined;
  const { index } = run.rung;
  const seen = snapshotOf(state, run);
  const { waitNs, cutNs } = shareOfRung(state, run, index, nowNs);
  const untilNs = waitNs === null ? null : nowNs + waitNs;
  return {
    ...rungRecord(state, run, index, rung),
    wait_ms: waitNs === null ? null : msOf(waitNs),
    deadline_ns: (seen?.alone === true ? seen.deadlineNs : null) ?? untilNs,
    cut_ms: msOf(cutNs),
  };
}

export function nextRung(turn: Turn, run: Run): void {
  enterRung(turn, run, run.rung === null ? 0 : run.rung.index + 1);
}

export function killRun(turn: Turn, run: Run): void {
  const pids = pidsOf(turn.state, run);
  decideOn(turn, { type: 'kill', process: run.process, run: run.name, pids });
  say(turn, { kind: 'killed', run: run.name, pids });
}

/**
 * The second ask. What must drain is not signalled for it: its hook is tried again at once (`evolve` sees the rung
 * entered once more), and a budget that has an end keeps it.
 */
export function escalate(turn: Turn, run: Run): void {
  if (isDraining(turn.state, run)) enterAgain(turn, run, run.rung?.deadlineNs ?? null);
  else nextRung(turn, run);
}

/** The coordinator has climbed while nobody told it otherwise: that is how it is, and it goes on from there. */
export function acceptRung(turn: Turn, run: Run): void {
  const seen = snapshotOf(turn.state, run);
  if (seen?.rung == null) return;
  const rung = ladderOf(turn.state, run)[seen.rung];
  say(turn, { kind: 'climbed-alone', run: run.name, index: seen.rung });
  // Alone it may only wait for somebody who drains: from here the way down is this supervisor's.
  if (seen.rung < (drainIndex(turn.state, run) ?? 0) && !run.drained) {
    enterRung(turn, run, seen.rung);
    return;
  }
  if (rung === undefined) {
    decideOn(turn, { type: 'kill', process: run.process, run: run.name, pids: pidsOf(turn.state, run) });
    return;
  }
  const waitMs = seen.deadlineNs === null ? null : rung.waitMs;
  decideOn(turn, {
    ...rungRecord(turn.state, run, seen.rung, rung),
    notify_count: seen.notifyCount - (hasAskedForTime(seen) ? 1 : 0),
    wait_ms: waitMs,
    deadline_ns: seen.deadlineNs,
    cut_ms: 0,
  });
}

/** On the first rung, before anybody was there to hear of it. */
function hasAskedForTime({ rung, stopNs, extendNs }: RunSnapshot): boolean {
  return rung === 0 && extendNs > 0n && extendNs >= stopNs;
}

/** EXTEND_TIMEOUT_USEC, as systemd has it: so much from now on, if that is later; within the budget. */
export function extendRung(turn: Turn, run: Run): void {
  const asked = BigInt(snapshotOf(turn.state, run)?.extendUs ?? 0) * 1000n;
  const left = leftNs(turn.state, turn.nowNs);
  const most = left === null ? asked : ladderShareNs(turn.state, run, asked, left);
  const given = most < asked ? most : asked;
  const until = turn.nowNs + given;
  const deadline = run.rung?.deadlineNs ?? null;
  enterAgain(turn, run, deadline === null || until < deadline ? deadline : until);
}

function enterAgain(turn: Turn, run: Run, deadlineNs: bigint | null): void {
  const rung = rungOf(turn.state, run);
  if (rung === undefined || run.rung === null) return;
  const longer = (deadlineNs ?? 0n) - (run.rung.deadlineNs ?? 0n);
  decideOn(turn, {
    ...rungRecord(turn.state, run, run.rung.index, rung),
    wait_ms: run.rung.waitMs === null ? null : run.rung.waitMs + Number(longer / MS),
    deadline_ns: deadlineNs,
    cut_ms: 0,
  });
}

type RungRecord = BodyOf<'rung'>;

function rungRecord(
  state: State,
  run: Run,
  index: number,
  rung: Rung,
): Omit<RungRecord, 'wait_ms' | 'deadline_ns' | 'cut_ms'> {
  const signal = signalOf(rung, run.stop?.signal ?? SIGTERM);
  return {
    type: 'rung',
    process: run.process,
    run: run.name,
    index,
    action: rung.action,
    signal: signal === null ? null : (signalName(signal) ?? null),
    target: rung.action === 'signal' ? rung.target : null,
    pids: isHook(rung) || rung.action === 'wait' ? [] : pidsOf(state, run),
    notify_count: snapshotOf(state, run)?.notifyCount ?? 0,
  };
}

function pidsOf(state: State, run: Run): readonly number[] {
  const seen = snapshotOf(state, run);
  if (seen === undefined || seen.pid <= 0) return [];
  return seen.leaderExited ? seen.stragglerPids : [seen.pid, ...seen.stragglerPids];
}
