import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { type Notice, SAID_BY_INIT } from '../../src/report/notice.ts';
import { createReporter, type ReporterOptions } from '../../src/report/reporter.ts';
import type { StopReport } from '../../src/supervisor/happening.ts';

const dirs: string[] = [];
afterEach(() => {
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true });
});

/** What stands on stderr after all of it was said. */
async function said(notices: readonly Notice[], options: Partial<ReporterOptions> = {}): Promise<string[]> {
  const dir = mkdtempSync(join(tmpdir(), 'gsup-report-'));
  dirs.push(dir);
  const fd = openSync(join(dir, 'stderr'), 'w');
  const reporter = createReporter({ fd, format: 'text', level: 'info', colour: false, ...options });
  for (const notice of notices) reporter.say(notice);
  await reporter.close();
  closeSync(fd);
  return readFileSync(join(dir, 'stderr'), 'utf8').split('\n').slice(0, -1);
}

const killed: Notice = { kind: 'killed', run: 'web#1', pids: [7, 8] };
const restart: Notice = { kind: 'restart', process: 'web', waitMs: 500, failures: 2 };
const summary: Extract<Notice, { kind: 'stop-summary' }> = {
  kind: 'stop-summary',
  exitCode: 137,
  processes: [
    {
      process: 'web',
      run: 'web#1',
      tookMs: 8234,
      outcome: 'killed',
      code: null,
      signal: 'SIGKILL',
      forced: true,
      reason: 'outlived',
      rungs: 1,
      waits: 'grace',
      cutMs: 0,
      stuck: false,
    },
    {
      process: 'db',
      run: 'db#2',
      tookMs: 420,
      outcome: 'killed',
      code: 0,
      signal: null,
      forced: false,
      reason: null,
      rungs: 1,
      waits: 'grace',
      cutMs: 1500,
      stuck: false,
    },
  ],
};

test('one happening is one line of text', async () => {
  expect(await said([killed, restart])).toEqual([
    'gsup: web#1: SIGKILL for what ignored termination: pid 7, 8',
    'gsup: web: runs again in 500ms (failures: 2)',
  ]);
});

test('the same happening in JSON has the sentence and the map, and the members of init lines', async () => {
  const [line = ''] = await said(
    [{ kind: 'grace-nearly-over', run: 'web#1', leftMs: 1600, next: 'SIGKILL' }],
    {
      format: 'json',
    },
  );
  const { time, ...rest } = JSON.parse(line);
  expect(time).toBeGreaterThan(1.7e12);
  expect(rest).toEqual({
    level: 40,
    pid: process.pid,
    name: 'gsup',
    event: 'grace-nearly-over',
    run: 'web#1',
    left_ms: 1600,
    next: 'SIGKILL',
    msg: 'web#1: still running, SIGKILL in 1.6s',
  });
  expect(Object.keys(JSON.parse(line)).slice(0, 4)).toEqual(['level', 'time', 'pid', 'name']);
});

test('lines come in the order in which they were said, in JSON too', async () => {
  const lines = await said([killed, restart, summary], { format: 'json' });
  expect(lines.map((line) => JSON.parse(line).event)).toEqual(['killed', 'restart', 'stop-summary']);
});

test('what is below the level is not said', async () => {
  expect(await said([killed, restart], { level: 'warn' })).toHaveLength(1);
  expect(await said([killed, restart], { level: 'warn', format: 'json' })).toHaveLength(1);
  expect(await said([killed, restart], { level: 'error' })).toEqual([]);
});

test('what init says is not said twice', async () => {
  expect(await said([killed, restart], { omit: SAID_BY_INIT })).toEqual([
    'gsup: web: runs again in 500ms (failures: 2)',
  ]);
});

test('warnings have a colour where there is a terminal', async () => {
  expect(await said([killed], { colour: true })).toEqual([
    'gsup: \x1b[33mweb#1: SIGKILL for what ignored termination: pid 7, 8\x1b[0m',
  ]);
});

test('a line that repeats is said once, then counted', async () => {
  const lines = await said(Array.from({ length: 99 }, (_, i) => (i % 2 === 0 ? killed : restart)));
  expect(lines).toEqual([
    'gsup: web#1: SIGKILL for what ignored termination: pid 7, 8',
    'gsup: web: runs again in 500ms (failures: 2)',
    'gsup: web#1: SIGKILL for what ignored termination: pid 7, 8 (10 times)',
    'gsup: web: runs again in 500ms (failures: 2) (10 times)',
  ]);
});

