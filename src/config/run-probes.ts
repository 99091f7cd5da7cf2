/** `--ready` and `--health` of `run`: complete, checked, and in words. Pure. */
import type { Options } from '../cli/parse.ts';
import { type HealthSpec, parseHealth, parseReady } from '../cli/probe-spec.ts';
import { escapeText } from '../report/escape.ts';
import type { HealthPlan, ReadyPlan, ReadyProbe } from '../supervisor/plan.ts';
import { formatDuration } from './duration.ts';
import { commandText } from './stop-plan.ts';

export interface RunProbes extends HealthSpec {
  readonly ready: ReadyPlan | null;
}

export function probesOf({ ready, health }: Options): RunProbes {
  const none = { health: null, watchdogMs: null };
  return {
    ready: (ready === null ? null : parseReady(ready)) ?? null,
    ...((health === null ? none : parseHealth(health)) ?? none),
  };
}

/** What init's own parser cannot know: whether a URL is one, and a pattern. */
export function probeProblems({ ready, health }: RunProbes): string[] {
  return [
    ...(ready === null ? [] : problemsOf('--ready', ready.probe)),
    ...(health === null ? [] : problemsOf('--health', health.probe)),
  ];
}

function problemsOf(option: string, probe: ReadyProbe): string[] {
  if (probe.kind === 'http' && !URL.canParse(probe.url))
    return [`cannot use "${option}": a URL is needed, got "${escapeText(probe.url)}"`];
  const cause = probe.kind === 'log' ? whyNoPattern(probe.pattern) : null;
  return cause === null ? [] : [`cannot use "${option}": a regular expression is needed; ${cause}`];
}

function whyNoPattern(pattern: string): string | null {
  try {
    new RegExp(pattern);
    return null;
  } catch (error) {
    return escapeText((error as Error).message.slice(0, 200));
  }
}

/** For `check`: what is waited for, and what is looked at. */
export function probeLines({ ready, health, watchdogMs }: RunProbes): string[] {
  return [
    ...(ready === null ? [] : [`ready: ${readyText(ready)}`]),
    ...(health === null ? [] : [`health: ${healthText(health)}`]),
    ...(watchdogMs === null
      ? []
      : [`health: WATCHDOG=1 by sd_notify at least every ${formatDuration(watchdogMs)}`]),
  ];
}

function readyText({ probe, timeoutMs }: ReadyPlan): string {
  const most = timeoutMs === null ? '' : `, or it has failed after ${formatDuration(timeoutMs)}`;
  return `when ${probeText(probe)}${most}`;
}

const REACTIONS: Record<HealthPlan['onUnhealthy'], string> = {
  restart: 'it is stopped, and has failed',
  stop: 'it is stopped, and has failed for good',
  ignore: 'it is said',
};

function healthText(health: HealthPlan): string {
  const failures = health.retries === 1 ? 'one failure' : `${health.retries} failures in a row`;
  const spared =
    health.startPeriodMs === 0 ? '' : `; none counts in the first ${formatDuration(health.startPeriodMs)}`;
  return `${probeText(health.probe)}, asked every ${formatDuration(health.intervalMs)}; after ${failures} ${REACTIONS[health.onUnhealthy]}${spared}`;
}

function probeText(probe: ReadyProbe): string {
  switch (probe.kind) {
    case 'notify':
      return 'it says so with sd_notify';
    case 'fd':
      return `it writes a newline to descriptor ${probe.fd}`;
    case 'log':
      return `a line of its output matches /${escapeText(probe.pattern)}/`;
    case 'tcp':
      return `it accepts connections at ${escapeText(probe.host)}, port ${probe.port}`;
    case 'http':
      return `${escapeText(probe.url)} is answered with a status from 200 to 399`;
    case 'exec':
      return `${escapeText(commandText(probe.command))} succeeds`;
  }
}
