/** A status as a table for people. Pure. */
import { durationText } from './duration.ts';
import { escapeText } from './escape.ts';
import type { LastRun, ProcessStatus, Status } from './status.ts';

const HEAD = ['PROCESS', 'STATE', 'PID', 'UPTIME', 'RESTARTS', 'CPU', 'MEMORY', 'LAST END'] as const;
const GAP = '  ';

/** The task, a row for each process, and for what is being stopped whom it waits for. */
export function renderStatus(status: Status, colour: boolean): string {
  const rows = status.processes.map(cells);
  const widths = HEAD.map((head, at) => Math.max(head.length, ...rows.map((row) => row[at]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join(GAP)
      .trimEnd();
  const body = status.processes.flatMap((process, at) => [
    paint(colour, process.state, line(rows[at] ?? [])),
    ...remarks(process).map((text) => `${GAP}${escapeText(text)}`),
  ]);
  return `${[taskLine(status), '', line(HEAD), ...body].join('\n')}\n`;
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

function cells(process: ProcessStatus): string[] {
  const { name, pid, uptime_ms: uptime, restarts, cpu_pct: cpu, rss_bytes: rss, last } = process;
  return [
    escapeText(name, 40),
    stateText(process),
    pid === null ? '-' : String(pid),
    uptime === null ? '-' : durationText(uptime),
    String(restarts),
    cpu === null ? '-' : `${cpu.toFixed(1)} %`,
    rss === null ? '-' : memoryText(rss),
    last === null ? '-' : endText(last),
  ];
}

/** What is wanted is said only where it is not what is. */
function stateText({ state, health }: ProcessStatus): string {
  return health === null || health === 'healthy' ? state : `${state}, ${health}`;
}

function endText({ code, signal, forced, outcome, cause }: LastRun): string {
  const end = signal ?? (code === null ? 'unknown' : `code ${code}`);
  const why = cause === 'oom' ? ' (out of memory)' : cause === 'health' ? ' (unhealthy)' : '';
  return `${outcome}, ${end}${forced ? ' (forced)' : ''}${why}`;
}

const NAMED = 6;

function remarks({ stop, reason, next_start_at: nextAt }: ProcessStatus): string[] {
  const texts = reason === null ? [] : [reason];
  if (nextAt !== null) texts.push(`runs again at ${nextAt}`);
  if (stop === null) return texts;
  const { signal, left_ms: left, waiting_for: members } = stop;
  const names = members.slice(0, NAMED).map(({ pid, name }) => `${name} (${pid})`);
  const more = members.length > NAMED ? ` and ${members.length - NAMED} more` : '';
  const whom = names.length === 0 ? 'its tree' : `${names.join(', ')}${more}`;
  const time = left === null ? 'without a limit' : `${durationText(left)} left`;
  return [...texts, `stopping: ${signal ?? 'a rung without a signal'}, waits for ${whom}, ${time}`];
}

function memoryText(bytes: number): string {
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
