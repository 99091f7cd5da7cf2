import type { Absence, Asks, Hello, Launch, Order, RunSnapshot, Target } from '../supervisor/vocabulary.ts';

/**
 * The world as the loop sees it. Two hosts implement it: the native one speaks with init, the portable one has
 * child_process. Both pass test/host/conformance.
 *
 * Requests are numbered with the seq of the record that decided them, and are idempotent: a host carries out a request
 * only when its number is greater than that of the last one. None of them answers; what happens comes back as HostNews.
 */
export interface Host {
  /** Begin to report. First `hello`, the runs that exist, the stop asks, then `sync`; from then on whatever changes. */
  open(report: (news: HostNews) => void): void;
  /** Start a run; its key is `number`. */
  spawn(number: number, name: string, launch: Launch, order: Order): void;
  /** Enter rung `order.index` of a run's ladder now; from now on `order` is what is done without a supervisor. */
  rung(number: number, key: number, order: Order): void;
  signal(number: number, key: number, signal: number, target: Target): void;
  /** The run has ended and its outcome is in the log. */
  forget(number: number, key: number): void;
  /** End with this code as soon as every tree is empty. Reports `closed` when there is nothing left to do here. */
  exit(number: number, code: number): void;
  /**
   * Start the supervisor from this installation (an absolute path, '' for the one that init belongs to) and end this one;
   * when the other does not come up this one is started again. The portable host has no supervisor to exchange.
   */
  upgrade(number: number, installation: string): void;
  /** When no run is left, end what belongs to none; `asks` tell when that has gone. */
  clear(number: number): void;
  /** Everything up to `event` is dealt with; wake the supervisor at `wakeNs` at the latest (null: no need). */
  seen(event: number, wakeNs: bigint | null): void;
  /**
   * The same, and there is nothing to be decided: this supervisor is ended, and the next one started when there is something
   * to tell, a client, or at its time. Only where `hello` says how long to stay.
   */
  leave(event: number, absence: Absence): void;
  close(): void;
}

export type HostNews =
  | { readonly kind: 'hello'; readonly hello: Hello }
  | { readonly kind: 'run'; readonly run: RunSnapshot }
  | { readonly kind: 'asks'; readonly asks: Asks }
  | { readonly kind: 'sync'; readonly event: number }
  | { readonly kind: 'closed'; readonly reason: string };

/** Init, which also counts what no record has. */
export interface CountingHost extends Host {
  /** As they are when init answers. null: it does not, or has gone. */
  counts(): Promise<Counts | null>;
}

/** They only grow while init lives, whatever becomes of a supervisor, a coordinator or the pump. */
export interface Counts {
  /** Reaped by init and by all coordinators. */
  readonly orphans: number;
  /** Captured output, of all runs of each process. '': of those together that init has no place for any more. */
  readonly bytes: readonly { readonly process: string; readonly stdout: number; readonly stderr: number }[];
}

/** CLOCK_MONOTONIC and wall time. The only source of time of the loop. */
export interface Clock {
  nowNs(): bigint;
  wallMs(): number;
  /** Call back at `atNs` or later; returns a way to disarm it. */
  at(atNs: bigint, wake: () => void): () => void;
}
