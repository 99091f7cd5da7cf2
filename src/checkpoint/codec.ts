// One record <-> one line. The line is {"v":1,"seq":..,...,"crc":"xxxxxxxx"}\n; docs/reference/records.md is its definition, and the
// C writer does the same. Pure; never throws, whatever the bytes are.
import { crc32c } from './crc32c.ts';
import {
  type CheckpointRecord,
  type Envelope,
  findFieldProblem,
  formatVersion,
  isRecordType,
  type RecordBody,
  type Stamp,
  stampRecord,
  type UnknownRecord,
} from './record.ts';

/** Longest line, newline included. Bounds what a reader must hold of a hostile file. */
export const maxLineBytes = 1024 * 1024;
/** Records are two or three levels deep; the bound keeps whoever walks one recursively from overflowing the stack. */
export const maxDepth = 16;

/**
 * Why a line is no record. `newer`: written by a later gsup. Of the others only `crc` can come from a write that was
 * interrupted; `json` and `envelope` stand under a correct CRC: somebody wrote them so.
 */
export type DecodeProblem =
  | { kind: 'newer'; version: number }
  | { kind: 'crc' | 'json' | 'envelope'; reason: string };
export type Decoded = { kind: 'record'; record: CheckpointRecord } | DecodeProblem;

const crcMemberBytes = ',"crc":"xxxxxxxx"}'.length;
const closingBrace = 0x7d;
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();
const nanoseconds = /^(0|[1-9][0-9]{0,19})$/;
const timestamp = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

/** Returns the whole line, newline included. A record that would be too long is shortened rather than refused. */
export function encodeRecord(record: CheckpointRecord): Uint8Array {
  const line = encodeMembers(toMembers(record));
  return line.length <= maxLineBytes ? line : encodeMembers(shorten(toMembers(record)));
}

/** Encodes a body under the number and time it is given. */
export function encodeBody(body: RecordBody, seq: number, stamp: Stamp): Uint8Array {
  return encodeRecord(stampRecord(body, seq, stamp));
}

function toMembers(record: CheckpointRecord): Record<string, unknown> {
  if (record.type !== 'unknown') return record;
  const { v, seq, at, mono_ns, was, fields } = record;
  return { v, seq, at, mono_ns, type: was, ...fields };
}

function encodeMembers(members: Record<string, unknown>): Uint8Array {
  const body = encoder.encode(escapeControls(toJson(members)));
  const member = encoder.encode(`,"crc":"${formatCrc(crc32c(body))}"}\n`);
  const line = new Uint8Array(body.length - 1 + member.length);
  line.set(body.subarray(0, -1));
  line.set(member, body.length - 1);
  return line;
}

/** Member by member: JSON.stringify takes no bigint, and a replacer function makes it several times slower. */
function toJson(members: Record<string, unknown>): string {
  let text = '';
  for (const [name, value] of Object.entries(members)) {
    const json = typeof value === 'bigint' ? `"${value}"` : JSON.stringify(value);
    if (json !== undefined) text += `,${JSON.stringify(name)}:${json}`;
  }
  return `{${text.slice(1)}}`;
}

