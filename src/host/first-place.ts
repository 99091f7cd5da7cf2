/**
 * The first supervisor of `up` is who has read its config: the descriptors and variables that a supervisor finds did not exist yet
 * when it was started. So it says that the config is kept, waits until init has taken the task, and is told where that is.
 */
import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { encodeFrame } from './encode.ts';
import { type Layout, struct, type ValueOf } from './layout.ts';
import * as wire from './protocol.ts';

export interface Place {
  readonly task: string;
  /** Empty: there is none. */
  readonly folder: string;
}

/** Where they lie in a supervisor: the socket to init is there, the logs come. */
export interface Descriptors {
  readonly socket: number;
  readonly checkpoint: number;
  readonly init: number;
}

/** null: it cannot be; then init starts another one as soon as this process has ended. */
export function takePlace({ socket, checkpoint, init }: Descriptors): Place | null {
  try {
    // What was read from there is not to be held any longer; and of a terminal Node would restore the modes at its end.
    putInPlaceOf(0, () => openSync('/dev/null', 'r'));
    writeSync(socket, encodeFrame(wire.frameType.CONFIG_KEPT, 0, struct({}), {}));
    const place = readFrame(socket, wire.frameType.PLACE, wire.place);
    const { init_pid: pid, task, folder } = place;
    putInPlaceOf(checkpoint, () =>
      openAgain(pid, place.checkpoint_log, constants.O_RDWR | constants.O_APPEND),
    );
    putInPlaceOf(init, () => openAgain(pid, place.init_log, constants.O_RDONLY));
    return { task, folder };
  } catch {
    return null;
  }
}

/** Node has no dup2(2). What is opened gets the lowest number that is free, and below `fd` none is. */
function putInPlaceOf(fd: number, open: () => number): void {
  closeSync(fd);
  if (open() !== fd) throw new Error(`descriptor ${fd} was not free`);
}

/** What init has as a descriptor: a file, or one in memory. Whose number it is where /proc is that of others, nobody knows. */
function openAgain(
  pid: number,
  { fd, device, inode }: ValueOf<typeof wire.log_place>,
  flags: number,
): number {
  const opened = openSync(`/proc/${pid}/fd/${fd}`, flags);
  const { dev, ino } = fstatSync(opened, { bigint: true });
  if (dev !== device || ino !== inode) throw new Error('another file');
  return opened;
}

/** It waits, and takes nothing of what follows. */
function readFrame<L extends Layout<unknown>>(fd: number, type: number, layout: L): ValueOf<L> {
  const bytes = new Uint8Array(wire.head.size + layout.size);
  for (let at = 0; at < bytes.length; ) {
    const count = readSync(fd, bytes, at, bytes.length - at, null);
    if (count === 0) throw new Error('init has closed the connection');
    at += count;
  }
  const view = new DataView(bytes.buffer);
  const head = wire.head.read(view, 0);
  if (head.type !== type || head.version !== wire.PROTOCOL_VERSION)
    throw new Error('not what init says here');
  return layout.read(view, wire.head.size) as ValueOf<L>;
}
