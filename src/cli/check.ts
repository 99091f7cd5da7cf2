/** `gsup check run`: how this command would be stopped, without starting it. */
import { readFileSync } from 'node:fs';
import { formatDuration } from '../config/duration.ts';
import { type Orchestrator, settingsFor } from '../config/orchestrators.ts';
import { normalizeRun, type RunConfig } from '../config/run-config.ts';
import { probeLines } from '../config/run-probes.ts';
import { hookText, LAST_STEP, MARGIN_MS, planStop, restartSentence, stepLine } from '../config/stop-plan.ts';
import { EXIT } from '../signals/exit-codes.ts';
import { failure, type Outcome } from './output.ts';
import { type Environment, parseArguments } from './parse.ts';

/**
 * `rest`: options of `run` and the command. Gives back what is no command line of `run`.
 * `asked`: for whom the settings are wanted, in place of the plan.
 */
export function check(
  before: readonly string[],
  rest: readonly string[],
  env: Environment,
  asked: Orchestrator | null = null,
): Outcome | 'help' | 'version' {
  const parsed = parseArguments([...before, 'run', ...rest], env);
  if (parsed.action === 'error')
    return { ...failure(EXIT.usage, parsed.message), logFormat: parsed.logFormat };
  if (parsed.action !== 'run') return parsed.action === 'version' ? 'version' : 'help';
  const configured = normalizeRun(parsed, { env, readFile: (path) => readFileSync(path, 'utf8') });
  const logFormat = parsed.options['log-format'];
  if (configured.kind === 'problems') return { ...failure(EXIT.usage, ...configured.problems), logFormat };
  return { ...describe(configured.config, parsed.plain, asked), logFormat };
}

function describe(config: RunConfig, plain: boolean, asked: Orchestrator | null): Outcome {
  const plan = planStop(config);
  const hook = plan.postStop === null ? [] : [`  then  ${hookText(plan.postStop)}`];
  const lines = [
    `${config.name}: ${restartSentence(config.restart)}`,
    `supervisor: ${plain ? 'not needed, init carries this out by itself' : 'present'}`,
    ...probeLines(config),
    'stop:',
    ...[...plan.steps, LAST_STEP].map(stepLine),
    ...hook,
    `worst case: ${plan.worstMs === null ? 'never ends by itself' : formatDuration(plan.worstMs)}`,
  ];
  const complaints = plan.warnings.map((sentence) => ({ level: 'warn' as const, sentence }));
  const outsideMs = plan.worstMs === null ? null : plan.worstMs + MARGIN_MS;
  const shown = asked === null ? lines : settingsFor(asked, { outsideMs });
  return { exitCode: EXIT.success, stdout: `${shown.join('\n')}\n`, complaints };
}
