/**
 * First inputs for the fuzz targets in src/init/test: what a real supervisor writes, and the vectors. Run by
 * scripts/fuzz.sh; argument: the folder that gets a folder for each target.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  encodeCount,
  encodeExit,
  encodeForget,
  encodeRung,
  encodeSeen,
  encodeSignal,
  encodeSpawn,
  encodeUpgrade,
} from '../../src/host/encode.ts';
import { PROTOCOL_VERSION } from '../../src/host/protocol.ts';
import type { Launch, Order } from '../../src/supervisor/vocabulary.ts';

const folder = process.argv[2] ?? '';

function save(target: string, name: string, bytes: Uint8Array): void {
  mkdirSync(join(folder, target), { recursive: true });
  writeFileSync(join(folder, target, name), bytes);
}

function vectors<T>(name: string): readonly T[] {
  return JSON.parse(readFileSync(join('test/vectors', `${name}.json`), 'utf8'));
}

const u16 = (n: number): number[] => [n & 255, n >> 8];
const u24 = (n: number): number[] => [...u16(n & 0xffff), n >> 16];

// ---- order: fuzz-order.c

const wait = (ms: string | number): number[] =>
  ms === 'forever' ? [0] : [255, ...u24(Number(ms) % 0x1000000)];

interface OrderVector {
  readonly order: string;
  readonly steps: readonly string[];
}

for (const [i, { order, steps }] of vectors<OrderVector>('orders').entries()) {
  const [, mustDrain, cap, count, ...rungs] = order.split(' ');
  const bytes = [Number(mustDrain), ...wait(cap ?? ''), Number(count)];
  for (const rung of rungs) {
    const [signal, , ms, hook] = rung.split(':');
    bytes.push(Number(signal), Number(hook), ...wait(ms ?? ''));
  }
  let now = 0;
  bytes.push(...wait(0));
  for (const step of steps) {
    const [at, event, argument] = (step.split(' -> ')[0] ?? '').split(' ');
    bytes.push(2, ...wait(Number(at) - now));
    now = Number(at);
    if (event === 'stop') bytes.push(0, Number(argument) - 1);
    if (event === 'escalate') bytes.push(1);
    if (event === 'kill') bytes.push(201);
    if (event === 'supervisor') bytes.push(4);
  }
  save('order', `vector-${i}`, Uint8Array.from(bytes));
}

// ---- options: fuzz-options.c

interface OptionVector {
  readonly argv: readonly unknown[];
  readonly env?: Readonly<Record<string, string>>;
}

for (const [i, { argv, env = {} }] of vectors<OptionVector>('options').entries()) {
  if (argv.some((word) => typeof word !== 'string')) continue;
  const words = ['gsup', ...argv, ...Object.entries(env).map(([name, value]) => `${name}=${value}`)];
  const text = words.map((word) => `${word}\0`).join('');
  save('options', `vector-${i}`, Buffer.concat([Uint8Array.of(argv.length + 1), Buffer.from(text)]));
}

// ---- notify: fuzz-notify.c

const messages = [
  'READY=1',
  'READY=1\nSTATUS=ok\nMAINPID=20',
  'STOPPING=1',
  'RELOADING=1\nMONOTONIC_USEC=1',
  'EXTEND_TIMEOUT_USEC=5000000',
  'WATCHDOG=1',
  'MAINPID=99',
  `STATUS=${'x'.repeat(300)}`,
];
for (const [i, message] of messages.entries()) {
  save('notify', `message-${i}`, Buffer.from([0, ...u16(message.length), ...Buffer.from(message)]));
}
save('notify', 'barrier', Buffer.from([1, ...u16(9), ...Buffer.from('BARRIER=1'), 15, ...u16(0)]));

// ---- lines: fuzz-lines.c

const texts = [
  'one\ntwo\n\nlast',
  'ü€😀\n',
  '\x1b[31mred\x1b[0m "quoted" \\ \u0085\n',
  `${'x'.repeat(20_000)}\ny\n`,
  `${'€'.repeat(6000)}`,
];
const bytes = [...texts.map((text) => Buffer.from(text)), Buffer.from([0xff, 0, 0xc3, 10, 0xe2, 0x82])];
for (const [i, output] of bytes.entries()) {
  for (const flags of [0, 1, 2, 3, 18, 33, 64]) {
    const head = [flags, 0, 0, 0, 0, 1, ...u16(7000), ...(flags === 64 ? u16(9000) : [])];
    save('lines', `output-${i}-${flags}`, Buffer.concat([Uint8Array.from(head), output]));
  }
}

// ---- protocol: fuzz-protocol.c; coordinator: fuzz-coordinator.c

const launch: Launch = {
  argv: ['node', 'server.js'],
  cwd: '/srv',
  user: 'www-data',
  noNewPrivs: true,
  clearEnv: false,
  umask: 0o22,
  envSet: { A: '1=2' },
  envUnset: ['C'],
  limits: [{ resource: 'nofile', soft: 1024, hard: null }],
  terminal: false,
  stdinNull: true,
  notify: true,
  startTimeoutMs: 10_000,
};
const order: Order = {
  level: 2,
  mustDrain: false,
  capMs: null,
  index: null,
  deadlineNs: null,
  rungs: [
    { signal: 0, target: 'group', hook: true, waitMs: 500 },
    { signal: 'received', target: 'tree', hook: false, waitMs: 8000 },
    { signal: 3, target: 'leader', hook: false, waitMs: null },
  ],
};
const stopping = (index: number): Order => ({ ...order, index, deadlineNs: 3_000_000_000n });
const frames = {
  spawn: encodeSpawn(1, 'web#1', launch, order),
  seen: encodeSeen(1, null),
  due: encodeSeen(2, 4_000_000_000n),
  renew: encodeRung(2, 1, order),
  rung: encodeRung(3, 1, stopping(0)),
  next: encodeRung(4, 1, stopping(1)),
  kill: encodeRung(5, 1, stopping(3)),
  signal: encodeSignal(6, 1, 10, 'leader'),
  forget: encodeForget(7, 1),
  exit: encodeExit(8, 3, 5000),
  upgrade: encodeUpgrade(9, '/opt/gsup-2'),
  count: encodeCount(),
};
const writes = (name: keyof typeof frames, pieces = 0): number[] => {
  const frame = frames[name] ?? new Uint8Array();
  return [0, pieces, ...u16(frame.length), ...frame];
};
/** Which run, phase, flags, pid, rung (u32), records lost; a record has its members after that. */
const said = (phase: number): number[] => [0, phase - 1, 0, 5, 0, 0, 0, 0, 0];
const state = (phase: number): number[] => [2, ...said(phase)];
const record = [3, ...said(2), ...u16(8), ...Buffer.from(',"pid":1')];
const [dies, asked, later, forward, forkFails] = [[5, 0], [7, 14], [8, 200, 0], [9, 9], [10]] as const;
const stories: Readonly<Record<string, readonly (readonly number[])[]>> = {
  'a-run': [
    writes('seen'),
    writes('spawn'),
    state(2),
    record,
    writes('due'),
    state(5),
    writes('forget'),
    writes('exit'),
  ],
  'a-stop': [
    writes('spawn', 7),
    state(2),
    asked,
    writes('rung'),
    state(3),
    writes('next', 1),
    writes('kill'),
    state(5),
  ],
  'dies-and-repeats': [
    writes('spawn'),
    state(2),
    dies,
    later,
    writes('seen'),
    writes('spawn'),
    writes('signal'),
  ],
  'nobody-decides': [
    writes('seen'),
    writes('spawn'),
    state(2),
    asked,
    later,
    later,
    asked,
    asked,
    state(4),
    state(5),
  ],
  'coordinator-dies': [writes('spawn'), writes('renew'), [4, 0], writes('forget'), forward],
  'storm-into-a-crowd': [
    writes('spawn'),
    state(2),
    [11, 255, 254],
    later,
    forward,
    forward,
    [9, 10],
    [11, 254, 255],
    forward,
    state(5),
  ],
  'before-the-first-run': [forward, later, forward, writes('spawn'), state(2), forward, [4, 0]],
  'no-process-left': [forkFails, writes('spawn'), writes('forget')],
  'dies-in-a-word': [
    writes('spawn'),
    [0, 0, 12, 0, ...frames.rung.subarray(0, 12)],
    dies,
    later,
    writes('seen'),
  ],
  congested: [[11, 40, 0], writes('spawn'), state(2), [11, 255, 255], writes('seen')],
  upgrades: [writes('spawn'), state(2), writes('upgrade'), dies, later, writes('seen'), writes('upgrade')],
  'upgrade-in-vain': [writes('seen'), writes('upgrade', 3), dies, later, dies, later, writes('seen')],
  'too-much': [writes('spawn'), [1, 33]],
  counts: [writes('seen'), writes('count'), writes('spawn'), writes('count', 5), writes('seen')],
  'counts-into-a-crowd': [
    [11, 200, 200],
    writes('count'),
    [11, 200, 100],
    writes('count'),
    writes('spawn'),
    [11, 254, 255],
    writes('seen'),
  ],
  'counts-and-dies': [[11, 200, 100], writes('count'), dies, later, writes('seen'), writes('count')],
};
for (const [name, steps] of Object.entries(stories))
  save('protocol', `story-${name}`, Uint8Array.from(steps.flat()));
