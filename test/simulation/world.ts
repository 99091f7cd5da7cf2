/** A simulated machine: init, its runs, their processes, a disk with a log, and supervisors that come and go. */
import type { Host, HostNews } from '../../src/host/host.ts';
import type { Asks, Launch, Order } from '../../src/supervisor/vocabulary.ts';
import { type Behaviour, obedient } from './behaviour.ts';
import { type Coordinator, createCoordinator } from './coordinator.ts';
import { createDisk, type DiskFault, type SimulatedDisk } from './disk.ts';
import { createScheduler, MS, type Scheduler } from './scheduler.ts';
import type { Request, Step } from './trace.ts';

/** So long init gives a supervisor that lives, or is being started, to act on an ask. */
const PATIENCE_MS = 250;
/** So long it stops by itself whom a supervisor that has left need not decide about. */
const STOPS_WITHIN_MS = 500;
/** So long strangers take to end; the answer is another turn, all the same. */
const CLEARING_MS = 0;

export interface World {
  readonly scheduler: Scheduler;
  readonly disk: SimulatedDisk;
  readonly trace: Step[];
  /** How each run was started. */
  readonly launches: Record<string, Launch>;
  /** Code that init ended with; null: it has not. */
  exitCode(): number | null;
  endedNs(): bigint;
  /** Called once, when init has ended and everybody who is told of it has been. */
  afterEnd(act: () => void): void;
  /** A stop signal reaches gsup. */
  ask(signal: number): void;
  /** A signal to read the config again reaches it. */
  askReload(): void;
  /** A new supervisor takes the place of the one before. */
  connect(): Host;
  /** Somebody comes for a supervisor that has left. */
  wake(): void;
  /** `hopeless`: and init knows of no way to have another one. */
  disconnect(hopeless: boolean): void;
  /** When init would start a supervisor that is not there. */
  wakeNs(): bigint | null;
  /** Of the last request that was carried out. */
  lastNumber(): number;
  /** Deadlines of coordinators that are still to come. */
  armed(): number;
}

/** What init does with a supervisor that has nothing to decide. */
export interface Absence {
  readonly stayMs: number;
  /** It has left. */
  left(): void;
  /** The next one is to be started. */
  woken(): void;
}

