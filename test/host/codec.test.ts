import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { blankRun } from '../../src/host/blank-run.ts';
import { createFrameReader } from '../../src/host/decode.ts';
import {
  encodeExit,
  encodeForget,
  encodeFrame,
  encodeLeave,
  encodeRung,
  encodeSeen,
  encodeSignal,
  encodeSpawn,
} from '../../src/host/encode.ts';
import type { HostNews } from '../../src/host/host.ts';
import type { Layout } from '../../src/host/layout.ts';
import * as wire from '../../src/host/protocol.ts';
import type { Launch, Order } from '../../src/supervisor/vocabulary.ts';

const launch: Launch = {
  argv: ['node', 'server.js', ''],
  cwd: '/srv',
  noNewPrivs: true,
  clearEnv: false,
  umask: 0o22,
  envSet: { A: '1=2', B: 'ü' },
  envUnset: ['C'],
  limits: [{ resource: 'nofile', soft: 1024, hard: null }],
  terminal: false,
  stdinNull: true,
  notify: false,
  readyFd: 3,
  tty: true,
  output: { driver: 'file', path: '/var/log/web.log', maxBytes: 2 ** 33, maxFiles: 4, timestamps: true },
  startTimeoutMs: 10_000,
};

const order: Order = {
  level: 2,
  mustDrain: true,
  capMs: 9000,
  index: null,
  deadlineNs: null,
  rungs: [
    { signal: 0, target: 'group', hook: true, waitMs: 500 },
    { signal: 'received', target: 'tree', hook: false, waitMs: 8000.5 },
    { signal: 3, target: 'leader', hook: false, waitMs: null },
  ],
};

/** What init would read. */
function read<T>(frame: Uint8Array | null, layout: Layout<T>) {
  if (frame === null) throw new Error('no frame');
  const view = new DataView(frame.buffer);
  const head = wire.head.read(view, 0);
  expect(head.size).toBe(frame.length);
  expect(head.version).toBe(wire.PROTOCOL_VERSION);
  const tail = Buffer.from(frame.subarray(wire.head.size + layout.size)).toString();
  return { type: head.type, number: head.number, body: layout.read(view, wire.head.size), tail };
}

