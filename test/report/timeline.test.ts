import { describe, expect, it } from 'vitest';
import { type CheckpointRecord, type RecordBody, stampRecord } from '../../src/checkpoint/record.ts';
import { describe as describeLane, timeText } from '../../src/report/timeline/draw.ts';
import { renderHtml } from '../../src/report/timeline/html.ts';
import { buildTimeline } from '../../src/report/timeline/model.ts';
import { renderSvg } from '../../src/report/timeline/svg.ts';
import { sampleBodies } from '../checkpoint/samples.ts';

const BEGAN_MS = Date.parse('2026-03-04T12:00:00Z');

/** Milliseconds since the begin, and what was written. */
function log(...told: readonly (readonly [number, RecordBody])[]): CheckpointRecord[] {
  return told.map(([ms, body], i) =>
    stampRecord(body, i + 1, {
      at: new Date(BEGAN_MS + ms).toISOString(),
      mono_ns: 5n + BigInt(ms) * 1_000_000n,
    }),
  );
}

const task = (name: string): RecordBody => {
  return { type: 'task', task: name, version: '0.1.0', config_digest: 'd', boot_id: 'b', pid_ns: 1, pid: 1 };
};
const rung = (run: string, index: number, untilMs: number, cut_ms = 0): RecordBody => ({
  type: 'rung',
  run,
  index,
  action: 'signal',
  signal: 'SIGTERM',
  target: 'group',
  pids: [7],
  wait_ms: 1000,
  deadline_ns: 5n + BigInt(untilMs) * 1_000_000n,
  cut_ms,
});

const stubborn = log(
  [0, task('shop')],
  [10, { type: 'run-started', run: 'web#1', pid: 7, start_ticks: 1 }],
  [50, { type: 'run-ready', process: 'web', run: 'web#1' }],
  [1000, { type: 'stop-requested', cause: 'signal', signal: 'SIGTERM', by: null }],
  [1000, { type: 'budget', budget_ms: 10_000, deadline_ns: 5n + 11_000_000_000n }],
  [1001, rung('web#1', 0, 2001)],
  [1002, rung('web#1', 0, 2001)],
  [
    1200,
    {
      type: 'leader-exited',
      run: 'web#1',
      code: 0,
      signal: null,
      rusage: { user_us: 0, sys_us: 0, max_rss_kb: 0 },
    },
  ],
  [2001, rung('web#1', 1, 3001, 500)],
  [3001, { type: 'kill', run: 'web#1', pids: [8] }],
  [
    3020,
    {
      type: 'run-ended',
      run: 'web#1',
      code: 0,
      signal: null,
      forced: true,
      rusage: { user_us: 2000, sys_us: 0, max_rss_kb: 2048 },
    },
  ],
  [3021, { type: 'task-state', state: 'killed', exit_code: 0 }],
);

describe('buildTimeline', () => {
  it('has a lane for each run: start, ready, windows and how much of them was used, stragglers, kill, end', () => {
    const { lanes, ...told } = buildTimeline(stubborn);
    expect(told).toMatchObject({
      task: 'shop',
      state: 'killed',
      lengthMs: 3021,
      stop: { atMs: 1000, why: 'SIGTERM' },
      budget: { fromMs: 1000, untilMs: 11_000 },
    });
    expect(lanes).toMatchObject([
      {
        run: 'web#1',
        process: 'web',
        hook: false,
        pid: 7,
        startMs: 10,
        readyMs: 50,
        leaderEndMs: 1200,
        killMs: 3001,
        endMs: 3020,
        rungs: [
          { fromMs: 1001, untilMs: 2001, leftMs: 2001, cutMs: 0 },
          { fromMs: 2001, untilMs: 3001, leftMs: 3001, cutMs: 500 },
        ],
        end: { code: 0, forced: true },
      },
    ]);
  });

  it('leaves open what has not ended', () => {
    const [lane] = buildTimeline(stubborn.slice(0, 6)).lanes;
    expect(lane).toMatchObject({ endMs: null, end: null, rungs: [{ leftMs: null }] });
  });

  it('takes every type of record', () => {
    for (const body of sampleBodies) expect(() => renderSvg(buildTimeline(log([0, body])), '')).not.toThrow();
  });

  it('tells of a lane in words', () => {
    const [lane] = buildTimeline(stubborn).lanes;
    expect(lane && describeLane(lane).split('\n')).toEqual([
      'web#1, pid 7',
      'started at 10ms',
      'ready after 40ms',
      'SIGTERM to the group: used 1s of 1s',
      'SIGTERM to the group: used 1s of 1s, cut by 500ms',
      'command ended at 1.2s, its tree lived on',
      'SIGKILL at 3.001s',
      'ended at 3.02s: exit code 0',
      'CPU 2ms, memory at most 2 MB',
    ]);
  });
});

describe('timeText', () => {
  it.each([
    [0, '0ms'],
    [999, '999ms'],
    [1500, '1.5s'],
    [90_000, '1m 30s'],
    [3_600_000, '1h'],
    [5_400_000, '1h 30m'],
    [-20, '-20ms'],
  ])('%d ms is %s', (ms, text) => expect(timeText(ms)).toBe(text));
});

describe('what comes from outside', () => {
  const evil = `"><script>alert(1)</script>&\u001b[2J\u202e'`;
  const records = log(
    [0, task(evil)],
    [1, { type: 'run-started', run: `${evil}#1`, pid: 7, start_ticks: 1 }],
    [2, { ...rung(`${evil}#1`, 0, 9), signal: evil } as RecordBody],
    [3, { type: 'stop-requested', cause: 'signal', signal: evil, by: null }],
    [
      4,
      {
        type: 'run-ended',
        run: `${evil}#1`,
        code: null,
        signal: evil,
        forced: false,
        rusage: { user_us: 0, sys_us: 0, max_rss_kb: 0 },
      },
    ],
  );

  it('S64 is no markup in an SVG or a page', () => {
    const svg = renderSvg(buildTimeline(records), '');
    const html = renderHtml(buildTimeline(records), { script: '', style: '', pageStyle: '' });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(svg).not.toMatch(/<script|\u001b|\u202e/);
    // Its own two, and no third one.
    expect(html.match(/<script/g)).toHaveLength(2);
    expect(html).not.toMatch(/alert\(1\)<\/script>/);
  });
});
