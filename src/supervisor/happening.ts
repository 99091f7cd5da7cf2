/** What is worth telling people, as data. Wording, levels and JSON are made of it in src/report. */
import type { ConfigDifference, Refusal } from './client-request.ts';
import type { Dependency, WaitSetting } from './plan.ts';
import type { Health, Outcome, OutcomeCause, StopCause } from './state.ts';
import type { StartStage } from './vocabulary.ts';

export type Happening =
  | {
      readonly kind: 'run-ended';
      readonly run: string;
      readonly outcome: Outcome;
      readonly cause: OutcomeCause;
      readonly code: number | null;
      readonly signal: string | null;
    }
  | {
      readonly kind: 'start-failed';
      readonly run: string;
      readonly command: string;
      readonly cwd: string | null;
      readonly user?: string;
      readonly group?: string;
      readonly stage: StartStage;
      readonly errno: number;
    }
  | {
      readonly kind: 'stop-begun';
      readonly cause: StopCause;
      readonly signal: number | null;
      readonly pid: number | null;
    }
  | { readonly kind: 'stragglers'; readonly run: string; readonly pids: readonly number[] }
  /** A stop takes longer than a moment. leftMs: of the rung that ends last; null: for ever. */
  | {
      readonly kind: 'stop-waits';
      readonly runs: readonly string[];
      readonly leftMs: number | null;
      readonly next: 'SIGKILL' | 'rung';
    }
  /** 80 % of a wait is used; what follows is in `next`. */
  | {
      readonly kind: 'grace-nearly-over';
      readonly run: string;
      readonly leftMs: number;
      readonly next: 'SIGKILL' | 'rung';
    }
  /** Asked again; `hook`: what must drain has its hook tried again. */
  | {
      readonly kind: 'escalated';
      readonly run: string;
      readonly index: number;
      readonly next: 'SIGKILL' | 'rung' | 'hook';
    }
  | { readonly kind: 'killed'; readonly run: string; readonly pids: readonly number[] }
  | { readonly kind: 'cut'; readonly run: string; readonly index: number; readonly cutMs: number }
  | { readonly kind: 'climbed-alone'; readonly run: string; readonly index: number }
  | {
      readonly kind: 'hook-failed';
      readonly run: string;
      readonly hook: string;
      readonly code: number | null;
      /** Of a request: what came instead of a 2xx. */
      readonly detail?: string;
    }
  /** What must succeed before the run has not. `lateMs`: it was ended, when it had taken so long. */
  | {
      readonly kind: 'pre-start-failed';
      readonly run: string;
      readonly code: number | null;
      readonly signal: string | null;
      readonly lateMs: number | null;
    }
  /** Its tree holds too much memory, and makes way for a new run. `reason`: how much. */
  | {
      readonly kind: 'oversized';
      readonly run: string;
      readonly limitBytes: number;
      readonly reason: string | null;
    }
  /** Said once: its stop waits. */
  | { readonly kind: 'busy'; readonly run: string }
  /** Said once; the hook is tried again. */
  | { readonly kind: 'not-drained'; readonly run: string; readonly hook: string; readonly retryMs: number }
  | { readonly kind: 'restart'; readonly process: string; readonly waitMs: number; readonly failures: number }
  | { readonly kind: 'gave-up'; readonly process: string; readonly failures: number }
  | {
      readonly kind: 'not-ready';
      readonly run: string;
      readonly timeoutMs: number | null;
      /** What the last probe said. */
      readonly reason: string | null;
    }
  | {
      readonly kind: 'health';
      readonly run: string;
      readonly health: Health;
      readonly reason: string | null;
    }
  /** What it depends on will not come about, as things are. */
  | {
      readonly kind: 'blocked';
      readonly process: string;
      readonly on: string;
      readonly condition: Dependency['condition'];
    }
  | {
      readonly kind: 'config-changed';
      readonly cause: 'reload' | 'scale';
      readonly difference: ConfigDifference;
    }
  /** It was read again, and is as it was. */
  | { readonly kind: 'config-unchanged' }
  | { readonly kind: 'not-reloaded'; readonly refusal: Refusal }
  /** All others have ended. waitMs null: for ever. */
  | { readonly kind: 'finalizing'; readonly processes: readonly string[]; readonly waitMs: number | null }
  | { readonly kind: 'stuck'; readonly run: string; readonly pids: readonly number[] }
  | { readonly kind: 'lost'; readonly run: string }
  | { readonly kind: 'stop-summary'; readonly exitCode: number; readonly processes: readonly StopReport[] };

/** One process in the summary that ends a stop. tookMs null: not known to this supervisor. */
export interface StopReport {
  readonly process: string;
  readonly run: string;
  readonly tookMs: number | null;
  readonly outcome: Outcome;
  readonly code: number | null;
  readonly signal: string | null;
  readonly forced: boolean;
  /** Why it took SIGKILL; null: it did not. */
  readonly reason: ForcedReason | null;
  /** How many rungs its ladder has, and where their waits are set. */
  readonly rungs: number;
  readonly waits: WaitSetting;
  readonly cutMs: number;
  readonly stuck: boolean;
}

/** `outlived`: its last wait was over, and no budget had cut it. */
export type ForcedReason = 'asked-again' | 'outlived' | 'budget';
