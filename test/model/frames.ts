/** Frames of the model as bytes, in both directions. */
import {
  encodeClear,
  encodeExit,
  encodeForget,
  encodeFrame,
  encodeLeave,
  encodeRung,
  encodeSeen,
  encodeSignal,
  encodeSpawn,
  encodeUpgrade,
} from '../../src/host/encode.ts';
import { struct, u32 } from '../../src/host/layout.ts';
import * as wire from '../../src/host/protocol.ts';
import type { HostRequest } from '../../src/supervisor/effect.ts';
import type { RunSnapshot } from '../../src/supervisor/vocabulary.ts';
import { type FromCoordinator, type FromSupervisor, TERM, type ToCoordinator } from './boundary.ts';

const LINK = 32;
const RECORD = 33;
const ALONE = 34;
const FORWARD = 35;
const link = struct({ present: u32, pad: u32 });
const alone = struct({ asks: u32, signal: u32, pid: u32, uid: u32 });
const forward = struct({ signal: u32, received: u32, times: u32, pad: u32 });
const RECORD_TYPE_SIZE = 32;

export function bytesToInit(frame: FromSupervisor): Uint8Array {
  if (frame.kind === 'foreign') return foreignBytes();
  if (frame.kind === 'seen') return encodeSeen(frame.event, frame.wakeNs);
  if (frame.kind === 'leave') return encodeLeave(frame.event, { ...frame, atNs: frame.wakeNs });
  return requestBytes(frame.number, frame.key, frame.request);
}

/** As a supervisor of the next version would say it. */
function foreignBytes(): Uint8Array {
  const frame = encodeSeen(1, null);
  new DataView(frame.buffer, frame.byteOffset).setUint16(6, wire.PROTOCOL_VERSION + 1, true);
  return frame;
}

function requestBytes(number: number, key: number, request: HostRequest): Uint8Array {
  switch (request.to) {
    case 'spawn': {
      const frame = encodeSpawn(number, request.run, request.launch, request.order);
      if (frame === null) throw new Error('a command line that is too long');
      return frame;
    }
    case 'rung':
      return encodeRung(number, key, request.order);
    case 'signal':
      return encodeSignal(number, key, request.signal, request.target);
    case 'forget':
      return encodeForget(number, key);
    case 'exit':
      return encodeExit(number, request.code, 0);
    case 'clear':
      return encodeClear(number);
    case 'upgrade':
      return encodeUpgrade(number, request.installation);
  }
}

export function bytesToCoordinator(frame: ToCoordinator): Uint8Array {
  switch (frame.kind) {
    case 'rung':
      return encodeRung(frame.number, frame.key, frame.order);
    case 'link':
      return encodeFrame(LINK as never, 0, link, { present: frame.present ? 1 : 0 });
    case 'alone':
      return encodeFrame(ALONE as never, 0, alone, { asks: frame.asks, signal: TERM, pid: 7, uid: 0 });
  }
}

export function forwardBytes(signal: number, times: number): Uint8Array {
  return encodeFrame(FORWARD as never, 0, forward, { signal, received: 1, times });
}

export function bytesFromCoordinator(frame: FromCoordinator): Uint8Array {
  return frame.kind === 'run' ? runBytes(frame.run) : recordBytes(frame.type);
}

/** type and members of a record: head, time, type, text. */
function recordBytes(type: string): Uint8Array {
  const size = wire.head.size + 8 + RECORD_TYPE_SIZE + 1;
  const frame = new Uint8Array(size);
  wire.head.write(new DataView(frame.buffer), 0, {
    size,
    type: RECORD,
    version: wire.PROTOCOL_VERSION,
    number: 0n,
  });
  frame.set(Buffer.from(type), wire.head.size + 8);
  return frame;
}

function runBytes(s: RunSnapshot): Uint8Array {
  const flag = wire.runFlag;
  const usage = { user_us: 0n, sys_us: 0n, max_rss_kb: 0n };
  const stage = s.startFailure === null ? 0 : wire.stages.indexOf(s.startFailure.stage) + 1;
  return encodeFrame(wire.frameType.RUN, 0, wire.run_state, {
    key: 0n,
    phase: wire.phases.indexOf(s.phase) + 1,
    flags:
      (s.leaderExited ? flag.RUN_LEADER_EXITED : 0) |
      (s.forced ? flag.RUN_FORCED : 0) |
      (s.stuck ? flag.RUN_STUCK : 0) |
      (s.alone ? flag.RUN_ALONE : 0),
    pid: s.pid,
    coordinator_pid: 0,
    start_ticks: 0n,
    coordinator_ticks: 0n,
    failed_stage: stage,
    failed_errno: s.startFailure?.errno ?? 0,
    code: s.code ?? -1,
    signal: s.signal ?? 0,
    rung: s.rung ?? wire.NOT_STOPPING,
    stragglers: s.stragglers,
    deadline_ns: s.deadlineNs ?? wire.FOREVER,
    forked_ns: s.forkedNs,
    started_ns: s.startedNs,
    leader_exited_ns: s.leaderExitedNs,
    ended_ns: s.endedNs,
    stop_ns: s.stopNs,
    leader: usage,
    tree: usage,
    notify: 0,
    notify_count: s.notifyCount,
    main_pid: 0,
    extend_us: BigInt(s.extendUs),
    extend_ns: s.extendNs,
    watchdog_ns: 0n,
    pids: [...s.stragglerPids],
    name: s.name,
    status: '',
  });
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
