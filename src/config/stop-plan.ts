/** How a stop of one command would go at worst: what `check` prints, and what is warned of at the start. Pure. */
import { escapeText } from '../report/escape.ts';
import { msOf, nsOf, reserveNs, shareOut, sumOf } from '../signals/budget.ts';
import { signalName } from '../signals/names.ts';
import { HOOK_GRACE_MS, POST_STOP_MS } from '../supervisor/plan.ts';
import type { Command, Rung } from '../supervisor/vocabulary.ts';
import { formatDuration } from './duration.ts';
import type { RestartConfig, RunConfig } from './run-config.ts';

/** `docker stop` and Compose kill after this long when they are not told otherwise. */
export const DOCKER_STOP_MS = 10_000;

/** To kill, reap, record and report; what the default grace leaves of Docker's 10 s. */
export const MARGIN_MS = 2000;

export interface StopStep {
  readonly sentence: string;
  /** After the budget's cut; null: forever. */
  readonly waitMs: number | null;
  readonly cutMs: number;
}

export interface StopPlan {
  readonly steps: readonly StopStep[];
  /** The hook after the end. null: there is none. */
  readonly postStop: StopStep | null;
  /** null: it may never end. */
  readonly worstMs: number | null;
  readonly warnings: readonly string[];
}

export function planStop(config: RunConfig): StopPlan {
  const { ladder, budgetMs } = config.stop;
  const wanted = [...ladder.map(rungStep), ...hookSteps(config.postStop)];
  const all = budgetMs === null ? wanted : cutSteps(wanted, budgetMs);
  const spent = totalMs(all.map((step) => step.waitMs));
  const worstMs = budgetMs === null ? spent : Math.min(spent ?? budgetMs, budgetMs);
  const asked = totalMs(wanted.map((step) => step.waitMs));
  const what = config.postStop === null ? 'the ladder' : 'the ladder with the post-stop hook';
  return {
    steps: all.slice(0, ladder.length),
    postStop: all[ladder.length] ?? null,
    worstMs,
    warnings: budgetWarnings(budgetMs, asked, what, all),
  };
}

/** The hook after the end, and what one takes that ignores the end of its time. */
export function hookSteps(postStop: Command | null): StopStep[] {
  if (postStop === null) return [];
  return [
    { sentence: `run ${commandText(postStop)}`, waitMs: POST_STOP_MS, cutMs: 0 },
    { sentence: 'SIGTERM to a hook that is not done', waitMs: HOOK_GRACE_MS, cutMs: 0 },
  ];
}

/** What happens when the command ends, in one sentence. */
export function restartSentence(restart: RestartConfig): string {
  if (restart.policy === 'no') return 'does not run again';
  const limit =
    restart.maxFailures === 0 ? 'without limit' : `until it has failed ${times(restart.maxFailures)}`;
  const when = restart.policy === 'always' ? 'whenever it ends' : 'after failure';
  const apart =
    restart.minDurationMs === 0 ? '' : `, at least ${formatDuration(restart.minDurationMs)} apart`;
  return `runs again ${when}, ${limit}${apart}`;
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}

export function rungStep(rung: Rung): StopStep {
  return { sentence: rungSentence(rung), waitMs: rung.waitMs, cutMs: 0 };
}

/** As if every step used all of its share. */
function cutSteps(wanted: readonly StopStep[], budgetMs: number): StopStep[] {
  const budgetNs = BigInt(budgetMs) * 1_000_000n;
  let left = budgetNs - reserveNs(budgetNs);
  return wanted.map(({ sentence, waitMs }, at) => {
    const later = wanted.slice(at + 1).map((next) => nsOf(next.waitMs));
    const share = shareOut(nsOf(waitMs), later, left);
    const waitNs = share.waitNs ?? left;
    left -= waitNs;
    return { sentence, waitMs: msOf(waitNs), cutMs: msOf(share.cutNs) };
  });
}

function rungSentence(rung: Rung): string {
  switch (rung.action) {
    case 'signal': {
      const signal = rung.signal === 'received' ? 'the signal received' : (signalName(rung.signal) ?? '');
      return `${signal} to the ${rung.target}`;
    }
    case 'wait':
      return 'wait for it to end by itself';
    case 'exec':
      return `run ${commandText(rung.command)}`;
    case 'busy':
      return `wait while ${commandText(rung.command)} succeeds: it is busy`;
    case 'http_post':
      return `POST ${rung.url}`;
  }
}

export function commandText(command: Command): string {
  return 'shell' in command ? command.shell : command.exec.join(' ');
}

function budgetWarnings(
  budgetMs: number | null,
  asked: number | null,
  what: string,
  steps: readonly StopStep[],
): string[] {
  const long = formatDuration(asked);
  if (budgetMs !== null) {
    const forever = asked === null;
    if (!forever && steps.every((step) => step.cutMs === 0)) return [];
    return [
      `${what} may take ${long}, which is more than the stop budget of ${formatDuration(budgetMs)} less a reserve for killing: waits are cut`,
    ];
  }
  if (asked === null)
    return [
      'a rung waits forever, and no stop budget is set: what asked for the stop may kill everything first',
    ];
  if (asked <= DOCKER_STOP_MS) return [];
  const seconds = Math.ceil((asked + MARGIN_MS) / 1000);
  return [
    `no stop budget is set, and ${what} may take ${long}, while Docker kills after ${formatDuration(DOCKER_STOP_MS)}; ` +
      `set docker run --stop-timeout ${seconds}, stop_grace_period: ${seconds}s (Compose) or terminationGracePeriodSeconds: ${seconds} (Kubernetes)`,
  ];
}

/** null: forever. */
export function totalMs(waits: readonly (number | null)[]): number | null {
  const sum = sumOf(waits.map(nsOf));
  return sum === null ? null : msOf(sum);
}

/** What follows every ladder. */
export const LAST_STEP: StopStep = {
  sentence: 'SIGKILL to the group and whatever is left of the tree',
  waitMs: 0,
  cutMs: 0,
};

/** One step, numbered from 1. */
export function stepLine(step: StopStep, at: number): string {
  return `  ${at + 1}  ${escapeText(step.sentence)}${waitText(step.waitMs)}${cutText(step)}`;
}

function waitText(waitMs: number | null): string {
  if (waitMs === 0) return '';
  return waitMs === null ? ', wait forever' : `, wait up to ${formatDuration(waitMs)}`;
}

export function hookText(step: StopStep): string {
  return `${escapeText(step.sentence)}, at most ${formatDuration(step.waitMs)}${cutText(step)}`;
}

function cutText({ cutMs }: StopStep): string {
  return cutMs === 0 ? '' : ` (cut by ${formatDuration(cutMs)})`;
}