describe('requests', () => {
  test('SPAWN says the whole launch and its order', () => {
    const { type, number, body, tail } = read(encodeSpawn(7, 'web#1', launch, order), wire.spawn);
    expect([type, number]).toEqual([wire.frameType.SPAWN, 7n]);
    expect(tail.split('\0')).toEqual([
      'web#1',
      '/srv',
      '',
      '',
      '/var/log/web.log',
      'node',
      'server.js',
      '',
      'A=1=2',
      'B=ü',
      'C',
      '',
    ]);
    expect([body.argc, body.env_set, body.env_unset, body.limit_count]).toEqual([3, 2, 1, 1]);
    expect([body.output, body.max_bytes, body.max_files, body.ready_fd]).toEqual([4, 2n ** 33n, 4, 3]);
    expect(body.flags).toBe(2 + 4 + 64 + 256 + 512);
    expect(body.limits[0]).toEqual({ resource: 7, soft: 1024n, hard: wire.FOREVER });
    expect(body.start_timeout_ns).toBe(10_000_000_000n);
    expect(body.order).toMatchObject({ level: 2, flags: 1, count: 3, index: wire.NOT_STOPPING });
    expect(body.order.deadline_ns).toBe(wire.FOREVER);
    expect(body.order.rungs.slice(0, 3)).toEqual([
      { signal: 0, target: 0, flags: 1, wait_ns: 500_000_000n },
      { signal: 255, target: 2, flags: 0, wait_ns: 8_000_500_000n },
      { signal: 3, target: 1, flags: 0, wait_ns: wire.FOREVER },
    ]);
  });

  test('a command line that is longer than a frame gives none', () => {
    const long = { ...launch, argv: ['echo', 'x'.repeat(wire.FRAME_MAX)] };
    expect(encodeSpawn(1, 'echo#1', long, order)).toBeNull();
  });

  test('a launch that cannot be said is a bug, and throws', () => {
    const limits = [{ resource: 'colour', soft: 1, hard: 1 }];
    expect(() => encodeSpawn(1, 'a#1', { ...launch, limits }, order)).toThrow('unknown resource "colour"');
    const rungs = Array.from({ length: 17 }, () => order.rungs[0] as Order['rungs'][0]);
    expect(() => encodeRung(1, 1, { ...order, rungs })).toThrow('more than 16 rungs');
    expect(() => encodeSpawn(1, 'a#1', { ...launch, argv: ['a\0b'] }, order)).toThrow('NUL');
  });

  test('RUNG, SIGNAL, FORGET, EXIT and SEEN carry their numbers', () => {
    const rung = read(encodeRung(8, 7, { ...order, index: 1, deadlineNs: 5n }), wire.rung_request);
    expect([rung.type, rung.number, rung.body.key]).toEqual([2, 8n, 7n]);
    expect([rung.body.order.index, rung.body.order.deadline_ns]).toEqual([1, 5n]);
    const signal = read(encodeSignal(9, 7, 10, 'tree'), wire.signal_request);
    expect([signal.type, signal.number, signal.body]).toEqual([3, 9n, { key: 7n, signal: 10, target: 2 }]);
    const forget = read(encodeForget(10, 7), wire.key_request);
    expect([forget.type, forget.number, forget.body]).toEqual([4, 10n, { key: 7n }]);
    const exit = read(encodeExit(11, 137, 5000), wire.exit_request);
    expect([exit.type, exit.number, exit.body]).toEqual([5, 11n, { code: 137, drain_ms: 5000 }]);
    const leave = read(encodeLeave(13, { atNs: 5n, ordersSuffice: true }), wire.leaving);
    const absence = { event: 13n, wake_ns: 5n, orders_suffice: 1 };
    expect([leave.type, leave.number, leave.body]).toEqual([9, 0n, absence]);
    const seen = read(encodeSeen(12, null), wire.seen);
    expect([seen.type, seen.number, seen.body]).toEqual([6, 0n, { event: 12n, wake_ns: wire.FOREVER }]);
  });
});

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const i32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const u64 = fc.bigInt({ min: 0n, max: wire.FOREVER });
const safe = fc.nat({ max: Number.MAX_SAFE_INTEGER }).map(BigInt);
const name = fc.string({ maxLength: 20 }).map((s) => s.replaceAll('\0', ''));
const usage = fc.record({ user_us: safe, sys_us: safe, max_rss_kb: safe });

const runState = fc.record({
  key: safe,
  phase: fc.integer({ min: 1, max: 5 }),
  flags: fc.nat({ max: 31 }),
  pid: i32,
  coordinator_pid: i32,
  start_ticks: u64,
  coordinator_ticks: u64,
  failed_stage: fc.nat({ max: wire.stages.length }),
  failed_errno: i32,
  code: i32,
  signal: i32,
  rung: u32,
  stragglers: u32,
  deadline_ns: u64,
  forked_ns: u64,
  started_ns: u64,
  leader_exited_ns: u64,
  ended_ns: u64,
  stop_ns: u64,
  leader: usage,
  tree: usage,
  notify: fc.nat({ max: 7 }),
  notify_count: u32,
  main_pid: i32,
  extend_us: u64,
  extend_ns: u64,
  watchdog_ns: u64,
  pids: fc.array(i32, { maxLength: wire.PIDS_MAX }),
  name,
  status: name,
});

