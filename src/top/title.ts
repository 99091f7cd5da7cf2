/** The task in one line, and its processes in another. Pure. */
import { durationText } from '../report/duration.ts';
import { escapeText } from '../report/escape.ts';
import type { ProcessStatus } from '../report/status.ts';
import { memoryText, stopText } from '../report/status-text.ts';
import type { Model } from './model.ts';

export function titleText({ task, status, nowMs, silent, sort, reversed }: Model): string {
  if (status === null) return escapeText(`${task}: ${silent ?? 'asking its supervisor'}`);
  const { name, state, pid, started_at: startedAt } = status.task;
  const since = startedAt === null ? null : durationText(Math.max(0, nowMs - Date.parse(startedAt)));
  const order = sort === 'config' && !reversed ? null : `by ${sort}${reversed ? ', turned round' : ''}`;
  const parts = [
    `${name ?? task}: ${state ?? 'unknown'}`,
    silent,
    stopText(status),
    pid === null ? null : `pid ${pid}`,
    since === null ? null : `for ${since}`,
    order,
  ];
  return escapeText(parts.filter((part) => part !== null).join(', '));
}

/** `100 processes: 98 ready, 2 backoff; CPU 12.3 %, memory 1.2 GB` */
export function summaryText(processes: readonly ProcessStatus[]): string {
  const counts = new Map<string, number>();
  for (const { state, health } of processes) {
    const shown = health === 'unhealthy' ? 'unhealthy' : state;
    counts.set(shown, (counts.get(shown) ?? 0) + 1);
  }
  const list = [...counts].toSorted(([, one], [, other]) => other - one);
  const states = list.map(([state, count]) => `${count} ${state}`).join(', ');
  const cpu = sum(processes.map((each) => each.cpu_pct));
  const bytes = sum(processes.map((each) => each.rss_bytes));
  const used = [
    ...(cpu === null ? [] : [`CPU ${cpu.toFixed(1)} %`]),
    ...(bytes === null ? [] : [`memory ${memoryText(bytes)}`]),
  ].join(', ');
  const many = processes.length === 1 ? '1 process' : `${processes.length} processes`;
  return `${many}${states === '' ? '' : `: ${states}`}${used === '' ? '' : `; ${used}`}`;
}

function sum(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((all, value) => all + value, 0);
}