export function createWorld(
  behaviourOf: (run: string) => Behaviour | undefined,
  faults: readonly DiskFault[] = [],
  absence: Absence | null = null,
): World {
  const scheduler = createScheduler();
  const disk = createDisk(scheduler, faults);
  const trace: Step[] = [];
  const launches: Record<string, Launch> = {};
  const runs = new Map<number, Coordinator>();
  const dirty = new Set<number>();
  let asks: Asks = { count: 0, signal: 0, pid: 0, uid: 0, firstNs: 0n };
  let asksDirty = false;
  /** The batch that told of the last one. */
  let asksEvent = 0;
  let event = 0;
  let lastNumber = 0;
  let restarts = 0;
  let report: ((news: HostNews) => void) | null = null;
  let hopeless = false;
  let flushing = false;
  let exit: { code: number | null; asked: number | null; atNs: bigint } = {
    code: null,
    asked: null,
    atNs: 0n,
  };
  let wakeNs: bigint | null = null;
  let ended = (): void => {};
  /** Asks that somebody has acted on, and whether init is doing so itself. */
  let answered = 0;
  /** Where the runs stood when the last one came. */
  let stoodAt = new Map<Coordinator, number | null>();
  /** Where they stood when the second one came. */
  let secondAt = new Map<Coordinator, number | null>();
  let standsIn = false;
  let clears = false;

  let absent = false;
  let woken = false;
  /** A stop needs no supervisor; there is such a stop. */
  let ordersSuffice = false;
  let stopsAlone = false;
  /** To the last one, whether it has read it or not. */
  let told = 0;
  const wake = (): void => {
    if (!absent) return;
    absent = false;
    stopsAlone = false;
    woken = true;
    wakeNs = null;
    absence?.woken();
  };

  const flush = (): void => {
    flushing = false;
    if (report === null) {
      // The real one would end here; that comes to the same, and there is one end to look at.
      const isOver = [...runs.values()].every((run) => run.isEmpty());
      if ((dirty.size > 0 || asksDirty) && (!stopsAlone || isOver)) wake();
      return;
    }
    const keys = [...dirty];
    dirty.clear();
    for (const key of keys) {
      const run = runs.get(key) as Coordinator;
      tell({ kind: 'run', run: { ...run.snapshot(), askedAgain: isAskedAgain(run) } });
    }
    if (asksDirty) {
      asksDirty = false;
      asksEvent = event + 1;
      tell({ kind: 'asks', asks });
    }
    tell({ kind: 'sync', event: ++event });
    told = event;
  };
  const tell = (news: HostNews): void => report?.(news);
  const isAskedAgain = (run: Coordinator): boolean => {
    const { rung } = run.snapshot();
    return asks.count > 1 && rung !== null && rung === secondAt.get(run);
  };
  const soon = (): void => {
    if (!flushing) scheduler.after(0, flush);
    flushing = true;
  };
  const changed = (key: number): void => {
    if (!runs.has(key)) return;
    dirty.add(key);
    soon();
    tryToEnd();
    tryToClear();
    if (stopsAlone && (runs.get(key)?.snapshot().extendNs ?? 0n) >= asks.firstNs) wake();
    if (standsIn && report === null) standIn();
  };

  const tryToClear = (): void => {
    if (!clears || [...runs.values()].some((run) => !run.isEmpty() && !run.snapshot().stuck)) return;
    clears = false;
    scheduler.after(CLEARING_MS, () => {
      asks = { ...asks, cleared: true };
      asksDirty = true;
      soon();
    });
  };
  const tryToEnd = (): void => {
    if (exit.asked === null || exit.code !== null) return;
    const left = [...runs.values()].filter((run) => !run.isEmpty() && !run.snapshot().stuck);
    if (left.length > 0) return;
    const code = exit.asked;
    exit = { ...exit, code, atNs: scheduler.nowNs() };
    trace.push({ atNs: exit.atNs, kind: 'exit', code });
    scheduler.after(0, () => {
      tell({ kind: 'closed', reason: 'the end' });
      ended();
    });
  };

  /** Numbered and idempotent: what was carried out once is not carried out again. */
  const once = (
    to: Request['to'],
    number: number,
    about: { key: number; run: string; order?: Order },
    act: () => void,
  ): void => {
    if ((number <= lastNumber && to !== 'forget') || exit.code !== null) return;
    lastNumber = Math.max(lastNumber, number);
    const { key, run, order = null } = about;
    trace.push({ atNs: scheduler.nowNs(), kind: 'request', number, to, key, run, order });
    act();
  };
  const named = (key: number): { key: number; run: string } => ({
    key,
    run: runs.get(key)?.snapshot().name ?? '',
  });

  const spawn = (number: number, name: string, order: Order): void => {
    trace.push({ atNs: scheduler.nowNs(), kind: 'forked', run: name, key: number });
    const surroundings = {
      scheduler,
      hooks: () => !hopeless,
      changed: () => changed(number),
      trace: (step: Step) => trace.push(step),
    };
    runs.set(number, createCoordinator(number, name, behaviourOf(name) ?? obedient, order, surroundings));
  };

  const host: Omit<Host, 'open'> = {
    spawn: (number, name, launch, order) =>
      once('spawn', number, { key: number, run: name, order }, () => {
        launches[name] = launch;
        spawn(number, name, order);
      }),
    rung: (number, key, order) =>
      once('rung', number, { ...named(key), order }, () => runs.get(key)?.enter(order, number)),
    signal: (number, key, signal, target) =>
      once('signal', number, named(key), () => runs.get(key)?.signal(signal, target, number)),
    forget: (number, key) =>
      once('forget', number, named(key), () => {
        runs.delete(key);
        dirty.delete(key);
      }),
    exit: (number, code) =>
      once('exit', number, { key: 0, run: '' }, () => {
        exit = { ...exit, asked: code };
        tryToEnd();
      }),
    clear: (number) =>
      once('clear', number, { key: 0, run: '' }, () => {
        clears = true;
        tryToClear();
      }),
    upgrade: (number) => once('upgrade', number, { key: 0, run: '' }, () => {}),
    seen: (until, atNs) => {
      wakeNs = atNs;
      if (!asksDirty && until >= asksEvent) answered = asks.count;
    },
    leave: (until, leaving) => {
      const { atNs } = leaving;
      ordersSuffice = leaving.ordersSuffice;
      host.seen(until, atNs);
      report = null;
      absent = true;
      trace.push({ atNs: scheduler.nowNs(), kind: 'left' });
      absence?.left();
      if (told !== until || dirty.size > 0 || asksDirty) wake();
      if (atNs !== null) scheduler.at(atNs, () => absent && wakeNs === atNs && wake());
    },
    close() {},
  };

  /** Nobody has acted on an ask: init passes it on to the coordinators, from the highest level down. */
  const standIn = (): void => {
    standsIn = true;
    const live = [...runs.values()].filter((run) => !run.isEmpty() && !run.snapshot().stuck);
    const highest = Math.max(...live.map((run) => run.level()));
    const before = answered;
    answered = asks.count;
    for (const run of live) {
      const isHook = run.snapshot().name.includes('/');
      if (run.level() === highest && (!isHook || hopeless)) run.begin(asks.signal);
      if (asks.count > 2 && before < 3) run.kill();
      // Whoever has moved on since was told to, by a supervisor that could not say so any more.
      else if (asks.count === 2 && before < 2 && run.snapshot().rung === stoodAt.get(run)) run.escalate();
    }
  };
  const stopAlone = (): void => {
    stopsAlone = true;
    scheduler.after(0, () => stopsAlone && standIn());
    scheduler.after(STOPS_WITHIN_MS, () => stopsAlone && wake());
  };
  const ifUnanswered = (): void => {
    if (report === null && asks.count > 0) standIn();
  };

  return {
    scheduler,
    disk,
    trace,
    launches,
    exitCode: () => exit.code,
    endedNs: () => exit.atNs,
    afterEnd: (act) => {
      ended = act;
    },
    wakeNs: () => wakeNs,
    lastNumber: () => lastNumber,
    armed: () => [...runs.values()].filter((run) => run.isArmed()).length,
    ask(signal) {
      trace.push({ atNs: scheduler.nowNs(), kind: 'asked', signal });
      const first = asks.count === 0 ? { signal, pid: 7, uid: 0, firstNs: scheduler.nowNs() } : {};
      asks = { ...asks, ...first, count: asks.count + 1 };
      stoodAt = new Map([...runs.values()].map((run) => [run, run.snapshot().rung]));
      if (asks.count === 2) secondAt = stoodAt;
      if (absent && ordersSuffice && asks.count === 1 && dirty.size === 0) stopAlone();
      else if (stopsAlone) scheduler.after(0, () => stopsAlone && standIn());
      asksDirty = true;
      soon();
      scheduler.after(hopeless ? 0 : PATIENCE_MS, ifUnanswered);
    },
    askReload() {
      const count = (asks.reloads?.count ?? 0) + 1;
      asks = { ...asks, reloads: { count, pid: 8, uid: 0 } };
      asksDirty = true;
      soon();
    },
    wake,
    disconnect(isHopeless) {
      report = null;
      woken = false;
      wakeNs = null;
      hopeless = isHopeless;
      standsIn = false;
      if (asks.count > 0) scheduler.after(hopeless ? 0 : PATIENCE_MS, ifUnanswered);
      if (hopeless) for (const run of runs.values()) run.hooksChanged();
    },
    connect: () => ({
      ...host,
      open(listener) {
        report = listener;
        standsIn = false;
        if (hopeless) {
          hopeless = false;
          for (const run of runs.values()) run.hooksChanged();
        }
        const hello = { version: 1, pid1: true, initPid: 1, initTicks: 1n, pidNs: 1n, bootId: 'boot' };
        const stay = absence === null ? {} : { stayNs: BigInt(absence.stayMs) * MS };
        const came = woken ? { woken: true as const } : {};
        tell({ kind: 'hello', hello: { ...hello, restarts: restarts++, lastNumber, ...stay, ...came } });
        for (const key of runs.keys()) dirty.add(key);
        asksDirty = true;
        flush();
      },
    }),
  };
}
