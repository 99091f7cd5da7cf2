/** Lets a supervisor leave when it has had nothing to decide, and nobody with it, for as long as init said. */
import type { Clock } from '../host/host.ts';
import { isQuiet, mayLeave } from './leave.ts';
import type { CompanyPort } from './ports.ts';
import type { State } from './state.ts';
import type { Absence } from './vocabulary.ts';

export interface Departure {
  /** After each turn. */
  turned(): void;
  close(): void;
}

export interface DepartureOptions {
  readonly clock: Clock;
  readonly company: CompanyPort;
  readonly state: () => State;
  /** The deadline that this supervisor waits for; null: none. */
  readonly nextNs: () => bigint | null;
  /** All that was decided is in the log. */
  readonly isKept: () => boolean;
  readonly leave: (absence: Absence) => void;
  /**
   * It holds what no later one does (the parser of its config): when its stay is over it makes room for the next one as soon as nobody
   * would notice, also where it would not leave for good.
   */
  readonly makesRoom?: boolean;
}

/** The next one is started meanwhile: what is due sooner would be late. */
const ROOM_NS = 500_000_000n;

export const NO_COMPANY: CompanyPort = {
  isBusy: () => false,
  isConnected: () => false,
  watch() {},
  shut() {},
};

export function createDeparture(options: DepartureOptions): Departure {
  const { clock, company, state, nextNs, isKept, leave, makesRoom = false } = options;
  let roomFromNs: bigint | null = null;
  let disarm: (() => void) | null = null;
  let closed = false;

  /**
   * Whoever is late finds both timers due, and this one first: it is the earlier one. What has passed is not a next deadline any more
   * (deadlines.ts), so to leave now would be to leave it undone. The turn that answers it comes at once.
   */
  const isDue = (): boolean => {
    const atNs = nextNs();
    return atNs !== null && atNs <= clock.nowNs();
  };

  const rest = (): void => {
    disarm?.();
    disarm = null;
    const stayNs = state().live.hello?.stayNs;
    if (closed || stayNs === undefined || company.isConnected() || isDue()) return;
    const nowNs = clock.nowNs();
    roomFromNs ??= nowNs + stayNs;
    if (mayLeave(state(), nowNs) !== null) disarm = clock.at(nowNs + stayNs, rested);
    else if (makesRoom && isQuiet(state())) disarm = clock.at(later(roomFromNs, nowNs), makeRoom);
  };
  const rested = (): void => {
    disarm = null;
    if (closed || company.isConnected() || isDue()) return;
    const absence = mayLeave(state(), clock.nowNs());
    if (absence === null) return;
    if (company.isBusy() || !isKept()) {
      rest();
      return;
    }
    go(absence);
  };
  /** A timer of its own, since this comes behind a turn, which others may follow. */
  const makeRoom = (): void => {
    disarm = null;
    const nowNs = clock.nowNs();
    const atNs = nextNs();
    if (closed || company.isConnected() || (atNs !== null && atNs < nowNs + ROOM_NS)) return;
    if (isQuiet(state()) && !company.isBusy() && isKept()) go({ atNs: nowNs, ordersSuffice: false });
  };
  const go = (absence: Absence): void => {
    closed = true;
    company.shut();
    leave(absence);
  };
  company.watch(rest);
  return {
    turned: rest,
    close() {
      closed = true;
      disarm?.();
    },
  };
}

function later(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}
