/** `gsup check` of a config file: what is wrong with it, or what would happen, without starting anything. */
import { countProblem } from '../config/descriptor-limit.ts';
import { loadConfig } from '../config/load-config.ts';
import { settingsFor, strangersLine } from '../config/orchestrators.ts';
import { planLines } from '../config/plan-lines.ts';
import { printConfig } from '../config/print-config.ts';
import { problemLine } from '../config/problem.ts';
import { estimateStop } from '../config/stop-estimate.ts';
import { planUp } from '../config/up-plan.ts';
import { EXIT } from '../signals/exit-codes.ts';
import { orchestratorOf, unknownOrchestrator } from './check-words.ts';
import { realSources } from './config-sources.ts';
import { type Complaint, failure, type Outcome } from './output.ts';
import type { Environment } from './parse.ts';
import { VERSION } from './version.gen.ts';

export interface CheckOptions {
  readonly file?: readonly string[];
  readonly for?: string;
  readonly print?: boolean;
}

/** `name`: what `--name` says. */
export function checkConfig(options: CheckOptions, name: string | null, env: Environment): Outcome {
  const asked = options.for === undefined ? null : orchestratorOf(options.for);
  if (asked === undefined) return failure(EXIT.usage, unknownOrchestrator(options.for ?? ''));
  const loaded = loadConfig({ ...realSources(env), files: options.file ?? null, only: [] });
  const warnings = loaded.warnings.map(({ file, line, column, message }) =>
    warning(`${file}:${line}:${column}: ${message}`),
  );
  if (loaded.kind === 'problems') {
    const { complaints = [], ...outcome } = failure(EXIT.config, ...loaded.problems.map(problemLine));
    return { ...outcome, complaints: [...complaints, ...warnings] };
  }
  const { config } = loaded;
  const plan = planUp(config, name ?? config.name, VERSION);
  const tooMany = countProblem(plan);
  if (tooMany !== null) return failure(EXIT.config, tooMany);
  const estimate = estimateStop(plan);
  const settings = asked === null ? [] : [...settingsFor(asked, estimate), ...strangersLine(estimate)];
  const lines = asked === null ? planLines(config, plan, estimate) : settings;
  const stdout = options.print ? printConfig(config) : `${lines.join('\n')}\n`;
  return { exitCode: EXIT.success, stdout, complaints: [...warnings, ...estimate.warnings.map(warning)] };
}

function warning(sentence: string): Complaint {
  return { level: 'warn', sentence };
}
