/**
 * The one table of options. The parser, the environment twins, `--help`, docs/reference/options.md and init's own
 * parser (src/init/options.gen.h) are made from it; a default stands here and nowhere else.
 */

export type OptionKind =
  | 'flag'
  | 'duration'
  | 'signal'
  | 'signals'
  | 'choice'
  | 'number'
  | 'octal'
  | 'text'
  | 'texts'
  | 'name'
  | 'user'
  | 'group'
  | 'env'
  | 'ulimits'
  | 'exit-map'
  | 'rewrites'
  | 'rungs';

export interface OptionRow {
  readonly long: string;
  readonly short?: string;
  readonly kind: OptionKind;
  /** What stands for the value in `--help`. */
  readonly value?: string;
  /** The noun phrase of `... is needed`, where the kind's own does not fit. */
  readonly need?: string;
  /** In milliseconds for durations. Absent: nothing is set, lists are empty, flags are off. */
  readonly default?: number | readonly string[];
  /** One sentence: why this default. */
  readonly reason?: string;
  /** Choices in their order, for kind `choice`. */
  readonly choices?: readonly string[];
  readonly range?: readonly [min: number, max: number];
  /** `forever` may be said: something is waited for that ends by itself. */
  readonly forever?: true;
  /** Can be given before the command word as well. */
  readonly common?: true;
  /** Ends the parsing: `--help`, `--version`. Has no environment twin. */
  readonly action?: true;
  /**
   * An order can express it, so that init needs no Node. The others bring the supervisor as soon as they have a
   * value that is not neutral (`--restart no`, `--max-failures 1`, rungs that are signals and waits).
   */
  readonly plain: boolean;
  readonly help: string;
}

