/** `gsup status`: what tasks do, or how the last one ended: from their supervisors, or from their files. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { logNames } from '../checkpoint/files.ts';
import { readStories } from '../checkpoint/story.ts';
import { findTaskFolders, isTaskLive, type TaskFolder } from '../checkpoint/task-folders.ts';
import { escapeAll } from '../report/escape.ts';
import { lookAtTrees } from '../report/live-trees.ts';
import { redraw } from '../report/redraw.ts';
import { buildStatus, type Status } from '../report/status.ts';
import { renderStatus } from '../report/status-text.ts';
import { EXIT } from '../signals/exit-codes.ts';
import { failure, type Outcome, success } from './output.ts';
import type { Environment, Options } from './parse.ts';

export interface StatusOptions {
  readonly json?: boolean;
  readonly watch?: boolean;
}

export interface StatusWorld {
  readonly env: Environment;
  /** Of the terminal that it is shown on, as it is now. null: it is shown on none. */
  readonly size: () => { readonly columns: number; readonly rows: number } | null;
  readonly colour: boolean;
  readonly nowNs: () => bigint;
  /** false: nobody reads any more. */
  readonly print: (text: string) => boolean;
}

/** More often nobody can read it. */
const WATCH_EVERY_MS = 1000;
/** A supervisor that is there needs milliseconds. */
const ANSWER_WITHIN_MS = 2000;

export async function statusCommand(
  { json = false, watch = false }: StatusOptions,
  options: Options,
  world: StatusWorld,
): Promise<Outcome> {
  const name = options.name ?? (world.env.GSUP_TASK || undefined);
  const option = options['state-dir'] ?? undefined;
  const folders = findTaskFolders({ option, env: world.env, uid: process.getuid?.() ?? -1 });
  const asked = asksFor(folders, name);
  if (asked.length === 0) {
    const why = name === undefined ? 'cannot find a task: none has run here' : `cannot find a task "${name}"`;
    return failure(EXIT.unavailable, why);
  }
  const show = (statuses: readonly Status[]) =>
    json
      ? `${JSON.stringify(escapeAll(asked.length === 1 ? statuses[0] : statuses))}\n`
      : statuses
          .map((status) =>
            renderStatus(status, { colour: world.colour, width: world.size()?.columns ?? null }),
          )
          .join('\n');
  if (watch) return watchTasks(asked, show, world, json);
  return success(show(await Promise.all(asked.map((folder) => presentStatus(folder, world.nowNs())))));
}

/** The one that is named; else all that live; else the one that ended last. */
function asksFor(folders: readonly TaskFolder[], name: string | undefined): TaskFolder[] {
  const named = name === undefined ? folders : folders.filter((folder) => folder.name === name);
  const living = named.filter((folder) => folder.live);
  if (living.length > 0) return living;
  return named.toSorted((one, other) => other.touchedMs - one.touchedMs).slice(0, 1);
}

/** Until all have ended. On a terminal the picture is drawn anew; elsewhere it is written when it is another one. */
async function watchTasks(
  folders: readonly TaskFolder[],
  show: (statuses: readonly Status[]) => string,
  world: StatusWorld,
  json: boolean,
): Promise<Outcome> {
  const draws = world.size() !== null && !json;
  let last: { readonly text: string; readonly statuses: readonly Status[] } = { text: '', statuses: [] };
  for (let first = true; ; first = false) {
    const live = folders.some(({ path }) => isTaskLive(path));
    const statuses = await Promise.all(
      folders.map((folder, at) => presentStatus(folder, world.nowNs(), last.statuses[at])),
    );
    const text = show(statuses);
    const isNews = draws || withoutTimes(text) !== withoutTimes(last.text);
    if (isNews && !world.print(draws ? redraw(text, first, live ? world.size() : null) : text))
      return success('');
    last = { text, statuses };
    if (!live) return success('');
    await sleep(WATCH_EVERY_MS);
  }
}

/** What only moves with the clock is no news. */
function withoutTimes(text: string): string {
  return text
    .replace(/"(uptime_ms|left_ms|cpu_pct|rss_bytes)":[^,}]*/g, '')
    .replace(/[\d.]+ ?(ms|s|m|h|%|kB|MB|GB)\b|%/g, '');
}

/**
 * Its supervisor knows more than its files, such as who still waits. Without an answer the files have to do; of a plain run they
 * tell everything, and nobody is started for it.
 */
async function presentStatus(folder: TaskFolder, nowNs: bigint, before?: Status): Promise<Status> {
  const answer = await askForStatus(folder).catch(() => null);
  return answer ?? statusOf(folder, nowNs, before);
}

async function askForStatus({ name, path, live }: TaskFolder): Promise<Status | null> {
  if (!live || ![logNames.checkpoint, 'control.sock'].every((name) => existsSync(join(path, name))))
    return null;
  const { connectTo } = await import('../control/client.ts');
  return connectTo(path, name, ANSWER_WITHIN_MS).status();
}

/** `before`: what its supervisor has said; of who still waits, and of the order, the files do not tell. */
export async function statusOf(
  folder: Pick<TaskFolder, 'path'>,
  nowNs: bigint,
  before?: Status,
): Promise<Status> {
  const live = isTaskLive(folder.path);
  const declared = before?.processes ?? [];
  const { stories } = readStories(folder.path);
  const records = (stories.at(-1) ?? []).map(({ item }) => item.record);
  const bare = buildStatus(records, { nowNs, live, treeOf: () => null, declared });
  const leaders = bare.processes.flatMap(({ pid }) => pid ?? []);
  if (leaders.length === 0) return bare;
  return buildStatus(records, { nowNs, live, treeOf: await lookAtTrees(leaders), declared });
}
