/**
 * The one table of the keys of a config file. The check of a file, its JSON Schema and docs/reference/config.md are made
 * from it; a default stands here, as one would write it, or with the core's or the option's of `run`, if it is the same.
 */
import * as z from 'zod';
import {
  BUSY_ANSWER_MS,
  BUSY_INTERVAL_MS,
  DEFAULT_BACKOFF,
  DEFAULT_DRAIN_RETRY_MS,
  DEFAULT_HEALTH,
  DEFAULT_PRE_START_MS,
  DEFAULT_READY_MS,
  MEMORY_INTERVAL_MS,
  MEMORY_LOOKS,
  ORDINARY_TASK,
} from '../supervisor/plan.ts';
import { formatDuration } from './duration.ts';
import * as kinds from './kinds.ts';

export interface Key<K extends z.ZodType = z.ZodType> {
  readonly kind: K;
  readonly help: string;
  /** As one would write it. Absent: nothing is set. */
  readonly default?: string;
  /** One sentence: why this default. */
  readonly reason?: string;
  /** Whether it was said matters, so the default is applied by who reads it (`defaultOf`). */
  readonly late?: true;
  /** Without a default: what is meant when nothing is said. */
  readonly otherwise?: string;
  readonly required?: true;
}

export type Table = Readonly<Record<string, Key>>;

type ShapeOf<T extends Table> = {
  [Name in keyof T]: T[Name] extends { required: true }
    ? T[Name]['kind']
    : T[Name] extends { late: true }
      ? z.ZodOptional<T[Name]['kind']>
      : T[Name] extends { default: string }
        ? T[Name]['kind']
        : z.ZodOptional<T[Name]['kind']>;
};

/** The table that a mapping was made of, for its documentation. */
export const TABLE_OF = new WeakMap<z.ZodType, Table>();

/** Unknown keys are refused; what is not said has its default. */
export function mapping<T extends Table>(table: T): z.ZodObject<ShapeOf<T>, z.core.$strict> {
  const shape = Object.entries(table).map(([name, key]) => {
    if (key.required) return [name, key.kind];
    if (key.default === undefined || key.late) return [name, key.kind.optional()];
    return [name, key.kind.prefault(key.default as never)];
  });
  // The sentence is made where the place is known (shape.ts); what could have been meant is known here.
  const error: z.core.$ZodErrorMap = ({ code }) =>
    code === 'unrecognized_keys' ? Object.keys(table).join(' ') : undefined;
  const schema = z.strictObject(Object.fromEntries(shape), { error });
  TABLE_OF.set(schema, table);
  return schema as never;
}

export function defaultOf<K extends z.ZodType>(key: Key<K>): z.output<K> {
  if (!DEFAULTS.has(key)) DEFAULTS.set(key, key.kind.parse(key.default));
  return DEFAULTS.get(key) as z.output<K>;
}

/** Asked for again with each process. */
const DEFAULTS = new WeakMap<Key, unknown>();

function asOption(long: Parameters<typeof kinds.rowOf>[0]): {
  readonly default: string;
  readonly reason: string;
} {
  const row = kinds.rowOf(long);
  return { default: formatDuration(row.default as number), reason: row.reason ?? '' };
}

/** What most processes want needs no word. */
function off(reason: string) {
  return { kind: kinds.flag, default: 'false', reason } as const;
}

const COMMAND = 'a command, for a shell (text) or as it stands (list)';
const target = kinds.choice(['group', 'leader', 'tree']);
const TARGET = {
  default: 'group',
  reason: 'a shell that wraps the command does not pass signals on, its group gets them all the same',
};

export const RUNG_KEYS = {
  signal: { kind: kinds.signal, help: 'the signal to send' },
  target: { kind: target, help: 'who gets it', late: true, ...TARGET },
  exec: { kind: kinds.command, help: COMMAND },
  http_post: { kind: kinds.httpUrl, help: 'a URL that is posted to' },
  wait: { kind: kinds.wait(), help: 'how long the rung lasts at most', late: true, ...asOption('grace') },
} satisfies Table;

const rung = kinds.either('a rung like {signal: SIGTERM, wait: 8s}', 'rung', {
  text: kinds.rungText,
  map: mapping(RUNG_KEYS) as kinds.Kind<kinds.RungShape>,
});

