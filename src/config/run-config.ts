/** From the options of `run` to plain data that is complete: every default is applied, every file has been read. */
import { environmentName } from '../cli/option-row.ts';
import { OPTION_ROWS } from '../cli/options.ts';
import type { Environment, Options, ParsedRun } from '../cli/parse.ts';
import { parseTcpAddress } from '../cli/probe-spec.ts';
import type { LogSpec, RungSpec } from '../cli/values.ts';
import type { TcpAddress } from '../control/tcp-address.ts';
import { LOG_MAX_BYTES, LOG_MAX_FILES } from '../logs/limits.ts';
import { buildLadder } from '../signals/ladder.ts';
import { signalNumber } from '../signals/names.ts';
import type { ReadyPlan, WaitSetting } from '../supervisor/plan.ts';
import type { Command, Ladder, Launch, Output, Rung, Target } from '../supervisor/vocabulary.ts';
import { parseEnvEntry, parseEnvFile } from './env-file.ts';
import { probeProblems, probesOf, type RunProbes } from './run-probes.ts';

export interface RunConfig extends RunProbes {
  /** Of the task, and of its one process. Exact: `--name` was given, so that no other is taken instead. */
  readonly name: string;
  readonly exactName: boolean;
  readonly launch: Launch;
  readonly stop: StopConfig;
  readonly restart: RestartConfig;
  readonly postStop: Command | null;
  /** Applied before success is judged; codes without an entry stay. */
  readonly exitMap: ReadonlyArray<readonly [from: number, to: number]>;
  /** Signal numbers; to 0: dropped. */
  readonly rewrite: ReadonlyArray<readonly [from: number, to: number]>;
  readonly parentDeathSignal: number | null;
  readonly state: StateConfig;
  readonly log: LogConfig;
  /** The supervisor remains although nothing needs it. */
  readonly stay: boolean;
  /** null: there is no control API but on the task's own socket. */
  readonly http: HttpConfig | null;
}

export interface HttpConfig {
  readonly address: TcpAddress;
  /** null: nobody gets more than probes and metrics. */
  readonly tokenFile: string | null;
}

export interface StopConfig {
  /** SIGKILL follows the last rung and is not written. */
  readonly ladder: Ladder;
  /** What its waits were set with. */
  readonly waits: WaitSetting;
  readonly budgetMs: number | null;
  /** Signal numbers that begin a stop. */
  readonly on: readonly number[];
}

export interface RestartConfig {
  readonly policy: 'no' | 'on-failure' | 'always';
  /** Failed runs until the process has failed for good; 0: no limit. */
  readonly maxFailures: number;
  readonly minDurationMs: number;
}

export interface StateConfig {
  /** null: the first default directory that works. */
  readonly dir: string | null;
  /** Exit 73 rather than log in memory. */
  readonly required: boolean;
  readonly memoryOnly: boolean;
}

export interface LogConfig {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** null: text on a terminal, JSON elsewhere. */
  readonly format: 'text' | 'json' | null;
}

export interface Surroundings {
  readonly env: Environment;
  /** Throws what `fs.readFileSync` throws. */
  readonly readFile: (path: string) => string;
  /** What has been read before, by an earlier supervisor of this task. The files are not looked at then. */
  readonly envSet?: Readonly<Record<string, string>>;
}

export type Configured =
  | { readonly kind: 'config'; readonly config: RunConfig }
  /** `config` is without what could not be read. */
  | { readonly kind: 'problems'; readonly problems: readonly string[]; readonly config: RunConfig };

export function normalizeRun(parsed: ParsedRun, around: Surroundings): Configured {
  const { options } = parsed;
  const environment =
    around.envSet === undefined ? readEnvironment(options, around) : { set: around.envSet, problems: [] };
  const probes = probesOf(options);
  const config: RunConfig = {
    name: options.name ?? taskName(parsed.command),
    exactName: options.name !== null,
    launch: launchOf(parsed, environment.set, around.env, probes.ready),
    stop: {
      ladder: ladderOf(options),
      waits: options.rung.length > 0 ? 'rung' : 'grace',
      budgetMs: options['stop-budget'],
      on: options['stop-on'].map(numberOf),
    },
    restart: restartOf(options),
    ...probes,
    postStop: shell(options['post-stop']),
    exitMap: options['exit-map'],
    rewrite: options.rewrite.map(([from, to]) => [numberOf(from), to === null ? 0 : numberOf(to)] as const),
    parentDeathSignal: maybeNumberOf(options['parent-death-signal']),
    state: {
      dir: options['state-dir'],
      required: options['require-state'],
      memoryOnly: options['no-checkpoint'],
    },
    log: logOf(options),
    stay: options.stay,
    http: httpOf(options),
  };
  const problems = [...environment.problems, ...probeProblems(probes)];
  return problems.length > 0 ? { kind: 'problems', problems, config } : { kind: 'config', config };
}

/** The base name of the command; each byte that does not fit the rule for names becomes `_`, cut at 64. */
export function taskName(command: readonly string[]): string {
  const base = Buffer.from((command[0] ?? '').split('/').at(-1) ?? '').toString('latin1');
  const fitting = base.replace(/[^A-Za-z0-9_.-]/g, '_').replace(/^[.-]/, '_');
  return fitting.slice(0, 64) || '_';
}

