/** A status as a table for people. Pure. */
import { durationText } from './duration.ts';
import { escapeText } from './escape.ts';
import type { LastRun, ProcessStatus, Status } from './status.ts';
import { cutTo, fitTo, widthOf, wrapWords } from './width.ts';

interface Column {
  readonly head: string;
  /** The higher, the sooner it is left out where there is no room. */
  readonly rank: number;
  readonly cell: (process: ProcessStatus) => string;
}

const COLUMNS: readonly Column[] = [
  { head: 'PROCESS', rank: 0, cell: ({ name }) => escapeText(name, 40) },
  { head: 'STATE', rank: 1, cell: stateText },
  { head: 'PID', rank: 6, cell: ({ pid }) => (pid === null ? '-' : String(pid)) },
  { head: 'UPTIME', rank: 2, cell: ({ uptime_ms: ms }) => (ms === null ? '-' : durationText(ms)) },
  { head: 'RESTARTS', rank: 5, cell: ({ restarts }) => String(restarts) },
  { head: 'CPU', rank: 3, cell: ({ cpu_pct: cpu }) => (cpu === null ? '-' : `${cpu.toFixed(1)} %`) },
  { head: 'MEMORY', rank: 4, cell: ({ rss_bytes: rss }) => (rss === null ? '-' : memoryText(rss)) },
  { head: 'LAST END', rank: 7, cell: ({ last }) => (last === null ? '-' : endText(last)) },
];
const GAP = '  ';

export interface StatusStyle {
  readonly colour: boolean;
  /** Of the terminal. null: it is none, and lines are as long as they are. */
  readonly width: number | null;
}

/** The task, a row for each process, and for what is being stopped whom it waits for. */
export function renderStatus(status: Status, { colour, width }: StatusStyle): string {
  const columns = columnsFor(status.processes, width);
  const line = (texts: readonly string[]) =>
    cutLine(columns.map((column, at) => fitTo(texts[at] ?? '', column.width)).join(GAP), width);
  const body = status.processes.flatMap((process) => [
    paint(colour, process.state, line(columns.map(({ cell }) => cell(process)))),
    ...remarks(process).flatMap((text) => indented(escapeText(text), width)),
  ]);
  const stop = stopText(status);
  return `${[
    ...wrapped(taskLine(status), width),
    ...(stop === null ? [] : wrapped(escapeText(stop), width)),
    '',
    line(columns.map(({ head }) => head)),
    ...body,
  ].join('\n')}\n`;
}

/** Without those that there is no room for; the name and the state always. */
function columnsFor(processes: readonly ProcessStatus[], width: number | null) {
  let columns = COLUMNS.map((column) => ({
    ...column,
    width: Math.max(column.head.length, ...processes.map((process) => widthOf(column.cell(process)))),
  }));
  const total = () => columns.reduce((sum, column) => sum + column.width + GAP.length, -GAP.length);
  while (width !== null && total() > width && columns.length > 2) {
    const last = Math.max(...columns.map(({ rank }) => rank));
    columns = columns.filter(({ rank }) => rank !== last);
  }
  const [name] = columns;
  if (width !== null && name !== undefined && total() > width)
    columns[0] = { ...name, width: Math.max(NAME_LEAST, name.width - (total() - width)) };
  return columns;
}

/** A name gives way down to this before the state of the process does. */
const NAME_LEAST = 4;

function cutLine(text: string, width: number | null): string {
  const line = text.trimEnd();
  return width === null ? line : cutTo(line, width);
}

/** What has to be read whole goes on in the next line. */
function wrapped(text: string, width: number | null): string[] {
  return width === null ? [text] : wrapWords(text, width);
}

function indented(text: string, width: number | null): string[] {
  const lines = width === null ? [text] : wrapWords(text, width - GAP.length);
  return lines.map((line) => GAP + line);
}

