/**
 * The words of the core. Everything here is plain data: no clock, no file, no process.
 * Times are CLOCK_MONOTONIC nanoseconds (bigint) unless a name says otherwise; durations are milliseconds.
 */

/** A wait in milliseconds; null is `forever`. */
export type WaitMs = number | null;

export type Target = 'group' | 'leader' | 'tree';

/** One rung of a stop ladder. `received`: the signal that asked for the stop (SIGTERM when it was asked for in another way). */
export type Rung =
  | {
      readonly action: 'signal';
      readonly signal: number | 'received';
      readonly target: Target;
      readonly waitMs: WaitMs;
    }
  | { readonly action: 'wait'; readonly waitMs: WaitMs }
  | { readonly action: 'exec'; readonly command: Command; readonly waitMs: WaitMs }
  /** As long as the command succeeds the process is busy, and the rung lasts. */
  | { readonly action: 'busy'; readonly command: Command; readonly waitMs: WaitMs }
  | { readonly action: 'http_post'; readonly url: string; readonly waitMs: WaitMs };

/** SIGKILL to the group and every straggler follows the last rung, and is not written. */
export type Ladder = readonly Rung[];

/** `exec`: argument vector; `shell`: a string for `/bin/sh -c`. */
export type Command = { readonly exec: readonly string[] } | { readonly shell: string };

/** What a supervisor that leaves says of the time without one. */
export interface Absence {
  /** Its next deadline; null: until something happens. */
  readonly atNs: bigint | null;
  /** For a stop that is asked for meanwhile, and for the exit code of the task behind it: init carries it out without a supervisor. */
  readonly ordersSuffice: boolean;
}

/** What a coordinator carries out by itself when nobody tells it otherwise; rungs correspond to the ladder's by index. */
export interface Order {
  readonly level: number;
  readonly mustDrain: boolean;
  /** A drain: the first rung waits for ever, and for itself from the moment at which a stop is asked for. */
  readonly firstOnly?: true;
  /** A hook follows on the end of the run. Only a supervisor can start it, so init says when it is left out. */
  readonly postStop?: true;
  /** So do final processes, on the end of all others: some have not begun. */
  readonly finals?: true;
  /** The stop budget less its reserve: all rungs together last at most this long. Each wait is cut by the budget rule. */
  readonly capMs: WaitMs;
  /** null: not stopping; equal to rungs.length: SIGKILL. */
  readonly index: number | null;
  /** When the wait of rung `index` ends; null: never. */
  readonly deadlineNs: bigint | null;
  readonly rungs: readonly OrderRung[];
}

/** `signal` 0: only wait. `hook`: the place of a rung that only a supervisor can carry out. */
export interface OrderRung {
  readonly signal: number | 'received';
  readonly target: Target;
  readonly hook: boolean;
  /** The hook is a question whether the run is busy. */
  readonly busy?: true;
  readonly waitMs: WaitMs;
}

/** How a command is to be started: what SPAWN says. undefined: as gsup's own. */
export interface Launch {
  readonly argv: readonly string[];
  readonly cwd?: string;
  readonly user?: string;
  readonly group?: string;
  readonly umask?: number;
  readonly nice?: number;
  readonly oomScoreAdj?: number;
  readonly noNewPrivs: boolean;
  readonly clearEnv: boolean;
  /** Changes to the environment that init was given. */
  readonly envSet: Readonly<Record<string, string>>;
  readonly envUnset: readonly string[];
  /** Soft and hard in the resource's unit; null: unlimited. */
  readonly limits: readonly {
    readonly resource: string;
    readonly soft: number | null;
    readonly hard: number | null;
  }[];
  readonly terminal: boolean;
  readonly stdinNull: boolean;
  readonly notify: boolean;
  /** What it gets for a signal that gsup has received and that is no stop; to 0, or not in it: nothing. undefined: all as they are. */
  readonly onSignal?: ReadonlyArray<readonly [from: number, to: number]>;
  /** The descriptor on which the command says that it is ready, by a newline. */
  readonly readyFd?: number;
  /** undefined: as gsup's own. */
  readonly output?: Output;
  /** More of its output is kept than is otherwise, because a line of it is waited for. */
  readonly deepCopy?: boolean;
  /** A terminal of its own as standard input, output and error. */
  readonly tty?: boolean;
  readonly startTimeoutMs: WaitMs;
}

