/** Puts the supervisor together: journal, host, reporter and the loop between them. */
import { join } from 'node:path';
import { isatty } from 'node:tty';
import { openJournal } from '../checkpoint/journal.ts';
import type { JournalSource } from '../checkpoint/journal-open.ts';
import type { CheckpointRecord } from '../checkpoint/record.ts';
import type { HttpConfig, LogConfig, RunConfig } from '../config/run-config.ts';
import { planRun } from '../config/run-plan.ts';
import { planStop } from '../config/stop-plan.ts';
import { createHealthFile } from '../health/health-file.ts';
import type { Copies } from '../health/log-probe.ts';
import { createProbePort } from '../health/probe-port.ts';
import { watchCarriedOut } from '../host/carried-out.ts';
import { realClock } from '../host/clock.ts';
import type { Host } from '../host/host.ts';
import { createHttpPort } from '../host/http.ts';
import { createNativeHost } from '../host/native-host.ts';
import { logsFolder } from '../logs/copies.ts';
import { type Notice, SAID_BY_INIT } from '../report/notice.ts';
import { createReporter, type Reporter } from '../report/reporter.ts';
import { EXIT } from '../signals/exit-codes.ts';
import { isCalm } from '../supervisor/calm.ts';
import { createLoop, type Ended, type Loop } from '../supervisor/loop.ts';
import { neededRecords } from '../supervisor/needed.ts';
import type { TaskPlan } from '../supervisor/plan.ts';
import { type ConfigPort, NO_CONFIG } from '../supervisor/ports.ts';
import { failure, type Outcome } from './output.ts';
import type { Environment } from './parse.ts';
import { type Clients, createClients } from './serve-clients.ts';
import { VERSION } from './version.gen.ts';

/** The descriptors that init gives a supervisor. Its stderr is not 2, because Node changes what it finds there. */
export const INIT_SOCKET = 3;
export const CHECKPOINT_LOG = 4;
export const STDERR = 7;
export const INIT_LOG = 5;

export interface World {
  readonly task: string;
  readonly host: Host;
  readonly journal: JournalSource;
  /** The folder of what is kept of output; undefined: none is. */
  readonly logs?: string;
  readonly reporter: Reporter;
  /** Of the task, where there is a supervisor beside init. */
  readonly folder?: string | null;
  /** This process is there for nothing else, so a bug may end it. Not so where gsup is a library. */
  readonly ownsProcess: boolean;
  /** Whoever else may ask something of the loop, such as clients. */
  readonly attach?: (loop: Loop) => void;
  /** Where clients come in. */
  readonly clients?: (loop: Loop) => Clients;
  /** Of this process. */
  readonly exitCodeOf: (ended: Ended) => number;
}

/** init waits for the end of every tree and exits with the code that it was told; this process only goes. */
export async function superviseNative(
  task: Task,
  env: Environment,
  attach: (loop: Loop) => void = () => {},
): Promise<Outcome> {
  const folder = env.GSUP_TASK_DIR;
  const reporter = reporterFor(STDERR, task.log, env, SAID_BY_INIT);
  const { problems = [] } = task;
  if (problems.length > 0) reporter.say({ kind: 'environment-lost', problems });
  const host = createNativeHost(INIT_SOCKET);
  return supervise(task, {
    task: env.GSUP_TASK ?? task.name,
    host,
    journal: { fd: CHECKPOINT_LOG, ...(folder ? { path: join(folder, 'checkpoint.log') } : {}) },
    ...(folder ? { logs: logsFolder(folder) } : {}),
    reporter,
    folder: folder || null,
    ownsProcess: true,
    attach,
    clients: (loop) =>
      createClients(
        loop,
        { folder: folder || null, checkpoint: CHECKPOINT_LOG, init: INIT_LOG },
        task.http,
        reporter,
        host.counts,
      ),
    // The code of the task is init's to say. Here it only counts that nothing is left to do.
    exitCodeOf: ({ exitCode }) => (exitCode === null ? EXIT.internal : EXIT.success),
  });
}

/** What is supervised, and how it is spoken of. */
export interface Task {
  readonly name: string;
  /** `task`: the name under which this invocation holds its folder. `revision`: of the config that its log says was put in force last. */
  readonly plan: (task: string, revision: number) => TaskPlan;
  /** How it is read again; none for what has no config. */
  readonly config?: ConfigPort & { close(): Promise<void> };
  readonly log: LogConfig;
  /** The control API over TCP. */
  readonly http: HttpConfig | null;
  /** A log that is not wanted on disk is not missed. */
  readonly memoryOnly: boolean;
  /** Worth saying when the task begins. */
  readonly warnings: readonly string[];
  /** Of files that cannot be read any more. */
  readonly problems?: readonly string[];
  /** It was read in this process, which is larger for it. */
  readonly readHere?: boolean;
}

