/**
 * Lanes as SVG text, for a file and for the page alike. Pure, and without Node: it runs in browsers too.
 * All that comes from outside goes through `escapeMarkup`.
 */
import { hasLevels, isHeading, type Levels, levelText, NO_LEVELS, type Row } from './levels.ts';
import type { Lane, RungWindow, Timeline } from './model.ts';

export interface View {
  /** What of the task is shown, in milliseconds since it began. */
  readonly fromMs: number;
  readonly toMs: number;
  /** In pixels: the names, and all of it. */
  readonly namesWidth: number;
  readonly width: number;
  readonly selected: string | null;
}

export const LANE_HEIGHT = 26;
export const AXIS_HEIGHT = 28;
const BAR_TOP = 5;
const BAR_HEIGHT = 16;
/** Less than this is no longer seen. */
const LEAST_WIDTH = 1.5;
const LABEL_ROOM = 46;

const harmful =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[&<>"'\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069]/g;

/** For text and for attributes. What moves a cursor or turns text around becomes visible; a new line stays one. */
export function escapeMarkup(text: string): string {
  return text.replace(harmful, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return '&<>"\'\n'.includes(character) ? `&#${code};` : `\\x${code.toString(16).padStart(2, '0')}`;
  });
}

/** `rows`: those that are seen, the first at `top`. */
export function drawRows(rows: readonly Row[], top: number, timeline: Timeline, view: View): string {
  return rows
    .map((row, at) => {
      const y = top + at * LANE_HEIGHT;
      return isHeading(row) ? drawHeading(row.heading, y, view) : drawLane(row, y, timeline, view);
    })
    .join('');
}

/** A line across everything, and below it what the lanes that follow have in common. */
function drawHeading(text: string, top: number, { width }: View): string {
  const y = top + 3;
  return `<g class="level"><line x1="0" x2="${width}" y1="${y}" y2="${y}"/><text x="8" y="${top + 18}">${escapeMarkup(shortened(text, width))}</text></g>`;
}

function drawLane(lane: Lane, top: number, { lengthMs, levels }: Timeline, view: View): string {
  const y = top + BAR_TOP;
  const endMs = lane.endMs ?? lengthMs;
  const parts = [
    rect(view, lane.startMs, endMs, y, BAR_HEIGHT, `bar ${kindOf(lane)}`),
    lane.leaderEndMs === null ? '' : rect(view, lane.leaderEndMs, endMs, y, BAR_HEIGHT, 'left'),
    ...lane.rungs.map((rung) => drawRung(rung, endMs, y, view)),
    lane.readyMs === null ? '' : readyMark(x(view, lane.readyMs), y),
    ...lane.signals.map(({ atMs }) => tick(view, atMs, y, 'signal')),
    lane.killMs === null ? '' : tick(view, lane.killMs, y, 'kill'),
    endLabel(lane, endMs, y, view),
  ];
  const selected = lane.run === view.selected ? ' selected' : '';
  const name = lane.hook ? `  ${lane.run.slice(lane.run.indexOf('/') + 1)}` : lane.run;
  return `<g class="lane${selected}${lane.hook ? ' hook' : ''}" data-run="${escapeMarkup(lane.run)}"><rect class="row" x="0" y="${top}" width="${view.width}" height="${LANE_HEIGHT}"/><text class="name" x="${lane.hook ? 22 : 8}" y="${y + 12}">${escapeMarkup(shortened(name.trim(), view.namesWidth))}</text><g clip-path="url(#plot)">${parts.join('')}</g><title>${escapeMarkup(describe(lane, levels))}</title></g>`;
}

/** The window that was allowed, and in it what was used. */
function drawRung({ fromMs, untilMs, leftMs }: RungWindow, endMs: number, y: number, view: View): string {
  const allowed = untilMs ?? view.toMs;
  return (
    rect(view, fromMs, allowed, y + BAR_HEIGHT - 5, 5, 'allowed') +
    rect(view, fromMs, leftMs ?? endMs, y + BAR_HEIGHT - 5, 5, 'used')
  );
}

export function x(view: View, ms: number): number {
  const share = (ms - view.fromMs) / (view.toMs - view.fromMs);
  return view.namesWidth + share * (view.width - view.namesWidth);
}

/** Cut at the edges: a browser need not know how long what is not seen is. */
function rect(view: View, fromMs: number, toMs: number, y: number, height: number, kind: string): string {
  const left = Math.max(x(view, fromMs), view.namesWidth - 2);
  const right = Math.min(x(view, toMs), view.width + 2);
  if (right < view.namesWidth || left > view.width || right < left) return '';
  return `<rect class="${kind}" x="${round(left)}" y="${y}" width="${round(Math.max(right - left, LEAST_WIDTH))}" height="${height}"/>`;
}

function tick(view: View, atMs: number, y: number, kind: string): string {
  const at = round(x(view, atMs));
  return isSeen(view, at)
    ? `<line class="${kind}" x1="${at}" x2="${at}" y1="${y - 3}" y2="${y + BAR_HEIGHT + 3}"/>`
    : '';
}

function readyMark(at: number, y: number): string {
  return `<path class="ready" d="M${round(at)} ${y} l5 -4 l-10 0 z"/>`;
}

function endLabel({ end, killMs }: Lane, endMs: number, y: number, view: View): string {
  const at = x(view, endMs);
  if (end === null || !isSeen(view, at)) return '';
  const text = end.signal ?? `${end.code ?? '?'}`;
  const isInside = at + LABEL_ROOM > view.width;
  return `<text class="end${killMs === null ? '' : ' forced'}" x="${round(isInside ? at - 4 : at + 4)}" y="${y + 12}" text-anchor="${isInside ? 'end' : 'start'}">${escapeMarkup(text)}</text>`;
}

