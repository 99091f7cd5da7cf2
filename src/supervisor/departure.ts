/** Lets a supervisor leave when it has had nothing to decide, and nobody with it, for as long as init said. */
import type { Clock } from '../host/host.ts';
import { mayLeave } from './leave.ts';
import type { CompanyPort } from './ports.ts';
import type { State } from './state.ts';

export interface Departure {
  /** After each turn. */
  turned(): void;
  close(): void;
}

export interface DepartureOptions {
  readonly clock: Clock;
  readonly company: CompanyPort;
  readonly state: () => State;
  /** All that was decided is in the log. */
  readonly isKept: () => boolean;
  readonly leave: (atNs: bigint | null) => void;
}

export const NO_COMPANY: CompanyPort = {
  isBusy: () => false,
  isConnected: () => false,
  watch() {},
  shut() {},
};

export function createDeparture({ clock, company, state, isKept, leave }: DepartureOptions): Departure {
  let disarm: (() => void) | null = null;
  let closed = false;

  const rest = (): void => {
    disarm?.();
    disarm = null;
    const stayNs = state().live.hello?.stayNs;
    if (closed || stayNs === undefined || company.isConnected()) return;
    const nowNs = clock.nowNs();
    if (mayLeave(state(), nowNs) !== null) disarm = clock.at(nowNs + stayNs, rested);
  };
  const rested = (): void => {
    disarm = null;
    if (closed || company.isConnected()) return;
    const absence = mayLeave(state(), clock.nowNs());
    if (absence === null) return;
    if (company.isBusy() || !isKept()) {
      rest();
      return;
    }
    closed = true;
    company.shut();
    leave(absence.atNs);
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