export const OPTIONS = [
  {
    long: 'grace',
    short: 'g',
    kind: 'duration',
    forever: true,
    default: 8000,
    reason: "8 s leave 2 s of Docker's 10 to kill, reap, record and report",
    plain: true,
    help: 'wait after the stop signal before SIGKILL; 0 = at once, forever = never',
  },
  {
    long: 'stop-signal',
    short: 's',
    kind: 'signal',
    value: 'SIG',
    plain: true,
    help: 'sent on stop (default: the one received; SIGTERM when asked in another way)',
  },
  {
    long: 'stop-on',
    kind: 'signals',
    value: 'SIG',
    default: ['SIGINT', 'SIGQUIT', 'SIGTERM'],
    reason: 'orchestrators send TERM, terminals INT and QUIT',
    plain: true,
    help: 'one more signal that begins a stop, besides TERM, INT and QUIT',
  },
  {
    long: 'target',
    kind: 'choice',
    choices: ['group', 'leader', 'tree'],
    default: 0,
    reason: 'a shell that wraps the command does not pass signals on, its group gets them all the same',
    plain: true,
    help: 'who gets the stop signal; wait and SIGKILL are always for the whole tree',
  },
  {
    long: 'hold',
    kind: 'duration',
    forever: true,
    default: 0,
    reason: 'a stop should begin when it is asked for',
    plain: true,
    help: 'on stop, wait this long for the command to end by itself before the first signal',
  },
  {
    long: 'rung',
    kind: 'rungs',
    value: 'SPEC',
    plain: false,
    help: 'a whole ladder in order: SIGUSR1:60s, wait:5s, exec:./drain.sh:5s, http-post:URL:10s; SIGKILL is always last',
  },
  {
    long: 'stop-budget',
    kind: 'duration',
    plain: true,
    help: 'everything must be over by then; waits are cut to fit (default: no budget)',
  },
  {
    long: 'restart',
    kind: 'choice',
    choices: ['no', 'on-failure', 'always', 'unless-stopped'],
    plain: false,
    help: 'run the command again when it ends (default: no, or on-failure with --max-failures)',
  },
  {
    long: 'max-failures',
    kind: 'number',
    range: [0, 1_000_000],
    plain: false,
    help: 'failed runs until it has failed for good, 0 = no limit (default: 1, or 0 with --restart)',
  },
  {
    long: 'min-duration',
    kind: 'duration',
    default: 5000,
    reason: 'a command that fails at once must not fill the log or the processor',
    plain: false,
    help: 'least time between the starts of two runs',
  },
  {
    long: 'exit-map',
    short: 'e',
    kind: 'exit-map',
    value: 'FROM=TO',
    plain: true,
    help: 'report exit code FROM as TO, before success is judged; a bare FROM means FROM=0',
  },
  {
    long: 'rewrite',
    kind: 'rewrites',
    value: 'FROM:TO',
    plain: true,
    help: 'forward signal FROM as TO; TO 0 drops it',
  },
  {
    long: 'parent-death-signal',
    short: 'p',
    kind: 'signal',
    value: 'SIG',
    plain: true,
    help: "when gsup's own parent dies, behave as if SIG had come",
  },
  { long: 'cwd', kind: 'text', value: 'DIR', need: 'a path', plain: true, help: 'working directory' },
  {
    long: 'user',
    kind: 'user',
    value: 'USER[:GROUP]',
    plain: true,
    help: 'user, by name or number, and group',
  },
  { long: 'group-id', kind: 'group', value: 'GROUP', plain: true, help: 'group, by name or number' },
  { long: 'umask', kind: 'octal', value: 'MODE', plain: true, help: 'file mode mask, in octal: 022' },
  {
    long: 'env',
    kind: 'env',
    value: 'K=V',
    plain: true,
    help: "set a variable; K alone takes gsup's own value",
  },
  {
    long: 'env-file',
    kind: 'texts',
    value: 'FILE',
    need: 'a path',
    plain: true,
    help: 'read variables from a file of lines K=V; --env wins over it',
  },
  { long: 'clear-env', kind: 'flag', plain: true, help: 'begin with an empty environment' },
  {
    long: 'ulimit',
    kind: 'ulimits',
    value: 'N=S[:H]',
    plain: true,
    help: 'resource limit, soft and hard: nofile=1024:2048, core=unlimited',
  },
  { long: 'nice', kind: 'number', range: [-20, 19], plain: true, help: 'nice value' },
  {
    long: 'oom-score-adj',
    kind: 'number',
    range: [-1000, 1000],
    plain: true,
    help: 'how readily the kernel kills it when memory runs out',
  },
  { long: 'no-new-privs', kind: 'flag', plain: true, help: 'set-user-ID programs give no privileges' },
  {
    long: 'pre-stop',
    kind: 'text',
    value: 'CMD',
    need: 'a command',
    plain: false,
    help: 'shell command to run on stop, before the stop signal',
  },
  {
    long: 'pre-stop-timeout',
    kind: 'duration',
    default: 10_000,
    reason: 'a hook that hangs must not hold up the stop',
    plain: true,
    help: 'how long the pre-stop command may take',
  },
  {
    long: 'post-stop',
    kind: 'text',
    value: 'CMD',
    need: 'a command',
    plain: false,
    help: 'shell command to run when the tree is gone; it may take 10s',
  },
  {
    long: 'start-timeout',
    kind: 'duration',
    forever: true,
    default: 10_000,
    reason: 'from fork to exec nothing is slow except a dead mount',
    plain: true,
    help: 'how long the start may take, from fork to exec, before it has failed as 126',
  },
  {
    long: 'require-state',
    kind: 'flag',
    plain: true,
    help: 'exit 73 when the state directory cannot be had, instead of logging in memory',
  },
  { long: 'stay', kind: 'flag', plain: false, help: 'keep the supervisor present' },
  { long: 'no-checkpoint', kind: 'flag', plain: true, help: 'keep the checkpoint log in memory only' },
  {
    long: 'state-dir',
    kind: 'text',
    value: 'DIR',
    need: 'a path',
    common: true,
    plain: true,
    help: 'where the state of tasks lies (default: /run/gsup, or a directory of the user)',
  },
  {
    long: 'name',
    kind: 'name',
    value: 'TASK',
    common: true,
    plain: true,
    help: 'name of the task (default: from the command)',
  },
  {
    long: 'log-level',
    kind: 'choice',
    choices: ['debug', 'info', 'warn', 'error'],
    common: true,
    plain: true,
    help: 'least level of the messages on stderr (default: info)',
  },
  {
    long: 'log-format',
    kind: 'choice',
    choices: ['text', 'json'],
    common: true,
    plain: true,
    help: 'form of the messages (default: text on a terminal, else json)',
  },
  {
    long: 'verbose',
    short: 'v',
    kind: 'flag',
    common: true,
    plain: true,
    help: 'the same as --log-level debug',
  },
  {
    long: 'quiet',
    short: 'q',
    kind: 'flag',
    common: true,
    plain: true,
    help: 'the same as --log-level warn',
  },
  {
    long: 'version',
    short: 'V',
    kind: 'flag',
    common: true,
    action: true,
    plain: true,
    help: 'print the version',
  },
  {
    long: 'help',
    short: 'h',
    kind: 'flag',
    common: true,
    action: true,
    plain: true,
    help: 'print this text',
  },
] as const satisfies readonly OptionRow[];

