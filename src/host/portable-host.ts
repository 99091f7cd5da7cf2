import type { Asks, Hello } from '../supervisor/vocabulary.ts';
import { blankRun } from './blank-run.ts';
import type { Clock, Host, HostNews } from './host.ts';
import { readOwnIdentity } from './own-identity.ts';
import { portableRefusals } from './portable-launch.ts';
import { type PortableRun, startPortableRun } from './portable-run.ts';
import { listenToSignals, type SignalPolicy } from './portable-signals.ts';
import { PROTOCOL_VERSION } from './protocol.ts';

const SIGTERM = 15;
const ENOSYS = 38;
const NO_ASKS: Asks = { count: 0, signal: 0, pid: 0, uid: 0, firstNs: 0n };

/** The host where init cannot run: this process is the parent of every run. PORTABLE_LOSSES says what that costs. */
export function createPortableHost(policy: SignalPolicy, clock: Clock): Host {
  const runs = new Map<number, PortableRun>();
  /** Whoever is not started yet gets them when he is. */
  const pending: number[] = [];
  const dirty = new Set<number>();
  let report: ((news: HostNews) => void) | null = null;
  let asks = NO_ASKS;
  let asksDirty = false;
  let lastNumber = 0;
  let event = 0;
  let leaving = false;
  let batched = false;
  let stopListening = (): void => {};

  /** State, not events: what has changed since the last batch is told once, as it is now. */
  const flush = (): void => {
    batched = false;
    if (report === null) return;
    const asked = asksDirty;
    asksDirty = false;
    if (asked) report({ kind: 'asks', asks });
    const changed = [...dirty];
    dirty.clear(); // what is told makes the loop act, and that may change a run again
    for (const key of changed) {
      const run = runs.get(key);
      if (run !== undefined) report?.({ kind: 'run', run: run.snapshot });
    }
    report?.({ kind: 'sync', event: ++event });
    const left = [...runs.values()].some(({ snapshot }) => snapshot.phase !== 'ended');
    if (leaving && !left) close('every tree is empty');
  };
  const batch = (): void => {
    if (!batched) setImmediate(flush);
    batched = true;
  };
  const close = (reason: string): void => {
    const tell = report;
    report = null;
    stopListening();
    for (const run of runs.values()) run.abandon();
    tell?.({ kind: 'closed', reason });
  };
  /** True once for each number. */
  const isNew = (number: number): boolean => {
    if (number <= lastNumber) return false;
    lastNumber = number;
    return true;
  };
  const forward = (signal: number): void => {
    const commands = [...runs.values()].filter(({ snapshot }) => !snapshot.name.includes('/'));
    if (commands.length === 0) pending.push(signal);
    for (const run of commands) run.signal(signal, 'group');
  };

  return {
    open(listener) {
      report = listener;
      stopListening = listenToSignals(
        policy,
        clock,
        (news) => {
          asks = news;
          asksDirty = true;
          batch();
        },
        forward,
      );
      listener({ kind: 'hello', hello: hello(lastNumber) });
      listener({ kind: 'asks', asks });
      listener({ kind: 'sync', event });
    },
    spawn(number, name, launch, order) {
      if (!isNew(number)) return;
      const changed = (): void => {
        dirty.add(number);
        batch();
      };
      if (portableRefusals(launch).length > 0) {
        // The command line is checked before; this is for what comes another way.
        const failed = { stage: 'exec', errno: ENOSYS } as const;
        const snapshot = { ...blankRun(number, name), phase: 'ended', startFailure: failed } as const;
        runs.set(number, { snapshot, enter() {}, signal() {}, abandon() {} });
        return changed();
      }
      const received = (): number => asks.signal || SIGTERM;
      const run = startPortableRun(number, name, launch, order, clock, received, changed);
      runs.set(number, run);
      if (!name.includes('/')) for (const signal of pending.splice(0)) run.signal(signal, 'group');
      changed();
    },
    rung(number, key, order) {
      if (isNew(number)) runs.get(key)?.enter(order);
    },
    signal(number, key, signal, target) {
      if (isNew(number)) runs.get(key)?.signal(signal, target);
    },
    forget(number, key) {
      isNew(number); // It may come late: to forget a key twice does nothing.
      if (runs.get(key)?.snapshot.phase !== 'ended') return;
      runs.delete(key);
      dirty.delete(key);
    },
    exit(number) {
      if (!isNew(number)) return;
      leaving = true;
      batch();
    },
    upgrade: (number) => void isNew(number),
    clear(number) {
      if (!isNew(number)) return;
      asks = { ...asks, cleared: true }; // It adopts nobody.
      asksDirty = true;
      batch();
    },
    // The loop's own clock is in this process, and wakes it.
    seen() {},
    // It has nobody to leave anything to.
    leave() {},
    close() {
      report = null;
      close('');
    },
  };
}

function hello(lastNumber: number): Hello {
  const { bootId, pidNs, pid, startTicks } = readOwnIdentity();
  return {
    version: PROTOCOL_VERSION,
    pid1: pid === 1,
    restarts: 0,
    initPid: pid,
    initTicks: startTicks,
    pidNs,
    bootId,
    lastNumber,
  };
}
