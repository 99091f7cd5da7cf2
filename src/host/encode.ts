import type { Absence, Launch, Order, Output, Target, WaitMs } from '../supervisor/vocabulary.ts';
import { type Layout, struct } from './layout.ts';
import * as wire from './protocol.ts';

/**
 * Requests as frames. Launches and orders come from checked configuration, so what cannot be said here is a bug of
 * gsup's and throws; only a command line may be too long, which is no bug: then there is no frame.
 */
export function encodeSpawn(number: number, name: string, launch: Launch, order: Order): Uint8Array | null {
  const envSet = Object.entries(launch.envSet).map(([key, value]) => `${key}=${value}`);
  const strings = [
    name,
    launch.cwd ?? '',
    launch.user ?? '',
    launch.group ?? '',
    launch.output?.driver === 'file' ? launch.output.path : '',
    ...launch.argv,
    ...envSet,
    ...launch.envUnset,
  ];
  if (strings.some((s) => s.includes('\0'))) throw new RangeError('a string of a launch contains a NUL');
  if (launch.limits.length > wire.LIMITS_MAX) throw new RangeError(`more than ${wire.LIMITS_MAX} limits`);
  const tail = Buffer.from(strings.map((s) => `${s}\0`).join(''));
  if (wire.head.size + wire.spawn.size + tail.length > wire.FRAME_MAX) return null;
  const value = {
    flags: spawnFlags(launch),
    umask: launch.umask ?? 0,
    nice: launch.nice ?? 0,
    oom_score_adj: launch.oomScoreAdj ?? 0,
    start_timeout_ns: waitNs(launch.startTimeoutMs),
    argc: launch.argv.length,
    env_set: envSet.length,
    env_unset: launch.envUnset.length,
    limit_count: launch.limits.length,
    ...outputValue(launch.output),
    on_signal: signalMap(launch.onSignal),
    ready_fd: launch.readyFd ?? 0,
    limits: launch.limits.map((l) => ({
      resource: resourceNumber(l.resource),
      soft: limitValue(l.soft),
      hard: limitValue(l.hard),
    })),
    order: orderValue(order),
  };
  return encodeFrame(wire.frameType.SPAWN, number, wire.spawn, value, tail);
}

export function encodeRung(number: number, key: number, order: Order): Uint8Array {
  return encodeFrame(wire.frameType.RUNG, number, wire.rung_request, {
    key: BigInt(key),
    order: orderValue(order),
  });
}

export function encodeSignal(number: number, key: number, signal: number, target: Target): Uint8Array {
  const value = { key: BigInt(key), signal, target: wire.targets.indexOf(target) };
  return encodeFrame(wire.frameType.SIGNAL, number, wire.signal_request, value);
}

export function encodeForget(number: number, key: number): Uint8Array {
  return encodeFrame(wire.frameType.FORGET, number, wire.key_request, { key: BigInt(key) });
}

/** `drainMs`: how long output may still take to be delivered. */
export function encodeExit(number: number, code: number, drainMs: number): Uint8Array {
  const value = { code, drain_ms: Math.min(Math.max(Math.round(drainMs), 0), 0xffff_ffff) };
  return encodeFrame(wire.frameType.EXIT, number, wire.exit_request, value);
}

export function encodeUpgrade(number: number, installation: string): Uint8Array {
  return encodeFrame(wire.frameType.UPGRADE, number, wire.upgrade_request, { installation });
}

export function encodeClear(number: number): Uint8Array {
  return encodeFrame(wire.frameType.CLEAR, number, struct({}), {});
}

export function encodeCount(): Uint8Array {
  return encodeFrame(wire.frameType.COUNT, 0, struct({}), {});
}

export function encodeSeen(event: number, wakeNs: bigint | null): Uint8Array {
  return encodeFrame(wire.frameType.SEEN, 0, wire.seen, seenValue(event, wakeNs));
}

export function encodeLeave(event: number, { atNs, ordersSuffice }: Absence): Uint8Array {
  const value = { ...seenValue(event, atNs), orders_suffice: +ordersSuffice, pad: 0 };
  return encodeFrame(wire.frameType.LEAVE, 0, wire.leaving, value);
}

function seenValue(event: number, wakeNs: bigint | null) {
  return { event: BigInt(event), wake_ns: wakeNs ?? wire.FOREVER };
}

