/** `gsup history [NAME...]`: what happened, from the checkpoint log alone. */
import { locateLogs } from '../checkpoint/files.ts';
import { readStories } from '../checkpoint/story.ts';
import { escapeAll } from '../report/escape.ts';
import { type History, tellHistory } from '../report/history.ts';
import { foldHistory } from '../report/history-fold.ts';
import { renderHistory } from '../report/history-text.ts';
import { EXIT } from '../signals/exit-codes.ts';
import { readTime, wrongTime } from './asked-time.ts';
import { failure, type Outcome, success } from './output.ts';
import type { Environment, Options } from './parse.ts';

/** As typed. */
export interface HistoryOptions {
  readonly json?: boolean;
  readonly since?: string;
  readonly until?: string;
  readonly past?: string;
  readonly all?: boolean;
}

export interface Around {
  readonly env: Environment;
  readonly nowMs: number;
  readonly colour: boolean;
}

/** `names`: of runs, replicas or processes; none: all of them. */
export function historyCommand(
  names: readonly string[],
  asked: HistoryOptions,
  options: Options,
  { env, nowMs, colour }: Around,
): Outcome {
  const sinceMs = readTime(asked.since, nowMs);
  const untilMs = readTime(asked.until, nowMs);
  const past = asked.past === undefined ? 0 : /^[0-5]$/.test(asked.past) ? Number(asked.past) : null;
  if (sinceMs === undefined) return wrongTime('--since', asked.since);
  if (untilMs === undefined) return wrongTime('--until', asked.until);
  if (past === null)
    return failure(
      EXIT.usage,
      `cannot use "--past": a number from 1 (the start before this one) to 5 is needed, got "${asked.past}"`,
    );
  const name = options.name ?? undefined;
  const option = options['state-dir'] ?? undefined;
  const logs = locateLogs({ file: undefined, name, option, env, uid: process.getuid?.() ?? -1 });
  if (!('path' in logs))
    return failure(logs.kind === 'several' ? EXIT.usage : EXIT.unavailable, logs.message);
  const { stories, problem } = readStories(logs.path, past);
  const entries = stories.at(-1) ?? [];
  if (entries.length === 0)
    return failure(EXIT.unavailable, `cannot tell the history of "${logs.path}": ${noStory(past)}`);
  const history = tellHistory(entries, { names, sinceMs, untilMs });
  if (names.length > 0 && history.lines.length === 0)
    return failure(
      EXIT.unavailable,
      `cannot find "${names.join(' ')}" in the history: ${knownNames(tellHistory(entries, NO_FILTER))}`,
    );
  const text = asked.json
    ? `${JSON.stringify(escapeAll(toJson(history)))}\n`
    : renderHistory(asked.all ? history : { ...history, lines: foldHistory(history.lines) }, colour);
  if (problem === null) return success(text);
  return { ...failure(EXIT.data, `the history is not whole: ${problem}`), stdout: text };
}

const NO_FILTER = { names: [], sinceMs: null, untilMs: null };

function noStory(past: number): string {
  return past === 0 ? 'there is no record in its log' : `no log of ${past} starts ago is kept`;
}

const NAMED = 20;

function knownNames({ lines }: History): string {
  const names = [...new Set(lines.flatMap(({ about }) => (about === null ? [] : [about])))];
  return names.length === 0
    ? 'nothing was run'
    : `it tells of ${names.slice(0, NAMED).join(', ')}${names.length > NAMED ? ', ...' : ''}`;
}

/** Names as in the records. */
function toJson({ task, lines }: History) {
  const { beganAt, endedAt, lastedMs, exitCode, stop, cutMs, supervisorRestarts, ...rest } = task;
  return {
    version: 1,
    task: {
      ...rest,
      began_at: beganAt,
      ended_at: endedAt,
      lasted_ms: lastedMs,
      exit_code: exitCode,
      stop: stop === null ? null : { ...without(stop), took_ms: stop.tookMs },
      cut_ms: cutMs,
      supervisor_restarts: supervisorRestarts,
    },
    events: lines.map(({ at, monoNs, sinceMs, about, weight, text, type }) => ({
      at,
      mono_ns: String(monoNs),
      since_ms: sinceMs,
      about,
      type,
      weight,
      text,
    })),
  };
}

function without({ tookMs: _, ...rest }: NonNullable<History['task']['stop']>) {
  return rest;
}
