// What a record is: the types, derived from the table, and the check of a parsed one. Pure.
import { type Field, recordTable } from './record-table.ts';

/** Format version of a line. A higher one is refused; new types and fields do not raise it. */
export const formatVersion = 1;

export type Who = { pid: number; uid: number };
export type Rusage = { user_us: number; sys_us: number; max_rss_kb: number };

type Table = typeof recordTable;
export type RecordType = keyof Table;

type Value<K> = K extends 'text'
  ? string
  : K extends 'int'
    ? number
    : K extends 'bool'
      ? boolean
      : K extends 'ns'
        ? bigint
        : K extends 'ints'
          ? readonly number[]
          : K extends 'texts'
            ? readonly string[]
            : K extends 'who'
              ? Who
              : K extends 'rusage'
                ? Rusage
                : K extends readonly (infer S)[]
                  ? S
                  : never;
type ValueOf<F> = F extends { kind: infer K }
  ? Value<K> | (F extends { orNull: true } ? null : never)
  : never;
type Optional<F> = { [N in keyof F]: F[N] extends { optional: true } ? N : never }[keyof F];
type Fields<F> = { [N in Exclude<keyof F, Optional<F>>]: ValueOf<F[N]> } & {
  [N in Optional<F>]?: ValueOf<F[N]>;
};
type Flat<T> = { [N in keyof T]: T[N] };

/** A record without its envelope: what a decision returns and a journal numbers, dates and writes. */
export type RecordBody = { [T in RecordType]: Flat<{ type: T } & Fields<Table[T]['fields']>> }[RecordType];
export type BodyOf<T extends RecordType> = Extract<RecordBody, { type: T }>;

/** When something happened: wall time for people, CLOCK_MONOTONIC for decisions. */
export type Stamp = { at: string; mono_ns: bigint };
export type Envelope = Stamp & { v: number; seq: number };

/** A record of this version whose type is not known, or whose fields are not as its type asks: kept, never acted on. */
export type UnknownRecord = Envelope & {
  type: 'unknown';
  was: string;
  /** Why it was not understood. */
  reason: string;
  /** Every other member of the line; names that end in _ns are bigint here too. */
  fields: Readonly<Record<string, unknown>>;
};
export type KnownRecord = Flat<Envelope & RecordBody>;
export type RecordOf<T extends RecordType> = Envelope & BodyOf<T>;
/** Any record that can be read. Closed: a switch over `type` with `unknown` is complete. */
export type CheckpointRecord = (Envelope & RecordBody) | UnknownRecord;

export function stampRecord<B extends RecordBody>(body: B, seq: number, stamp: Stamp): Envelope & B {
  const envelope: Envelope = { v: formatVersion, seq, at: stamp.at, mono_ns: stamp.mono_ns };
  return Object.assign(envelope, body);
}

export function isRecordType(type: string): type is RecordType {
  return Object.hasOwn(recordTable, type);
}

const fieldsOf = Object.fromEntries(
  Object.entries(recordTable).map(([type, { fields }]) => [type, Object.entries<Field>(fields)]),
) as Record<RecordType, [string, Field][]>;

/** Says what is wrong with the fields of a known type, or nothing. Fields that the table does not have are no fault. */
export function findFieldProblem(
  type: RecordType,
  members: Readonly<Record<string, unknown>>,
): string | undefined {
  for (const [name, field] of fieldsOf[type]) {
    const value = Object.hasOwn(members, name) ? members[name] : undefined;
    if (value === undefined && field.optional) continue;
    if (value === null && field.orNull) continue;
    if (!fits(field.kind, value)) return `${name} must be ${wordFor(field)}`;
  }
  return undefined;
}

function fits(kind: Field['kind'], value: unknown): boolean {
  switch (kind) {
    case 'text':
      return typeof value === 'string';
    case 'int':
      return Number.isSafeInteger(value);
    case 'bool':
      return typeof value === 'boolean';
    case 'ns':
      return typeof value === 'bigint';
    case 'ints':
      return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item));
    case 'texts':
      return Array.isArray(value) && value.every((item) => typeof item === 'string');
    case 'who':
      return hasInts(value, ['pid', 'uid']);
    case 'rusage':
      return hasInts(value, ['user_us', 'sys_us', 'max_rss_kb']);
    default:
      return typeof value === 'string' && kind.includes(value);
  }
}

function hasInts(value: unknown, names: readonly string[]): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const members = value as Readonly<Record<string, unknown>>;
  return names.every((name) => Object.hasOwn(members, name) && Number.isSafeInteger(members[name]));
}

/** What a field holds, in words; also the type column of the reference. */
export function wordFor(field: Field): string {
  const words = {
    text: 'a string',
    int: 'a whole number',
    bool: 'true or false',
    ns: 'nanoseconds as a decimal string',
    ints: 'a list of whole numbers',
    texts: 'a list of strings',
    who: '{pid, uid}',
    rusage: '{user_us, sys_us, max_rss_kb}',
  } as const;
  const word = typeof field.kind === 'string' ? words[field.kind] : `one of ${field.kind.join(', ')}`;
  return field.orNull ? `${word}, or null` : word;
}