function isSeen(view: View, at: number): boolean {
  return at >= view.namesWidth && at <= view.width;
}

export function kindOf({ end, endMs }: Lane): string {
  if (endMs === null) return 'running';
  if (end?.forced) return 'forced';
  return end?.outcome ?? (end?.code === 0 ? 'success' : 'failed');
}

/** The times below, and over all lanes what concerns the whole task. */
export function drawAxis({ stop, budget, supervisorMs }: Timeline, view: View, height: number): string {
  const step = niceStep((view.toMs - view.fromMs) / Math.max(2, (view.width - view.namesWidth) / 90));
  const first = Math.ceil(view.fromMs / step) * step;
  const marks: string[] = [];
  for (let ms = first; ms <= view.toMs && marks.length < 200; ms += step) {
    const at = round(x(view, ms));
    marks.push(
      `<line class="grid" x1="${at}" x2="${at}" y1="${AXIS_HEIGHT}" y2="${height}"/><text class="time" x="${at}" y="18">${timeText(ms, step)}</text>`,
    );
  }
  const across = (ms: number, kind: string, text: string) => {
    const at = round(x(view, ms));
    if (!isSeen(view, at)) return '';
    return `<g class="${kind}"><line x1="${at}" x2="${at}" y1="${AXIS_HEIGHT - 6}" y2="${height}"/><title>${escapeMarkup(text)}</title></g>`;
  };
  return [
    ...marks,
    ...supervisorMs.map((ms) => across(ms, 'supervisor', 'the supervisor was started again')),
    stop === null ? '' : across(stop.atMs, 'stop', `stop: ${stop.why}`),
    budget === null ? '' : across(budget.untilMs, 'budget', 'end of the stop budget'),
  ].join('');
}

/** 1, 2 or 5 times a power of ten; from a minute on what clocks have. */
function niceStep(atLeastMs: number): number {
  const steps = [
    0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 15_000,
    30_000,
  ];
  const minutes = [
    1, 2, 5, 10, 15, 30, 60, 120, 360, 720, 1440, 2880, 7200, 14_400, 43_200, 144_000, 525_600,
  ];
  return [...steps, ...minutes.map((each) => each * 60_000)].find((step) => step >= atLeastMs) ?? atLeastMs;
}

export function timeText(ms: number, precisionMs = 1): string {
  const sign = ms < 0 ? '-' : '';
  const all = Math.abs(ms);
  if (all < 1000 && precisionMs < 1000) return `${sign}${trim(all, precisionMs < 1 ? 2 : 0)}ms`;
  if (all < 60_000) return `${sign}${trim(all / 1000, precisionMs < 1000 ? 3 : 0)}s`;
  const minutes = Math.floor(all / 60_000);
  const seconds = trim((all % 60_000) / 1000, precisionMs < 1000 ? 3 : 0);
  if (minutes < 60) return `${sign}${minutes}m${seconds === '0' ? '' : ` ${seconds}s`}`;
  return `${sign}${Math.floor(minutes / 60)}h${minutes % 60 === 0 ? '' : ` ${minutes % 60}m`}`;
}

function trim(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)));
}

/** What is told of a lane, a line each. */
export function describe(lane: Lane, levels: Levels = NO_LEVELS): string {
  const { run, pid, startMs, readyMs, leaderEndMs, endMs, rungs, signals, killMs, end } = lane;
  return [
    `${run}${pid === null ? '' : `, pid ${pid}`}`,
    ...(hasLevels(levels) ? [levelText(lane.level, levels)] : []),
    `started at ${timeText(startMs)}`,
    ...(readyMs === null ? [] : [`ready after ${timeText(readyMs - startMs)}`]),
    ...rungs.map(rungText),
    ...(signals.length === 0
      ? []
      : [`signals sent: ${[...new Set(signals.map(({ name }) => name))].join(', ')}`]),
    ...(leaderEndMs === null ? [] : [`command ended at ${timeText(leaderEndMs)}, its tree lived on`]),
    ...(killMs === null ? [] : [`SIGKILL at ${timeText(killMs)}`]),
    ...(endMs === null
      ? ['not ended, as far as the log tells']
      : [`ended at ${timeText(endMs)}${endText(end)}`]),
    ...(end === null ? [] : [usageText(end.rusage)]),
  ].join('\n');
}

function rungText({ label, fromMs, untilMs, leftMs, cutMs }: RungWindow): string {
  const allowed = untilMs === null ? 'no limit' : timeText(untilMs - fromMs);
  const cut = cutMs > 0 ? `, cut by ${timeText(cutMs)}` : '';
  if (leftMs === null) return `${label}: since ${timeText(fromMs)}, it may last ${allowed}${cut}`;
  return `${label}: used ${timeText(leftMs - fromMs)} of ${allowed}${cut}`;
}

function endText(end: Lane['end']): string {
  if (end === null) return '';
  const how = end.signal === null ? `exit code ${end.code ?? 'unknown'}` : `died of ${end.signal}`;
  return `: ${how}${end.outcome === null ? '' : `, ${end.outcome}`}${end.cause === 'oom' ? ' (out of memory)' : ''}`;
}

function usageText({ user_us, sys_us, max_rss_kb }: NonNullable<Lane['end']>['rusage']): string {
  return `CPU ${timeText((user_us + sys_us) / 1000)}, memory at most ${Math.round(max_rss_kb / 1024)} MB`;
}

/** Some 7 pixels a character. */
function shortened(text: string, width: number): string {
  const room = Math.max(4, Math.floor((width - 16) / 7));
  return text.length <= room ? text : `${text.slice(0, room - 1)}…`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