export const STOP_KEYS = {
  signal: {
    kind: kinds.signal,
    help: 'the stop signal',
    otherwise: 'the one that gsup received; SIGTERM when asked in another way',
  },
  grace: {
    kind: kinds.wait(),
    help: 'wait after the stop signal before SIGKILL; 0 = at once, forever = never',
    late: true,
    ...asOption('grace'),
  },
  target: {
    kind: target,
    help: 'who gets the stop signal; wait and SIGKILL are always for the whole tree',
    late: true,
    ...TARGET,
  },
  hold: {
    kind: kinds.wait(),
    help: 'wait this long for it to end by itself, before anything else',
    late: true,
    ...asOption('hold'),
  },
  pre_stop: { kind: kinds.command, help: `${COMMAND}, before the stop signal` },
  pre_stop_timeout: {
    kind: kinds.duration({ positive: true }),
    help: 'how long `pre_stop` may take',
    late: true,
    ...asOption('pre-stop-timeout'),
  },
  post_stop: { kind: kinds.command, help: `${COMMAND}, when the tree is gone; it may take 10s` },
  busy: {
    kind: kinds.command,
    help: `${COMMAND}; while it exits with 0 the process is busy, and its stop waits: nothing is sent or run before; asked again ${formatDuration(BUSY_INTERVAL_MS)} after an answer, which has ${formatDuration(BUSY_ANSWER_MS)}`,
  },
  must_drain: {
    help: 'no signal before `pre_stop`, or the first `exec` of the ladder, has succeeded',
    ...off('a hook that fails for good would hold up the stop for ever'),
  },
  retry: {
    kind: kinds.duration({ positive: true }),
    help: 'time between two tries of a hook that must succeed',
    late: true,
    default: formatDuration(DEFAULT_DRAIN_RETRY_MS),
    reason: 'whoever drains slowly should not be asked more often',
  },
  ladder: {
    kind: kinds.listOf(rung, 'list of rungs', 1),
    help: 'all rungs in order, in place of signal, grace, target, hold and pre_stop; SIGKILL follows and is not written',
  },
} satisfies Table;

export const READY_KEYS = {
  notify: { kind: kinds.flag, help: 'it says so with sd_notify (READY=1)' },
  fd: { kind: kinds.whole(3, 255), help: 'it writes a newline to this descriptor' },
  tcp: { kind: kinds.tcpAddress, help: 'it accepts connections there' },
  http: { kind: kinds.httpUrl, help: 'it answers there, with a status from 200 to 399' },
  exec: { kind: kinds.command, help: `${COMMAND}, succeeds` },
  log: {
    kind: kinds.pattern,
    help: 'a line of its captured output matches this regular expression of JavaScript, in its first 4096 characters',
  },
  timeout: {
    kind: kinds.wait({ positive: true }),
    help: 'not ready by then: the run has failed',
    default: formatDuration(DEFAULT_READY_MS),
    reason: 'what takes longer is rarely going to be ready at all',
  },
} satisfies Table;

export const HEALTH_KEYS = {
  exec: { kind: kinds.command, help: `${COMMAND}, succeeds` },
  http: { kind: kinds.httpUrl, help: 'it answers there, with a status from 200 to 399' },
  tcp: { kind: kinds.tcpAddress, help: 'it accepts connections there' },
  test: {
    kind: kinds.healthTest,
    help: "Compose's spelling: `NONE`, `[CMD, ...]`, `[CMD-SHELL, text]` or a text for a shell",
  },
  interval: {
    kind: kinds.duration({ positive: true }),
    help: 'between two probes',
    default: formatDuration(DEFAULT_HEALTH.intervalMs),
    reason: "Docker's",
  },
  timeout: {
    kind: kinds.duration({ positive: true }),
    help: 'how long a probe may take',
    default: formatDuration(DEFAULT_HEALTH.timeoutMs),
    reason: "Docker's",
  },
  retries: {
    kind: kinds.whole(1, 1000),
    help: 'failures in a row until it is unhealthy',
    default: String(DEFAULT_HEALTH.retries),
    reason: "Docker's",
  },
  start_period: {
    kind: kinds.duration(),
    help: 'failures before it has passed do not count',
    default: formatDuration(DEFAULT_HEALTH.startPeriodMs),
    reason: "Docker's",
  },
  start_interval: {
    kind: kinds.duration({ positive: true }),
    help: 'between two probes of the start period',
    default: formatDuration(DEFAULT_HEALTH.startIntervalMs),
    reason: "who waits for it should not wait for Docker's 5 s",
  },
  on_unhealthy: {
    kind: kinds.choice(['restart', 'stop', 'ignore']),
    help: 'what becomes of it, with the whole ladder; `stop`: it has failed for good',
    default: DEFAULT_HEALTH.onUnhealthy,
    reason: 'a probe that changes nothing is a metric',
  },
  watchdog: {
    kind: kinds.duration({ positive: true }),
    help: 'WATCHDOG=1 must come by sd_notify at least this often',
  },
  disable: { help: "Compose's: no health check", ...off('who writes a health check wants it') },
} satisfies Table;

