/** A running task, as a program sees it. The command line is built on it. */
import type { Status } from '../report/status.ts';
import type { ConfigDifference } from '../supervisor/client-request.ts';
import type { Target } from '../supervisor/vocabulary.ts';
import { askUpgrade } from './ask-upgrade.ts';
import { ANSWER_WITHIN_MS, call, controlError, readJson } from './connection.ts';
import { readEvents, type TaskEvent } from './event-reader.ts';
import { findLiveTask } from './find-task.ts';
import { type LogLine, type LogOptions, readLogs } from './log-reader.ts';

export type { ControlError } from './connection.ts';
export type { TaskEvent } from './event-reader.ts';
export type { LogLine, LogOptions } from './log-reader.ts';

export interface ConnectOptions {
  /** The task; else the one of `$GSUP_TASK`, else the only one that lives. */
  readonly name?: string;
  readonly stateDir?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** What a request came to. */
export interface Done {
  /** Processes (replicas, where there are some) of which something changes. */
  readonly processes: readonly string[];
  /** Those that were meant, and are as they were asked to be already. */
  readonly unchanged: readonly string[];
  /** Of `reload` and `scale`. */
  readonly difference?: ConfigDifference;
}

export interface Readiness {
  readonly ready: boolean;
  /** Who is in the way, and in which state. */
  readonly waitingFor: readonly { readonly process: string; readonly state: string }[];
}

/** Names are those of processes, or of entries of the config that stand for their replicas. Each call rejects with a ControlError. */
export interface Client {
  readonly task: string;
  /** Its folder below the state directory. */
  readonly folder: string;
  /** `usage` false: without CPU and memory, which take longest. */
  status(options?: { readonly usage?: boolean }): Promise<Status>;
  readiness(): Promise<Readiness>;
  start(processes: readonly string[]): Promise<Done>;
  stop(processes: readonly string[]): Promise<Done>;
  /** Once, also when it has to be asked again: what has got a new run meanwhile keeps that. */
  restart(processes: readonly string[]): Promise<Done>;
  /** `signal`: TERM, SIGUSR1, 15. Not repeated when the connection is cut. */
  signal(signal: string, processes: readonly string[], target?: Target): Promise<Done>;
  /** None: all but final processes. */
  drain(processes: readonly string[]): Promise<Done>;
  scale(replicas: Readonly<Record<string, number>>): Promise<Done>;
  reload(): Promise<Done>;
  /** Asks for the end of the task; it has not come when this resolves. */
  shutdown(options?: { readonly now?: boolean }): Promise<Done>;
  /** `installation`: a folder with dist/main.js; '' for the one that init belongs to. */
  upgrade(installation: string): Promise<Done>;
  /** Each record of the log, and each that comes, until the task ends. Goes on by itself where it was cut off. */
  events(options?: EventOptions): AsyncGenerator<TaskEvent>;
  /** What they have written, from the bounded copies, by time; names as of `gsup logs`, up to 32 processes. */
  logs(processes: readonly string[], options?: LogOptions): AsyncGenerator<LogLine>;
}

export interface EventOptions {
  /** Of the event to go on behind; `now`: only what is to come. */
  readonly cursor?: string;
  /** false: end where the log ends. */
  readonly follow?: boolean;
  readonly signal?: AbortSignal;
  /** Each time that there is a connection: nothing that happens from then on is missed. */
  readonly onOpen?: () => void;
  /** Each time that the connection is lost: the supervisor has ended, and the next one is asked. */
  readonly onCut?: () => void;
}

/** Finds the task; nothing is asked of it yet. Throws a ControlError when there is none, or more than one. */
export function connect({ name, stateDir, env = process.env }: ConnectOptions = {}): Client {
  const found = findLiveTask({ name, stateDir, env });
  if (found.kind !== 'task') throw controlError('no-task', found.message, 'gsup status lists them');
  return connectTo(found.folder.path, found.folder.name);
}

export function connectTo(folder: string, task: string, timeoutMs = ANSWER_WITHIN_MS): Client {
  const get = async (path: string) => readJson(await call(folder, { method: 'GET', path, timeoutMs }));
  const post = async (path: string, body: unknown = {}, once = false) =>
    (await readJson(await call(folder, { method: 'POST', path, body, once, timeoutMs }))) as Done;
  const ofProcesses = (names: readonly string[], op: string) =>
    `/v1/processes/${names.map(encodeURIComponent).join(',')}/${op}`;
  return {
    task,
    folder,
    status: async ({ usage = true } = {}) => (await get(`/v1/status?usage=${usage}`)) as Status,
    readiness: async () => readinessOf(folder),
    start: (processes) => post(ofProcesses(processes, 'start')),
    stop: (processes) => post(ofProcesses(processes, 'stop')),
    restart: async (processes) => {
      const path = ofProcesses(processes, 'restart');
      const bodyAgain = { asked_ns: String(process.hrtime.bigint()) };
      return (await readJson(await call(folder, { method: 'POST', path, body: {}, bodyAgain }))) as Done;
    },
    signal: (signal, processes, target = 'group') =>
      post(ofProcesses(processes, 'signal'), { signal, target }, true),
    drain: (processes) => post(processes.length === 0 ? '/v1/drain' : ofProcesses(processes, 'drain')),
    scale: (replicas) => post('/v1/scale', { replicas }),
    reload: () => post('/v1/reload'),
    shutdown: ({ now = false } = {}) => post('/v1/shutdown', { now }),
    upgrade: (installation) => askUpgrade(folder, installation, timeoutMs),
    events: (options = {}) => readEvents(folder, options),
    logs: (processes, options = {}) => readLogs(folder, processes, options),
  };
}

/** 503 is an answer here. */
async function readinessOf(folder: string): Promise<Readiness> {
  const answer = await call(folder, { method: 'GET', path: '/readyz', accept: [503] });
  const said = (await readJson(answer)) as {
    status: string;
    waiting_for: Readiness['waitingFor'];
  };
  return { ready: said.status === 'ok', waitingFor: said.waiting_for };
}
