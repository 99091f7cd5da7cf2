/** The world of the loop. */
import type { RecordBody } from '../checkpoint/record.ts';
import type { Clock, Host } from '../host/host.ts';
import type { ConfigRead } from './effect.ts';
import type { Happening } from './happening.ts';
import type { LogProbe, MemoryProbe, Probe, TaskPlan } from './plan.ts';

export interface Ports {
  readonly journal: JournalPort;
  readonly host: Host;
  readonly clock: Clock;
  readonly http: HttpPort;
  readonly probes: ProbePort;
  readonly config: ConfigPort;
  say(happening: Happening): void;
  /** After each turn: the state may be another one. */
  turned?(): void;
  /** None: nobody else needs this supervisor. */
  readonly company?: CompanyPort;
}

/** Whoever keeps a supervisor that has nothing to decide: clients that are connected, lines that are not written yet. */
export interface CompanyPort {
  /** Something is under way that ends by itself, within moments. */
  isBusy(): boolean;
  isConnected(): boolean;
  /** `parted` is called whenever the last client has gone. */
  watch(parted: () => void): void;
  /** No client is taken any more, from now on. Those who come wait for the next supervisor. */
  shut(): void;
}

/** Never throws, never waits for a disk. */
export interface JournalPort {
  append(body: RecordBody): number;
  /** What was appended last is in the log: a supervisor that takes over will know it. */
  isKept(): boolean;
  /** Numbers up to `seq` are taken, whatever the log says. */
  skipTo(seq: number): void;
}

export interface ConfigPort {
  /** Calls back once, later. */
  read(done: (read: ConfigRead) => void): void;
  /** For whoever takes over: in force when its `config` record is in the log, or when it was settled. */
  keep(plan: TaskPlan): void;
  settle(revision: number): void;
}

/** Of a task that no config says. */
export const NO_CONFIG: ConfigPort = {
  read: (done) => done({ kind: 'none', why: 'run' }),
  keep() {},
  settle() {},
};

export interface ProbePort {
  /** Calls back once, later, and within `timeoutMs`: whether it has passed, and what came. */
  ask(
    run: string,
    probe: Exclude<Probe, { kind: 'exec' }> | LogProbe | MemoryProbe,
    timeoutMs: number,
    done: (ok: boolean, detail?: string) => void,
  ): void;
}

export interface HttpPort {
  /** `name` says which request it is when it is made again. Calls back once, with whether a 2xx came by `deadlineNs`, and what came. */
  post(
    url: string,
    name: string,
    deadlineNs: bigint | null,
    done: (ok: boolean, detail?: string) => void,
  ): void;
}
