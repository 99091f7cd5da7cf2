import { describe, expect, it } from 'vitest';
import { type CheckpointRecord, type RecordBody, stampRecord } from '../../src/checkpoint/record.ts';
import { buildStatus, type Look, type Tree } from '../../src/report/status.ts';
import { renderStatus } from '../../src/report/status-text.ts';
import { sampleBodies } from '../checkpoint/samples.ts';

const BEGAN_MS = Date.parse('2026-03-04T12:00:00Z');
const TREE: Tree = {
  members: [
    { pid: 7, name: 'node' },
    { pid: 8, name: 'worker' },
  ],
  cpuPct: 1.5,
  rssBytes: 50 * 1024 * 1024,
};

/** Milliseconds since the begin, and what was written. */
function log(...told: readonly (readonly [number, RecordBody])[]): CheckpointRecord[] {
  return told.map(([ms, body], i) =>
    stampRecord(body, i + 1, { at: new Date(BEGAN_MS + ms).toISOString(), mono_ns: BigInt(ms) * 1_000_000n }),
  );
}

function at(ms: number, change: Partial<Look> = {}): Look {
  return {
    nowNs: BigInt(ms) * 1_000_000n,
    live: true,
    treeOf: (leader) => (leader === 7 ? TREE : null),
    ...change,
  };
}

const task: RecordBody = {
  type: 'task',
  task: 'shop',
  version: '0.1.0',
  config_digest: 'd',
  boot_id: 'b',
  pid_ns: 1,
  pid: 1,
};
const forked: RecordBody = { type: 'run-forked', process: 'web', run: 'web#3' };
const started: RecordBody = { type: 'run-started', run: 'web#3', pid: 7, start_ticks: 1 };
const asked: RecordBody = { type: 'stop-requested', cause: 'signal', signal: 'SIGTERM', by: null };
const rung: RecordBody = {
  type: 'rung',
  run: 'web#3',
  index: 0,
  action: 'signal',
  signal: 'SIGTERM',
  target: 'group',
  pids: [7],
  wait_ms: 8000,
  deadline_ns: 13_000_000_000n,
  cut_ms: 0,
};
const ended: RecordBody = {
  type: 'run-ended',
  run: 'web#3',
  code: 3,
  signal: null,
  forced: false,
  rusage: { user_us: 0, sys_us: 0, max_rss_kb: 0 },
};
const outcome: RecordBody = {
  type: 'outcome',
  process: 'web',
  run: 'web#3',
  outcome: 'failed',
  cause: 'exit',
  code: 3,
  signal: null,
  forced: false,
  failures: 2,
  forked_ns: 0n,
  ended_ns: 0n,
};

describe('buildStatus', () => {
  it('tells of a run that is up: its pid, uptime, restarts, and what its tree uses', () => {
    const { task: told, processes } = buildStatus(log([0, task], [10, forked], [1000, started]), at(5000));
    expect(told).toMatchObject({ name: 'shop', state: 'active', pid: 1, exit_code: null, stop: null });
    expect(processes).toEqual([
      expect.objectContaining({
        name: 'web',
        state: 'running',
        want: 'up',
        run: 'web#3',
        pid: 7,
        uptime_ms: 4000,
        restarts: 2,
        cpu_pct: 1.5,
        rss_bytes: 50 * 1024 * 1024,
      }),
    ]);
  });

  it('tells what a stop waits for, and how long it may', () => {
    const records = log([0, task], [10, forked], [1000, started], [5000, asked], [5000, rung]);
    const { task: told, processes } = buildStatus(records, at(6000));
    expect(told).toMatchObject({
      state: 'cleaning',
      stop: { cause: 'signal', requested_at: '2026-03-04T12:00:05.000Z' },
    });
    expect(processes[0]).toMatchObject({
      want: 'down',
      state: 'stopping',
      stop: { rung: 0, signal: 'SIGTERM', left_ms: 7000, waiting_for: TREE.members },
    });
  });

  it('tells how a run ended and when the next one comes', () => {
    const backoff: RecordBody = {
      type: 'backoff',
      process: 'web',
      wait_ms: 500,
      deadline_ns: 0n,
      failures: 2,
    };
    const records = log([0, task], [10, forked], [20, started], [30, ended], [31, outcome], [32, backoff]);
    expect(buildStatus(records, at(40)).processes[0]).toMatchObject({
      state: 'backoff',
      failures: 2,
      pid: null,
      next_start_at: '2026-03-04T12:00:00.532Z',
      last: { run: 'web#3', outcome: 'failed', code: 3, cause: 'exit', forced: false },
    });
  });

  it('judges by the facts where no supervisor has', () => {
    const plain = log(
      [0, task],
      [1, started],
      [2, ended],
      [3, { type: 'task-state', state: 'failed', exit_code: 3 }],
    );
    const { task: told, processes } = buildStatus(plain, at(9, { live: false }));
    expect(told).toMatchObject({ state: 'failed', exit_code: 3, pid: null });
    expect(processes[0]).toMatchObject({ state: 'failed', last: { outcome: 'failed', code: 3 } });
  });

  it('calls lost what its gsup has left without a word, and nothing else', () => {
    const { task: told, processes } = buildStatus(
      log([0, task], [10, forked], [20, started]),
      at(30, { live: false }),
    );
    expect(told.state).toBe('lost');
    expect(processes[0]).toMatchObject({ state: 'lost', pid: null, reason: expect.stringContaining('gone') });
  });

  it('counts neither hooks nor the stop of what a leader left behind as something of the process', () => {
    const hook: RecordBody = { ...started, run: 'web#3/pre-stop.1', pid: 9 } as RecordBody;
    const left: RecordBody = { type: 'stop-requested', run: 'web#3', cause: 'main-ended', by: null };
    const { processes } = buildStatus(log([0, task], [1, forked], [2, started], [3, hook], [4, left]), at(5));
    expect(processes).toHaveLength(1);
    expect(processes[0]).toMatchObject({ want: 'up', pid: 7 });
  });

  it('takes every type of record', () => {
    for (const body of sampleBodies) expect(() => buildStatus(log([0, body]), at(1))).not.toThrow();
  });
});

