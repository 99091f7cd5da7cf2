/** The page's script: which part of the timeline is seen, and by what it is moved. Runs in a browser. */
/// <reference lib="dom" />
import { AXIS_HEIGHT, describe, drawAxis, drawRows, kindOf, LANE_HEIGHT, type View } from './draw.ts';
import { follow } from './follow.ts';
import { isHeading, type Row, rowsOf } from './levels.ts';
import { type News, type Source, withNews } from './live.ts';
import { type Lane, NOTHING, type Timeline } from './model.ts';
import { drawnMs, headline, wholeView } from './svg.ts';

const NAMESPACE = 'http://www.w3.org/2000/svg';
const ZOOM = 1.6;
const STEP = 0.15;
/** A hundredth of a millisecond across the whole width is finer than any record. */
const LEAST_SPAN_MS = 0.01;

/** The clock of a task that goes on. Bars grow that often; what happens is drawn when it does. */
const TICK_MS = 250;
const NONE: Timeline = { ...NOTHING, task: '', state: '', supervisorMs: [], lanes: [] };

const data = byId('data').textContent ?? '';
let timeline: Timeline = data === '' ? NONE : JSON.parse(data);
const scroll = byId('scroll');
const search = byId('search') as HTMLInputElement;
const svg = document.createElementNS(NAMESPACE, 'svg');
const spacer = document.createElement('div');
scroll.append(svg, spacer);

let view = wholeView(timeline, scroll.clientWidth);
/** What is found, without headings and with them. */
let lanes: readonly Lane[] = [];
let rows: readonly Row[] = [];
let isDrawn = true;

function byId(id: string): HTMLElement {
  return document.getElementById(id) as HTMLElement;
}

/** Once a frame, however much has happened. Only the lanes that are seen are drawn. */
function redraw(): void {
  if (!isDrawn) return;
  isDrawn = false;
  requestAnimationFrame(() => {
    isDrawn = true;
    draw(scroll.clientHeight);
  });
}

function draw(height: number, scrolled = scroll.scrollTop): void {
  const first = Math.floor(scrolled / LANE_HEIGHT);
  const shown = rows.slice(first, first + Math.ceil((height - AXIS_HEIGHT) / LANE_HEIGHT) + 1);
  const top = AXIS_HEIGHT - (scrolled % LANE_HEIGHT);
  svg.setAttribute('width', String(view.width));
  svg.setAttribute('height', String(height));
  const clips = `<defs><clipPath id="plot"><rect x="${view.namesWidth}" y="0" width="${view.width}" height="${height}"/></clipPath><clipPath id="body"><rect x="0" y="${AXIS_HEIGHT}" width="${view.width}" height="${height}"/></clipPath></defs>`;
  svg.innerHTML = `${clips}${drawAxis(timeline, view, height)}<g clip-path="url(#body)">${drawRows(shown, top, timeline, view)}</g>`;
  spacer.style.height = `${Math.max(0, AXIS_HEIGHT + rows.length * LANE_HEIGHT - height)}px`;
}

function change(next: Partial<View>): void {
  view = { ...view, ...next };
  redraw();
}

/** Around a place between 0 and 1. */
function zoom(factor: number, at = 0.5): void {
  const span = view.toMs - view.fromMs;
  const whole = wholeView(timeline, view.width);
  const next = Math.min(Math.max(span / factor, LEAST_SPAN_MS), whole.toMs - whole.fromMs);
  show(view.fromMs + (span - next) * at, next);
}

/** Never beyond the ends. */
function show(fromMs: number, spanMs: number): void {
  const whole = wholeView(timeline, view.width);
  const from = Math.max(whole.fromMs, Math.min(fromMs, whole.toMs - spanMs));
  change({ fromMs: from, toMs: from + spanMs });
}

function move(share: number): void {
  const span = view.toMs - view.fromMs;
  show(view.fromMs + span * share, span);
}

function select(run: string | null): void {
  const lane = lanes.find((each) => each.run === run);
  byId('told').textContent = lane === undefined ? '' : describe(lane, timeline.levels);
  change({ selected: lane?.run ?? null });
}

function selectBy(step: number): void {
  const at = lanes.findIndex(({ run }) => run === view.selected);
  const next = at < 0 ? 0 : Math.min(lanes.length - 1, Math.max(0, at + step));
  const lane = lanes[next];
  if (lane === undefined) return;
  const top = rows.indexOf(lane) * LANE_HEIGHT;
  const room = scroll.clientHeight - AXIS_HEIGHT - LANE_HEIGHT;
  if (top < scroll.scrollTop) scroll.scrollTop = top;
  if (top > scroll.scrollTop + room) scroll.scrollTop = top - room;
  select(lane.run);
}

/** Each word must be in the run's name, or be what became of it. */
function filter(): void {
  findLanes();
  scroll.scrollTop = 0;
  redraw();
}

function findLanes(): void {
  const words = search.value
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  const fits = (lane: Lane) =>
    words.every((word) => lane.run.toLowerCase().includes(word) || kindOf(lane) === word);
  rows = rowsOf(timeline.lanes.filter(fits), timeline.levels);
  lanes = rows.filter((row): row is Lane => !isHeading(row));
  byId('found').textContent = words.length === 0 ? '' : `${lanes.length} of ${timeline.lanes.length} runs`;
}

function toStop(): void {
  const atMs = timeline.stop?.atMs ?? timeline.lanes.find(({ rungs }) => rungs.length > 0)?.rungs[0]?.fromMs;
  if (atMs === undefined) return;
  const span = Math.max((drawnMs(timeline) - atMs) * 1.2, 1);
  show(atMs - span * 0.08, span);
}

