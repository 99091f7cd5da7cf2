/** `GET /v1/logs/{name}`: whose output is asked for, and how much of it. */
import { readTime } from '../cli/asked-time.ts';
import { listCopies, logsFolder } from '../logs/copies.ts';
import type { Stream } from '../logs/copy-line.ts';
import { asksForProcess } from '../logs/task-logs.ts';
import type { ProcessPlan } from '../supervisor/plan.ts';
import { type HttpAnswer, problem } from './answer.ts';
import { LOG_PROCESSES_MAX } from './limits.ts';
import { answerRequest } from './request-answer.ts';
import type { QueryRow } from './routes.ts';
import type { Sources } from './sources.ts';

export const LOG_QUERY: readonly QueryRow[] = [
  { name: 'tail', description: 'of what there is at first, so many lines of each process; without: all' },
  {
    name: 'since',
    description: 'a time (2026-01-02T03:04:05Z) or how long ago (10m): lines from then on; without: all',
  },
  { name: 'stream', values: ['stdout', 'stderr'], description: 'only what was written there' },
  {
    name: 'follow',
    values: ['true', 'false'],
    description: 'true: and what comes, until the task ends; without: false',
  },
];

/** `names`: processes, entries of the config, or runs (`web#3`). */
export function showLogs(
  { logs, state, folder }: Pick<Sources, 'logs' | 'state' | 'folder'>,
  names: readonly string[],
  query: Readonly<Record<string, string>>,
  nowMs: number,
): HttpAnswer {
  const since = readTime(query.since, nowMs);
  if (since === undefined) return wrong('since', query.since, 'a time like 2026-01-02T03:04:05Z, or 10m');
  const last = query.tail === undefined || query.tail === 'all' ? null : query.tail;
  if (last !== null && !/^\d{1,9}$/.test(last)) return wrong('tail', query.tail, 'a number, or all');
  const { processes } = state().plan;
  const kept = folder === null ? [] : (listCopies(logsFolder(folder)) ?? []);
  const known = [...new Set([...processes.flatMap(({ name, entry }) => [name, entry]), ...kept])];
  const unknown = names.find((name) => !known.some((one) => asksForProcess([name], one)));
  if (unknown !== undefined) {
    const refusal = { reason: 'no-such-process', name: unknown, known } as const;
    return answerRequest(`show the output of ${quoted(unknown)}`, { kind: 'refused', refusal });
  }
  const meant = processes.filter(({ name }) => asksForProcess(names, name));
  const copies = kept.filter((name) => asksForProcess(names, name));
  if (logs === null || (copies.length === 0 && !meant.some(isCaptured))) return NOT_CAPTURED;
  if (new Set([...copies, ...meant.map(({ name }) => name)]).size > LOG_PROCESSES_MAX) return TOO_MANY;
  return logs.stream({
    names,
    since: since === null ? null : new Date(since).toISOString(),
    last: last === null ? null : Number(last),
    stream: (query.stream as Stream | undefined) ?? null,
    follow: query.follow === 'true',
  });
}

function isCaptured({ launch }: ProcessPlan): boolean {
  return ['prefix', 'json', 'file'].includes(launch.output?.driver ?? 'inherit');
}

const NOT_CAPTURED = problem(
  409,
  'not-captured',
  "what it writes goes where gsup's own output goes",
  'capture it with gsup run --log prefix (json, file:PATH), or in a config with logging.driver',
);

const TOO_MANY = problem(
  400,
  'too-large',
  `these are more than ${LOG_PROCESSES_MAX} processes`,
  'ask for fewer at once; gsup logs reads the files of all of them',
);

function wrong(name: string, value: string | undefined, need: string): HttpAnswer {
  const message = `${name} must be ${need}, got ${quoted(value ?? '')}`;
  return problem(400, 'bad-request', message, `it takes ${LOG_QUERY.map((row) => row.name).join(', ')}`);
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}...` : text);
}
