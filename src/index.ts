/**
 * The library: `gsup run` as a function, a running task to talk to, and the checkpoint log as data. The command line is built on the same parts.
 */
import { readFileSync } from 'node:fs';
import type { CheckpointRecord } from './checkpoint/record.ts';
import { readStories } from './checkpoint/story.ts';
import type { OPTIONS } from './cli/options.ts';
import { parseRun } from './cli/parse.ts';
import { runPortable } from './cli/run-portable.ts';
import { normalizeRun } from './config/run-config.ts';
import { EXIT } from './signals/exit-codes.ts';

export type { CheckpointRecord, RecordBody, RecordOf, RecordType } from './checkpoint/record.ts';
export {
  type Client,
  type ConnectOptions,
  type ControlError,
  connect,
  type Done,
  type EventOptions,
  type LogLine,
  type LogOptions,
  type Readiness,
  type TaskEvent,
} from './control/client.ts';
export type { Status } from './report/status.ts';

/** Those of `up` alone, and those that only tell something, are none. */
type Row = Exclude<(typeof OPTIONS)[number], { readonly action: true } | { readonly up: 'only' }>;
type Camel<Name extends string> = Name extends `${infer First}-${infer Rest}`
  ? `${First}${Capitalize<Camel<Rest>>}`
  : Name;
type ListKind = 'signals' | 'texts' | 'env' | 'ulimits' | 'exit-map' | 'rewrites' | 'rungs';
type Value<Kind> = Kind extends 'flag'
  ? boolean
  : Kind extends ListKind
    ? readonly string[]
    : string | number;

/** The options of `gsup run` by their names in camelCase, with the values that the command line takes: `grace: '5s'`. */
export type RunOptions = { readonly [R in Row as Camel<R['long']>]?: Value<R['kind']> };

export interface Supervised {
  /** What `gsup run` would have exited with. */
  readonly exitCode: number;
}

/**
 * Runs a command until its whole tree has ended, as `gsup run` does where there is no native part: this process is
 * the supervisor, and a stop signal that it gets is one for the command. GSUP_* variables are no options here.
 * Rejects with what is wrong when the options cannot be used; `exitCode` of the error is that of the command line.
 */
export async function supervise(command: readonly string[], options: RunOptions = {}): Promise<Supervised> {
  const parsed = parseRun([...toArguments(options), '--', ...command], {});
  if (parsed.action === 'error') throw problem([parsed.message], EXIT.usage);
  if (parsed.action !== 'run') throw problem(['cannot supervise nothing: a command is needed'], EXIT.usage);
  const readFile = (path: string): string => readFileSync(path, 'utf8');
  const configured = normalizeRun(parsed, { env: process.env, readFile });
  if (configured.kind === 'problems') throw problem(configured.problems, EXIT.usage);
  const { exitCode, complaints } = await runPortable(configured.config, process.env, false);
  // What is complained of is why it has not begun; what happens meanwhile is said at once.
  if (complaints !== undefined)
    throw problem(
      complaints.map(({ sentence }) => sentence),
      exitCode,
    );
  return { exitCode };
}

export interface CheckpointLog {
  /** In the order in which things happened; decisions and facts merged. */
  readonly records: readonly CheckpointRecord[];
  /** Why there are no more of them: damage, or a format that a later gsup has written. null: it is whole. */
  readonly problem: string | null;
}

/** The log of a task, by its folder under the state directory; or one of its files. Throws what `fs` throws. */
export function readCheckpoint(path: string): CheckpointLog {
  const { stories, problem } = readStories(path);
  return { records: stories.flat().map(({ item }) => item.record), problem };
}

function toArguments(options: RunOptions): string[] {
  return Object.entries(options).flatMap(([key, value]) => {
    const name = `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    if (value === undefined || value === false) return [];
    if (value === true) return [name];
    return [value].flat().map((each) => `${name}=${each}`);
  });
}

function problem(sentences: readonly string[], exitCode: number): Error {
  return Object.assign(new Error(sentences.join('\n')), { exitCode });
}
