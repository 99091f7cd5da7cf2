import { Socket } from 'node:net';
import { DRAIN_MS } from '../logs/limits.ts';
import type { RunSnapshot } from '../supervisor/vocabulary.ts';
import { blankRun } from './blank-run.ts';
import { createCounting } from './counting.ts';
import { createFrameReader } from './decode.ts';
import {
  encodeClear,
  encodeCount,
  encodeExit,
  encodeForget,
  encodeLeave,
  encodeRung,
  encodeSeen,
  encodeSignal,
  encodeSpawn,
  encodeUpgrade,
} from './encode.ts';
import type { CountingHost, HostNews } from './host.ts';

/** errno of a command line that is too long for the kernel as well. */
const E2BIG = 7;
/** Frames in one write. */
const TOGETHER = 16;

/** The host that init is, at the other end of descriptor `fd`. */
export function createNativeHost(fd: number): CountingHost {
  let socket: Socket | null = null;
  let report: (news: HostNews) => void = () => {};
  let lastEvent = 0;
  let held = 0;

  const close = (reason: string): void => {
    const tell = report;
    report = () => {};
    socket?.destroy();
    counting.answer(null);
    tell({ kind: 'closed', reason });
  };
  /** Of what init has never heard: a batch of its own. */
  const tellEnd = (run: RunSnapshot): void => {
    report({ kind: 'run', run });
    report({ kind: 'sync', event: lastEvent });
  };
  const sendOut = (): void => {
    held = 0;
    socket?.uncork();
  };
  // Requests go out in the order in which they are made: a socket writes in order, and nothing else writes to it. Several of
  // one turn go together, but not so many that init would wait for the first.
  const send = (frame: Uint8Array): void => {
    if (!socket?.writable) return;
    if (held++ === 0) {
      socket.cork();
      queueMicrotask(sendOut);
    }
    socket.write(frame);
    if (held === TOGETHER) sendOut();
  };
  const counting = createCounting(() => {
    send(encodeCount());
    return socket?.writable ?? false;
  });

  return {
    open(listener) {
      report = listener;
      const decode = createFrameReader();
      try {
        socket = new Socket({ fd, readable: true, writable: true });
      } catch (error) {
        return close(`no socket to init: ${(error as Error).message}`);
      }
      socket.on('data', (bytes) => {
        const { news, counts, bad } = decode(bytes);
        if (counts !== undefined) counting.answer(counts);
        for (const item of news) {
          if (item.kind === 'sync') lastEvent = item.event;
          report(item);
        }
        if (bad !== null) close(`init sent what cannot be understood: ${bad}`);
      });
      socket.on('error', (error) => close(`connection to init: ${error.message}`));
      socket.on('end', () => close('init has closed the connection'));
      socket.on('close', () => close('connection to init is closed'));
    },
    spawn(number, name, launch, order) {
      const frame = encodeSpawn(number, name, launch, order);
      if (frame !== null) send(frame);
      // Asked again after a crash it fails again: the answer needs no memory.
      else queueMicrotask(() => tellEnd(tooLong(number, name)));
    },
    rung: (number, key, order) => send(encodeRung(number, key, order)),
    signal: (number, key, signal, target) => send(encodeSignal(number, key, signal, target)),
    forget: (number, key) => send(encodeForget(number, key)),
    exit: (number, code) => send(encodeExit(number, code, DRAIN_MS)),
    clear: (number) => send(encodeClear(number)),
    upgrade: (number, installation) => send(encodeUpgrade(number, installation)),
    seen: (event, wakeNs) => send(encodeSeen(event, wakeNs)),
    leave: (event, absence) => send(encodeLeave(event, absence)),
    counts: () => counting.ask(),
    close() {
      report = () => {};
      sendOut();
      socket?.destroy();
      counting.answer(null);
    },
  };
}

function tooLong(key: number, name: string): RunSnapshot {
  const now = process.hrtime.bigint();
  return {
    ...blankRun(key, name),
    phase: 'ended',
    startFailure: { stage: 'exec', errno: E2BIG },
    endedNs: now,
  };
}
