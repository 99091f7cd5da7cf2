/** A history as lines for people. Pure. */
import { durationText } from './duration.ts';
import { escapeText } from './escape.ts';
import type { History, HistoryLine, HistoryTask, Weight } from './history.ts';
import { stopWords } from './stop-words.ts';

const COLOURS: Record<Weight, string> = {
  plain: '',
  good: '\u001b[32m',
  warn: '\u001b[33m',
  bad: '\u001b[31m',
};
const DIM = '\u001b[2m';
const RESET = '\u001b[0m';
/** A longer name pushes its own line only. */
const ABOUT_MAX = 24;

/** What it came to, then a line for each happening: time, since the begin, about whom, what. */
export function renderHistory({ task, lines }: History, colour: boolean): string {
  const paint = (weight: string, text: string) =>
    colour && weight !== '' ? `${weight}${text}${RESET}` : text;
  const width = Math.min(ABOUT_MAX, Math.max(0, ...lines.map(({ about }) => (about ?? '').length)));
  const body = lines.flatMap((line, at) => {
    const { about, weight, text, sinceMs } = line;
    const when = `${timeOf(line)} ${`+${durationText(sinceMs)}`.padStart(8)}`;
    const whom = escapeText(about ?? '').padEnd(width);
    const told = `${paint(DIM, when)}  ${whom}${width > 0 ? '  ' : ''}${paint(COLOURS[weight], escapeText(text))}`;
    const before = lines[at - 1];
    return before === undefined || dayOf(before) === dayOf(line) ? [told] : [paint(DIM, dayOf(line)), told];
  });
  return `${[...headLines(task).map((line) => escapeText(line)), '', ...body].join('\n')}\n`;
}

function dayOf({ at }: HistoryLine): string {
  return at.slice(0, 10);
}

function timeOf({ at }: HistoryLine): string {
  return at.slice(11).replace('Z', '');
}

function headLines(task: HistoryTask): string[] {
  const { name, version, beganAt, endedAt, lastedMs, exitCode, state, runs, stop } = task;
  const how =
    endedAt === null
      ? `not over as far as its log tells (${state ?? 'unknown'})`
      : `${state}, exit code ${exitCode}`;
  const by = version === null ? '' : `, gsup ${version}`;
  const runsText = `${runs} run${runs === 1 ? '' : 's'} of commands and hooks`;
  return [
    `${name ?? 'task'}: ${how}`,
    `began ${beganAt ?? 'at an unknown time'}, lasted ${durationText(lastedMs)}, ${runsText}${by}; times are UTC`,
    ...(stop === null ? [] : [stopText(stop)]),
    ...remarks(task),
  ];
}

function stopText({ at, cause, signal, by, asks, tookMs }: NonNullable<HistoryTask['stop']>): string {
  const why = cause === 'signal' ? (signal ?? 'a signal') : stopWords[cause];
  const whom = by === null ? '' : by.pid === 0 ? ' from outside' : ` from pid ${by.pid} (uid ${by.uid})`;
  const times = asks > 1 ? `, asked ${asks} times` : '';
  const took = tookMs === null ? ', not over' : `, took ${durationText(tookMs)}`;
  return `stop at ${at}: ${why}${whom}${times}${took}`;
}

const NAMED = 5;

function remarks({ forced, cutMs, supervisorRestarts, missing }: HistoryTask): string[] {
  const more = forced.length > NAMED ? ` and ${forced.length - NAMED} more` : '';
  return [
    ...(forced.length > 0 ? [`needed SIGKILL: ${forced.slice(0, NAMED).join(', ')}${more}`] : []),
    ...(cutMs > 0 ? [`the stop budget cut waits by ${durationText(cutMs)} in all`] : []),
    ...(supervisorRestarts > 0
      ? [
          `the supervisor was started again ${supervisorRestarts === 1 ? 'once' : `${supervisorRestarts} times`}`,
        ]
      : []),
    ...(missing > 0 ? [`${missing} records are missing, by the log's own account`] : []),
  ];
}
