/** Reads the config of `up` for init, once, before anything is held or started: what is wrong with it is said here, all at once. */
import { readFileSync } from 'node:fs';
import { descriptorProblem } from '../config/descriptor-limit.ts';
import { loadConfig } from '../config/load-config.ts';
import { problemLine } from '../config/problem.ts';
import { planUp } from '../config/up-plan.ts';
import { EXIT } from '../signals/exit-codes.ts';
import type { ConfigRead } from '../supervisor/effect.ts';
import type { TaskPlan } from '../supervisor/plan.ts';
import { KEPT_CONFIG, keepPlan } from './kept-config.ts';
import type { Complaint, Outcome } from './output.ts';
import type { Environment, ParsedUp } from './parse.ts';
import { VERSION } from './version.gen.ts';

export function readConfig(parsed: ParsedUp, env: Environment): Outcome {
  const read = planOf(parsed, env);
  if ('problems' in read) return refused([...read.warnings, ...read.problems.map(error)]);
  keepPlan(KEPT_CONFIG, read.plan);
  const lost = parsed.options.detach ? lostInBackground(read.plan) : [];
  return { exitCode: EXIT.success, complaints: [...read.warnings, ...lost] };
}

/** For a supervisor that wants to know what the config says by now: the answer is data on stdout. */
export function readConfigAgain(parsed: ParsedUp, env: Environment): Outcome {
  const read = planOf(parsed, env);
  const answer: ConfigRead =
    'problems' in read ? { kind: 'problems', problems: read.problems } : { kind: 'plan', plan: read.plan };
  return { exitCode: EXIT.success, stdout: `${JSON.stringify(answer)}\n` };
}

type Read =
  | { readonly plan: TaskPlan; readonly warnings: readonly Complaint[] }
  | { readonly problems: readonly string[]; readonly warnings: readonly Complaint[] };

function planOf({ options, words }: ParsedUp, env: Environment): Read {
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
    return { problems: loaded.problems.map((each) => problemLine(each)), warnings };
  const plan = planUp(loaded.config, options.name ?? loaded.config.name, VERSION);
  const tooMany = descriptorProblem(plan, readFileSync('/proc/self/limits', 'latin1'));
  const problems = tooMany === null ? [] : [tooMany];
  return problems.length > 0 ? { problems, warnings } : { plan, warnings };
}

/** Nobody is at the other end there. */
function lostInBackground({ processes }: TaskPlan): readonly Complaint[] {
  const mute = processes.filter(
    ({ launch }) => !launch.tty && (launch.output === undefined || launch.output.driver === 'inherit'),
  );
  if (mute.length === 0) return [];
  const names = [...new Set(mute.map(({ entry }) => entry))].join(', ');
  const sentence = `the output of ${names} is lost in the background: its logging driver is inherit; with prefix gsup logs would show it`;
  return [{ level: 'warn', sentence }];
}

function error(sentence: string): Complaint {
  return { level: 'error', sentence };
}

function refused(complaints: readonly Complaint[]): Outcome {
  return { exitCode: EXIT.config, complaints };
}
