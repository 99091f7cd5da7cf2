/** `gsup check`: how this command would be stopped, without starting it. */
import { readFileSync } from 'node:fs';
import { formatDuration } from '../config/duration.ts';
import { normalizeRun, type RunConfig } from '../config/run-config.ts';
import { planStop, restartSentence, type StopStep } from '../config/stop-plan.ts';
import { EXIT } from '../signals/exit-codes.ts';
import { quote } from './messages.ts';
import { failure, type Outcome } from './output.ts';
import { type Environment, parseArguments } from './parse.ts';

/** `rest`: what follows the word `check`, with or without the word `run`. Gives back what is no command line of `run`. */
export function check(
  before: readonly string[],
  rest: readonly string[],
  env: Environment,
): Outcome | 'help' | 'version' {
  const options = rest[0] === 'run' ? rest.slice(1) : rest;
  const parsed = parseArguments([...before, 'run', ...options], env);
  if (parsed.action === 'error')
    return { ...failure(EXIT.usage, parsed.message), logFormat: parsed.logFormat };
  if (parsed.action !== 'run') return parsed.action === 'version' ? 'version' : 'help';
  const configured = normalizeRun(parsed, { env, readFile: (path) => readFileSync(path, 'utf8') });
  const logFormat = parsed.options['log-format'];
  if (configured.kind === 'problems') return { ...failure(EXIT.usage, ...configured.problems), logFormat };
  return { ...describe(configured.config, parsed.plain), logFormat };
}

function describe(config: RunConfig, plain: boolean): Outcome {
  const plan = planStop(config);
  const last: StopStep = {
    sentence: 'SIGKILL to the group and whatever is left of the tree',
    waitMs: 0,
    cutMs: 0,
  };
  const hook = plan.postStop === null ? [] : [`  then  ${hookText(plan.postStop)}`];
  const lines = [
    `${config.name}: ${restartSentence(config.restart)}`,
    `supervisor: ${plain ? 'not needed, init carries this out by itself' : 'present'}`,
    'stop:',
    ...[...plan.steps, last].map(stepLine),
    ...hook,
    `worst case: ${plan.worstMs === null ? 'never ends by itself' : formatDuration(plan.worstMs)}`,
  ];
  const complaints = plan.warnings.map((sentence) => ({ level: 'warn' as const, sentence }));
  return { exitCode: EXIT.success, stdout: `${lines.join('\n')}\n`, complaints };
}

function hookText(step: StopStep): string {
  return `${quote(step.sentence)}, at most ${formatDuration(step.waitMs)}${cutText(step)}`;
}

function stepLine(step: StopStep, at: number): string {
  const wait =
    step.waitMs === 0
      ? ''
      : step.waitMs === null
        ? ', wait forever'
        : `, wait up to ${formatDuration(step.waitMs)}`;
  return `  ${at + 1}  ${quote(step.sentence)}${wait}${cutText(step)}`;
}

function cutText({ cutMs }: StopStep): string {
  return cutMs === 0 ? '' : ` (cut by ${formatDuration(cutMs)})`;
}
