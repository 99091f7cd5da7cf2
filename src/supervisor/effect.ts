/** What comes in and what goes out of the core. */
import type { RecordBody, Who } from '../checkpoint/record.ts';
import type { Answer, Request } from './client-request.ts';
import type { Happening } from './happening.ts';
import type { AskRole, LogProbe, MemoryProbe, Probe, TaskPlan } from './plan.ts';
import type { Asks, Hello, Launch, Order, RunSnapshot, Target } from './vocabulary.ts';

/** Facts are kept, and acted on at `sync`: what the host tells in one batch is one moment. */
export type Event = Occurrence & { readonly nowNs: bigint };

export type Occurrence =
  | { readonly kind: 'hello'; readonly hello: Hello; readonly supervisorPid: number }
  | { readonly kind: 'run'; readonly run: RunSnapshot }
  | { readonly kind: 'asks'; readonly asks: Asks }
  /** `awaited`: runs whose start has been asked for (again) and is not in the picture yet. */
  | { readonly kind: 'sync'; readonly event: number; readonly awaited: readonly string[] }
  /** A deadline may have passed. Which one is found in the state, so that a late one cannot hurt. */
  | { readonly kind: 'due' }
  | {
      readonly kind: 'http';
      readonly run: string;
      readonly hook: string;
      readonly ok: boolean;
      readonly detail?: string;
    }
  | {
      readonly kind: 'probe';
      readonly run: string;
      readonly role: AskRole;
      readonly ok: boolean;
      readonly detail?: string;
    }
  | { readonly kind: 'config'; readonly read: ConfigRead }
  /** `id`: its answer has the same. */
  | { readonly kind: 'request'; readonly id: number; readonly request: Request; readonly by: Who | null };

/** What came of reading the config again. `problems`: all at once, each a sentence. */
export type ConfigRead =
  | { readonly kind: 'plan'; readonly plan: TaskPlan }
  | { readonly kind: 'problems'; readonly problems: readonly string[] }
  | { readonly kind: 'none'; readonly why: 'run' | 'stdin' };

/** A request to the host, without the number that its record will give it. */
export type HostRequest =
  | { readonly to: 'spawn'; readonly run: string; readonly launch: Launch; readonly order: Order }
  | { readonly to: 'rung'; readonly run: string; readonly order: Order }
  | { readonly to: 'signal'; readonly run: string; readonly signal: number; readonly target: Target }
  | { readonly to: 'forget'; readonly run: string }
  | { readonly to: 'exit'; readonly code: number }
  | { readonly to: 'clear' }
  | { readonly to: 'upgrade'; readonly installation: string };

/** Performed in order. A record is in the log before what follows from it is asked for. */
export type Effect =
  | { readonly kind: 'record'; readonly record: RecordBody; readonly request: HostRequest | null }
  | {
      readonly kind: 'http';
      readonly run: string;
      readonly hook: string;
      readonly url: string;
      /** The hook's own name for it, `node#1/http-post.1`, is sent along: a request can be repeated after a crash. */
      readonly deadlineNs: bigint | null;
    }
  /** Asked once; a next supervisor asks again. */
  | {
      readonly kind: 'probe';
      readonly run: string;
      readonly role: AskRole;
      readonly probe: Exclude<Probe, { kind: 'exec' }> | LogProbe | MemoryProbe;
      readonly timeoutMs: number;
    }
  | { readonly kind: 'say'; readonly happening: Happening }
  /** Read the config again. */
  | { readonly kind: 'read-config' }
  /** Whoever takes over is to find this plan, when the record that follows puts it in force. */
  | { readonly kind: 'keep'; readonly plan: TaskPlan }
  /** It is in force: the record is written, as far as it could be. */
  | { readonly kind: 'kept'; readonly revision: number }
  /** After the records of what was asked for. */
  | { readonly kind: 'answer'; readonly id: number; readonly answer: Answer };
