import { describe, expect, it } from 'vitest';
import type { LogName } from '../../src/checkpoint/merge.ts';
import { type RecordBody, stampRecord } from '../../src/checkpoint/record.ts';
import { type Entry, type HistoryFilter, tellHistory } from '../../src/report/history.ts';
import { renderHistory } from '../../src/report/history-text.ts';
import { sampleBodies } from '../checkpoint/samples.ts';

const ALL: HistoryFilter = { names: [], sinceMs: null, untilMs: null };
const DAY_MS = Date.parse('2026-03-04T12:00:00Z');
const NO_USAGE = { user_us: 0, sys_us: 0, max_rss_kb: 0 };

/** Milliseconds since the begin, who wrote it, what. */
function story(...told: readonly (readonly [number, LogName, RecordBody])[]): Entry[] {
  return told.map(([ms, log, body], i) => {
    const at = new Date(DAY_MS + ms).toISOString();
    const record = stampRecord(body, i + 1, { at, mono_ns: 1_000_000_000n + BigInt(ms) * 1_000_000n });
    return { log, item: { record } };
  });
}

function texts(entries: readonly Entry[], filter = ALL): string[] {
  return tellHistory(entries, filter).lines.map(({ about, text }) =>
    about === null ? text : `${about}: ${text}`,
  );
}

const task: RecordBody = {
  type: 'task',
  task: 'shop',
  version: '0.1.0',
  config_digest: '0',
  boot_id: 'b',
  pid_ns: 1,
  pid: 1,
};
const started = (run: string, pid: number): RecordBody => ({ type: 'run-started', run, pid, start_ticks: 1 });
const asked: RecordBody = {
  type: 'stop-requested',
  cause: 'signal',
  signal: 'SIGTERM',
  by: { pid: 0, uid: 0 },
};
const received: RecordBody = { type: 'signal', signal: 'SIGTERM', pid: 0, uid: 0 };
const rung = (
  run: string,
  index: number,
  change: Partial<Extract<RecordBody, { type: 'rung' }>> = {},
): RecordBody => ({
  type: 'rung',
  run,
  index,
  action: 'signal',
  signal: 'SIGTERM',
  target: 'group',
  pids: [7],
  wait_ms: 8000,
  deadline_ns: 0n,
  cut_ms: 0,
  ...change,
});
const ended = (
  run: string,
  change: Partial<Extract<RecordBody, { type: 'run-ended' }>> = {},
): RecordBody => ({
  type: 'run-ended',
  run,
  code: 0,
  signal: null,
  forced: false,
  rusage: NO_USAGE,
  ...change,
});
const over = (exit_code: number, state: 'success' | 'failed' | 'killed'): RecordBody => ({
  type: 'task-state',
  state,
  exit_code,
});

const stubborn = story(
  [0, 'init', task],
  [5, 'init', started('web#1', 7)],
  [1000, 'init', received],
  [1000, 'checkpoint', asked],
  [1001, 'checkpoint', rung('web#1', 0)],
  [
    9001,
    'checkpoint',
    { type: 'kill', process: 'web', run: 'web#1', pids: [7, 8], names: ['sh (7)', 'app (8)'] },
  ],
  [9020, 'init', ended('web#1', { code: null, signal: 'SIGKILL', forced: true })],
  [9030, 'checkpoint', over(137, 'killed')],
);