export const BACKOFF_KEYS = {
  initial: {
    kind: kinds.duration(),
    help: 'wait after the first failure',
    default: formatDuration(DEFAULT_BACKOFF.initialMs),
    reason: 'a hiccup should not cost more',
  },
  factor: {
    kind: kinds.factor,
    help: 'each wait is the one before times this',
    default: String(DEFAULT_BACKOFF.factor),
    reason: 'doubling finds the scale of any trouble in a few steps',
  },
  max: {
    kind: kinds.duration(),
    help: 'the longest wait',
    default: formatDuration(DEFAULT_BACKOFF.maxMs),
    reason: 'when the trouble is over nobody wants to wait longer',
  },
  jitter: {
    kind: kinds.percent,
    help: 'each wait is longer or shorter by up to this, at random',
    default: `${DEFAULT_BACKOFF.jitter * 100}%`,
    reason: 'replicas that failed together should not come back together',
  },
  reset_after: {
    kind: kinds.duration(),
    help: 'so long a run clears the waits and the count of failures',
    default: formatDuration(DEFAULT_BACKOFF.resetAfterMs),
    reason: 'as long as the longest wait',
  },
} satisfies Table;

export const LOGGING_KEYS = {
  driver: {
    kind: kinds.choice(['inherit', 'prefix', 'json', 'file', 'none']),
    help: "what becomes of stdout and stderr: gsup's own, each line with the process's name before it, as JSON, in a file, lost",
    default: 'prefix',
    reason: 'of several processes one wants to know which has spoken',
  },
  path: {
    kind: kinds.text('a path', 'path'),
    help: 'the file, for `driver: file`; replica 2 of `web.log` writes `web.2.log`',
  },
  max_size: {
    kind: kinds.size,
    help: 'a longer file is put aside',
    default: '100MB',
    reason: 'long enough to look back, short enough to open',
  },
  max_files: {
    kind: kinds.whole(1, 1000),
    help: 'files that are kept, with the one that is written',
    default: '5',
    reason: 'half a gigabyte for each process',
  },
  timestamps: { help: 'each line begins with the time', ...off('collectors add their own') },
} satisfies Table;

export const DEPENDENCY_KEYS = {
  condition: {
    kind: kinds.choice(['started', 'ready', 'healthy', 'completed_successfully'], {
      service_started: 'started',
      service_healthy: 'healthy',
      service_completed_successfully: 'completed_successfully',
    }),
    help: 'what is waited for',
    default: 'ready',
    reason: 'who depends on something wants to use it',
  },
} satisfies Table;

const dependency = mapping(DEPENDENCY_KEYS);
export type Dependencies = ReadonlyArray<
  readonly [entry: string, condition: z.output<typeof dependency>['condition']]
>;

const entryName = kinds.text('the name of a process', 'name');

/** A list means ready. */
const dependencies = kinds.either<Dependencies>(
  'a list of processes, or a mapping of them,',
  'list or mapping',
  {
    list: kinds.mapKind(kinds.listOf(entryName, 'list'), (names) =>
      names.map((name) => [name, defaultOf(DEPENDENCY_KEYS.condition)] as const),
    ),
    map: kinds.mapKind(kinds.mapOf(dependency), (map) =>
      Object.entries(map).map(([name, { condition }]) => [name, condition] as const),
    ),
  },
);