const news = fc.oneof(
  runState.map((raw) => ({
    frame: encodeFrame(wire.frameType.RUN, 0, wire.run_state, raw),
    kind: 'run' as const,
    check: (item: HostNews) => {
      if (item.kind !== 'run') throw new Error('not a run');
      const { run } = item;
      expect([run.key, run.name, run.statusText]).toEqual([Number(raw.key), raw.name, raw.status]);
      expect(run.pid).toBe(raw.pid);
      expect(run.code).toBe(raw.code < 0 ? null : raw.code);
      expect(run.deadlineNs).toBe(raw.deadline_ns === wire.FOREVER ? null : raw.deadline_ns);
      expect(run.endedNs).toBe(raw.ended_ns);
      expect(run.treeUsage.maxRssKb).toBe(Number(raw.tree.max_rss_kb));
      expect(run.stragglerPids).toEqual(raw.pids.filter((pid) => pid > 0));
    },
  })),
  fc
    .record({
      ...{ count: u32, signal: u32, pid: i32, uid: u32, first_ns: u64 },
      ...{ reloads: u32, reload_pid: i32, reload_uid: u32, cleared: fc.constantFrom(0, 1) },
    })
    .map((raw) => ({
      frame: encodeFrame(wire.frameType.ASKS, 0, wire.asks, raw),
      kind: 'asks' as const,
      check: (item: HostNews) => {
        const { count, signal, pid, uid, first_ns: firstNs } = raw;
        const reloads = { count: raw.reloads, pid: raw.reload_pid, uid: raw.reload_uid };
        const asks = {
          count,
          signal,
          pid,
          uid,
          firstNs,
          ...(raw.reloads > 0 && { reloads }),
          ...(raw.cleared > 0 && { cleared: true }),
        };
        expect(item).toEqual({ kind: 'asks', asks });
      },
    })),
  safe.map((event) => ({
    frame: encodeFrame(wire.frameType.SYNC, 0, wire.sync, { event }),
    kind: 'sync' as const,
    check: (item: HostNews) => expect(item).toEqual({ kind: 'sync', event: Number(event) }),
  })),
  fc
    .record({ restarts: u32, init_pid: i32, last_number: safe, init_ticks: u64, pid_ns: u64, stay_ns: u64 })
    .map((raw) => ({
      frame: encodeFrame(wire.frameType.HELLO, 0, wire.hello, {
        ...raw,
        version: wire.PROTOCOL_VERSION,
        flags: 1,
        boot_id: '0f2c',
      }),
      kind: 'hello' as const,
      check: (item: HostNews) =>
        expect(item).toEqual({
          kind: 'hello',
          hello: {
            version: wire.PROTOCOL_VERSION,
            pid1: true,
            restarts: raw.restarts,
            initPid: raw.init_pid,
            initTicks: raw.init_ticks,
            pidNs: raw.pid_ns,
            bootId: '0f2c',
            lastNumber: Number(raw.last_number),
            ...(raw.stay_ns !== wire.FOREVER && { stayNs: raw.stay_ns }),
          },
        }),
    })),
);

/** A stream in pieces, as a socket may deliver it. */
function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const size of sizes) {
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return [...pieces, bytes.subarray(at)];
}

