import { describe, expect, it } from 'vitest';
import type { HistoryLine } from '../../src/report/history.ts';
import { foldHistory } from '../../src/report/history-fold.ts';

function line(about: string | null, type: string, text: string, sinceMs: number): HistoryLine {
  const at = new Date(1_770_000_000_000 + sinceMs).toISOString();
  return { at, monoNs: BigInt(sinceMs), sinceMs, about, weight: 'warn', text, type };
}

/** A run of a crash loop, as it is told. */
function crash(n: number, { code = 3, livedMs = 5, process = 'web' } = {}): HistoryLine[] {
  const at = n * 1000;
  return [
    line(`${process}#${n}`, 'run-started', `started, pid ${n + 100}`, at),
    line(`${process}#${n}`, 'run-ended', `failed: exit code ${code} after ${livedMs}ms`, at + livedMs),
    line(process, 'backoff', `runs again in 1m ${n}s (failures: ${n})`, at + livedMs),
  ];
}

const loop = (count: number) => Array.from({ length: count }, (_, i) => crash(i + 1)).flat();
const textsOf = (lines: readonly HistoryLine[]) =>
  foldHistory(lines).map(({ about, text }) => `${about}: ${text}`);

describe('foldHistory', () => {
  it('tells 1,000 restarts as the first, the last, and a line between', () => {
    expect(textsOf([...loop(1000), line(null, 'task-state', 'ended', 2_000_000)])).toEqual([
      'web#1: started, pid 101',
      'web#1: failed: exit code 3 after 5ms',
      'web: runs again in 1m 1s (failures: 1)',
      'web: 998 more runs like that until 02:56:39.005: web#2 to web#999, each after 5ms',
      'web#1000: started, pid 1100',
      'web#1000: failed: exit code 3 after 5ms',
      'web: runs again in 1m 1000s (failures: 1000)',
      'null: ended',
    ]);
  });

  it('leaves what happened meanwhile where it was, and folds each process for itself', () => {
    const lines = [...loop(9), ...crash(4, { process: 'db' })].sort(
      (one, other) => one.sinceMs - other.sinceMs,
    );
    const told = textsOf(lines);
    expect(told.filter((text) => text.startsWith('db'))).toHaveLength(3);
    expect(told.filter((text) => text.includes('like that'))).toEqual([
      expect.stringMatching(/^web: 7 more runs/),
    ]);
  });

  it('does not fold what went otherwise: another exit code, a stop, a run that has not ended, a gap in their numbers', () => {
    const other = Array.from({ length: 9 }, (_, i) => crash(i + 1, { code: i + 1 })).flat();
    expect(foldHistory(other)).toEqual(other);
    const stopped = [
      ...crash(1),
      ...crash(2),
      line('web#3', 'rung', 'SIGTERM', 3000),
      ...crash(3),
      ...crash(4),
      ...crash(5),
    ];
    expect(foldHistory(stopped)).toEqual(stopped);
    const gap = [...crash(1), ...crash(2), ...crash(3), ...crash(7), ...crash(8), ...crash(9)];
    expect(foldHistory(gap)).toEqual(gap);
    const running = loop(5).filter(({ type }) => type === 'run-started');
    expect(foldHistory(running)).toEqual(running);
  });

  it('tells a few as they are', () => {
    expect(foldHistory(loop(4))).toEqual(loop(4));
    expect(foldHistory(loop(5))).toHaveLength(7);
  });

  it('says between which times they lived', () => {
    const lines = Array.from({ length: 6 }, (_, i) => crash(i + 1, { livedMs: 10 * (i + 1) })).flat();
    expect(textsOf(lines)[3]).toContain('web#2 to web#5, each after 20ms to 50ms');
  });
});
