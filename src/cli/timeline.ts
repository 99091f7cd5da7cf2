/** `gsup timeline`: a picture of what happened, from the checkpoint log alone: as one file, or served as it goes on. */
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { locateLogs } from '../checkpoint/files.ts';
import { readStories } from '../checkpoint/story.ts';
import { isTaskLive } from '../checkpoint/task-folders.ts';
import { type PageParts, renderHtml } from '../report/timeline/html.ts';
import { buildTimeline } from '../report/timeline/model.ts';
import { renderSvg } from '../report/timeline/svg.ts';
import { EXIT } from '../signals/exit-codes.ts';
import { packageFolder } from './install-init.ts';
import { failure, type Outcome, success } from './output.ts';
import type { Environment, Options } from './parse.ts';
import type { ServeWorld } from './timeline-serve.ts';

/** As typed. */
export interface TimelineOptions {
  readonly output?: string;
  readonly past?: string;
  readonly serve?: boolean;
  readonly address?: string;
}

export interface TimelineWorld extends Omit<ServeWorld, 'page' | 'asked'> {
  readonly env: Environment;
  /** Called when something is served: resolves when somebody wants an end of it. */
  readonly askedToEnd: () => Promise<unknown>;
}

export async function timelineCommand(
  asked: TimelineOptions,
  options: Options,
  world: TimelineWorld,
): Promise<Outcome> {
  const { output, past = '0', serve = false } = asked;
  const wrong = problemOf(asked);
  if (wrong !== null) return failure(EXIT.usage, wrong);
  const logs = locateLogs({
    file: undefined,
    name: options.name ?? undefined,
    option: options['state-dir'] ?? undefined,
    env: world.env,
    uid: process.getuid?.() ?? -1,
  });
  if (!('path' in logs))
    return failure(logs.kind === 'several' ? EXIT.usage : EXIT.unavailable, logs.message);
  const { path } = logs;
  if (serve && past === '0' && isTaskLive(path)) return serveIt({ path }, asked, world);
  const { stories, problem } = readStories(path, Number(past));
  const records = (stories.at(-1) ?? []).map(({ item }) => item.record);
  if (records.length === 0)
    return failure(EXIT.unavailable, `cannot draw "${path}": there is no record in its log`);
  const timeline = buildTimeline(records);
  const notWhole = problem === null ? null : `the timeline is not whole: ${problem}`;
  if (serve) {
    if (notWhole !== null) world.say(notWhole);
    return serveIt({ timeline }, asked, world);
  }
  const style = asset('timeline.css');
  const text =
    output?.endsWith('.svg') === true ? renderSvg(timeline, style) : renderHtml(timeline, pageParts());
  const unwritten = output === undefined ? null : write(output, text);
  if (unwritten !== null) return failure(EXIT.usage, unwritten);
  const said = output === undefined ? success(text) : success('');
  return notWhole === null
    ? said
    : { ...failure(EXIT.data, notWhole), ...(said.stdout && { stdout: said.stdout }) };
}

/** null: the options go together. */
function problemOf({ output, past = '0', serve, address }: TimelineOptions): string | null {
  if (!/^[0-5]$/.test(past))
    return `cannot use "--past": a number from 1 (the start before this one) to 5 is needed, got "${past}"`;
  if (serve && output !== undefined) return 'cannot use "--serve" with "--output": it writes no file';
  if (!serve && address !== undefined) return 'cannot use "--address" without "--serve": a file has none';
  return null;
}

async function serveIt(
  served: { readonly path: string } | { readonly timeline: ReturnType<typeof buildTimeline> },
  { address: text }: TimelineOptions,
  { askedToEnd, ...world }: TimelineWorld,
): Promise<Outcome> {
  const { addressOf, serveTimeline } = await import('./timeline-serve.ts');
  const address = addressOf(text);
  if (address === undefined)
    return failure(
      EXIT.usage,
      `cannot use "--address": an address like 127.0.0.1:9100 is needed, got "${text}"`,
    );
  const what =
    'path' in served ? { folder: { path: served.path, name: basename(served.path) } } : { ...served };
  return serveTimeline(what, address, { ...world, page: renderHtml(null, pageParts()), asked: askedToEnd() });
}

function asset(name: string): string {
  return readFileSync(join(packageFolder(import.meta.url), 'dist/assets', name), 'utf8');
}

function pageParts(): PageParts {
  return {
    style: asset('timeline.css'),
    pageStyle: asset('timeline-page.css'),
    script: asset('timeline.js'),
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