const KEYS: Record<string, () => void> = {
  ArrowLeft: () => move(-STEP),
  ArrowRight: () => move(STEP),
  ArrowUp: () => selectBy(-1),
  ArrowDown: () => selectBy(1),
  '+': () => zoom(ZOOM),
  '=': () => zoom(ZOOM),
  '-': () => zoom(1 / ZOOM),
  '0': () => change(wholeView(timeline, view.width)),
  '/': () => search.focus(),
  Escape: () => select(null),
};

addEventListener('keydown', (event) => {
  if (event.target === search && event.key !== 'Escape') return;
  const act = event.ctrlKey || event.metaKey || event.altKey ? undefined : KEYS[event.key];
  if (act === undefined) return;
  if (event.target === search) scroll.focus();
  event.preventDefault();
  act();
});

function placeOf(event: MouseEvent): number {
  return (
    (event.clientX - scroll.getBoundingClientRect().left - view.namesWidth) / (view.width - view.namesWidth)
  );
}

scroll.addEventListener(
  'wheel',
  (event) => {
    if (!event.ctrlKey && !event.shiftKey && Math.abs(event.deltaX) <= Math.abs(event.deltaY)) return;
    event.preventDefault();
    if (event.ctrlKey) zoom(event.deltaY < 0 ? ZOOM : 1 / ZOOM, Math.min(1, Math.max(0, placeOf(event))));
    else move((event.deltaX || event.deltaY) / view.width);
  },
  { passive: false },
);

let dragged: { x: number; fromMs: number } | null = null;
scroll.addEventListener('pointerdown', (event) => {
  if (event.button !== 0) return;
  dragged = { x: event.clientX, fromMs: view.fromMs };
});
addEventListener('pointermove', (event) => {
  if (dragged === null) return;
  const span = view.toMs - view.fromMs;
  show(dragged.fromMs - ((event.clientX - dragged.x) / (view.width - view.namesWidth)) * span, span);
});
addEventListener('pointerup', () => {
  dragged = null;
});
const runAt = (event: Event) =>
  (event.target as Element).closest?.('.lane')?.getAttribute('data-run') ?? null;
scroll.addEventListener('click', (event) => select(runAt(event)));
scroll.addEventListener('mouseover', (event) => {
  const lane = lanes.find(({ run }) => run === runAt(event));
  if (lane !== undefined && view.selected === null)
    byId('told').textContent = describe(lane, timeline.levels);
});

byId('in').addEventListener('click', () => zoom(ZOOM));
byId('out').addEventListener('click', () => zoom(1 / ZOOM));
byId('all').addEventListener('click', () => change(wholeView(timeline, view.width)));
byId('to-stop').addEventListener('click', toStop);
search.addEventListener('input', filter);
scroll.addEventListener('scroll', redraw);
new ResizeObserver(() => change({ width: scroll.clientWidth })).observe(scroll);
addEventListener('beforeprint', () => draw(AXIS_HEIGHT + rows.length * LANE_HEIGHT, 0));
addEventListener('afterprint', redraw);
findLanes();
draw(scroll.clientHeight);

/** Who looks at all of it, or at its end, goes on doing so; who looks at what is past is left there. */
function become(next: Timeline): void {
  const before = wholeView(timeline, view.width);
  const whole = wholeView(next, view.width);
  const isAtEnd = view.toMs >= before.toMs - (before.toMs - before.fromMs) / 1000;
  const isAll = isAtEnd && view.fromMs <= before.fromMs;
  timeline = next;
  const moved = isAtEnd ? whole.toMs - view.toMs : 0;
  const fromMs = isAll ? whole.fromMs : view.fromMs + moved;
  change({ namesWidth: whole.namesWidth, fromMs, toMs: view.toMs + moved });
}

let ticking: { readonly nowMs: number; readonly since: number } | null = null;

function hear(news: News): void {
  const { source, nowMs } = news;
  ticking = nowMs === null ? null : { nowMs, since: performance.now() };
  become(withAge(withNews(timeline, news)));
  findLanes();
  byId('task').textContent = timeline.task;
  document.title = `gsup: ${timeline.task}`;
  say(source, SOURCES[source]);
  tellSelected();
}

const SOURCES: Record<Source, string> = {
  live: 'live',
  alone: 'live, without its supervisor: that does not answer, and comes back',
  ended: 'the task has ended',
  file: '',
};

function say(kind: Source | 'cut', text: string): void {
  byId('source').className = kind;
  byId('source').textContent = text;
  byId('headline').textContent = timeline === NONE ? '' : headline(inSeconds(timeline));
}

/** What moves all the time is not read to the millisecond. */
function inSeconds(told: Timeline): Timeline {
  return ticking === null ? told : { ...told, lengthMs: Math.floor(told.lengthMs / 1000) * 1000 };
}

function withAge(told: Timeline): Timeline {
  if (ticking === null) return told;
  const ageMs = ticking.nowMs + performance.now() - ticking.since;
  return { ...told, lengthMs: Math.max(told.lengthMs, ageMs) };
}

function tellSelected(): void {
  const lane = timeline.lanes.find(({ run }) => run === view.selected);
  if (lane !== undefined) byId('told').textContent = describe(lane, timeline.levels);
}

const REFUSED =
  'This page needs the address that gsup timeline --serve has printed, with all of what stands behind its #.';

if (data === '') {
  setInterval(() => {
    if (ticking === null || document.hidden) return;
    become(withAge(timeline));
    byId('headline').textContent = headline(inSeconds(timeline));
  }, TICK_MS);
  follow({
    news: hear,
    cut(refused) {
      ticking = null;
      const kept = timeline === NONE ? '' : '; what is shown is what it told last';
      say('cut', refused ? REFUSED : `gsup timeline --serve does not answer${kept}`);
    },
  });
}
