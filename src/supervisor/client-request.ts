/**
 * What a client can ask of a running task, and what it is answered. Plain data; `decide` takes the one and gives the
 * other. A request that is taken is in the log before it is answered: a crash after the answer loses nothing. A client
 * that was cut off without an answer may ask again: `signal` and `upgrade` alone are more when they are said twice, and `restart` without `askedNs`.
 */
import type { Target } from './vocabulary.ts';

/** Names are those of entries of the config or of replicas: `web` means each of `web.1`, `web.2`, ... */
export type Request =
  /** Each is wanted up from now on, and so is what it depends on. What waits for its back-off starts at once. */
  | { readonly op: 'start'; readonly processes: readonly string[] }
  /** Each is wanted down: its run climbs its whole ladder, and no other follows. */
  | { readonly op: 'stop'; readonly processes: readonly string[] }
  /**
   * Each gets a new run; of replicas the next when the last is ready. What is down is started. `askedNs`: when it was asked
   * for the first time; a run that is younger is new enough.
   */
  | { readonly op: 'restart'; readonly processes: readonly string[]; readonly askedNs?: bigint }
  | {
      readonly op: 'signal';
      readonly processes: readonly string[];
      readonly signal: number;
      readonly target: Target;
    }
  /** The first rung of their ladders, and no further; no other run follows. Empty: all but final processes, level by level. */
  | { readonly op: 'drain'; readonly processes: readonly string[] }
  /** Of entries that have the key `replicas`. */
  | {
      readonly op: 'scale';
      readonly to: ReadonlyArray<{ readonly entry: string; readonly replicas: number }>;
    }
  /** The config is read again, and what has changed is applied. */
  | { readonly op: 'reload' }
  /** All of the task, down. `now`: with SIGKILL. */
  | { readonly op: 'shutdown'; readonly now: boolean }
  /** The folder of another installation, which has `dist/main.js`; an absolute path, or '' for the one init belongs to. */
  | { readonly op: 'upgrade'; readonly installation: string };

export type Answer =
  | {
      readonly kind: 'done';
      /** Names of processes (of replicas, where there are some) of which something changes. */
      readonly processes: readonly string[];
      /** Those that were meant, and are as they were asked to be already. */
      readonly unchanged: readonly string[];
      /** Of `reload` and `scale`. */
      readonly difference?: ConfigDifference;
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** Between the config in force and another one. Names are those of processes, each replica its own. */
export interface ConfigDifference {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly ProcessDifference[];
  /** Keys of the task. */
  readonly task: readonly string[];
}

export interface ProcessDifference {
  readonly process: string;
  /** As in the config file: `command`, `stop`, `healthcheck`, ... */
  readonly keys: readonly string[];
  /** A new run is needed for it; else it is in force at once, or counts for what comes next. */
  readonly restart: boolean;
}

/** Why nothing of a request was taken. Its words are in src/report/refusal-words.ts. */
export type Refusal =
  | { readonly reason: 'no-such-process'; readonly name: string; readonly known: readonly string[] }
  /** Of the task: nothing starts once a stop has begun (S27). */
  | { readonly reason: 'stopping' }
  /** The task has ended, or is ending. */
  | { readonly reason: 'ended' }
  /** A final process runs when all others have ended. */
  | { readonly reason: 'final'; readonly name: string }
  /** None of those that were meant has a command that could get a signal. */
  | { readonly reason: 'not-running'; readonly processes: readonly string[] }
  | { readonly reason: 'no-such-signal'; readonly signal: number }
  | { readonly reason: 'not-an-installation'; readonly path: string }
  /** All that is wrong with it; the config before stays in force. */
  | { readonly reason: 'bad-config'; readonly problems: readonly string[] }
  /** There is none that could be read again. */
  | { readonly reason: 'no-config'; readonly why: 'run' | 'stdin' }
  /** Of a plain run, whose command has its input and output for good. */
  | { readonly reason: 'not-restartable'; readonly name: string }
  | { readonly reason: 'not-scalable'; readonly name: string }
  | { readonly reason: 'bad-count'; readonly name: string; readonly replicas: number; readonly most: number };
