import { expect, test } from 'vitest';
import { blankRun } from '../../src/host/blank-run.ts';
import { createFactWriter } from '../../src/host/portable-facts.ts';
import type { RunSnapshot } from '../../src/supervisor/vocabulary.ts';

test('createFactWriter tells each fact of a run once, in its order', () => {
  const records: { type: string }[] = [];
  const write = createFactWriter((record) => records.push(record));
  const tell = (change: Partial<RunSnapshot>): void => {
    run = { ...run, ...change };
    write({ kind: 'run', run });
    write({ kind: 'run', run });
  };
  let run: RunSnapshot = blankRun(3, 'web#1');
  tell({});
  tell({ phase: 'running', pid: 70, startedNs: 5n });
  tell({ phase: 'stopping', rung: 0 });
  tell({ leaderExited: true, code: 3, stragglerPids: [71] });
  tell({ phase: 'killing', forced: true });
  tell({ phase: 'ended', stragglerPids: [] });
  const rusage = { user_us: 0, sys_us: 0, max_rss_kb: 0 };
  expect(records).toEqual([
    { type: 'run-started', run: 'web#1', pid: 70, start_ticks: 0 },
    { type: 'leader-exited', run: 'web#1', pid: 70, code: 3, signal: null, rusage },
    { type: 'stragglers', run: 'web#1', pids: [71] },
    { type: 'run-ended', run: 'web#1', code: 3, signal: null, forced: true, rusage },
  ]);
});

test('createFactWriter says why a start has failed, and which signals came', () => {
  const records: { type: string }[] = [];
  const write = createFactWriter((record) => records.push(record));
  const asks = { count: 1, signal: 15, pid: 0, uid: 0, firstNs: 1n };
  write({ kind: 'asks', asks: { ...asks, count: 0 } });
  write({ kind: 'asks', asks });
  write({ kind: 'asks', asks });
  write({
    kind: 'run',
    run: { ...blankRun(3, 'web#1'), phase: 'ended', startFailure: { stage: 'exec', errno: 2 } },
  });
  expect(records).toMatchObject([
    { type: 'signal', signal: 'SIGTERM', pid: 0, uid: 0 },
    { type: 'run-ended', run: 'web#1', code: null, stage: 'exec', errno: 2 },
  ]);
});
