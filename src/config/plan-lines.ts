/** A plan in words: who starts when, what each process does, who stops when, and how long that can take. Pure. */
import { escapeText } from '../report/escape.ts';
import type { Dependency, PreStartPlan, ProcessPlan, RestartPlan, TaskPlan } from '../supervisor/plan.ts';
import { formatDuration } from './duration.ts';
import { formatSize } from './size.ts';
import type { LevelEstimate, StopEstimate } from './stop-estimate.ts';
import { startLevels } from './stop-levels.ts';
import {
  commandText,
  hookSteps,
  hookText,
  LAST_STEP,
  restartSentence,
  rungStep,
  stepLine,
} from './stop-plan.ts';
import type { ProcessConfig, UpConfig } from './up-config.ts';

export function planLines(config: UpConfig, plan: TaskPlan, estimate: StopEstimate): readonly string[] {
  return [
    `task: ${plan.name}, ${countOf(plan.processes.length)}`,
    'start:',
    ...startLines(config),
    ...config.processes.flatMap(processLines),
    'stop:',
    ...stopLines(estimate),
    `worst case: ${estimate.worstMs === null ? 'never ends by itself' : formatDuration(estimate.worstMs)}${budgetText(plan)}`,
  ];
}

function countOf(count: number): string {
  return count === 1 ? '1 process' : `${count} processes`;
}

function budgetText({ stopBudgetMs }: TaskPlan): string {
  return stopBudgetMs === null ? '' : `, within a stop budget of ${formatDuration(stopBudgetMs)}`;
}

function startLines({ processes }: UpConfig): string[] {
  const ordinary = processes.filter(({ role }) => role !== 'final');
  const finals = processes.filter(({ role }) => role === 'final');
  return [
    ...levelsOf(ordinary).map((level, at) => `  ${at + 1}  ${level.map(startText).join(', ')}`),
    ...levelsOf(finals).map((level) => `  at the end  ${level.map(startText).join(', ')}`),
  ];
}

function levelsOf(processes: readonly ProcessConfig[]): ProcessConfig[][] {
  const levels = startLevels(processes);
  const depths = [...new Set(levels.values())].sort((a, b) => a - b);
  return depths.map((depth) => processes.filter(({ name }) => levels.get(name) === depth));
}

function startText({ name, replicas, autostart, dependsOn }: ProcessConfig): string {
  const count = replicas === null ? '' : ` (${replicas} replicas)`;
  const after = dependsOn.length === 0 ? '' : ` when ${dependsOn.map(conditionText).join(' and ')}`;
  return `${name}${count}${after}${autostart ? '' : ' on request'}`;
}

function conditionText({ on, condition }: Dependency): string {
  return condition === 'completed_successfully' ? `${on} has completed` : `${on} is ${condition}`;
}

function processLines(process: ProcessConfig): string[] {
  const steps = [...process.ladder.map(rungStep), LAST_STEP];
  const drain =
    process.mustDrain === null ? [] : ['  no signal before its hook has succeeded, without limit'];
  const before = process.preStart === null ? [] : [`  before  ${preStartText(process.preStart)}`];
  const [hook] = hookSteps(process.postStop);
  const after = hook === undefined ? [] : [`  then  ${hookText(hook)}`];
  const stop = [...drain, ...steps.map(stepLine), ...after];
  return [`${process.name}: ${sentenceOf(process)}`, ...before, ...stop];
}

/** Said of the start, beside the steps of the stop. */
function preStartText({ command, timeoutMs }: PreStartPlan): string {
  const most = timeoutMs === null ? '' : ` within ${formatDuration(timeoutMs)}`;
  return `each run: ${escapeText(commandText(command))}, which must succeed${most}`;
}

function sentenceOf(process: ProcessConfig): string {
  const parts = [againSentence(process.restart, process.daemon)];
  if (process.role === 'ephemeral') parts.unshift('ephemeral');
  if (process.role === 'final') parts.unshift('final');
  if (process.memoryLimitBytes !== null)
    parts.push(`makes way for a new run above ${formatSize(process.memoryLimitBytes)}`);
  return parts.join(', ');
}

function againSentence(restart: RestartPlan, daemon: boolean): string {
  if (!daemon || restart.policy === 'always') return restartSentence(restart);
  if (restart.policy === 'on-failure') return restartSentence({ ...restart, policy: 'always' });
  const apart =
    restart.minDurationMs === 0 ? '' : `, at least ${formatDuration(restart.minDurationMs)} apart`;
  return `runs again after success${apart}, and not after failure`;
}

function stopLines({ levels, finals }: StopEstimate): string[] {
  const last = finals === null ? [] : [`  at the end  ${levelText(finals)}`];
  return [...levels.map((level, at) => `  ${at + 1}  ${levelText(level)}`), ...last];
}

function levelText({ processes, waitMs, cutMs }: LevelEstimate): string {
  const names = [...new Set(processes.map(({ entry }: ProcessPlan) => entry))];
  const wait = waitMs === null ? 'forever' : formatDuration(waitMs);
  return `${names.join(', ')}: up to ${wait}${cutMs === 0 ? '' : ` (cut by ${formatDuration(cutMs)})`}`;
}
