import { describe, expect, it } from 'vitest';
import { type RecordBody, stampRecord } from '../../src/checkpoint/record.ts';
import { describe as describeLane } from '../../src/report/timeline/draw.ts';
import { renderHtml } from '../../src/report/timeline/html.ts';
import { isHeading, levelText, rowsOf } from '../../src/report/timeline/levels.ts';
import { type Known, newsSince } from '../../src/report/timeline/live.ts';
import { buildTimeline, createTimelineBook, type Timeline } from '../../src/report/timeline/model.ts';
import { renderSvg } from '../../src/report/timeline/svg.ts';

const task = (levels: object): RecordBody => ({
  type: 'task',
  task: 'shop',
  version: '0.1.0',
  config_digest: 'd',
  boot_id: 'b',
  pid_ns: 1,
  pid: 1,
  ...levels,
});
const config = (levels: object): RecordBody => ({ type: 'config', config_digest: 'e', ...levels });
const started = (run: string): RecordBody => ({ type: 'run-started', run, pid: 7, start_ticks: 1 });
const record = (body: RecordBody, i: number) =>
  stampRecord(body, i + 1, { at: new Date(i).toISOString(), mono_ns: BigInt(i) * 1_000_000n });
const timelineOf = (...bodies: RecordBody[]): Timeline => buildTimeline(bodies.map(record));
const rows = ({ lanes, levels }: Timeline) =>
  rowsOf(lanes, levels).map((row) => (isHeading(row) ? `-- ${row.heading}` : row.run));

const LEVELS = { stop_levels: ['proxy', 'web', 'db cache'], final_levels: ['sign_off', 'upload'] };
const SHOP = ['cache#1', 'db#1', 'web.1#1', 'web.2#1', 'proxy#1', 'proxy#1/pre-stop.1', 'upload#1'];

describe('dependency levels in a timeline', () => {
  it('stand one below the other: what stops last at the top, finals at the end; replicas and hooks with their entry', () => {
    expect(rows(timelineOf(task(LEVELS), ...SHOP.map(started), started('sign_off#1')))).toEqual([
      '-- stop level 3 of 3: stops last',
      'cache#1',
      'db#1',
      '-- stop level 2 of 3',
      'web.1#1',
      'web.2#1',
      '-- stop level 1 of 3: stops first',
      'proxy#1',
      'proxy#1/pre-stop.1',
      '-- final 2 of 2: runs when all others have ended',
      'upload#1',
      '-- final 1 of 2: runs when all others have ended',
      'sign_off#1',
    ]);
  });

  it('an entry whose name ends like that of a replica is itself', () => {
    const timeline = timelineOf(
      task({ stop_levels: ['web', 'web.2'] }),
      started('web.2#1'),
      started('web.1#1'),
    );
    expect(timeline.lanes.map(({ level }) => level)).toEqual([2, 1]);
  });

  it('are those of the config in force, also for runs of before, and what has left it says so', () => {
    const timeline = timelineOf(
      task({ stop_levels: ['web', 'db'] }),
      started('db#1'),
      started('web#1'),
      config({ stop_levels: ['api', 'db', 'disk'] }),
      started('api#1'),
    );
    expect(rows(timeline)).toEqual([
      '-- stop level 2 of 3',
      'db#1',
      '-- stop level 1 of 3: stops first',
      'api#1',
      '-- not in the config any more',
      'web#1',
    ]);
  });

  it('a config that is told without them, as by an older gsup, leaves them as they were', () => {
    const told = [task({ stop_levels: ['web', 'db'] }), started('db#1'), config({})];
    expect(timelineOf(...told).levels).toEqual({ stop: 2, final: 0 });
  });

  it.each([
    ['a log that tells nothing of levels', task({})],
    ['a single level', task({ stop_levels: ['db cache web proxy upload'] })],
  ])('%s is drawn without them', (_, begin) => {
    const timeline = timelineOf(begin, ...SHOP.map(started));
    expect(rows(timeline)).toEqual(SHOP);
    expect(renderSvg(timeline, '')).not.toContain('level');
    const [lane] = timeline.lanes;
    expect(lane && describeLane(lane, timeline.levels)).not.toContain('level');
  });

  it('are text in an SVG, which has room for them, and in what is told of a lane', () => {
    const timeline = timelineOf(task(LEVELS), ...SHOP.map(started));
    const svg = renderSvg(timeline, '');
    expect(svg.match(/<g class="level">/g)).toHaveLength(4);
    expect(svg).toContain('>stop level 1 of 3: stops first</text>');
    const bottom = Math.max(...[...svg.matchAll(/class="row" x="0" y="(\d+)"/g)].map(([, y]) => Number(y)));
    expect(Number(/<svg [^>]* height="(\d+)"/.exec(svg)?.[1]) - 26).toBeGreaterThanOrEqual(bottom + 26);
    const [lane] = timeline.lanes;
    expect(lane && describeLane(lane, timeline.levels).split('\n')[1]).toBe('stop level 3 of 3: stops last');
  });

  it('S64 a name among them is no markup, and none is a trap', () => {
    const evil = '<script>alert(1)<!--';
    const timeline = timelineOf(
      task({ stop_levels: [`__proto__ ${evil}`, 'constructor'] }),
      started('__proto__#1'),
      started('constructor#1'),
      started(`${evil}#1`),
    );
    expect(timeline.lanes.map(({ level }) => level)).toEqual([1, 2, 1]);
    const html = renderHtml(timeline, { script: '', style: '', pageStyle: '' });
    expect(html.match(/<script/g)).toHaveLength(2);
    expect(renderSvg(timeline, '')).not.toContain('<script');
  });

  it.each([
    [1, { stop: 1, final: 1 }, 'stop level 1 of 1'],
    [2, { stop: 1, final: 1 }, 'final: runs when all others have ended'],
    [null, { stop: 2, final: 0 }, 'not in the config any more'],
  ])('level %s of %o is called "%s"', (level, levels, text) => expect(levelText(level, levels)).toBe(text));
});

describe('news of levels', () => {
  it('are of the lanes that have another one now, and of no others', () => {
    const book = createTimelineBook();
    const told = [task({ stop_levels: ['web', 'db'] }), started('db#1'), started('web#1')];
    for (const body of told) book.learn(record(body, told.indexOf(body)));
    const before: Known = { timeline: book.timeline(), source: 'live' };
    book.learn(record(config({ stop_levels: ['web', 'api', 'db'] }), 3));
    const news = newsSince(before, { timeline: book.timeline(), source: 'live' }, 3);
    expect(news).toMatchObject({ whole: false, task: { levels: { stop: 3, final: 0 } } });
    expect(news?.lanes.map(({ run, level }) => `${run} ${level}`)).toEqual(['db#1 3']);
  });
});