export function logOf(options: Options): LogConfig {
  const flagged = options.quiet ? 'warn' : options.verbose ? 'debug' : 'info';
  return {
    level: (options['log-level'] as LogConfig['level'] | null) ?? flagged,
    format: options['log-format'] as LogConfig['format'],
  };
}

export function httpOf(options: Options): HttpConfig | null {
  const address = options.http === null ? undefined : parseTcpAddress(options.http);
  if (address === undefined) return null;
  return { address: { host: address.host, port: address.port }, tokenFile: options['token-file'] };
}

function launchOf(
  parsed: ParsedRun,
  set: Readonly<Record<string, string>>,
  env: Environment,
  ready: ReadyPlan | null,
): Launch {
  const { options } = parsed;
  const [user, userGroup] = options.user?.split(':') ?? [];
  const group = options['group-id'] ?? userGroup;
  return {
    argv: parsed.command,
    ...(options.cwd !== null && { cwd: options.cwd }),
    ...(user !== undefined && { user }),
    ...(group !== undefined && { group }),
    ...(options.umask !== null && { umask: options.umask }),
    ...(options.nice !== null && { nice: options.nice }),
    ...(options['oom-score-adj'] !== null && { oomScoreAdj: options['oom-score-adj'] }),
    noNewPrivs: options['no-new-privs'],
    clearEnv: options['clear-env'],
    envSet: set,
    envUnset: optionVariables(env).filter((key) => !(key in set)),
    limits: options.ulimit.map(([resource, soft, hard]) => ({ resource, soft, hard })),
    terminal: true,
    stdinNull: false,
    notify: true,
    ...(ready?.probe.kind === 'fd' && { readyFd: ready.probe.fd }),
    ...(options.log !== null && { output: outputOf(options.log) }),
    startTimeoutMs: options['start-timeout'],
  };
}

function outputOf(log: LogSpec): Output {
  if (log === 'inherit') return { driver: 'inherit' };
  if (log === 'prefix' || log === 'json') return { driver: log, timestamps: false };
  const path = log.slice('file:'.length);
  return { driver: 'file', path, maxBytes: LOG_MAX_BYTES, maxFiles: LOG_MAX_FILES, timestamps: false };
}

/** A nested gsup has its own options; where the state lies is for both. */
export function optionVariables(env: Environment): string[] {
  const variables = OPTION_ROWS.filter((row) => !row.action && row.long !== 'state-dir');
  return variables.map((row) => environmentName(row.long)).filter((key) => env[key] !== undefined);
}

function readEnvironment(options: Options, around: Surroundings) {
  const files = options['env-file'].map((path) => readEnvFile(path, around));
  const said = options.env.map(parseEnvEntry);
  const set: Record<string, string> = {};
  for (const [key, value] of [...files.flatMap((file) => file.entries), ...said]) {
    const text = value ?? around.env[key];
    if (text !== undefined) set[key] = text;
  }
  return { set, problems: files.flatMap((file) => file.problems) };
}

function readEnvFile(path: string, around: Surroundings) {
  try {
    return parseEnvFile(around.readFile(path), path);
  } catch (error) {
    const cause = (error as NodeJS.ErrnoException).code ?? String(error);
    return {
      entries: [],
      problems: [`cannot read "${path}": the file of --env-file must be readable, got ${cause}`],
    };
  }
}

function ladderOf(options: Options): Ladder {
  const target = options.target as Target;
  const preStop = shell(options['pre-stop']);
  const preStopTimeoutMs = options['pre-stop-timeout'] ?? 0;
  if (options.rung.length > 0) {
    const hook: Rung[] =
      preStop === null ? [] : [{ action: 'exec', command: preStop, waitMs: preStopTimeoutMs }];
    return [...hook, ...options.rung.map((rung) => rungOf(rung, target))];
  }
  return buildLadder({
    graceMs: options.grace,
    signal: maybeNumberOf(options['stop-signal']),
    target,
    holdMs: options.hold,
    preStop,
    preStopTimeoutMs,
  });
}

function rungOf(rung: RungSpec, target: Target): Rung {
  switch (rung.action) {
    case 'signal':
      return { action: 'signal', signal: numberOf(rung.signal), target, waitMs: rung.waitMs };
    case 'exec':
      return { action: 'exec', command: { shell: rung.command }, waitMs: rung.waitMs };
    case 'http_post':
    case 'wait':
      return rung;
  }
}

function restartOf(options: Options): RestartConfig {
  const failures = options['max-failures'];
  const said = options.restart ?? (failures !== null && failures !== 1 ? 'on-failure' : 'no');
  const policy = (said === 'unless-stopped' ? 'always' : said) as RestartConfig['policy'];
  return {
    policy,
    maxFailures: failures ?? (policy === 'no' ? 1 : 0),
    minDurationMs: options['min-duration'] ?? 0,
  };
}

function shell(text: string | null): Command | null {
  return text === null ? null : { shell: text };
}

function numberOf(name: string): number {
  return signalNumber(name) ?? 0;
}

function maybeNumberOf(name: string | null): number | null {
  return name === null ? null : numberOf(name);
}
