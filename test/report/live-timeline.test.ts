import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type RecordBody, stampRecord } from '../../src/checkpoint/record.ts';
import { type Known, type News, newsSince, withNews } from '../../src/report/timeline/live.ts';
import { buildTimeline, createTimelineBook, type Timeline } from '../../src/report/timeline/model.ts';

const rusage = { user_us: 0, sys_us: 0, max_rss_kb: 0 };
const started = (run: string): RecordBody => ({ type: 'run-started', run, pid: 7, start_ticks: 1 });
const ended = (run: string): RecordBody => ({
  type: 'run-ended',
  run,
  code: 0,
  signal: null,
  forced: false,
  rusage,
});
const LEVELS = [['b', 'a'], ['a', 'b'], ['a'], ['b a']];
const at = (ms: number) => ({ at: new Date(ms).toISOString(), mono_ns: BigInt(ms) * 1_000_000n });
const record = (body: RecordBody, i: number) => stampRecord(body, i + 1, at(i));

/** Happenings of five runs, in any order, however little sense that makes. */
const bodies = fc.array(
  fc
    .tuple(fc.constantFrom('a#1', 'a#2', 'b#1', 'b#2', 'b#3'), fc.nat(5), fc.constantFrom(...LEVELS))
    .map(([run, kind, stop_levels]): RecordBody => {
      if (kind === 0) return ended(run);
      if (kind === 5) return { type: 'config', config_digest: '0', stop_levels };
      if (kind === 1) return { type: 'kill', run, pids: [7] };
      if (kind === 2) return { type: 'run-ready', process: 'a', run };
      return kind === 3 ? { type: 'task-state', state: 'cleaning', exit_code: null } : started(run);
    }),
  { maxLength: 40 },
);

/** What crosses the wire. */
const sent = (news: News): News => JSON.parse(JSON.stringify(news));

describe('news of a timeline', () => {
  it('make of what is drawn what there is, whenever one looks and however much is left out', () => {
    fc.assert(
      fc.property(bodies, fc.array(fc.boolean()), fc.constantFrom(1, 2, 100), (all, looks, lanesMax) => {
        const book = createTimelineBook(lanesMax);
        let told: Known | null = null;
        let drawn: Timeline | null = null;
        all.forEach((body, i) => {
          book.learn(record(body, i));
          if (looks[i % Math.max(1, looks.length)] === false) return;
          const now: Known = { timeline: book.timeline(), source: 'live' };
          const news = newsSince(told, now, i);
          told = now;
          if (news !== null) drawn = withNews(drawn, sent(news));
          expect(drawn).toEqual(JSON.parse(JSON.stringify(now.timeline)));
        });
      }),
    );
  });

  it('are only of the runs of which there is something', () => {
    const book = createTimelineBook();
    for (let n = 1; n <= 1000; n++) book.learn(record(started(`a#${n}`), n));
    const before: Known = { timeline: book.timeline(), source: 'live' };
    expect(newsSince(before, { timeline: book.timeline(), source: 'live' }, 0)).toBeNull();
    book.learn(record(ended('a#500'), 2000));
    const news = newsSince(before, { timeline: book.timeline(), source: 'live' }, 0);
    expect(news?.lanes.map(({ run }) => run)).toEqual(['a#500']);
    expect(news?.whole).toBe(false);
  });

  it('say which runs are not drawn any more, and tell of the others nothing again', () => {
    const book = createTimelineBook(3);
    for (const n of [1, 2, 3]) book.learn(record(started(`a#${n}`), n));
    for (const n of [1, 2]) book.learn(record(ended(`a#${n}`), n + 3));
    const before: Known = { timeline: book.timeline(), source: 'live' };
    for (const n of [4, 5]) book.learn(record(started(`a#${n}`), n + 3));
    const after: Known = { timeline: book.timeline(), source: 'live' };
    const news = newsSince(before, after, 9);
    expect(news).toMatchObject({ whole: false, gone: ['a#1', 'a#2'] });
    expect(news?.lanes.map(({ run }) => run)).toEqual(['a#4', 'a#5']);
    expect(news && withNews(before.timeline, sent(news))).toEqual(after.timeline);
  });

  it('tell all where a run that was left out comes back: its place is another one', () => {
    const book = createTimelineBook(1);
    for (const body of [started('a#1'), ended('a#1'), started('b#1')]) book.learn(record(body, 1));
    const before: Known = { timeline: book.timeline(), source: 'live' };
    for (const body of [ended('b#1'), ended('a#1')]) book.learn(record(body, 2));
    const news = newsSince(before, { timeline: book.timeline(), source: 'live' }, 9);
    expect(news?.lanes.map(({ run }) => run)).toEqual(['a#1']);
  });

  it('say that nobody tells more, and then no clock goes on', () => {
    const timeline = buildTimeline([record(started('a#1'), 0)]);
    const before: Known = { timeline, source: 'live' };
    expect(newsSince(before, { timeline, source: 'ended' }, 9)).toMatchObject({
      source: 'ended',
      nowMs: null,
    });
    expect(newsSince(null, { timeline, source: 'alone' }, 9)).toMatchObject({ nowMs: 9, whole: true });
  });
});

describe('a timeline that grows for ever', () => {
  it('keeps what lives, leaves out what ended first, and says how many', () => {
    const book = createTimelineBook(3);
    book.learn(record(started('old#1'), 0));
    for (let n = 1; n <= 10; n++)
      for (const body of [started(`a#${n}`), ended(`a#${n}`)]) book.learn(record(body, n));
    const { lanes, leftOut } = book.timeline();
    expect(lanes.map(({ run }) => run)).toEqual(['old#1', 'a#9', 'a#10']);
    expect(leftOut).toBe(8);
  });

  it('is drawn also where the log has hundreds of thousands of records', () => {
    const many = Array.from({ length: 300_000 }, (_, i) => record(started(`a#${i % 5}`), i));
    expect(buildTimeline(many).lengthMs).toBe(299_999);
  });
});