const PLAIN = { colour: false, width: null };

describe('renderStatus', () => {
  it('is a line for the task, a table, and what a stop waits for', () => {
    const records = log([0, task], [10, forked], [1000, started], [5000, asked], [5000, rung]);
    expect(renderStatus(buildStatus(records, at(6000)), PLAIN).split('\n')).toEqual([
      'shop: cleaning, pid 1, since 2026-03-04T12:00:00.000Z, stop (signal) asked for at 2026-03-04T12:00:05.000Z',
      'stop waits at most 7.0s until the next rung, for web',
      '',
      'PROCESS  STATE     PID  UPTIME  RESTARTS  CPU    MEMORY  LAST END',
      'web      stopping  7    5.0s    2         1.5 %  50 MB   -',
      '  stopping: SIGTERM, waits for node (7), worker (8), 7.0s left',
      '',
    ]);
  });

  it('leaves out columns for which there is no room, and wraps what has to be read whole', () => {
    const records = log([0, task], [10, forked], [1000, started], [5000, asked], [5000, rung]);
    const text = (width: number) => renderStatus(buildStatus(records, at(6000)), { colour: false, width });
    expect(text(40).split('\n')).toEqual([
      'shop: cleaning, pid 1, since',
      '2026-03-04T12:00:00.000Z, stop (signal)',
      'asked for at 2026-03-04T12:00:05.000Z',
      'stop waits at most 7.0s until the next',
      'rung, for web',
      '',
      'PROCESS  STATE     UPTIME  CPU    MEMORY',
      'web      stopping  5.0s    1.5 %  50 MB',
      '  stopping: SIGTERM, waits for node (7),',
      '  worker (8), 7.0s left',
      '',
    ]);
    for (const width of [10, 16, 20, 80])
      for (const line of text(width).split('\n')) expect(line.length).toBeLessThanOrEqual(width);
  });

  it('takes what was in back-off when a stop began for ended: it does not run again', () => {
    const backoff: RecordBody = {
      type: 'backoff',
      process: 'web',
      wait_ms: 60_000,
      deadline_ns: 0n,
      failures: 1,
    };
    const waits = buildStatus(log([0, task], [10, forked], [20, ended], [30, backoff]), at(40));
    expect(renderStatus(waits, PLAIN)).toContain('runs again at');
    const stopped = buildStatus(
      log([0, task], [10, forked], [20, ended], [30, backoff], [35, asked]),
      at(40),
    );
    expect(renderStatus(stopped, PLAIN)).not.toContain('runs again at');
    expect(stopped.processes[0]).toMatchObject({ want: 'down', state: 'failed', next_start_at: null });
    const over: RecordBody = { type: 'task-state', state: 'killed', exit_code: 0 };
    const records = log([0, task], [10, forked], [20, ended], [30, backoff], [35, asked], [36, over]);
    // Nobody has gone without a word.
    expect(buildStatus(records, at(40, { live: false })).processes[0]).toMatchObject({
      state: 'failed',
      reason: null,
    });
  });

  it('says what has been sent SIGKILL, which has no time any more', () => {
    const kill: RecordBody = { type: 'kill', process: 'web', run: 'web#3', pids: [7] };
    const text = renderStatus(
      buildStatus(
        log([0, task], [10, forked], [1000, started], [5000, asked], [5000, rung], [5500, kill]),
        at(6000),
      ),
      PLAIN,
    );
    expect(text).toContain('stop waits after SIGKILL, for web');
    expect(text).toContain('killing: SIGKILL has been sent, waits for node (7), worker (8)');
  });

  it('S64 shows names from outside, and does not obey them', () => {
    const evil = 'x\u001b[2J\ny';
    const tree = () => ({ ...TREE, members: [{ pid: 7, name: evil }] });
    const records = log(
      [0, { ...task, task: evil } as RecordBody],
      [1, started],
      [2, rung],
      [3, { ...forked, process: evil } as RecordBody],
    );
    const text = renderStatus(buildStatus(records, at(4, { treeOf: tree })), PLAIN);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
    expect(text.trimEnd().split('\n')).toHaveLength(6);
  });
});