test('a crash loop is said once, then counted, although its numbers differ', async () => {
  const rounds = Array.from({ length: 10 }, (_, n): Notice[] => [
    { kind: 'run-ended', run: `web#${n + 1}`, outcome: 'failed', cause: 'exit', code: 1, signal: null },
    { kind: 'restart', process: 'web', waitMs: 400 + n, failures: n },
  ]);
  const other: Notice = {
    kind: 'run-ended',
    run: 'web#11',
    outcome: 'failed',
    cause: 'exit',
    code: 2,
    signal: null,
  };
  expect(await said([...rounds.flat(), other])).toEqual([
    'gsup: web#1: failed (exit code 1)',
    'gsup: web: runs again in 400ms',
    'gsup: web#10: failed (exit code 1) (10 times)',
    'gsup: web: runs again in 409ms (failures: 9) (10 times)',
    'gsup: web#11: failed (exit code 2)',
  ]);
});

test('the summary of a stop says how long each took, who needed SIGKILL and why, and what would avoid it', async () => {
  expect(await said([summary])).toEqual([
    'gsup: stopped, exit code 137: web#1 took 8.2s (ended by SIGKILL, needed SIGKILL because something in it outlived ' +
      'the last rung: a longer --grace, or a --stop-signal that it heeds, avoids that); db#2 took 420ms (code 0, its wait ' +
      'was cut by 1.5s)',
  ]);
});

test.each<[string, Partial<StopReport>, string]>([
  [
    'the stop budget where it cut the wait',
    { reason: 'budget', cutMs: 2500 },
    'the stop budget cut its wait by 2.5s: a longer --stop-budget avoids that',
  ],
  [
    'the stop budget where it ended a wait of forever',
    { reason: 'budget' },
    'the stop budget ended its wait: a longer --stop-budget',
  ],
  [
    'whoever asked again, and no setting',
    { reason: 'asked-again' },
    'because a stop was asked for again before its wait was over: to ask once leaves it its time)',
  ],
  [
    'the wait of the rung where rungs were given',
    { waits: 'rung', rungs: 2 },
    'outlived the last rung: a longer wait in rung 2 (--rung), or a signal there that it heeds, avoids that',
  ],
])('the summary blames %s', async (_, change, part) => {
  const processes = summary.processes.slice(0, 1).map((report) => ({ ...report, ...change }));
  const [line] = await said([{ ...summary, processes }]);
  expect(line).toContain(part);
});

test.each([
  ['SIGKILL', 'asked again, SIGKILL now'],
  ['rung', 'asked again, next rung of the stop now'],
  ['hook', 'asked again, its hook is tried again now'],
] as const)('a second ask says what it brings: %s', async (next, part) => {
  expect(await said([{ kind: 'escalated', run: 'web#1', index: 0, next }])).toEqual([`gsup: web#1: ${part}`]);
});

test.each<[number | null, 'rung' | 'SIGKILL', string]>([
  [7000, 'SIGKILL', 'SIGKILL in at most 7.0s; asked again, SIGKILL at once'],
  [500, 'rung', 'next rung in at most 500ms; asked again, next rung at once'],
  [null, 'SIGKILL', 'without a limit; asked again, SIGKILL at once'],
])(
  'a stop that takes its time says whom it waits for, and for how long: %s, %s',
  async (leftMs, next, part) => {
    const runs = ['web.1#1', 'web.2#4'];
    const waits: Notice = { kind: 'stop-waits', runs, leftMs, next };
    const again: Notice = { ...waits, runs: ['web.1#2', 'web.2#5'] };
    // The same of later runs is counted.
    expect(await said([waits, again])).toEqual([`gsup: waiting for web.1#1, web.2#4, ${part}`]);
  },
);

test('the summary of a large stop begins with what was not graceful, and counts the rest', async () => {
  const [forced, cut] = summary.processes as [StopReport, StopReport];
  const reports = Array.from({ length: 100 }, (_, at): StopReport => {
    const run = `web.${at + 1}#1`;
    return at >= 94 ? { ...forced, run } : { ...cut, run, cutMs: 0, tookMs: at };
  });
  const [line = ''] = await said([{ ...summary, processes: reports }]);
  expect(line).toMatch(
    /^gsup: stopped, exit code 137: web\.95#1 took 8\.2s, web\.96#1 took 8\.2s, .*web\.100#1 took 8\.2s \(ended by SIGKILL, needed/,
  );
  expect(line.match(/needed SIGKILL/g)).toHaveLength(1);
  expect(line).toMatch(/\); 94 ended by themselves or in time, web\.94#1 the longest with 93ms$/);
});