/** What becomes of stdout and stderr of a run. */
export type Output =
  | { readonly driver: 'inherit' | 'none' }
  | { readonly driver: 'prefix' | 'json'; readonly timestamps: boolean }
  | {
      readonly driver: 'file';
      readonly path: string;
      readonly maxBytes: number;
      /** The one that is written among them. */
      readonly maxFiles: number;
      readonly timestamps: boolean;
    };

export interface Usage {
  readonly userUs: number;
  readonly sysUs: number;
  readonly maxRssKb: number;
}

export type Phase = 'starting' | 'running' | 'stopping' | 'killing' | 'ended';

export type StartStage =
  | 'fork'
  | 'terminal'
  | 'output'
  | 'limits'
  | 'nice'
  | 'oom'
  | 'cwd'
  | 'user'
  | 'privs'
  | 'stdin'
  | 'exec'
  | 'timeout';

/** A run as the host sees it now. State, not an event: the same snapshot twice is no news. */
export interface RunSnapshot {
  /** Number of the request that spawned it. */
  readonly key: number;
  /** `web#1`, or `web#1/pre-stop.1` for a hook. */
  readonly name: string;
  readonly phase: Phase;
  readonly leaderExited: boolean;
  /** SIGKILL was sent. */
  readonly forced: boolean;
  readonly stuck: boolean;
  readonly lost: boolean;
  /** It took its present rung without being told. */
  readonly alone: boolean;
  /** The kernel has killed the leader for lack of memory. */
  readonly oom: boolean;
  /** A stop was asked for a second time, and since then it has taken no rung. */
  readonly askedAgain: boolean;
  readonly pid: number;
  readonly startTicks: bigint;
  readonly startFailure: { readonly stage: StartStage; readonly errno: number } | null;
  /** Of the leader; both null while it lives, or when it is lost. */
  readonly code: number | null;
  readonly signal: number | null;
  /** As in Order. */
  readonly rung: number | null;
  readonly deadlineNs: bigint | null;
  readonly forkedNs: bigint;
  readonly startedNs: bigint;
  readonly leaderExitedNs: bigint;
  readonly endedNs: bigint;
  /** When its stop began; 0n before. */
  readonly stopNs: bigint;
  readonly leaderUsage: Usage;
  readonly treeUsage: Usage;
  readonly stragglers: number;
  readonly stragglerPids: readonly number[];
  readonly ready: boolean;
  readonly notifyCount: number;
  /** EXTEND_TIMEOUT_USEC as last sent; 0 when never. */
  readonly extendUs: number;
  readonly mainPid: number;
  /** When it was sent; 0: never. */
  readonly extendNs: bigint;
  readonly watchdogNs: bigint;
  readonly statusText: string;
}

/** How often a stop has been asked for so far. Count 0: never. */
export interface Asks {
  readonly count: number;
  readonly signal: number;
  readonly pid: number;
  readonly uid: number;
  readonly firstNs: bigint;
  /** How often the config was to be read again, and who wanted it last. Of `up`. */
  readonly reloads?: { readonly count: number; readonly pid: number; readonly uid: number };
  /** What belonged to no run has gone, as was asked for. */
  readonly cleared?: true;
}

export interface Hello {
  readonly version: number;
  readonly pid1: boolean;
  /** How many supervisors there were before this one. */
  readonly restarts: number;
  readonly initPid: number;
  readonly initTicks: bigint;
  readonly pidNs: bigint;
  readonly bootId: string;
  /** Number of the last request that was carried out. */
  readonly lastNumber: number;
  /** The supervisor before this one has left: nothing is lost, and nothing was started again. */
  readonly woken?: true;
  /** How long to stay when there is nothing to be decided. None: for ever. */
  readonly stayNs?: bigint;
}
