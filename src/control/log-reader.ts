/** The output of processes, as a client reads it. */
import { call, controlError } from './connection.ts';
import { linesOf } from './event-reader.ts';

/** A line of output; `missed`: some of the oldest were gone before they could be read. */
export type LogLine =
  | {
      /** RFC 3339, UTC, with milliseconds: when gsup passed it on. */
      readonly time: string;
      readonly process: string;
      /** `web#3`, or `web#3/pre-stop.1` of a hook. */
      readonly run: string;
      readonly stream: 'stdout' | 'stderr';
      readonly msg: string;
      /** Its line has no end: what follows goes on with it. */
      readonly partial?: true;
    }
  | { readonly process: string; readonly missed: true };

export interface LogOptions {
  /** Of what there is at first, only so many lines of each process; without: all that is kept. */
  readonly tail?: number;
  /** Lines from then on: a time like 2026-01-02T03:04:05Z, or how long ago, like 10m. */
  readonly since?: string;
  readonly stream?: 'stdout' | 'stderr';
  /** true: go on with what comes, until the task ends. */
  readonly follow?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Rejects with a ControlError, also when the stream is cut off (its supervisor was replaced): where it was is in the time of the last
 * line, and `since` goes on from there.
 */
export async function* readLogs(
  folder: string,
  processes: readonly string[],
  { tail, since, stream, follow, signal }: LogOptions,
): AsyncGenerator<LogLine> {
  const asked = Object.entries({ tail, since, stream, follow }).filter(([, value]) => value !== undefined);
  const query = new URLSearchParams(asked.map(([name, value]) => [name, String(value)])).toString();
  const path = `/v1/logs/${processes.map(encodeURIComponent).join(',')}${query === '' ? '' : `?${query}`}`;
  const answer = await call(folder, { method: 'GET', path, ...(signal && { signal }) });
  const whole = { yet: false };
  for await (const line of linesOf(answer, whole)) yield JSON.parse(line) as LogLine;
  if (whole.yet || signal?.aborted) return;
  throw controlError('no-answer', 'the output was cut off: its supervisor has gone', 'ask again, with since');
}
