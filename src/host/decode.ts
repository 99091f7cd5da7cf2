import type { RunSnapshot, Usage } from '../supervisor/vocabulary.ts';
import type { Counts, HostNews } from './host.ts';
import type { Layout, ValueOf } from './layout.ts';
import * as wire from './protocol.ts';

/** What a piece of the stream held; `bad` ends the connection: after one wrong frame nothing that follows has a place. */
export type Decoded = {
  readonly news: readonly HostNews[];
  /** An answer, and no news: nothing is decided by it. */
  readonly counts?: Counts;
  readonly bad: string | null;
};

/** Collects bytes and gives news as soon as a frame is complete. Never throws, and holds less than one frame. */
export function createFrameReader(): (bytes: Uint8Array) => Decoded {
  let rest: Uint8Array = new Uint8Array();
  let bad: string | null = null;
  /** By process: asked again meanwhile, init begins anew. */
  let counted = new Map<string, Counts['bytes'][number]>();
  return (bytes) => {
    const news: HostNews[] = [];
    let counts: Counts | undefined;
    if (bad !== null) return { news, bad };
    rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    while (bad === null && rest.length >= wire.head.size) {
      const view = new DataView(rest.buffer, rest.byteOffset, rest.byteLength);
      const head = wire.head.read(view, 0);
      bad = checkHead(head);
      if (bad !== null || rest.length < head.size) break;
      if (head.type === wire.frameType.BYTES) {
        const bytes = decodeBytes(wire.bytes.read(view, wire.head.size));
        counted.set(bytes.process, bytes);
      } else if (head.type === wire.frameType.COUNTS) {
        const { orphans } = wire.counts.read(view, wire.head.size);
        counts = { orphans: Number(orphans), bytes: [...counted.values()] };
        counted = new Map();
      } else {
        const item = decodeBody(head.type, view);
        if (typeof item === 'string') bad = item;
        else news.push(item);
      }
      rest = rest.subarray(head.size);
    }
    // A copy: what is left must not keep the whole chunk alive.
    rest = Uint8Array.from(bad === null ? rest : []);
    return { news, ...(counts && { counts }), bad };
  };
}

const bodySizes: ReadonlyMap<number, number> = new Map([
  [wire.frameType.HELLO, wire.hello.size],
  [wire.frameType.RUN, wire.run_state.size],
  [wire.frameType.ASKS, wire.asks.size],
  [wire.frameType.SYNC, wire.sync.size],
  [wire.frameType.BYTES, wire.bytes.size],
  [wire.frameType.COUNTS, wire.counts.size],
]);

function checkHead(head: ValueOf<typeof wire.head>): string | null {
  if (head.version !== wire.PROTOCOL_VERSION) {
    return `protocol version ${head.version}, ${wire.PROTOCOL_VERSION} is spoken here`;
  }
  const body = bodySizes.get(head.type);
  if (body === undefined) return `unknown frame type ${head.type}`;
  if (head.size !== wire.head.size + body) return `frame of type ${head.type} with ${head.size} bytes`;
  return null;
}

/** A string says what is wrong. */
function decodeBody(type: number, view: DataView): HostNews | string {
  const body = <T>(layout: Layout<T>): T => layout.read(view, wire.head.size);
  switch (type) {
    case wire.frameType.HELLO:
      return decodeHello(body(wire.hello));
    case wire.frameType.RUN:
      return decodeRun(body(wire.run_state));
    case wire.frameType.ASKS: {
      const { count, signal, pid, uid, first_ns: firstNs, ...rest } = body(wire.asks);
      const reloads = { count: rest.reloads, pid: rest.reload_pid, uid: rest.reload_uid };
      return {
        kind: 'asks',
        asks: {
          ...{ count, signal, pid, uid, firstNs },
          ...(reloads.count > 0 && { reloads }),
          ...(rest.cleared > 0 && { cleared: true as const }),
        },
      };
    }
    default: {
      const event = safeNumber(body(wire.sync).event);
      return event === null ? 'event number out of range' : { kind: 'sync', event };
    }
  }
}

