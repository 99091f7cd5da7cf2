/**
 * What Node has made of a config lies in a memory file that init keeps: the name of the task, then plans, each with a head
 * that tells whether it is whole. Every supervisor of the task finds them there, so that a config that has changed meanwhile
 * changes nothing, and what it says of secrets is on no disk. Of the plan in force nothing is written over.
 */
import { fstatSync, readSync, writeSync } from 'node:fs';
import { formatCrc } from '../checkpoint/codec.ts';
import { crc32c } from '../checkpoint/crc32c.ts';
import { ORDINARY, ORDINARY_TASK, type TaskPlan } from '../supervisor/plan.ts';
import { expandEntries } from '../supervisor/replicas.ts';

/** The descriptor of it that init gives; config.c has the same number. */
export const KEPT_CONFIG = 6;

/** `kept REVISION settled LENGTH CRC`, a line of its own; `settled` is written over `pending` when it is in force. */
const HEAD = /^kept (\d+) (settled|pending) (\d+) ([0-9a-f]{8})$/;
type Mark = 'settled' | 'pending';

interface Kept {
  readonly plan: TaskPlan;
  readonly mark: Mark;
  readonly from: number;
  readonly to: number;
}

/** The first plan of a task: what its config says. */
export function keepPlan(fd: number, plan: TaskPlan): void {
  writeAll(fd, Buffer.from(`${plan.name}\n`), 0);
  writeAll(fd, encode(plan, 'settled'), nameEnd(read(fd)));
}

/**
 * The one in force. `recorded`: the revision that the log says was put in force last; 0: none was. What the log could not
 * say (a full disk) was settled here. Throws what is no plan.
 */
export function keptPlan(fd: number, recorded = 0): TaskPlan {
  return inForce(fd, recorded).plan;
}

/** Beside the one in force: before it, where there is room, else behind it. */
export function keepNext(fd: number, plan: TaskPlan): void {
  const present = inForce(fd, plan.revision - 1);
  const bytes = encode(plan, 'pending');
  const begin = nameEnd(read(fd));
  writeAll(fd, bytes, present.from - begin >= bytes.length ? begin : present.to);
}

export function settlePlan(fd: number, revision: number): void {
  const found = keptIn(read(fd)).find(({ plan }) => plan.revision === revision);
  if (found !== undefined) writeAll(fd, Buffer.from('settled'), found.from + `kept ${revision} `.length);
}

function inForce(fd: number, recorded: number): Kept {
  const kept = keptIn(read(fd)).filter(({ plan, mark }) => mark === 'settled' || plan.revision === recorded);
  const last = kept.reduce<Kept | undefined>(
    (best, each) => (best === undefined || each.plan.revision > best.plan.revision ? each : best),
    undefined,
  );
  if (last === undefined) throw new Error('no config is kept for this task');
  return last;
}

/** Supervisors share the descriptor, and with it the place in the file: each says from where. */
function read(fd: number): Buffer {
  const bytes = Buffer.alloc(fstatSync(fd).size);
  for (let at = 0; at < bytes.length; ) {
    const count = readSync(fd, bytes, at, bytes.length - at, at);
    if (count === 0) break;
    at += count;
  }
  return bytes;
}

function nameEnd(bytes: Buffer): number {
  return bytes.indexOf(10) + 1;
}

/** What was written over in part has no head, or a checksum that is not its own. */
function keptIn(bytes: Buffer): Kept[] {
  const found: Kept[] = [];
  for (let at = nameEnd(bytes); at < bytes.length; ) {
    const end = bytes.indexOf(10, at);
    if (end < 0) break;
    const [, , mark, length, crc] = HEAD.exec(bytes.toString('latin1', at, end)) ?? [];
    const to = end + 1 + Number(length ?? 0);
    const text = bytes.subarray(end + 1, to);
    const isWhole = length !== undefined && to < bytes.length && formatCrc(crc32c(text)) === crc;
    if (isWhole)
      found.push({ plan: decode(text.toString('utf8')), mark: mark as Mark, from: at, to: to + 1 });
    at = isWhole ? to + 1 : end + 1;
  }
  return found;
}

function encode({ processes, entries, ...plan }: TaskPlan, mark: Mark): Buffer {
  // They follow from the entries, where there are some.
  const text = Buffer.from(JSON.stringify({ ...plan, entries, ...(entries.length === 0 && { processes }) }));
  const head = `kept ${plan.revision} ${mark} ${text.length} ${formatCrc(crc32c(text))}\n`;
  return Buffer.concat([Buffer.from(head), text, Buffer.from('\n')]);
}

function decode(text: string): TaskPlan {
  // A supervisor of another version may have put it there, one that did not know everything.
  const plan = { ...ORDINARY_TASK, ...(JSON.parse(text) as TaskPlan) };
  const entries = plan.entries.map((entry) => ({ ...ORDINARY, ...entry }));
  const processes = entries.length > 0 ? expandEntries(entries) : plan.processes;
  return { ...plan, entries, processes: processes.map((process) => ({ ...ORDINARY, ...process })) };
}

function writeAll(fd: number, bytes: Buffer, from: number): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, from + at);
}