/** What the stop of the task waits for at present, and how long that may still take. null: for nobody. */
export function stopText({ task, processes }: Status): string | null {
  const waiting = processes.filter(({ stop }) => stop !== null);
  if (task.stop === null || waiting.length === 0) return null;
  const names = waiting.slice(0, NAMED).map(({ name }) => name);
  const more = waiting.length > NAMED ? ` and ${waiting.length - NAMED} more` : '';
  const end = task.stop.deadline_at === null ? '' : `; all is over by ${task.stop.deadline_at}`;
  return `stop waits ${longestText(waiting)}, for ${names.join(', ')}${more}${end}`;
}

/** What has been sent SIGKILL has no time any more, and is gone when the kernel is done with it. */
function longestText(waiting: readonly ProcessStatus[]): string {
  const climbing = waiting.flatMap(({ stop }) => (stop === null || stop.rung === null ? [] : stop));
  if (climbing.length === 0) return 'after SIGKILL';
  if (climbing.some(({ left_ms: left }) => left === null)) return 'without a limit';
  return `at most ${durationText(Math.max(...climbing.map(({ left_ms: left }) => left ?? 0)))} until the next rung`;
}

function taskLine({ task }: Status): string {
  const { name, state, exit_code: code, pid, started_at: startedAt, stop } = task;
  const parts = [
    `${name ?? 'task'}: ${state ?? 'unknown'}${code === null ? '' : `, exit code ${code}`}`,
    ...(pid === null ? [] : [`pid ${pid}`]),
    ...(startedAt === null ? [] : [`since ${startedAt}`]),
    ...(stop === null ? [] : [`stop (${stop.cause}) asked for at ${stop.requested_at}`]),
  ];
  return escapeText(parts.join(', '));
}

/** What is wanted is said only where it is not what is. */
function stateText({ state, health }: ProcessStatus): string {
  return health === null || health === 'healthy' ? state : `${state}, ${health}`;
}

export function endText({ code, signal, forced, outcome, cause }: LastRun): string {
  const end = signal ?? (code === null ? 'unknown' : `code ${code}`);
  const why = cause === 'oom' ? ' (out of memory)' : cause === 'health' ? ' (unhealthy)' : '';
  return `${outcome}, ${end}${forced ? ' (forced)' : ''}${why}`;
}

const NAMED = 6;

/** What there is to say of it that does not fit into a table. */
export function remarks({ stop, reason, health, next_start_at: nextAt }: ProcessStatus): string[] {
  // Of who is well there is nothing to explain.
  const texts = reason === null || health === 'healthy' ? [] : [reason];
  if (nextAt !== null) texts.push(`runs again at ${nextAt}`);
  if (stop === null) return texts;
  const { rung, signal, left_ms: left, waiting_for: members } = stop;
  const names = members.slice(0, NAMED).map(({ pid, name }) => `${name} (${pid})`);
  const more = members.length > NAMED ? ` and ${members.length - NAMED} more` : '';
  const whom = names.length === 0 ? 'its tree' : `${names.join(', ')}${more}`;
  if (rung === null) return [...texts, `killing: ${signal ?? 'SIGKILL'} has been sent, waits for ${whom}`];
  const time = left === null ? 'without a limit' : `${durationText(left)} left`;
  return [...texts, `stopping: ${signal ?? 'a rung without a signal'}, waits for ${whom}, ${time}`];
}

export function memoryText(bytes: number): string {
  const kb = bytes / 1024;
  if (kb < 10_240) return `${Math.round(kb)} kB`;
  return kb < 10_485_760 ? `${Math.round(kb / 1024)} MB` : `${(kb / 1_048_576).toFixed(1)} GB`;
}

const COLOURS: Partial<Record<ProcessStatus['state'], string>> = {
  running: '\u001b[32m',
  ready: '\u001b[32m',
  stopping: '\u001b[33m',
  killing: '\u001b[33m',
  backoff: '\u001b[33m',
  failed: '\u001b[31m',
  lost: '\u001b[31m',
};

function paint(colour: boolean, state: ProcessStatus['state'], text: string): string {
  const code = COLOURS[state];
  return colour && code !== undefined ? `${code}${text}\u001b[0m` : text;
}
