/** A timeline as one SVG file: everything, without a script. Pure. */
import { AXIS_HEIGHT, drawAxis, drawRows, escapeMarkup, LANE_HEIGHT, timeText, type View } from './draw.ts';
import { rowsOf } from './levels.ts';
import type { Lane, Timeline } from './model.ts';

const WIDTH = 1200;
const NAME_CHARACTERS = 26;
const TITLE_HEIGHT = 26;
/** What is drawn on both sides of the task, as a share of it, so that ends have room for their labels. */
const MARGIN = 0.05;
/** Of the length of a task. Were the end of its budget drawn further away than that, little would be seen of the task. */
const BUDGET_AT_MOST = 1.5;

export function wholeView(timeline: Timeline, width: number): View {
  const lengthMs = drawnMs(timeline);
  const margin = lengthMs * MARGIN;
  const length = ({ run, hook }: Lane) => (hook ? run.length - run.indexOf('/') + 2 : run.length);
  const longest = timeline.lanes.reduce((most, lane) => Math.max(most, length(lane)), 8);
  const namesWidth = Math.min(longest, NAME_CHARACTERS) * 7.3 + 20;
  return { fromMs: -margin, toMs: lengthMs + margin, namesWidth, width, selected: null };
}

/** A stop mostly ends before its budget does. Where that end is not much further, it is seen what was left. */
export function drawnMs({ lengthMs, budget }: Timeline): number {
  const untilMs = budget?.untilMs ?? 0;
  return untilMs <= lengthMs * BUDGET_AT_MOST ? Math.max(lengthMs, untilMs) : lengthMs;
}

export function renderSvg(timeline: Timeline, style: string): string {
  const view = wholeView(timeline, WIDTH);
  const rows = rowsOf(timeline.lanes, timeline.levels);
  const height = AXIS_HEIGHT + rows.length * LANE_HEIGHT + 6;
  const plot = `<clipPath id="plot"><rect x="${view.namesWidth}" y="0" width="${WIDTH}" height="${height}"/></clipPath>`;
  const inner = drawAxis(timeline, view, height) + drawRows(rows, AXIS_HEIGHT, timeline, view);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height + TITLE_HEIGHT}" viewBox="0 ${-TITLE_HEIGHT} ${WIDTH} ${height + TITLE_HEIGHT}"><style>${style}</style><defs>${plot}</defs><text x="8" y="-8">${escapeMarkup(headline(timeline))}</text>${inner}</svg>\n`;
}

export function headline(timeline: Timeline): string {
  const { task, state, exitCode, beganAt, lengthMs, lanes, leftOut, budget } = timeline;
  const how = exitCode === null ? state : `${state}, exit code ${exitCode}`;
  const missing = leftOut > 0 ? `, and ${leftOut} that ended before them` : '';
  const limit = budget === null ? '' : `; stop budget ${timeText(budget.untilMs - budget.fromMs)}`;
  return `${task}: ${how}. Began ${beganAt}, lasted ${timeText(lengthMs)}, ${lanes.length} runs${missing}${limit}`;
}