test('S64 a name with control characters does no harm in text or JSON', async () => {
  const evil: Notice = { kind: 'lost', run: 'a\x1b[2J\nb#1' };
  expect(await said([evil])).toEqual(['gsup: a\\x1b[2J\\x0ab#1: lost, nobody knows how it ended']);
  const [line = ''] = await said([evil], { format: 'json' });
  expect(JSON.parse(line)).toMatchObject({ run: 'a\\x1b[2J\\x0ab#1' });
});

test.each(['text', 'json'] as const)(
  'S71 a reader of %s that stalls holds nothing up, and gets whole lines',
  async (format) => {
    const dir = mkdtempSync(join(tmpdir(), 'gsup-report-'));
    dirs.push(dir);
    const path = join(dir, 'pipe');
    execFileSync('mkfifo', [path]);
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    // Blocking, as stderr is.
    const fd = openSync(path, constants.O_WRONLY);
    const reporter = createReporter({ fd, format, level: 'info', colour: false });
    for (let n = 0; n < 3000; n++) reporter.say({ kind: 'lost', run: `web${n}#1` });
    await reporter.close();
    closeSync(fd);
    const lines = readFileSync(reader, 'utf8').split('\n');
    closeSync(reader);
    expect(lines.length).toBeGreaterThan(100);
    expect(lines.length).toBeLessThan(3000);
    expect(lines.pop()).toBe('');
    for (const line of lines) expect(line).toMatch(/web\d+#1: lost, nobody knows how it ended("\})?$/);
  },
);

test('a descriptor that takes nothing harms nobody', async () => {
  const reporter = createReporter({ fd: 9999, format: 'text', level: 'info', colour: false });
  reporter.say(killed);
  await reporter.close();
});

const notStarted = { kind: 'start-failed', run: 'a#1', command: 'node', cwd: null } as const;

test.each<[string, Notice, string]>([
  [
    'a failed start',
    { kind: 'start-failed', run: 'a#1', command: 'node', cwd: null, stage: 'exec', errno: 2 },
    'a#1: cannot start "node": no such file or directory (ENOENT)',
  ],
  [
    'the end of a run',
    { kind: 'run-ended', run: 'a#1', outcome: 'failed', cause: 'signal', code: null, signal: 'SIGSEGV' },
    'a#1: failed (died of SIGSEGV)',
  ],
  [
    'the OOM killer',
    { kind: 'run-ended', run: 'a#1', outcome: 'failed', cause: 'oom', code: null, signal: 'SIGKILL' },
    'a#1: killed for lack of memory (died of SIGKILL)',
  ],
  [
    'a slow start',
    { kind: 'start-failed', run: 'a#1', command: 'node', cwd: null, stage: 'timeout', errno: 0 },
    'it took longer than --start-timeout',
  ],
  ['a stop', { kind: 'stop-begun', cause: 'signal', signal: 15, pid: 0 }, 'stop: SIGTERM from outside'],
  [
    'a torn log',
    { kind: 'log', log: 'checkpoint.log', news: { kind: 'torn', bytes: 9, copy: null } },
    'a torn last line of 9 bytes',
  ],
  [
    'a full disk',
    { kind: 'log', log: 'checkpoint.log', news: { kind: 'failing', code: 'ENOSPC' } },
    'no space left on device',
  ],
  [
    'a request that failed',
    { kind: 'hook-failed', run: 'a#1', hook: 'a#1/http-post.1', code: null, detail: 'status 503' },
    'a#1: hook http-post failed (status 503), going on',
  ],
  [
    'an unknown user',
    { ...notStarted, user: 'nosuch', stage: 'user', errno: 2 },
    'a#1: cannot start "node": user "nosuch": there is no such user in /etc/passwd',
  ],
  [
    'a user that gsup may not become',
    { ...notStarted, user: 'www', stage: 'user', errno: 1 },
    'user "www": operation not permitted (EPERM)',
  ],
  [
    'an unknown group',
    { ...notStarted, group: 'no', stage: 'user', errno: 2 },
    'group "no": there is no such group in /etc/group',
  ],
  ['a bug', { kind: 'internal-error', error: 'TypeError: x' }, 'internal error: TypeError: x'],
])('%s is worded with its cause', async (_, notice, part) => {
  const [line] = await said([notice]);
  expect(line).toContain(part);
});