for (const [name, frame] of Object.entries(frames)) {
  if (frame !== null)
    save('protocol', `one-${name}`, Uint8Array.from([0, 0, ...u16(frame.length), ...frame]));
}

const framed = (name: keyof typeof frames): number[] => [
  0,
  ...u16(frames[name]?.length ?? 0),
  ...(frames[name] ?? []),
];
const [ask, due, execs, fails, ends, other, otherEnds, gone] = [
  [2, 0, 14],
  [4],
  [5],
  [6],
  [7, 64],
  [8, 2],
  [9, 2],
  [10],
] as const;
/** FORWARD: it was received so often. */
const received = (signal: number, times: number): number[] => {
  const frame = [32, 0, 0, 0, 35, 0, ...u16(PROTOCOL_VERSION), ...new Array<number>(8).fill(0)];
  return [0, 32, 0, ...frame, signal, 0, 0, 0, 1, 0, 0, 0, ...u24(times), 0, 0, 0, 0, 0];
};
const runs: Readonly<Record<string, readonly (readonly number[])[]>> = {
  'ends-by-itself': [execs, ends],
  'cannot-start': [fails],
  'is-stopped': [execs, framed('rung'), framed('next'), due, framed('kill')],
  'leaves-others': [execs, other, ends, framed('rung'), framed('next'), otherEnds],
  'alone-to-the-end': [execs, other, gone, due, due, due, due],
  'asked-thrice': [ask, execs, ask, due, ask],
  'is-told-a-storm': [received(34, 700), received(34, 300), [11], execs, received(64, 900), [11], ends],
  'is-signalled': [execs, framed('signal'), [11], framed('renew'), [11], ends],
};
for (const [name, steps] of Object.entries(runs))
  save('coordinator', `story-${name}`, Uint8Array.from(steps.flat()));