describe('news', () => {
  test('any news comes back as it was sent, however the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(news, { maxLength: 8 }), fc.array(fc.nat({ max: 300 })), (sent, sizes) => {
        const reader = createFrameReader();
        const pieces = cut(Buffer.concat(sent.map((item) => item.frame)), sizes).map(reader);
        expect(pieces.every(({ bad }) => bad === null)).toBe(true);
        const received = pieces.flatMap((piece) => piece.news);
        expect(received.map((item) => item.kind)).toEqual(sent.map((item) => item.kind));
        for (const [i, item] of received.entries()) sent[i]?.check(item);
      }),
    );
  });

  test('garbage is answered with a reason and never thrown at', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 900 }), { maxLength: 6 }), (pieces) => {
        const reader = createFrameReader();
        const results = pieces.map(reader);
        const total = pieces.reduce((sum, piece) => sum + piece.length, 0);
        // 16 bytes are a head, and a random head is not ours: version, type and size would all have to fit.
        if (total >= wire.head.size) expect(results.at(-1)?.bad).not.toBeNull();
        expect(results.flatMap(({ news }) => news)).toEqual([]);
      }),
    );
  });

  test('a frame with one byte changed is news or a reason, and what follows a bad one is not read', () => {
    fc.assert(
      fc.property(news, fc.nat(), fc.integer({ min: 1, max: 255 }), (item, where, flip) => {
        const bytes = Uint8Array.from(item.frame);
        const at = where % bytes.length;
        bytes[at] = (bytes[at] ?? 0) ^ flip;
        const reader = createFrameReader();
        const { bad, news } = reader(bytes);
        const good = encodeFrame(wire.frameType.SYNC, 0, wire.sync, { event: 1n });
        if (bad !== null) expect(reader(good)).toEqual({ news: [], bad });
        else expect(news.length).toBeLessThanOrEqual(1);
      }),
    );
  });

  test.each([
    ['another version', { version: 1 }, `protocol version 1, ${wire.PROTOCOL_VERSION} is spoken here`],
    ['a request as news', { type: wire.frameType.SPAWN }, 'unknown frame type 1'],
    ['a size of 4 GB', { size: 0xffff_ffff }, 'frame of type 19 with 4294967295 bytes'],
    ['a size of 0', { size: 0 }, 'frame of type 19 with 0 bytes'],
  ])('%s is refused as soon as the head is there', (_, change, reason) => {
    const head = {
      size: 24,
      type: wire.frameType.SYNC,
      version: wire.PROTOCOL_VERSION,
      number: 0n,
      ...change,
    };
    const bytes = new Uint8Array(wire.head.size);
    wire.head.write(new DataView(bytes.buffer), 0, head);
    expect(createFrameReader()(bytes)).toEqual({ news: [], bad: reason });
  });

  test.each([
    ['phase', { phase: 6 }, 'unknown phase 6'],
    ['stage', { failed_stage: 13 }, 'unknown stage 13'],
    ['key', { key: 2n ** 53n }, 'run key out of range'],
  ])('an impossible %s is a reason', (_, change, reason) => {
    const bytes = new Uint8Array(wire.run_state.size);
    const blank = wire.run_state.read(new DataView(bytes.buffer), 0);
    const frame = encodeFrame(wire.frameType.RUN, 0, wire.run_state, { ...blank, phase: 1, ...change });
    expect(createFrameReader()(frame).bad).toBe(reason);
  });

  test('a name that fills its place is cut, and its neighbour stays whole', () => {
    const bytes = new Uint8Array(wire.run_state.size);
    const blank = wire.run_state.read(new DataView(bytes.buffer), 0);
    const raw = { ...blank, phase: 2, code: -1, signal: -1, name: 'ü'.repeat(90), status: 'fine' };
    const { news } = createFrameReader()(encodeFrame(wire.frameType.RUN, 0, wire.run_state, raw));
    const expected = { ...blankRun(0, 'ü'.repeat(47)), phase: 'running', statusText: 'fine' };
    expect(news).toMatchObject([{ kind: 'run', run: { ...expected, rung: 0, deadlineNs: 0n } }]);
  });
});

describe('what a run gets for signals that gsup has received', () => {
  const mapOf = (onSignal: Launch['onSignal']): readonly number[] => {
    const plain = onSignal === undefined ? launch : { ...launch, onSignal };
    return read(encodeSpawn(1, 'web#1', plain, order), wire.spawn).body.on_signal;
  };

  test('each as it is, where nothing is said', () => {
    expect(mapOf(undefined)).toEqual(Array.from({ length: 72 }, (_, at) => (at <= 64 ? at : 0)));
  });

  test('what is said of each, and nothing of the others', () => {
    const map = mapOf([
      [1, 1],
      [10, 0],
      [12, 15],
    ]);
    expect(map.flatMap((to, from) => (to === 0 ? [] : [[from, to]]))).toEqual([
      [1, 1],
      [12, 15],
    ]);
  });
});