describe('tellHistory', () => {
  it('says who asked, how long each rung took, what was forced, and how it ended', () => {
    expect(texts(stubborn)).toEqual([
      'began: gsup 0.1.0, pid 1',
      'web#1: started, pid 7',
      'stop: SIGTERM from outside',
      'web#1: SIGTERM to the group (pid 7), waits at most 8.0s',
      'web#1: SIGKILL after 8.0s of 8.0s: sh (7), app (8)',
      'web#1: ended by SIGKILL: died of SIGKILL after 9.0s, 8.0s after its stop began',
      'ended: killed, exit code 137',
    ]);
    expect(tellHistory(stubborn, ALL).task).toMatchObject({
      name: 'shop',
      exitCode: 137,
      lastedMs: 9030,
      forced: ['web#1'],
      stop: { signal: 'SIGTERM', asks: 1, tookMs: 8030 },
    });
  });

  it('says what each rung had used when the next one began, and what the budget took', () => {
    const hold = rung('web#1', 0, { action: 'wait', signal: null, target: null, pids: [], wait_ms: 2000 });
    const lines = texts(
      story(
        [0, 'init', task],
        [10, 'init', hold],
        [2010, 'init', rung('web#1', 1, { wait_ms: 3000, cut_ms: 5000 })],
      ),
    );
    expect(lines.slice(1)).toEqual([
      'web#1: left to end by itself, waits at most 2.0s',
      'web#1: after 2.0s of 2.0s: SIGTERM to the group (pid 7), waits at most 3.0s, cut by 5.0s to fit the stop budget',
    ]);
  });

  it('tells a rung once that both writers have recorded, and a kill too', () => {
    const kill: RecordBody = { type: 'kill', run: 'web#1', pids: [7] };
    const both = story(
      [0, 'init', task],
      [1, 'init', rung('web#1', 0)],
      [2, 'checkpoint', rung('web#1', 0)],
      [3, 'init', kill],
      [4, 'checkpoint', kill],
    );
    expect(texts(both)).toHaveLength(3);
  });

  it('tells a signal that began a stop once, and any other one by itself', () => {
    const hup: RecordBody = { type: 'signal', signal: 'SIGHUP', pid: 5, uid: 1000 };
    const sent: RecordBody = { type: 'signal', signal: 'SIGHUP', run: 'web#1', target: 'group', pids: [7] };
    const lines = texts(
      story(
        [0, 'init', task],
        [1, 'init', hup],
        [2, 'init', sent],
        [3, 'init', received],
        [4, 'init', asked],
      ),
    );
    expect(lines.slice(1)).toEqual([
      'SIGHUP received from pid 5 (uid 1000)',
      'web#1: SIGHUP to the group',
      'stop: SIGTERM from outside',
    ]);
  });

  it('gives restarts with their cause, and supervisors that were started again', () => {
    const judged: RecordBody = {
      type: 'outcome',
      process: 'web',
      run: 'web#1',
      outcome: 'failed',
      cause: 'oom',
      code: null,
      signal: 'SIGKILL',
      forced: false,
      failures: 1,
      forked_ns: 0n,
      ended_ns: 0n,
    };
    const supervisor: RecordBody = { type: 'supervisor-started', pid: 9, version: '0.1.0' };
    const entries = story(
      [0, 'checkpoint', task],
      [1, 'checkpoint', supervisor],
      [2, 'init', started('web#1', 7)],
      [60, 'checkpoint', supervisor],
      [
        502,
        'init',
        ended('web#1', {
          code: null,
          signal: 'SIGKILL',
          rusage: { user_us: 2000, sys_us: 0, max_rss_kb: 20_480 },
        }),
      ],
      [503, 'checkpoint', judged],
      [504, 'checkpoint', { type: 'backoff', process: 'web', wait_ms: 500, deadline_ns: 0n, failures: 1 }],
    );
    expect(texts(entries).slice(1)).toEqual([
      'web#1: started, pid 7',
      'the supervisor was started again (pid 9)',
      'web#1: failed: killed for lack of memory, died of SIGKILL after 500ms; CPU 2ms, memory at most 20 MB',
      'web: runs again in 500ms (failures: 1)',
    ]);
    expect(tellHistory(entries, ALL).task).toMatchObject({
      supervisorRestarts: 1,
      exitCode: null,
      endedAt: null,
    });
  });

  it('does not blame a log that is kept short for what it no longer has', () => {
    const gap = (missing: number, cause?: string): RecordBody => ({
      type: 'gap',
      missing,
      ...(cause && { cause }),
    });
    const lines = tellHistory(
      story([0, 'init', gap(7, 'compacted')], [1, 'init', gap(2, 'ENOSPC')]),
      ALL,
    ).lines;
    expect(lines.map(({ weight, text }) => `${weight}: ${text}`)).toEqual([
      'plain: 7 older records are not kept any more, so that the log stays short',
      'warn: 2 records are missing here (ENOSPC)',
    ]);
  });

  it('has something to say of every type of record, or has decided to be silent', () => {
    for (const body of sampleBodies) expect(() => texts(story([0, 'init', body]))).not.toThrow();
  });
});

