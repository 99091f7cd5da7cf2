/** `gsup timeline [-o FILE]`: a picture of what happened, as one file, from the checkpoint log alone. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { locateLogs } from '../checkpoint/files.ts';
import { readStories } from '../checkpoint/story.ts';
import { renderHtml } from '../report/timeline/html.ts';
import { buildTimeline } from '../report/timeline/model.ts';
import { renderSvg } from '../report/timeline/svg.ts';
import { EXIT } from '../signals/exit-codes.ts';
import { packageFolder } from './install-init.ts';
import { failure, type Outcome, success } from './output.ts';
import type { Environment, Options } from './parse.ts';

export interface TimelineOptions {
  readonly output?: string;
  readonly past?: string;
}

export function timelineCommand(
  { output, past = '0' }: TimelineOptions,
  options: Options,
  env: Environment,
): Outcome {
  const logs = locateLogs({
    file: undefined,
    name: options.name ?? undefined,
    option: options['state-dir'] ?? undefined,
    env,
    uid: process.getuid?.() ?? -1,
  });
  if (!('path' in logs))
    return failure(logs.kind === 'several' ? EXIT.usage : EXIT.unavailable, logs.message);
  if (!/^[0-5]$/.test(past))
    return failure(
      EXIT.usage,
      `cannot use "--past": a number from 1 (the start before this one) to 5 is needed, got "${past}"`,
    );
  const { stories, problem } = readStories(logs.path, Number(past));
  const records = (stories.at(-1) ?? []).map(({ item }) => item.record);
  if (records.length === 0)
    return failure(EXIT.unavailable, `cannot draw "${logs.path}": there is no record in its log`);
  const timeline = buildTimeline(records);
  const asset = (name: string) =>
    readFileSync(join(packageFolder(import.meta.url), 'dist/assets', name), 'utf8');
  const style = asset('timeline.css');
  const text =
    output?.endsWith('.svg') === true
      ? renderSvg(timeline, style)
      : renderHtml(timeline, { style, pageStyle: asset('timeline-page.css'), script: asset('timeline.js') });
  const unwritten = output === undefined ? null : write(output, text);
  if (unwritten !== null) return failure(EXIT.usage, unwritten);
  const said = output === undefined ? success(text) : success('');
  return problem === null
    ? said
    : {
        ...failure(EXIT.data, `the timeline is not whole: ${problem}`),
        ...(said.stdout && { stdout: said.stdout }),
      };
}

function write(path: string, text: string): string | null {
  try {
    writeFileSync(path, text);
    return null;
  } catch (error) {
    return `cannot write "${path}": ${(error as NodeJS.ErrnoException).code}`;
  }
}
