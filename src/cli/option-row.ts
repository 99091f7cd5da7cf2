/** What there is to say of an option, and what follows from it: its variable, and what it needs. */

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
  | 'rungs'
  | 'log'
  | 'ready'
  | 'health'
  | 'address';

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
  /** More than 0: no time at all would make it fail every time. */
  readonly positive?: true;
  /** Can be given before the command word as well. */
  readonly common?: true;
  /** An option of `up` as well; `only`: not of `run`. Common ones are of both. */
  readonly up?: true | 'only';
  /** Ends the parsing: `--help`, `--version`. Has no environment twin. */
  readonly action?: true;
  /**
   * An order can express it, so that init needs no Node. The others bring the supervisor as soon as they have a
   * value that is not neutral (`--restart no`, `--max-failures 1`, rungs that are signals and waits).
   */
  readonly plain: boolean;
  readonly help: string;
}

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
  log: 'inherit, prefix, json or file:PATH',
  ready:
    'a probe like notify, fd:3, tcp:5432, http://127.0.0.1:8080/ready, exec:./ready.sh or log:REGEX, perhaps with ,timeout=60s,',
  health:
    'a probe like tcp:5432, http://127.0.0.1:8080/health, exec:./check.sh or watchdog:10s, perhaps with ,interval=10s or ,retries=3,',
  address: 'an address like 127.0.0.1:9100, [::1]:9100 or localhost:9100, with a port from 1 to 65535,',
  rungs: 'a rung like SIGTERM:8s, wait:5s, exec:./drain.sh:5s or http-post:http://127.0.0.1:9000/drain:10s',
};

/** The noun phrase of `cannot use "--x": ... is needed`. */
export function needOf(row: OptionRow): string {
  if (row.need !== undefined) return row.need;
  if (row.kind === 'choice') return (row.choices ?? []).join(', ').replace(/, ([^,]*)$/, ' or $1');
  if (row.kind === 'number') return `a whole number from ${row.range?.[0]} to ${row.range?.[1]}`;
  if (row.positive)
    return `a positive duration like 500ms, 8s${row.forever ? ', 1m30s or forever' : ' or 1m30s'}`;
  if (row.forever) return NEEDS.duration.replace(' or 0', ', 0 or forever');
  return NEEDS[row.kind];
}

export function isForRun(row: OptionRow): boolean {
  return row.up !== 'only';
}

export function isForUp(row: OptionRow): boolean {
  return row.common === true || row.up !== undefined;
}