function decodeHello(raw: ValueOf<typeof wire.hello>): HostNews | string {
  if (raw.version !== wire.PROTOCOL_VERSION) return `init speaks version ${raw.version}`;
  const lastNumber = safeNumber(raw.last_number);
  if (lastNumber === null) return 'request number out of range';
  const hello = {
    version: raw.version,
    pid1: (raw.flags & wire.helloFlag.HELLO_PID1) !== 0,
    restarts: raw.restarts,
    initPid: raw.init_pid,
    initTicks: raw.init_ticks,
    pidNs: raw.pid_ns,
    bootId: raw.boot_id,
    lastNumber,
    ...((raw.flags & wire.helloFlag.HELLO_WOKEN) !== 0 && { woken: true as const }),
    ...(raw.stay_ns !== wire.FOREVER && { stayNs: raw.stay_ns }),
  };
  return { kind: 'hello', hello };
}

function decodeRun(raw: ValueOf<typeof wire.run_state>): HostNews | string {
  const key = safeNumber(raw.key);
  const phase = wire.phases[raw.phase - 1];
  const stage = raw.failed_stage === 0 ? null : wire.stages[raw.failed_stage - 1];
  const leaderUsage = decodeUsage(raw.leader);
  const treeUsage = decodeUsage(raw.tree);
  const extendUs = safeNumber(raw.extend_us);
  if (key === null) return 'run key out of range';
  if (phase === undefined) return `unknown phase ${raw.phase}`;
  if (stage === undefined) return `unknown stage ${raw.failed_stage}`;
  const has = (flag: number): boolean => (raw.flags & flag) !== 0;
  const run: RunSnapshot = {
    key,
    name: raw.name,
    phase,
    leaderExited: has(wire.runFlag.RUN_LEADER_EXITED),
    forced: has(wire.runFlag.RUN_FORCED),
    stuck: has(wire.runFlag.RUN_STUCK),
    lost: has(wire.runFlag.RUN_LOST),
    alone: has(wire.runFlag.RUN_ALONE),
    oom: has(wire.runFlag.RUN_OOM),
    askedAgain: has(wire.runFlag.RUN_ASKED_AGAIN),
    pid: raw.pid,
    startTicks: raw.start_ticks,
    startFailure: stage === null ? null : { stage, errno: raw.failed_errno },
    code: raw.code < 0 ? null : raw.code,
    signal: raw.signal <= 0 ? null : raw.signal,
    rung: raw.rung === wire.NOT_STOPPING ? null : raw.rung,
    deadlineNs: raw.deadline_ns === wire.FOREVER ? null : raw.deadline_ns,
    forkedNs: raw.forked_ns,
    startedNs: raw.started_ns,
    leaderExitedNs: raw.leader_exited_ns,
    endedNs: raw.ended_ns,
    stopNs: raw.stop_ns,
    leaderUsage,
    treeUsage,
    stragglers: raw.stragglers,
    stragglerPids: raw.pids.filter((pid) => pid > 0),
    ready: (raw.notify & wire.notifyFlag.NOTIFY_READY) !== 0,
    notifyCount: raw.notify_count,
    // What a child says of itself: an absurd value is the child's, and no reason to give up the connection.
    extendUs: extendUs ?? Number.MAX_SAFE_INTEGER,
    mainPid: raw.main_pid,
    extendNs: raw.extend_ns,
    watchdogNs: raw.watchdog_ns,
    statusText: raw.status,
  };
  return { kind: 'run', run };
}

/** Beyond 2^53 bytes a number is off by a few, and still grows. */
function decodeBytes(raw: ValueOf<typeof wire.bytes>): Counts['bytes'][number] {
  return { process: raw.process, stdout: Number(raw.out), stderr: Number(raw.error) };
}

function decodeUsage(raw: ValueOf<typeof wire.usage>): Usage {
  return {
    userUs: Number(raw.user_us),
    sysUs: Number(raw.sys_us),
    maxRssKb: Number(raw.max_rss_kb),
  };
}

function safeNumber(value: bigint): number | null {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : null;
}