export type OptionName = (typeof OPTIONS)[number]['long'];

/** The rows without their literal types, for code that treats all alike. */
export const OPTION_ROWS: readonly OptionRow[] = OPTIONS;

/** `ulimit` resources, by the names of Docker; `as` is the one that Docker lacks. */
export const ULIMITS = [
  'as',
  'core',
  'cpu',
  'data',
  'fsize',
  'locks',
  'memlock',
  'msgqueue',
  'nice',
  'nofile',
  'nproc',
  'rss',
  'rtprio',
  'rttime',
  'sigpending',
  'stack',
] as const;

/** An order is bounded, and a ladder that nobody can keep in mind is a mistake. */
export const MAX_RUNGS = 16;

/** Two options that describe the same thing differently: an error, wherever each was said. */
export const RUNG_EXCLUDES: readonly OptionName[] = ['grace', 'stop-signal', 'hold'];

/** `stop-budget` → `GSUP_STOP_BUDGET`. */
export function environmentName(long: string): string {
  return `GSUP_${long.toUpperCase().replaceAll('-', '_')}`;
}

const NEEDS: Record<OptionKind, string> = {
  flag: '1, true, yes, 0, false, no or nothing',
  duration: 'a duration like 500ms, 8s, 1m30s or 0',
  signal: 'a signal like TERM, SIGUSR1, 15 or RTMIN+3',
  signals: 'a signal that can be caught, like WINCH, SIGUSR1 or RTMIN+3,',
  choice: '',
  number: '',
  octal: 'an octal mode from 0 to 0777, like 022,',
  text: 'a text',
  texts: 'a text',
  name: 'a name of at most 64 letters, digits, _, . and -, the first no . or -,',
  user: 'a user, by name or number, perhaps with :GROUP,',
  group: 'a group, by name or number,',
  env: 'a variable like NAME=value, or NAME alone,',
  ulimits: 'a limit like nofile=1024, nofile=1024:2048 or core=unlimited',
  'exit-map': 'an exit code like 143, or a pair like 143=0, each from 0 to 255,',
  rewrites: 'a pair of signals like HUP:TERM, or HUP:0,',
  rungs: 'a rung like SIGTERM:8s, wait:5s, exec:./drain.sh:5s or http-post:http://127.0.0.1:9000/drain:10s',
};

/** The noun phrase of `cannot use "--x": ... is needed`. */
export function needOf(row: OptionRow): string {
  if (row.need !== undefined) return row.need;
  if (row.kind === 'choice') return (row.choices ?? []).join(', ').replace(/, ([^,]*)$/, ' or $1');
  if (row.kind === 'number') return `a whole number from ${row.range?.[0]} to ${row.range?.[1]}`;
  if (row.forever) return NEEDS.duration.replace(' or 0', ', 0 or forever');
  return NEEDS[row.kind];
}