const ready = kinds.either('how it becomes ready, like {tcp: 5432},', 'mapping', {
  text: kinds.readyWord,
  map: mapping(READY_KEYS) as kinds.Kind<ReadyShape | null>,
});
export type ReadyShape = z.output<z.ZodObject<ShapeOf<typeof READY_KEYS>>>;

const envFiles = kinds.oneOrMore(kinds.text('a path', 'path'), 'a path, or a list of them,', 'path, or list');
const logging = mapping(LOGGING_KEYS);

export const PROCESS_KEYS = {
  command: {
    kind: kinds.command,
    help: 'what is run: a text for a shell (`/bin/sh -c`), or a list as it stands',
    required: true,
  },
  environment: {
    kind: kinds.variables,
    help: "variables, as a mapping or a list; without a value: gsup's own",
  },
  env_file: { kind: envFiles, help: 'files of variables; `environment` wins over them' },
  clear_env: {
    help: "begin with an empty environment instead of gsup's own",
    ...off('a container is configured by its environment'),
  },
  working_dir: { kind: kinds.text('a path', 'path'), help: 'working directory', otherwise: "gsup's own" },
  user: {
    kind: kinds.option<'user'>('user', { type: ['string', 'integer'] }, 'user, or `user:group`'),
    help: 'user, by name or number, and group',
    otherwise: "gsup's own",
  },
  group: {
    kind: kinds.option<'group'>('group-id', { type: ['string', 'integer'] }, 'group'),
    help: 'group, by name or number',
    otherwise: "the user's",
  },
  umask: {
    kind: kinds.option<'octal'>('umask', { type: ['string', 'integer'] }, 'octal'),
    help: 'file mode mask: `022`',
    otherwise: "gsup's own",
  },
  ulimits: {
    kind: kinds.ulimits,
    help: 'limits: `nofile: 1024`, or `nofile: {soft: 1024, hard: 2048}`',
    otherwise: "gsup's own",
  },
  nice: { kind: kinds.whole(-20, 19), help: 'nice value', otherwise: "gsup's own" },
  oom_score_adj: {
    kind: kinds.whole(-1000, 1000),
    help: 'how readily the kernel kills it when memory runs out',
    otherwise: "gsup's own",
  },
  no_new_privileges: { help: 'set-user-ID programs give no privileges', ...off('as without gsup') },
  tty: { help: 'a terminal of its own as standard input, output and error', ...off('as in Docker') },
  stdin: {
    kind: kinds.choice(['none', 'inherit']),
    help: "`inherit`: gsup's own; one process at most",
    default: 'none',
    reason: 'several that read from one input get parts of it',
  },
  stdin_open: { help: "Compose's: the same as `stdin: inherit`", ...off('as in Docker') },
  depends_on: {
    kind: dependencies,
    help: 'who must be ready before; or `{db: {condition: started}}`, with `ready`, `healthy` or `completed_successfully`',
  },
  ready: { kind: ready, help: 'how it becomes ready', otherwise: 'as soon as it is started' },
  healthcheck: { kind: mapping(HEALTH_KEYS), help: 'how its health is looked at' },
  restart: {
    kind: kinds.restartPolicy,
    help: 'run it again when it ends; `on-failure:3`, as in Docker, is three times',
    otherwise: '`no`, or `on-failure` with `max_failures`',
  },
  max_failures: {
    kind: kinds.whole(0, 1_000_000),
    help: 'failed runs until it has failed for good; 0 = no limit',
    otherwise: '1, or 0 where `restart` is set',
  },
  backoff: { kind: mapping(BACKOFF_KEYS), help: 'waits after failures' },
  min_duration: {
    kind: kinds.duration(),
    help: 'least time between the starts of two runs',
    ...asOption('min-duration'),
  },
  daemon: {
    help: 'exit 0 does not finish it: it is run again',
    ...off('most commands mean it when they end'),
  },
  ephemeral: {
    help: 'it does not count for the end of the task, and is stopped when the others are done',
    ...off('most processes are the work'),
  },
  final: {
    help: 'it runs after all others have ended, however they ended, within `finalization_wait`',
    ...off('most processes are the work'),
  },
  replicas: {
    kind: kinds.whole(1, 10_000),
    help: 'with it: `web.1`, `web.2` ...; `GSUP_REPLICA` tells each which it is',
    otherwise: 'one, called `web`',
  },
  success_exit_codes: {
    kind: kinds.listOf(kinds.whole(0, 255), 'list of numbers', 1),
    help: 'exit codes that are no failure',
    otherwise: '`[0]`',
  },
  stop: { kind: mapping(STOP_KEYS), help: 'how it is stopped' },
  stop_signal: { kind: kinds.signal, help: "Compose's: the same as `stop.signal`" },
  stop_grace_period: { kind: kinds.wait(), help: "Compose's: the same as `stop.grace`" },
  on_signal: {
    kind: kinds.signalMap,
    help: 'what its group gets for signals that gsup receives and that stop nothing: `{SIGHUP: SIGHUP, SIGUSR1: drop, SIGUSR2: SIGTERM}`; nothing for those that are not named',
  },
  autostart: {
    kind: kinds.flag,
    help: 'false: it is declared, and started by `gsup start`',
    default: 'true',
    reason: 'who writes a process wants it to run',
  },
  memory_limit: {
    kind: kinds.size,
    help: `a tree that is above it for ${MEMORY_LOOKS} looks in a row, ${formatDuration(MEMORY_INTERVAL_MS)} apart, is stopped by its ladder and runs again, whatever \`restart\` says; that is no failure`,
  },
  start_timeout: {
    kind: kinds.wait({ positive: true }),
    help: 'how long a start may take, from fork to exec',
    ...asOption('start-timeout'),
  },
  pre_start: {
    kind: kinds.command,
    help: `${COMMAND}, which must succeed before each run; else the run has failed without having been started`,
  },
  pre_start_timeout: {
    kind: kinds.wait({ positive: true }),
    help: 'how long `pre_start` may take; then it is ended, and has failed',
    late: true,
    default: formatDuration(DEFAULT_PRE_START_MS),
    reason: 'as long as a process may take to become ready',
  },
  logging: { kind: logging, help: 'what becomes of its output; in place of the `logging` of the task' },
} satisfies Table;

