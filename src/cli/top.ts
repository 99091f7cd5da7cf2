/** `gsup top`: a live view of a task with keys; without a terminal one table, or one after the other. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ReadStream, WriteStream } from 'node:tty';
import { isTaskLive } from '../checkpoint/task-folders.ts';
import { parseDuration } from '../config/duration.ts';
import { type Client, type ControlError, connectTo } from '../control/client.ts';
import { findLiveTask } from '../control/find-task.ts';
import { escapeText } from '../report/escape.ts';
import type { Status } from '../report/status.ts';
import { renderStatus } from '../report/status-text.ts';
import { EXIT } from '../signals/exit-codes.ts';
import { signalNumber } from '../signals/names.ts';
import { newModel } from '../top/model.ts';
import { type Look, runTop, type TopEnd } from '../top/session.ts';
import { SORT_KEYS, type SortKey, shownProcesses } from '../top/sort.ts';
import { openTerminal } from '../top/terminal.ts';
import { failure, type Outcome, success } from './output.ts';
import type { Environment, Options } from './parse.ts';
import { statusOf } from './status.ts';

/** As typed. */
export interface TopOptions {
  readonly batch?: boolean;
  readonly iterations?: string;
  readonly delay?: string;
  readonly sort?: string;
}

export interface TopTerminal {
  readonly input: ReadStream;
  readonly output: WriteStream;
}

export interface TopCommandWorld {
  readonly env: Environment;
  /** null: there is none, or not one that could be drawn on. */
  readonly terminal: TopTerminal | null;
  readonly colour: boolean;
  /** false: nobody reads any more. */
  readonly print: (text: string) => boolean;
}

/** As `status --watch`: more often nobody can read it. */
const EVERY_MS = 1000;
/** Looking is no reason to keep a machine busy. */
const EVERY_LEAST_MS = 100;
/** A supervisor that is there needs milliseconds, of 1,000 processes on a busy machine seconds; then the files have to do. */
const ANSWER_WITHIN_MS = 10_000;

interface Settings {
  readonly everyMs: number;
  /** null: until the task has ended. */
  readonly iterations: number | null;
  readonly sort: SortKey;
}

export async function topCommand(
  asked: TopOptions,
  options: Options,
  world: TopCommandWorld,
): Promise<Outcome> {
  const settings = readSettings(asked, world.terminal === null && !asked.batch);
  if ('exitCode' in settings) return settings;
  const stateDir = options['state-dir'] ?? undefined;
  const found = findLiveTask({ name: options.name ?? undefined, stateDir, env: world.env });
  if (found.kind === 'none') return failure(EXIT.unavailable, found.message);
  if (found.kind === 'several') return failure(EXIT.usage, found.message);
  const { path, name } = found.folder;
  const looks = connectTo(path, name, ANSWER_WITHIN_MS);
  const look = (before: Status | undefined): Promise<Look> => lookAt(looks, before);
  const { terminal } = world;
  if (asked.batch || terminal === null) return printTables(look, settings, world);
  const end = await runTop({
    client: connectTo(path, name),
    look,
    open: (events) => openTerminal({ ...terminal, write: world.print }, events),
    nowMs: Date.now,
    colour: world.colour,
    ...settings,
  });
  return outcomeOf(end);
}

function readSettings({ iterations, delay, sort = 'config' }: TopOptions, once: boolean): Settings | Outcome {
  const isSort = (text: string): text is SortKey => (SORT_KEYS as readonly string[]).includes(text);
  if (!isSort(sort)) return wrong('--sort', SORT_KEYS.join(', '), sort);
  const parsed = delay === undefined ? null : parseDuration(delay);
  if (parsed !== null && parsed.kind !== 'duration') return wrong('--delay', 'a duration like 2s', delay);
  if (iterations !== undefined && !/^[1-9]\d{0,8}$/.test(iterations))
    return wrong('--iterations', 'a number from 1', iterations);
  const count = iterations === undefined ? (once ? 1 : null) : Number(iterations);
  return { everyMs: Math.max(EVERY_LEAST_MS, parsed?.ms ?? EVERY_MS), iterations: count, sort };
}

function wrong(option: string, need: string, got: string | undefined): Outcome {
  const shown = escapeText(got ?? '', 60);
  return failure(EXIT.usage, `cannot use "${option}": ${need} is needed, got "${shown}"`);
}

/** Its files tell what its supervisor does not, or cannot any more. */
async function lookAt(client: Client, before: Status | undefined): Promise<Look> {
  try {
    return { status: await client.status(), silent: null, ended: false };
  } catch (error) {
    const { code } = error as Partial<ControlError>;
    if (code === undefined) throw error;
    const ended = !isTaskLive(client.folder);
    const status = await statusOf({ path: client.folder }, process.hrtime.bigint(), before);
    return { status, ended, silent: SILENT[code] ?? 'its supervisor does not answer, asking again' };
  }
}

const SILENT: Readonly<Record<string, string>> = {
  'no-supervisor': 'without a supervisor',
  ended: 'ended',
};

async function printTables(
  look: (before: Status | undefined) => Promise<Look>,
  { everyMs, iterations, sort }: Settings,
  { print }: TopCommandWorld,
): Promise<Outcome> {
  let before: Status | undefined;
  for (let count = 1; ; count++) {
    const { status, ended } = await look(before);
    before = status;
    const text = renderStatus(sorted(status, sort), { colour: false, width: null });
    if (!print(count === 1 ? text : `\n${text}`) || ended || count === iterations) return success('');
    await sleep(everyMs);
  }
}

function sorted(status: Status, sort: SortKey): Status {
  const model = newModel({ task: '', size: { columns: 0, rows: 0 }, sort, reversed: false });
  return { ...status, processes: shownProcesses({ ...model, status }) };
}

/** Somebody who looks on has done so well, however the task has ended. */
function outcomeOf(end: TopEnd): Outcome {
  switch (end.kind) {
    case 'left':
      return success('');
    case 'signal':
      return { exitCode: 128 + (signalNumber(end.signal) ?? 0) };
    case 'ended': {
      const { name, state, exit_code: code } = end.status.task;
      return success(
        `${escapeText(name ?? 'task')} has ended: ${state ?? 'unknown'}, exit code ${code ?? 'unknown'}\n`,
      );
    }
  }
}
