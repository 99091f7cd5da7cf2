/** What happened in a simulated world, in order. What must always hold is judged by it. */
import type { BodyOf, CheckpointRecord, RecordBody } from '../../src/checkpoint/record.ts';
import type { Order } from '../../src/supervisor/vocabulary.ts';

/** A record that was decided: its append has returned. Whether it is on the disk is another matter. */
export type Decision = CheckpointRecord & RecordBody;

export interface Sent {
  readonly atNs: bigint;
  readonly run: string;
  readonly pid: number;
  readonly leader: boolean;
  readonly signal: number;
  /** Number of the request that it was sent for; null: its coordinator went on alone. */
  readonly number: number | null;
}

/** A request that init has carried out. `key`: of the run that it concerns. */
export interface Request {
  readonly atNs: bigint;
  readonly number: number;
  readonly to: 'spawn' | 'rung' | 'signal' | 'forget' | 'exit' | 'clear' | 'upgrade';
  readonly key: number;
  readonly run: string;
  readonly order: Order | null;
}

export type Step = { readonly atNs: bigint } & (
  | { readonly kind: 'born' | 'died' | 'left' }
  | { readonly kind: 'asked'; readonly signal: number }
  | { readonly kind: 'record'; readonly record: Decision }
  | ({ readonly kind: 'request' } & Request)
  /** What init.log would say of a run whose coordinator goes on by its order. */
  | { readonly kind: 'alone'; readonly run: string; readonly order: Order }
  | { readonly kind: 'forked'; readonly run: string; readonly key: number }
  | ({ readonly kind: 'sent' } & Sent)
  | { readonly kind: 'ended'; readonly run: string; readonly key: number }
  | { readonly kind: 'exit'; readonly code: number }
);

export type Trace = readonly Step[];
type Of<K extends Step['kind']> = Extract<Step, { readonly kind: K }>;

export function stepsOf<K extends Step['kind']>(trace: Trace, kind: K): Of<K>[] {
  return trace.filter((step): step is Of<K> => step.kind === kind);
}

export function recordsIn<T extends RecordBody['type']>(trace: Trace, type: T): (Decision & BodyOf<T>)[] {
  return stepsOf(trace, 'record').flatMap(({ record }) =>
    record.type === type ? [record as Decision & BodyOf<T>] : [],
  );
}

/** For people: ms after the begin, and what was. */
export function brief(step: Step): string {
  const { atNs, kind, ...rest } = step;
  const told = step.kind === 'record' ? recordText(step.record) : text(rest);
  return `${Number(atNs / 1_000_000n) - 1000} ${kind} ${told}`;
}

function recordText(record: Decision): string {
  const { v: _v, at: _at, mono_ns: _ns, seq, type, ...rest } = record;
  return `${seq} ${type} ${text(rest)}`;
}

function text(value: unknown): string {
  return JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? `${each / 1_000_000n}ms` : each));
}
