/** One entry of `processes`, from its shape to what is to be supervised. */

import type { Environment } from '../cli/parse.ts';
import { argvOf } from '../supervisor/launch.ts';
import type { PreStartPlan, RestartPlan } from '../supervisor/plan.ts';
import type { Launch, Output } from '../supervisor/vocabulary.ts';
import type { Findings } from './findings.ts';
import { ownValue } from './interpolate.ts';
import {
  BACKOFF_KEYS,
  defaultOf,
  LOGGING_KEYS,
  mapping,
  PROCESS_KEYS,
  type ProcessShape,
  type TaskShape,
} from './keys.ts';
import { healthOf, readyOf } from './probe-config.ts';
import type { Path } from './problem.ts';
import { optionVariables } from './run-config.ts';
import { stopOf } from './stop-config.ts';
import type { ProcessConfig } from './up-config.ts';

// A schema costs as much as all else of a process, and there may be many of those.
const NO_LOGGING_SAID = mapping(LOGGING_KEYS).parse({});
const NO_BACKOFF_SAID = mapping(BACKOFF_KEYS).parse({});

/** What is the same for all processes. */
export interface Common {
  readonly task: TaskShape;
  readonly env: Environment;
  /** Of the task's files and `environment`. */
  readonly variables: Readonly<Record<string, string>>;
  /** What the files at these paths say, later ones over earlier ones; what cannot be read is refused. */
  readonly readEnvFiles: (paths: readonly string[], at: Path) => Readonly<Record<string, string>>;
}

export function processOf(
  name: string,
  shape: ProcessShape,
  common: Common,
  findings: Findings,
): ProcessConfig {
  const path = ['processes', name];
  if (!NAME.test(name))
    findings.refuseKey(path, `a name is at most 64 letters, digits, _, . and -, the first no . or -`);
  const output = outputOf(shape.logging ?? common.task.logging ?? NO_LOGGING_SAID, path, shape, findings);
  const ready = readyOf(shape.ready, [...path, 'ready'], findings);
  // A terminal of its own is read by gsup in any case.
  const isKept = output.driver !== 'none' && (output.driver !== 'inherit' || shape.tty);
  if (ready?.probe.kind === 'log' && !isKept)
    findings.refuse(
      [...path, 'ready', 'log'],
      `its output must be captured, got logging.driver ${output.driver}`,
      'use prefix, json or file',
    );
  if (shape.final && shape.ephemeral) findings.refuse([...path, 'final'], 'it cannot be ephemeral as well');
  return {
    name,
    replicas: shape.replicas ?? null,
    dependsOn: (shape.depends_on ?? []).map(([on, condition]) => ({ on, condition })),
    role: shape.final ? 'final' : shape.ephemeral ? 'ephemeral' : 'ordinary',
    daemon: shape.daemon,
    autostart: shape.autostart,
    preStart: preStartOf(shape, path, findings),
    ready,
    ...healthOf(shape.healthcheck, [...path, 'healthcheck'], findings),
    memoryLimitBytes: shape.memory_limit ?? null,
    onSignal: shape.on_signal ?? [],
    launch: launchOf(
      shape,
      path,
      common,
      findings,
      output,
      ready?.probe.kind === 'fd' ? ready.probe.fd : undefined,
    ),
    ...stopOf(shape, path, findings),
    restart: restartOf(shape, path, findings),
    exitMap: [],
    successCodes: shape.success_exit_codes ?? [0],
  };
}

const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/;

function launchOf(
  shape: ProcessShape,
  path: Path,
  common: Common,
  findings: Findings,
  output: Output,
  readyFd: number | undefined,
): Launch {
  const envSet = environmentOf(shape, path, common);
  const [user, userGroup] = shape.user?.split(':') ?? [];
  if (userGroup !== undefined && shape.group !== undefined)
    findings.refuse([...path, 'group'], 'one group is enough, got one in user too');
  const group = shape.group ?? userGroup;
  return {
    argv: argvOf(shape.command),
    ...(shape.working_dir !== undefined && { cwd: shape.working_dir }),
    ...(user !== undefined && { user }),
    ...(group !== undefined && { group }),
    ...(shape.umask !== undefined && { umask: shape.umask }),
    ...(shape.nice !== undefined && { nice: shape.nice }),
    ...(shape.oom_score_adj !== undefined && { oomScoreAdj: shape.oom_score_adj }),
    noNewPrivs: shape.no_new_privileges,
    clearEnv: shape.clear_env,
    envSet,
    envUnset: optionVariables(common.env).filter((key) => !(key in envSet)),
    limits: (shape.ulimits ?? []).map(([resource, soft, hard]) => ({ resource, soft, hard })),
    terminal: false,
    stdinNull: shape.stdin !== 'inherit' && !shape.stdin_open,
    notify: true,
    ...(readyFd !== undefined && { readyFd }),
    output,
    ...(shape.tty && { tty: true }),
    startTimeoutMs: shape.start_timeout,
  };
}

