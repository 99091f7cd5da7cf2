/** Reads the config of `up` for init, once, before anything is held or started: what is wrong with it is said here, all at once. */
import { readFileSync } from 'node:fs';
import { descriptorProblem } from '../config/descriptor-limit.ts';
import { loadConfig } from '../config/load-config.ts';
import { missingProblems } from '../config/not-in-this-version.ts';
import { problemLine } from '../config/problem.ts';
import { planUp } from '../config/up-plan.ts';
import { EXIT } from '../signals/exit-codes.ts';
import { KEPT_CONFIG, keepPlan } from './kept-config.ts';
import type { Complaint, Outcome } from './output.ts';
import type { Environment, ParsedUp } from './parse.ts';
import { VERSION } from './version.gen.ts';

export function readConfig(parsed: ParsedUp, env: Environment): Outcome {
  const { options, words } = parsed;
  const loaded = loadConfig({
    files: options.file.length > 0 ? options.file : null,
    only: words,
    env,
    cwd: process.cwd(),
    readFile: (path) => readFileSync(path, 'utf8'),
    readStdin: () => readFileSync(0, 'utf8'),
  });
  const warnings = loaded.warnings.map(
    (each): Complaint => ({ level: 'warn', sentence: problemLine({ ...each, path: '', hint: '' }) }),
  );
  if (loaded.kind === 'problems')
    return refused([...warnings, ...loaded.problems.map((each) => error(problemLine(each)))]);
  const plan = planUp(loaded.config, options.name ?? loaded.config.name, VERSION);
  const tooMany = descriptorProblem(plan, readFileSync('/proc/self/limits', 'latin1'));
  const problems = [...missingProblems(plan), ...(tooMany === null ? [] : [tooMany])];
  if (problems.length > 0) return refused([...warnings, ...problems.map(error)]);
  keepPlan(KEPT_CONFIG, plan);
  return { exitCode: EXIT.success, complaints: warnings };
}

function error(sentence: string): Complaint {
  return { level: 'error', sentence };
}

function refused(complaints: readonly Complaint[]): Outcome {
  return { exitCode: EXIT.config, complaints };
}