export const processShape = mapping(PROCESS_KEYS);
export type ProcessShape = z.output<typeof processShape>;

export const TASK_KEYS = {
  name: {
    kind: kinds.option<'name'>(
      'name',
      { type: 'string', pattern: '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$' },
      'name',
    ),
    help: 'name of the task',
    otherwise: 'that of the folder',
  },
  processes: { kind: kinds.mapOf(processShape), help: 'the processes, by name', required: true },
  stop_budget: {
    kind: kinds.duration({ positive: true }),
    help: 'a stop must be over by then; waits are cut to fit',
  },
  max_failures: {
    kind: kinds.whole(0, 1_000_000),
    help: 'failed processes until the task has failed; 0 = never',
    default: String(ORDINARY_TASK.maxFailures),
    reason: 'a container that has lost a process should not look healthy',
  },
  max_concurrency: {
    kind: kinds.whole(0, 1_000_000),
    help: 'runs at a time; 0 = no limit',
    default: String(ORDINARY_TASK.maxConcurrency),
    reason: 'order comes from `depends_on`',
  },
  finalization_wait: {
    kind: kinds.duration(),
    help: 'for all final processes together',
    default: formatDuration(ORDINARY_TASK.finalizationWaitMs),
    reason: "Thermos's, and Kubernetes' default for a whole stop",
  },
  exit_when: {
    kind: kinds.choice(['any', 'failure', 'all']),
    help: 'when the task ends by itself: when the first process has ended; when enough have failed, or all have ended; when all have ended',
    default: ORDINARY_TASK.exitWhen,
    reason: 'never an idle container',
  },
  main: { kind: entryName, help: "the process whose end ends the task, and whose code is the task's" },
  environment: { kind: kinds.variables, help: 'variables for every process' },
  env_file: { kind: envFiles, help: 'files of variables for every process' },
  logging: { kind: logging, help: 'what becomes of the output of processes that do not say it themselves' },
  include: {
    kind: envFiles,
    help: 'other files, whose processes belong to this task too; what this file says wins',
  },
} satisfies Table;

export const taskShape = mapping(TASK_KEYS);
export type TaskShape = z.output<typeof taskShape>;
