/** Tasks and models as `gsup top` may meet them. */
import fc from 'fast-check';
import type { ProcessStatus, Status } from '../../src/report/status.ts';
import { type Model, newModel, type TopEvent } from '../../src/top/model.ts';
import { update } from '../../src/top/update.ts';

export const NOW_MS = Date.parse('2026-03-04T12:00:00Z');

export function process(name: string, given: Partial<ProcessStatus> = {}): ProcessStatus {
  return {
    name,
    replica: null,
    want: 'up',
    state: 'running',
    run: `${name}#1`,
    pid: 100,
    ready: false,
    health: null,
    reason: null,
    uptime_ms: 5000,
    restarts: 0,
    failures: 0,
    next_start_at: null,
    last: null,
    stop: null,
    cpu_pct: 1.5,
    rss_bytes: 50 * 1024 * 1024,
    ...given,
  };
}

export const STOPPING: Partial<ProcessStatus> = {
  state: 'stopping',
  stop: { rung: 0, signal: 'SIGTERM', left_ms: 7900, waiting_for: [{ pid: 7, name: 'sh' }] },
};

export function statusOf(processes: readonly ProcessStatus[], task: Partial<Status['task']> = {}): Status {
  return {
    version: 1,
    task: {
      name: 'shop',
      state: 'active',
      exit_code: null,
      pid: 1,
      started_at: new Date(NOW_MS - 60_000).toISOString(),
      config_digest: 'd',
      stop: null,
      ...task,
    },
    processes,
  };
}

export function modelOf(
  processes: readonly ProcessStatus[],
  size = { columns: 80, rows: 24 },
  task: Partial<Status['task']> = {},
): Model {
  const model = newModel({ task: 'shop', size, sort: 'config', reversed: false });
  return update(model, seen(statusOf(processes, task))).model;
}

export function seen(status: Status, nowMs = NOW_MS): TopEvent {
  return { kind: 'status', status, nowMs, silent: null };
}

export function press(model: Model, ...keys: readonly string[]): Model {
  return keys.reduce((now, key) => update(now, { kind: 'key', key }).model, model);
}

const evil = fc.constantFrom(
  'web',
  'x\u001b[2J',
  'a\nb',
  '日本',
  'e\u0301\u0301',
  '\u202eevil',
  '\u0007',
  '🚀',
);
const name = fc.oneof(
  fc.integer({ min: 1, max: 40 }).map((number) => `web.${number}`),
  evil,
  fc.string({ unit: 'binary', maxLength: 60 }),
);

const anyProcess: fc.Arbitrary<ProcessStatus> = fc
  .record({
    name,
    state: fc.constantFrom('waiting', 'backoff', 'running', 'ready', 'stopping', 'killing', 'failed', 'lost'),
    health: fc.constantFrom(null, 'healthy', 'unhealthy'),
    reason: fc.option(evil),
    pid: fc.option(fc.integer({ min: 1, max: 4_194_304 })),
    uptime_ms: fc.option(fc.integer({ min: 0, max: 2 ** 40 })),
    restarts: fc.integer({ min: 0, max: 10 ** 7 }),
    next_start_at: fc.option(fc.constant(new Date(NOW_MS + 3000).toISOString())),
    cpu_pct: fc.option(fc.float({ min: 0, max: 100_000, noNaN: true })),
    rss_bytes: fc.option(fc.integer({ min: 0, max: 2 ** 45 })),
    stop: fc.option(
      fc.record({
        rung: fc.option(fc.integer({ min: 0, max: 9 })),
        signal: fc.option(fc.constant('SIGTERM')),
        left_ms: fc.option(fc.integer({ min: 0, max: 10 ** 9 })),
        waiting_for: fc.array(fc.record({ pid: fc.integer({ min: 1, max: 99_999 }), name: evil }), {
          maxLength: 9,
        }),
      }),
    ),
  })
  .map((given) => process(given.name, given as Partial<ProcessStatus>));

export const anyStatus: fc.Arbitrary<Status> = fc
  .uniqueArray(anyProcess, { maxLength: 60, selector: (each) => each.name })
  .map((processes) => statusOf(processes));

export const anySize = fc.record({
  columns: fc.integer({ min: 1, max: 300 }),
  rows: fc.integer({ min: 1, max: 120 }),
});

const KEYS = [
  'up',
  'down',
  'pageup',
  'pagedown',
  'home',
  'end',
  'enter',
  'escape',
  'y',
  'n',
  's',
  'r',
  'd',
  'u',
  'k',
  'l',
];
const MORE_KEYS = [
  '/',
  '?',
  '<',
  '>',
  'C',
  'M',
  'N',
  'I',
  'O',
  ' ',
  'q',
  'backspace',
  'ctrl-c',
  'ctrl-l',
  'ctrl-z',
  'x',
];

export const anyEvent: fc.Arbitrary<TopEvent> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(...KEYS, ...MORE_KEYS).map((key) => ({ kind: 'key' as const, key })),
  },
  { weight: 2, arbitrary: anyStatus.map((status) => seen(status)) },
  fc.constant({ kind: 'late' as const }),
  anySize.map((size) => ({ kind: 'size' as const, size })),
  evil.map((text) => ({ kind: 'answer' as const, text, good: true })),
  fc
    .tuple(name, fc.array(evil, { maxLength: 5 }))
    .map(([process, lines]) => ({ kind: 'output' as const, process, lines, why: 'nothing' })),
);