/** JSON leaves DEL and the C1 controls as they are, and terminals act on them: a line must be safe to `cat`. */
export function escapeControls(json: string): string {
  return json.replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

export function formatCrc(crc: number): string {
  return crc.toString(16).padStart(8, '0');
}

/** A name or a list from outside can be of any length; the start of it is what helps a reader. */
function shorten(members: Record<string, unknown>): Record<string, unknown> {
  const cut = (value: unknown): unknown => {
    if (typeof value === 'string') return value.slice(0, 256);
    if (Array.isArray(value))
      return value.slice(0, 256).map((item) => (typeof item === 'string' ? item.slice(0, 256) : item));
    return value;
  };
  return Object.fromEntries(Object.entries(members).map(([name, value]) => [name, cut(value)]));
}

/** Decodes bytes[from, to), a line without its newline. */
export function decodeLine(bytes: Uint8Array, from = 0, to = bytes.length): Decoded {
  if (to - from + 1 > maxLineBytes) return { kind: 'crc', reason: `line longer than ${maxLineBytes} bytes` };
  const end = findBodyEnd(bytes, from, to);
  if (end === undefined) return { kind: 'crc', reason: 'checksum missing or wrong' };
  return decodeBody(bytes.subarray(from, end));
}

/** Where the crc member of a line begins; undefined when there is none, or it does not fit the bytes before it. */
function findBodyEnd(bytes: Uint8Array, from: number, to: number): number | undefined {
  const end = to - crcMemberBytes;
  if (end <= from) return undefined;
  const crc = crc32c(closing, crc32c(bytes, 0, from, end));
  return isCrcMember(bytes, end, crc) ? end : undefined;
}

const closing = Uint8Array.of(closingBrace);

/** Does the crc member with this value stand at `at`? */
export function isCrcMember(bytes: Uint8Array, at: number, crc: number): boolean {
  const wanted = `,"crc":"${formatCrc(crc)}"}`;
  if (at + wanted.length > bytes.length) return false;
  for (let i = 0; i < wanted.length; i++) if (bytes[at + i] !== wanted.charCodeAt(i)) return false;
  return true;
}

/** `body`: the object's text up to where the crc member began, so without its closing brace. */
function decodeBody(body: Uint8Array): Decoded {
  let members: Record<string, unknown>;
  let text: string;
  try {
    text = decoder.decode(body);
    // What ends with the brace that is added here is an object, or no JSON.
    members = JSON.parse(`${text}}`);
  } catch {
    return { kind: 'json', reason: 'not a JSON object in UTF-8' };
  }
  // Most records have nothing within them, and a long log has many.
  const isFlat = text.indexOf('{', 1) < 0 && !text.includes('[');
  if (!isFlat && isDeeperThan(members, maxDepth))
    return { kind: 'json', reason: `nested deeper than ${maxDepth}` };
  return decodeMembers(members);
}

/** A record as clients of the control API get it: a line's members but for its checksum. undefined: it is none of this format. */
export function recordOfMembers(members: Readonly<Record<string, unknown>>): CheckpointRecord | undefined {
  const decoded = decodeMembers({ ...members });
  return decoded.kind === 'record' ? decoded.record : undefined;
}

function decodeMembers(members: Record<string, unknown>): Decoded {
  const { v, seq, at, mono_ns, type } = members;
  if (typeof v === 'number' && Number.isSafeInteger(v) && v > formatVersion)
    return { kind: 'newer', version: v };
  const fault = (reason: string): Decoded => ({ kind: 'envelope', reason });
  if (v !== formatVersion) return fault(`v must be ${formatVersion}`);
  if (!Number.isSafeInteger(seq) || (seq as number) < 1) return fault('seq must be a whole number from 1');
  if (typeof at !== 'string' || !timestamp.test(at))
    return fault('at must be RFC 3339 in UTC with milliseconds');
  if (typeof mono_ns !== 'string' || !nanoseconds.test(mono_ns))
    return fault('mono_ns must be a decimal string');
  if (typeof type !== 'string') return fault('type must be a string');
  if (Object.hasOwn(members, 'crc')) return fault('crc must stand once');
  parseNanoseconds(members);
  const reason = isRecordType(type) ? findFieldProblem(type, members) : 'type not known';
  // The envelope and the table have been checked above, so the members are those of the type.
  if (reason === undefined) return { kind: 'record', record: members as CheckpointRecord };
  return { kind: 'record', record: toUnknown(members as Envelope & { type: string }, reason) };
}

function toUnknown(members: Envelope & { type: string }, reason: string): UnknownRecord {
  const { v, seq, at, mono_ns, type, ...fields } = members;
  return { v, seq, at, mono_ns, type: 'unknown', was: type, reason, fields };
}

/** In place: members whose name ends in _ns are bigint in memory. Malformed ones stay as they are. */
function parseNanoseconds(members: Record<string, unknown>): void {
  for (const name in members) {
    if (!name.endsWith('_ns')) continue;
    const value = members[name];
    if (typeof value === 'string' && nanoseconds.test(value)) members[name] = BigInt(value);
  }
}

/** Iterative: the value may be nested as deep as a line is long. */
function isDeeperThan(value: object, limit: number): boolean {
  let level: object[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth >= limit) return true;
    const next: object[] = [];
    for (const item of level) {
      for (const child of Object.values(item))
        if (typeof child === 'object' && child !== null) next.push(child);
    }
    level = next;
  }
  return false;
}