/** `visits`: the command was started without a supervisor, which is there for a client only. */
export function taskOfRun(config: RunConfig, problems: readonly string[] = [], visits = false): Task {
  return {
    problems,
    name: config.name,
    plan: (task) => ({ ...planRun(config, task, VERSION), ...(visits && { isHandedOver: true }) }),
    log: config.log,
    http: config.http,
    memoryOnly: config.state.memoryOnly,
    warnings: visits ? [] : planStop(config).warnings,
  };
}

export async function supervise(task: Task, world: World): Promise<Outcome> {
  const { reporter } = world;
  const dieQuietly = world.ownsProcess ? dieLoudly(reporter) : () => {};
  const { host, carriedOut } = watchCarriedOut(world.host);
  const opened = openJournal({
    ...world.journal,
    clock: realClock,
    compaction: {
      needed: (records) => neededRecords(records, carriedOut()),
      mayBegin: () => isCalm(loop.state()),
    },
    report: (news) => {
      if (news.kind === 'memory' && task.memoryOnly) return;
      reporter.say({ kind: 'log', log: 'checkpoint.log', news });
    },
  });
  if (opened.kind === 'newer') {
    return failure(
      EXIT.data,
      `cannot go on with "checkpoint.log": it is of format version ${opened.version}, which needs a newer gsup`,
    );
  }
  if (opened.log.records.length === 0) sayWarnings(task, reporter);
  let clients: Clients | undefined;
  let parted = (): void => {};
  const loop = createLoop({
    plan: task.plan(world.task, revisionIn(opened.log.records)),
    records: opened.log.records,
    ports: {
      journal: opened.journal,
      host,
      clock: realClock,
      http: createHttpPort(realClock),
      config: task.config ?? NO_CONFIG,
      probes: createProbePort(copiesOf(world, opened.log.records)),
      say: (happening) => reporter.say(happening),
      company: {
        isBusy: () => reporter.isWriting(),
        isConnected: () => clients?.isConnected() ?? false,
        watch(told) {
          parted = told;
        },
        shut: () => clients?.shut(),
      },
      ...(world.folder && { turned: createHealthFile(world.folder, () => loop.state()) }),
    },
    pid: process.pid,
    makesRoom: task.readHere ?? false,
  });
  clients = world.clients?.(loop);
  const end = async (outcome: Outcome): Promise<Outcome> => {
    await Promise.all([clients?.close(), task.config?.close()]);
    opened.journal.close();
    await reporter.close();
    dieQuietly();
    return outcome;
  };
  const refusal = (await clients?.prepare(opened.log.records.length === 0)) ?? null;
  if (refusal !== null) return end(failure(refusal.exitCode, refusal.message));
  const started = loop.start();
  world.attach?.(loop);
  clients?.watch(() => parted());
  clients?.open();
  return end({ exitCode: world.exitCodeOf(await started) });
}

/**
 * Where output is kept, and since when its lines are of this gsup: since the first record, by the clock as it was then or as
 * it is now, whichever is earlier. So a clock that was set meanwhile hides no line.
 */
function copiesOf({ logs }: World, records: readonly CheckpointRecord[]): Copies | null {
  if (logs === undefined) return null;
  const [first] = records;
  const nowMs = realClock.wallMs();
  const lastedNs = first === undefined ? 0n : realClock.nowNs() - first.mono_ns;
  const times = [nowMs - Number(lastedNs / 1_000_000n), first === undefined ? nowMs : Date.parse(first.at)];
  return { logs, since: new Date(Math.min(...times.filter(Number.isFinite))).toISOString() };
}

function revisionIn(records: readonly CheckpointRecord[]): number {
  const last = records.findLast(({ type, ...record }) => type === 'config' && 'revision' in record);
  return last?.type === 'config' ? (last.revision ?? 0) : 0;
}

/** The first supervisor of a task says it; who comes later finds records. */
function sayWarnings({ warnings }: Task, reporter: Reporter): void {
  for (const warning of warnings) reporter.say({ kind: 'stop-plan', warning });
}

export function reporterFor(
  fd: number,
  log: LogConfig,
  env: Environment,
  omit: ReadonlySet<Notice['kind']> = new Set(),
): Reporter {
  const terminal = isatty(fd);
  return createReporter({
    fd,
    omit,
    level: log.level,
    format: log.format ?? (terminal ? 'text' : 'json'),
    colour: terminal && !env.NO_COLOR && env.TERM !== 'dumb',
  });
}

/** A bug ends this process, and init starts another: nothing that a user runs depends on it. Returns the way back. */
function dieLoudly(reporter: Reporter): () => void {
  const die = (error: Error) => {
    reporter.say({ kind: 'internal-error', error: error.stack ?? String(error) });
    reporter.close().finally(() => process.exit(EXIT.internal));
  };
  // Rejections that nobody handles come here as well.
  process.on('uncaughtException', die);
  return () => process.off('uncaughtException', die);
}
