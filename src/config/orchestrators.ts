/** What to write for whoever starts the container, so that it never kills before gsup is done. Pure. */
import type { WaitMs } from '../supervisor/vocabulary.ts';
import { formatDuration } from './duration.ts';

export const ORCHESTRATORS = ['docker', 'compose', 'kubernetes', 'ecs', 'systemd'] as const;

export type Orchestrator = (typeof ORCHESTRATORS)[number];

export interface StopNeeds {
  /** What the outside world must allow; null: no time is enough. */
  readonly outsideMs: WaitMs;
}

/** AWS: "For tasks that use the Fargate launch type, the max stop timeout value is 120 seconds". */
const ECS_MAX_S = 120;

/** Of src/init/runs.c: the grace of a stranger, and how long what SIGKILL does not end is waited for. */
const STRANGERS_MS = 8000 + 5000;

/** Orphans of `docker exec` climb a ladder of their own. Nobody can know of them beforehand, and most containers have none. */
export function strangersLine({ outsideMs }: StopNeeds): readonly string[] {
  if (outsideMs === null) return [];
  const more = formatDuration(STRANGERS_MS);
  return [
    `# What docker exec leaves behind and ignores SIGTERM may take ${more} more: add them if there can be any.`,
  ];
}

/** Lines to copy; what begins with # is for people. */
export function settingsFor(orchestrator: Orchestrator, { outsideMs }: StopNeeds): readonly string[] {
  const seconds = outsideMs === null ? null : Math.max(1, Math.ceil(outsideMs / 1000));
  return SETTINGS[orchestrator](seconds);
}

const SETTINGS: Record<Orchestrator, (seconds: number | null) => readonly string[]> = {
  docker: dockerSettings,
  compose: composeSettings,
  kubernetes: kubernetesSettings,
  ecs: ecsSettings,
  systemd: systemdSettings,
};

/** What has no end cannot be written; a budget gives it one. */
function endless(what: string): string {
  return `# A stop may take forever, and ${what}. Set stop_budget, and ask again.`;
}

function dockerSettings(seconds: number | null): readonly string[] {
  const time = seconds ?? -1;
  const note =
    seconds === null ? ['# A stop may take forever: -1 waits for it. stop_budget would give it an end.'] : [];
  return [
    ...note,
    `docker run --stop-timeout ${time} --stop-signal SIGTERM IMAGE`,
    `docker stop -t ${time} CONTAINER`,
  ];
}

function composeSettings(seconds: number | null): readonly string[] {
  if (seconds === null) return [endless('Compose cannot wait without end')];
  return [
    'services:',
    '  app:',
    '    stop_signal: SIGTERM',
    `    stop_grace_period: ${seconds}s`,
    '    init: false',
  ];
}

function kubernetesSettings(seconds: number | null): readonly string[] {
  if (seconds === null) return [endless('Kubernetes cannot wait without end')];
  return [
    '# A preStop hook runs within this time, not before it: add how long it takes.',
    'spec:',
    `  terminationGracePeriodSeconds: ${seconds}`,
  ];
}

function ecsSettings(seconds: number | null): readonly string[] {
  if (seconds === null) return [endless(`ECS waits for ${ECS_MAX_S} s at most on Fargate`)];
  if (seconds > ECS_MAX_S)
    return [
      `# ECS waits for ${ECS_MAX_S} s at most on Fargate, and a stop may take ${seconds} s. Set stop_budget: ${formatDuration((ECS_MAX_S - BUDGET_MARGIN_S) * 1000)}, which cuts the waits to fit.`,
      `"stopTimeout": ${ECS_MAX_S}`,
    ];
  return [`"stopTimeout": ${seconds}`];
}

/** Between the end of a budget and the end of the orchestrator's patience. */
const BUDGET_MARGIN_S = 2;

function systemdSettings(seconds: number | null): readonly string[] {
  return [
    '[Service]',
    '# mixed: gsup alone gets the signal, and stops the others in their order.',
    'KillMode=mixed',
    'KillSignal=SIGTERM',
    `TimeoutStopSec=${seconds ?? 'infinity'}`,
  ];
}
