/** A simulated machine: init, its runs, their processes, a disk with a log, and supervisors that come and go. */
import { type CheckpointRecord, type RecordBody, stampRecord } from '../../src/checkpoint/record.ts';
import type { Clock, Host, HostNews } from '../../src/host/host.ts';
import type { Asks, Launch, Order } from '../../src/supervisor/vocabulary.ts';
import { type Behaviour, obedient } from './behaviour.ts';
import { type Coordinator, createCoordinator, type Sent } from './coordinator.ts';
import { createScheduler, MS, type Scheduler } from './scheduler.ts';

/** So long init gives a supervisor that lives, or is being started, to act on an ask. */
const PATIENCE_MS = 250;

export interface Request {
  readonly atNs: bigint;
  readonly number: number;
  readonly to: 'spawn' | 'rung' | 'signal' | 'forget' | 'exit' | 'upgrade';
  readonly run: string;
  readonly order: Order | null;
}

export interface World {
  readonly scheduler: Scheduler;
  readonly records: CheckpointRecord[];
  readonly requests: Request[];
  readonly sent: Sent[];
  /** How each run was started. */
  readonly launches: Record<string, Launch>;
  /** Code that init ended with; null: it has not. */
  exitCode(): number | null;
  endedNs(): bigint;
  /** A stop signal reaches gsup. */
  ask(signal: number): void;
  append(body: RecordBody): number;
  skipTo(seq: number): void;
  /** As after a full disk or damage: the next supervisor finds nothing. */
  loseLog(): void;
  clock(): Clock;
  /** A new supervisor takes the place of the one before. */
  connect(): Host;
  disconnect(): void;
  /** When init would start a supervisor that is not there. */
  wakeNs(): bigint | null;
}

export function createWorld(behaviourOf: (run: string) => Behaviour | undefined): World {
  const scheduler = createScheduler();
  const records: CheckpointRecord[] = [];
  const requests: Request[] = [];
  const sent: Sent[] = [];
  const launches: Record<string, Launch> = {};
  const runs = new Map<number, Coordinator>();
  const dirty = new Set<number>();
  let asks: Asks = { count: 0, signal: 0, pid: 0, uid: 0, firstNs: 0n };
  let asksDirty = false;
  let seq = 0;
  let event = 0;
  let lastNumber = 0;
  let restarts = 0;
  let report: ((news: HostNews) => void) | null = null;
  let flushing = false;
  let exit: { code: number | null; asked: number | null; atNs: bigint } = {
    code: null,
    asked: null,
    atNs: 0n,
  };
  let wakeNs: bigint | null = null;

  const flush = (): void => {
    flushing = false;
    if (report === null) return;
    const keys = [...dirty];
    dirty.clear();
    for (const key of keys) tell({ kind: 'run', run: (runs.get(key) as Coordinator).snapshot() });
    if (asksDirty) tell({ kind: 'asks', asks });
    asksDirty = false;
    tell({ kind: 'sync', event: ++event });
  };
  const tell = (news: HostNews): void => report?.(news);
  const soon = (): void => {
    if (!flushing) scheduler.after(0, flush);
    flushing = true;
  };
  const changed = (key: number): void => {
    if (!runs.has(key)) return;
    dirty.add(key);
    soon();
    tryToEnd();
  };
  const tryToEnd = (): void => {
    if (exit.asked === null || exit.code !== null) return;
    const left = [...runs.values()].filter((run) => !run.isEmpty() && !run.snapshot().stuck);
    if (left.length > 0) return;
    exit = { ...exit, code: exit.asked, atNs: scheduler.nowNs() };
    scheduler.after(0, () => tell({ kind: 'closed', reason: 'the end' }));
  };

  /** Numbered and idempotent: what was carried out once is not carried out again. */
  const once = (
    to: Request['to'],
    number: number,
    run: string,
    order: Order | null,
    act: () => void,
  ): void => {
    if (number <= lastNumber || exit.code !== null) return;
    lastNumber = number;
    requests.push({ atNs: scheduler.nowNs(), number, to, run, order });
    act();
  };
  const nameOf = (key: number): string => runs.get(key)?.snapshot().name ?? '';

  const spawn = (number: number, name: string, order: Order): void => {
    const surroundings = {
      scheduler,
      hooks: () => true,
      changed: () => changed(number),
      sent: (each: Sent) => sent.push(each),
    };
    runs.set(number, createCoordinator(number, name, behaviourOf(name) ?? obedient, order, surroundings));
  };

  const host: Host = {
    open() {
      throw new Error('each supervisor has a host of its own');
    },
    spawn: (number, name, launch, order) =>
      once('spawn', number, name, order, () => {
        launches[name] = launch;
        spawn(number, name, order);
      }),
    rung: (number, key, order) => once('rung', number, nameOf(key), order, () => runs.get(key)?.enter(order)),
    signal: (number, key, signal, target) =>
      once('signal', number, nameOf(key), null, () => runs.get(key)?.signal(signal, target)),
    forget: (number, key) =>
      once('forget', number, nameOf(key), null, () => {
        runs.delete(key);
        dirty.delete(key);
      }),
    exit: (number, code) =>
      once('exit', number, '', null, () => {
        exit = { ...exit, asked: code };
        tryToEnd();
      }),
    upgrade: (number) => once('upgrade', number, '', null, () => {}),
    seen: (_, atNs) => {
      wakeNs = atNs;
    },
    close() {},
  };

  return {
    scheduler,
    records,
    requests,
    sent,
    launches,
    exitCode: () => exit.code,
    endedNs: () => exit.atNs,
    wakeNs: () => wakeNs,
    ask(signal) {
      const first = asks.count === 0 ? { signal, pid: 7, uid: 0, firstNs: scheduler.nowNs() } : {};
      asks = { ...asks, ...first, count: asks.count + 1 };
      asksDirty = true;
      soon();
      const { count } = asks;
      const askedNs = scheduler.nowNs();
      scheduler.after(PATIENCE_MS, () => {
        if (report !== null) return;
        for (const run of runs.values()) {
          // A supervisor that has gone since had acted on it.
          if (run.enteredNs() >= askedNs) continue;
          if (count === 1) run.begin(signal);
          else if (count === 2) run.escalate();
          else run.kill();
        }
      });
    },
    append(body) {
      seq++;
      const mono_ns = scheduler.nowNs();
      const at = new Date(Number(mono_ns / MS)).toISOString();
      records.push(stampRecord(body, seq, { at, mono_ns }) as CheckpointRecord);
      return seq;
    },
    skipTo(to) {
      seq = Math.max(seq, to);
    },
    loseLog() {
      records.length = 0;
      seq = 0;
    },
    clock: () => ({ nowNs: scheduler.nowNs, wallMs: () => Number(scheduler.nowNs() / MS), at: scheduler.at }),
    disconnect() {
      report = null;
    },
    connect: () => ({
      ...host,
      open(listener) {
        report = listener;
        const hello = { version: 1, pid1: true, initPid: 1, initTicks: 1n, pidNs: 1n, bootId: 'boot' };
        tell({ kind: 'hello', hello: { ...hello, restarts: restarts++, lastNumber } });
        for (const key of runs.keys()) dirty.add(key);
        asksDirty = true;
        flush();
      },
    }),
  };
}
