/** How long a stop of a whole task can take: level by level, with finals, and what the budget cuts. Pure. */
import {
  finalsShare,
  longestOf,
  msOf,
  nsOf,
  reserveNs,
  shareOut,
  sumOf,
  type WaitNs,
} from '../signals/budget.ts';
import type { ProcessPlan, TaskPlan } from '../supervisor/plan.ts';
import type { WaitMs } from '../supervisor/vocabulary.ts';
import { formatDuration } from './duration.ts';
import { DOCKER_STOP_MS, hookSteps, MARGIN_MS, rungStep } from './stop-plan.ts';

export interface LevelEstimate {
  readonly processes: readonly ProcessPlan[];
  /** What the slowest of it may take, after the cut; null: forever. */
  readonly waitMs: WaitMs;
  readonly cutMs: number;
}

export interface StopEstimate {
  /** In the order in which they stop. */
  readonly levels: readonly LevelEstimate[];
  /** null: there are none. */
  readonly finals: LevelEstimate | null;
  /** All of it, with what the budget allows; null: it may never end. */
  readonly worstMs: WaitMs;
  /** What the outside world must allow, so that it never kills first; null: nothing is enough. */
  readonly outsideMs: WaitMs;
  readonly warnings: readonly string[];
}

export function estimateStop(plan: TaskPlan): StopEstimate {
  const ordinary = plan.processes.filter(({ role }) => role !== 'final');
  const finals = plan.processes.filter(({ role }) => role === 'final');
  const groups = [...new Set(ordinary.map(({ level }) => level))]
    .sort((a, b) => b - a)
    .map((level) => ordinary.filter((process) => process.level === level));
  const waits = groups.map((group) => longestOf(group.map(stopNs)));
  const finalsNs =
    finals.length === 0 ? 0n : sumOf([nsOf(plan.finalizationWaitMs), longestOf(finals.map(ladderNs))]);
  const asked = sumOf([...waits, finalsNs]);
  const shares = cutWaits(waits, finalsNs, plan.stopBudgetMs);
  const levels = groups.map((processes, at) => ({ processes, ...estimateOf(shares[at]) }));
  const worstNs = plan.stopBudgetMs === null ? asked : shorter(asked, BigInt(plan.stopBudgetMs) * MS);
  const worstMs = worstNs === null ? null : msOf(worstNs);
  return {
    levels,
    finals: finals.length === 0 ? null : { processes: finals, ...estimateOf(shares.at(-1)) },
    worstMs,
    outsideMs: worstMs === null ? null : worstMs + MARGIN_MS,
    warnings: warningsOf(plan, asked === null ? null : msOf(asked), shares.some(isCut)),
  };
}

const MS = 1_000_000n;

interface Cut {
  readonly waitNs: WaitNs;
  readonly cutNs: bigint;
  readonly endless: boolean;
}

function isCut({ cutNs, endless, waitNs }: Cut): boolean {
  return cutNs > 0n || (endless && waitNs !== null);
}

function estimateOf(cut: Cut | undefined): { waitMs: WaitMs; cutMs: number } {
  const waitNs = cut === undefined ? 0n : cut.waitNs;
  return { waitMs: waitNs === null ? null : msOf(waitNs), cutMs: msOf(cut?.cutNs ?? 0n) };
}

function shorter(wait: WaitNs, than: bigint): bigint {
  return wait === null || wait > than ? than : wait;
}

/** As if every level used all of its share; the finals come last. */
function cutWaits(waits: readonly WaitNs[], finals: WaitNs, budgetMs: number | null): Cut[] {
  const all = [...waits, finals];
  if (budgetMs === null) return all.map((waitNs) => ({ waitNs, cutNs: 0n, endless: waitNs === null }));
  const budget = BigInt(budgetMs) * MS;
  let left = budget - reserveNs(budget);
  return all.map((wait, at) => {
    const later = all.slice(at + 1, -1);
    const isLast = at === all.length - 1;
    const share = shareOut(wait, isLast ? [] : [...later, finalsShare(finals, left)], left);
    const waitNs = share.waitNs ?? left;
    left -= waitNs;
    return { waitNs, cutNs: share.cutNs, endless: wait === null };
  });
}

/** From the first rung to the end of the hook after the end. */
export function stopNs(process: ProcessPlan): WaitNs {
  // Only the budget ends the wait for a drain.
  if (process.mustDrain !== null) return null;
  return sumOf([ladderNs(process), ...hookSteps(process.postStop).map(({ waitMs }) => nsOf(waitMs))]);
}

function ladderNs({ ladder }: ProcessPlan): WaitNs {
  return sumOf(ladder.map((rung) => nsOf(rungStep(rung).waitMs)));
}

function warningsOf({ stopBudgetMs, processes }: TaskPlan, askedMs: WaitMs, isCut: boolean): string[] {
  const long = formatDuration(askedMs);
  if (stopBudgetMs !== null) {
    if (!isCut) return [];
    return [
      `a stop may take ${long}, which is more than the stop budget of ${formatDuration(stopBudgetMs)} less a reserve for killing: waits are cut`,
    ];
  }
  if (askedMs === null) {
    const who = [
      ...new Set(processes.filter((process) => stopNs(process) === null).map(({ entry }) => entry)),
    ];
    return [
      `${who.join(', ')} may take forever to stop, and no stop_budget is set: what asked for the stop may kill everything first`,
    ];
  }
  if (askedMs <= DOCKER_STOP_MS) return [];
  return [
    `no stop_budget is set, and a stop may take ${long}, while Docker kills after ${formatDuration(DOCKER_STOP_MS)}: ` +
      'gsup check --for docker (compose, kubernetes, ecs, systemd) prints the settings that fit',
  ];
}
