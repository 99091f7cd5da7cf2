/** What a simulated process does. Times are virtual milliseconds after its start, or after the signal. */
export interface Behaviour {
  /** It cannot be started. */
  readonly fails?: { readonly stage: 'exec' | 'cwd' | 'user' | 'timeout'; readonly errno: number };
  /** It ends by itself. Without: it lives until it is told. */
  readonly lives?: number;
  /** The code of its own end; `by` a signal instead, as by the kernel or somebody else. */
  readonly exit?: number;
  readonly by?: number;
  /** Without an entry a signal ends it at once. */
  readonly on?: Readonly<Record<number, 'ignore' | { readonly after: number; readonly exit?: number }>>;
  /** Not even SIGKILL ends it. */
  readonly stuck?: true;
  /** It was stopped (SIGSTOP): signals but SIGKILL wait until it is continued. */
  readonly stopped?: true;
  /** Others in its tree; `outside`: they have left its group. */
  readonly others?: readonly (Behaviour & { readonly outside?: true })[];
  /** So long after its start it says that it is ready. */
  readonly ready?: number;
  /** EXTEND_TIMEOUT_USEC, in ms, sent so long after a signal. */
  readonly extends?: { readonly signal: number; readonly after: number; readonly ms: number };
}

export const TERM = 15;
export const INT = 2;
export const KILL = 9;
export const CONT = 18;

/** It does nothing and ends on any signal. */
export const obedient: Behaviour = {};
export const ignoresTerm: Behaviour = { on: { [TERM]: 'ignore', [INT]: 'ignore' } };

export function exitsOn(signal: number, after: number, exit = 0): Behaviour {
  return { on: { [signal]: { after, exit } } };
}

export function exitsBy(lives: number, exit = 0): Behaviour {
  return { lives, exit };
}
