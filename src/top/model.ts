/** What `gsup top` knows and shows, as data. */
import type { ProcessStatus, Status } from '../report/status.ts';
import type { SortKey } from './sort.ts';

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** What can be asked of a process. */
export type Act = 'start' | 'stop' | 'restart' | 'drain' | 'signal';

export type View =
  | { readonly kind: 'table' }
  /** The process is the one that was chosen when the key was pressed, whatever moves meanwhile. */
  | { readonly kind: 'question'; readonly act: Exclude<Act, 'start' | 'signal'>; readonly process: string }
  | { readonly kind: 'signals'; readonly process: string; readonly at: number }
  | {
      readonly kind: 'logs';
      readonly process: string;
      readonly lines: readonly string[];
      /** So many lines are below the screen; 0: it follows. */
      readonly back: number;
      /** Instead of lines, where there are none. */
      readonly why: string;
    }
  | { readonly kind: 'filter'; readonly before: string }
  | { readonly kind: 'help'; readonly from: number };

export interface Model {
  /** Its name on the command line; the status may not be there yet. */
  readonly task: string;
  readonly size: Size;
  readonly status: Status | null;
  /** When the status was looked at, for what is told as a time of day. */
  readonly nowMs: number;
  /** Why the status is not its supervisor's. null: it is. */
  readonly silent: string | null;
  readonly sort: SortKey;
  readonly reversed: boolean;
  readonly filter: string;
  /** By name, so that nothing slips below a finger; null: whoever is first. */
  readonly chosen: { readonly name: string; readonly at: number } | null;
  /** The first row of the table on the screen. */
  readonly from: number;
  readonly view: View;
  /** What the last request has come to. */
  readonly note: Note | null;
}

export interface Note {
  readonly text: string;
  readonly good: boolean;
  /** After that the keys are shown again. */
  readonly untilMs: number;
}

/** Long enough to be read. */
const NOTE_MS = 5000;

export function noteIn({ nowMs }: Model, text: string, good: boolean): Note {
  return { text, good, untilMs: nowMs + NOTE_MS };
}

export type TopEvent =
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'size'; readonly size: Size }
  | {
      readonly kind: 'status';
      readonly status: Status;
      readonly nowMs: number;
      readonly silent: string | null;
    }
  /** The status that was asked for is still to come. */
  | { readonly kind: 'late' }
  | { readonly kind: 'answer'; readonly text: string; readonly good: boolean }
  /** Of the process whose output is shown; `why`: there is none. */
  | {
      readonly kind: 'output';
      readonly process: string;
      readonly lines: readonly string[];
      readonly why: string;
    };

/** What is to be done besides showing the model. */
export type TopEffect =
  | { readonly kind: 'quit' }
  | { readonly kind: 'suspend' }
  /** Everything anew: something else has written on the terminal. */
  | { readonly kind: 'repaint' }
  | { readonly kind: 'look' }
  | { readonly kind: 'ask'; readonly act: Act; readonly process: string; readonly signal: string | null }
  | { readonly kind: 'open-output'; readonly process: string }
  | { readonly kind: 'close-output' };

export interface Step {
  readonly model: Model;
  readonly effects: readonly TopEffect[];
}

export function newModel(given: Pick<Model, 'task' | 'size' | 'sort' | 'reversed'>): Model {
  return {
    ...given,
    status: null,
    nowMs: 0,
    silent: null,
    filter: '',
    chosen: null,
    from: 0,
    view: { kind: 'table' },
    note: null,
  };
}

/** Lines of output that can be scrolled back to. */
export const OUTPUT_LINES_MAX = 2000;

/** What `gsup signal` is used for, in the order of their numbers. */
export const SIGNALS_OFFERED = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGABRT',
  'SIGKILL',
  'SIGUSR1',
  'SIGUSR2',
  'SIGALRM',
  'SIGTERM',
  'SIGCONT',
  'SIGSTOP',
  'SIGTSTP',
  'SIGWINCH',
] as const;

export function processesOf({ status }: Model): readonly ProcessStatus[] {
  return status?.processes ?? [];
}