function preStartOf(shape: ProcessShape, path: Path, findings: Findings): PreStartPlan | null {
  const { pre_start: command, pre_start_timeout: timeoutMs } = shape;
  if (command === undefined) {
    if (timeoutMs !== undefined)
      findings.refuse([...path, 'pre_start_timeout'], 'it needs a pre_start, got none');
    return null;
  }
  return {
    command,
    timeoutMs: timeoutMs === undefined ? defaultOf(PROCESS_KEYS.pre_start_timeout) : timeoutMs,
  };
}

/** What is nearer to the process wins: the task's files, its environment, own files, own environment. */
function environmentOf(shape: ProcessShape, path: Path, common: Common): Record<string, string> {
  const files = common.readEnvFiles(shape.env_file ?? [], [...path, 'env_file']);
  return { ...common.variables, ...files, ...valuesOf(shape.environment ?? [], common.env) };
}

/** A variable without a value has the one that gsup has, if any. */
export function valuesOf(
  said: ReadonlyArray<readonly [key: string, value: string | null]>,
  env: Environment,
): Record<string, string> {
  const pairs = said.map(([key, value]) => [key, value ?? ownValue(env, key)] as const);
  return Object.fromEntries(pairs.filter((pair): pair is readonly [string, string] => pair[1] !== undefined));
}

type LoggingShape = NonNullable<ProcessShape['logging']>;

function outputOf(shape: LoggingShape, path: Path, own: ProcessShape, findings: Findings): Output {
  const at = own.logging === undefined ? ['logging'] : [...path, 'logging'];
  if (shape.driver !== 'file') {
    if (shape.path !== undefined)
      findings.refuse([...at, 'path'], `only driver file has a path, got ${shape.driver}`);
    if (shape.driver === 'inherit' || shape.driver === 'none') return { driver: shape.driver };
    return { driver: shape.driver, timestamps: shape.timestamps };
  }
  if (shape.path === undefined) findings.refuse(at, 'driver file needs a path, got none');
  return {
    driver: 'file',
    path: shape.path ?? '',
    maxBytes: shape.max_size,
    maxFiles: shape.max_files,
    timestamps: shape.timestamps,
  };
}

function restartOf(shape: ProcessShape, path: Path, findings: Findings): RestartPlan {
  const { restart: said, max_failures: failures } = shape;
  if (said?.policy === 'no' && failures !== undefined && failures !== 1)
    findings.refuse(
      [...path, 'max_failures'],
      'what is never restarted fails once, got restart: no',
      'write restart: on-failure',
    );
  if (said?.retries !== undefined && failures !== undefined)
    findings.refuse([...path, 'max_failures'], `restart: on-failure:${said.retries} says it already`);
  const policy = said?.policy ?? (failures !== undefined && failures !== 1 ? 'on-failure' : 'no');
  // Docker counts how often it is run again; the first run can fail as well.
  const fromRetries = said?.retries === undefined ? undefined : said.retries + 1;
  const backoff = shape.backoff ?? NO_BACKOFF_SAID;
  if (backoff.max < backoff.initial)
    findings.refuse([...path, 'backoff', 'max'], 'it cannot be shorter than the first wait');
  return {
    policy,
    maxFailures: failures ?? fromRetries ?? (policy === 'no' ? 1 : 0),
    minDurationMs: shape.min_duration,
    backoff: {
      initialMs: backoff.initial,
      factor: backoff.factor,
      maxMs: backoff.max,
      jitter: backoff.jitter,
      resetAfterMs: backoff.reset_after,
    },
  };
}
