/** Times as they are asked for: `--since 10m`, `--since 2026-01-31T12:00:00Z`. */
import { formatDuration, parseDuration } from '../config/duration.ts';
import { EXIT } from '../signals/exit-codes.ts';
import { failure, type Outcome } from './output.ts';

/** Milliseconds since 1970. null: not asked for; undefined: it cannot be read. A duration means that long ago. */
export function readTime(text: string | undefined, nowMs: number): number | null | undefined {
  if (text === undefined) return null;
  const duration = parseDuration(text);
  if (duration.kind === 'duration') return nowMs - duration.ms;
  const ms = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}

export function wrongTime(option: string, text: string | undefined): Outcome {
  const example = `a duration (${formatDuration(600_000)} ago) or a time like 2026-01-31T12:00:00Z is needed`;
  return failure(EXIT.usage, `cannot use "${option}": ${example}, got "${text}"`);
}