describe('tellHistory filters', () => {
  const entries = story(
    [0, 'init', task],
    [1000, 'init', started('web.1#1', 7)],
    [2000, 'init', started('web.2#1', 8)],
    [3000, 'init', started('web.2#1/pre-stop.1', 9)],
    [4000, 'init', started('webby#1', 10)],
  );
  const named = (name: string) =>
    tellHistory(entries, { ...ALL, names: [name] }).lines.map(({ about }) => about);

  it('takes a process, a replica or a run, with their hooks', () => {
    expect(named('web')).toEqual(['web.1#1', 'web.2#1', 'web.2#1/pre-stop.1']);
    expect(named('web.2')).toEqual(['web.2#1', 'web.2#1/pre-stop.1']);
    expect(named('web.1#1')).toEqual(['web.1#1']);
    expect(named('we')).toEqual([]);
  });

  it('takes a span of time', () => {
    const lines = tellHistory(entries, { ...ALL, sinceMs: DAY_MS + 1500, untilMs: DAY_MS + 3000 }).lines;
    expect(lines.map(({ sinceMs }) => sinceMs)).toEqual([2000, 3000]);
  });
});

describe('renderHistory', () => {
  it('puts what it came to first, then a line for each happening', () => {
    const text = renderHistory(tellHistory(stubborn, ALL), false);
    expect(text.split('\n').slice(0, 7)).toEqual([
      'shop: killed, exit code 137',
      'began 2026-03-04T12:00:00.000Z, lasted 9.0s, 1 run of commands and hooks, gsup 0.1.0; times are UTC',
      'stop at 2026-03-04T12:00:01.000Z: SIGTERM from outside, took 8.0s',
      'needed SIGKILL: web#1',
      '',
      '12:00:00.000     +0ms         began: gsup 0.1.0, pid 1',
      '12:00:00.005     +5ms  web#1  started, pid 7',
    ]);
  });

  it('S64 shows what comes from outside, and does not obey it', () => {
    const evil = 'a\u001b[2J\n\u202eb';
    const entries = story(
      [0, 'init', { ...task, task: evil, version: evil } as RecordBody],
      [1, 'init', { type: 'kill', run: evil, pids: [7], names: [evil] }],
      [2, 'init', { type: 'gap', missing: 1, cause: evil }],
    );
    for (const colour of [true, false]) {
      const text = renderHistory(tellHistory(entries, ALL), colour);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      expect(text.replace(/\u001b\[\d*m/g, '')).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
      expect(text.trimEnd().split('\n')).toHaveLength(7);
    }
  });
});

describe('how often a stop was asked for', () => {
  const byRun = (run: string): RecordBody => ({ ...asked, run }) as RecordBody;
  const asks = (...bodies: readonly RecordBody[]): number | undefined =>
    tellHistory(story([0, 'checkpoint', task], ...bodies.map((body) => [10, 'init', body] as const)), ALL)
      .task.stop?.asks;

  it('S74 what each run says alone is one ask, also when a supervisor that comes writes it down', () => {
    expect(asks(byRun('a#1'), byRun('b#1'))).toBe(1);
    expect(asks(byRun('a#1'), byRun('b#1'), asked)).toBe(1);
    expect(asks(byRun('a#1'), asked, asked)).toBe(2);
    expect(asks(asked, byRun('a#1'), byRun('b#1'))).toBe(1);
    expect(asks(asked, byRun('a#1'), asked)).toBe(2);
  });

  it('tells it once', () => {
    const entries = story([0, 'checkpoint', task], [10, 'init', byRun('a#1')], [11, 'init', byRun('b#1')]);
    expect(texts(entries).filter((text) => text.includes('SIGTERM'))).toEqual(['stop: SIGTERM from outside']);
  });
});