export function encodeFrame<T>(
  type: number,
  number: number,
  body: Layout<T>,
  value: T,
  tail: Uint8Array = new Uint8Array(),
): Uint8Array {
  const frame = new Uint8Array(wire.head.size + body.size + tail.length);
  const view = new DataView(frame.buffer);
  const head = { size: frame.length, type, version: wire.PROTOCOL_VERSION, number: BigInt(number) };
  wire.head.write(view, 0, head);
  body.write(view, wire.head.size, value);
  frame.set(tail, wire.head.size + body.size);
  return frame;
}

function orderValue(order: Order) {
  if (order.rungs.length > wire.RUNGS_MAX) throw new RangeError(`more than ${wire.RUNGS_MAX} rungs`);
  return {
    level: order.level,
    flags:
      (order.mustDrain ? wire.orderFlag.ORDER_MUST_DRAIN : 0) |
      (order.firstOnly ? wire.orderFlag.ORDER_FIRST_ONLY : 0) |
      (order.postStop ? wire.orderFlag.ORDER_POST_STOP : 0) |
      (order.finals ? wire.orderFlag.ORDER_FINALS : 0),
    count: order.rungs.length,
    index: order.index ?? wire.NOT_STOPPING,
    cap_ns: waitNs(order.capMs),
    deadline_ns: order.deadlineNs ?? wire.FOREVER,
    rungs: order.rungs.map((rung) => ({
      signal: rung.signal === 'received' ? wire.SIGNAL_AS_RECEIVED : rung.signal,
      target: wire.targets.indexOf(rung.target),
      flags: (rung.hook ? wire.rungFlag.RUNG_HOOK : 0) | (rung.busy ? wire.rungFlag.RUNG_BUSY : 0),
      wait_ns: waitNs(rung.waitMs),
    })),
  };
}

function spawnFlags(launch: Launch): number {
  const flag = wire.spawnFlag;
  return (
    (launch.clearEnv ? flag.SPAWN_CLEAR_ENV : 0) |
    (launch.noNewPrivs ? flag.SPAWN_NO_NEW_PRIVS : 0) |
    (launch.umask !== undefined ? flag.SPAWN_UMASK : 0) |
    (launch.nice !== undefined ? flag.SPAWN_NICE : 0) |
    (launch.oomScoreAdj !== undefined ? flag.SPAWN_OOM : 0) |
    (launch.terminal ? flag.SPAWN_TERMINAL : 0) |
    (launch.stdinNull ? flag.SPAWN_STDIN_NULL : 0) |
    (launch.notify ? flag.SPAWN_NOTIFY : 0) |
    (launch.tty ? flag.SPAWN_TTY : 0) |
    (hasTimestamps(launch.output) ? flag.SPAWN_TIMESTAMPS : 0) |
    (launch.deepCopy ? flag.SPAWN_DEEP_COPY : 0)
  );
}

function hasTimestamps(output: Output | undefined): boolean {
  return output !== undefined && 'timestamps' in output && output.timestamps;
}

function outputValue(output: Output | undefined) {
  const isFile = output?.driver === 'file';
  return {
    output: wire.outputs.indexOf(output?.driver ?? 'inherit'),
    max_bytes: BigInt(isFile ? output.maxBytes : 0),
    max_files: isFile ? output.maxFiles : 0,
  };
}

/** SIGRTMAX. */
const HIGHEST_SIGNAL = 64;

/** By the number of what is received. */
function signalMap(onSignal: Launch['onSignal']): number[] {
  const numbers = Array.from({ length: wire.SIGNAL_MAP_SIZE }, (_, number) => number);
  if (onSignal === undefined) return numbers.map((number) => (number <= HIGHEST_SIGNAL ? number : 0));
  const map = new Map(onSignal);
  return numbers.map((number) => map.get(number) ?? 0);
}

function resourceNumber(name: string): number {
  const number = wire.resources[name];
  if (number === undefined) throw new RangeError(`unknown resource ${JSON.stringify(name)}`);
  return number;
}

/** RLIM_INFINITY is all ones, as is FOREVER. */
function limitValue(value: number | null): bigint {
  return value === null ? wire.FOREVER : BigInt(value);
}

function waitNs(ms: WaitMs): bigint {
  return ms === null ? wire.FOREVER : BigInt(Math.round(ms * 1e6));
}
