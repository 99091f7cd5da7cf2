/** `gsup wait`, and `--wait` of others: looks at the task anew whenever its log has grown, until what is waited for is so. */
import { parseDuration } from '../config/duration.ts';
import type { Client, ControlError, Readiness } from '../control/client.ts';
import { escapeText } from '../report/escape.ts';
import type { ProcessStatus, Status } from '../report/status.ts';
import { EXIT } from '../signals/exit-codes.ts';
import type { ClientAsked } from './client-command.ts';
import { failure, type Outcome, success } from './output.ts';
import { statusOf } from './status.ts';
import { watchTask } from './watch-task.ts';

/** `exited`: its present run has ended, or there is none. `stopped`: and no other follows. */
export type Goal = 'ready' | 'exited' | 'stopped';
const GOALS: readonly string[] = ['ready', 'exited', 'stopped'] satisfies Goal[];

export interface Awaited {
  readonly goal: Goal;
  /** Processes, or entries of the config; none: the whole task. */
  readonly words: readonly string[];
  /** Runs of that time do not count. */
  readonly before: Status | null;
  /** null: for ever. */
  readonly timeoutMs: number | null;
}

export async function waitCommand({ client, words, options, quiet }: ClientAsked): Promise<Outcome> {
  const goal = options.for ?? 'exited';
  if (!GOALS.includes(goal))
    return failure(
      EXIT.usage,
      `cannot use "--for": ready, exited or stopped is needed, got "${escapeText(goal, 60)}"`,
    );
  const timeout = readTimeout(options.timeout);
  if ('exitCode' in timeout) return timeout;
  const end = await awaitOutcome(client, { goal: goal as Goal, words, before: null, timeoutMs: timeout.ms });
  return quiet ? { ...end, stdout: '' } : end;
}

/** null: for ever. */
export function readTimeout(text = 'forever'): { readonly ms: number | null } | Outcome {
  const parsed = parseDuration(text);
  if (parsed.kind === 'duration') return { ms: parsed.ms };
  if (parsed.kind === 'forever') return { ms: null };
  const need = 'a duration like 500ms, 8s, 1m30s or forever is needed';
  return failure(EXIT.usage, `cannot use "--timeout": ${need}, got "${escapeText(text, 60)}"`);
}

export interface Seen {
  readonly status: Status;
  /** null: nobody is there who could say more than the log. */
  readonly readiness: Readiness | null;
}

export async function awaitOutcome(client: Client, awaited: Awaited): Promise<Outcome> {
  const first = await see(client);
  const names = targets(first.status, awaited.words);
  if (typeof names === 'string')
    return failure(EXIT.usage, `cannot wait for "${escapeText(names, 60)}": there is no such process`);
  const start = { ...awaited, before: awaited.before ?? (awaited.goal === 'exited' ? first.status : null) };
  // Mostly it is so already, and then nothing needs to be watched.
  const already = judge(first, names, start);
  if (already !== null) return already;
  const end = await watchTask(client, async () => judge(await see(client), names, start), awaited.timeoutMs);
  if (end !== null) return end;
  return failure(
    EXIT.timedOut,
    `"${names?.join(', ') ?? client.task}" is not ${awaited.goal} within the time given`,
  );
}

/** Of what has ended meanwhile, and of what has no supervisor, its files tell. */
export async function see(client: Client): Promise<Seen> {
  try {
    const readiness = await client.readiness();
    return { status: await client.status({ usage: false }), readiness };
  } catch (error) {
    const { code } = error as Partial<ControlError>;
    if (code !== 'ended' && code !== 'no-supervisor') throw error;
    return { status: await statusOf({ path: client.folder }, process.hrtime.bigint()), readiness: null };
  }
}

/** null: the whole task. A text: there is no such process. */
function targets({ processes }: Status, words: readonly string[]): readonly string[] | null | string {
  if (words.length === 0) return null;
  const found = words.map((word) =>
    processes.filter(
      ({ name, replica }) => name === word || (replica !== null && name === `${word}.${replica}`),
    ),
  );
  const unknown = words.find((_, at) => found[at]?.length === 0);
  return unknown ?? [...new Set(found.flat().map(({ name }) => name))];
}

/** null: not yet. */
function judge(
  { status, readiness }: Seen,
  names: readonly string[] | null,
  awaited: Awaited,
): Outcome | null {
  const { task } = status;
  const isOver = task.exit_code !== null || task.state === 'lost';
  if (names === null && awaited.goal !== 'ready') return isOver ? success(taskLine(status)) : null;
  if (names === null && readiness?.ready) return success(`${escapeText(task.name ?? 'task')}: ready\n`);
  const meant = status.processes.filter(({ name }) => names?.includes(name) ?? true);
  const left = meant.filter((process) => !hasCome(process, readiness, awaited));
  if (left.length === 0 && (names !== null || readiness === null))
    return success(meant.map(processLine).join(''));
  const vain = left.find((process) => isOver || (awaited.goal === 'ready' && isHopeless(process, readiness)));
  if (vain === undefined) return null;
  return failure(
    EXIT.unavailable,
    `cannot wait for "${escapeText(vain.name)}": it is ${vain.state}, and will not be ${awaited.goal}`,
  );
}

const ENDED: readonly ProcessStatus['state'][] = ['success', 'failed', 'killed', 'lost'];

export function hasCome(
  process: ProcessStatus,
  readiness: Readiness | null,
  { goal, before }: Awaited,
): boolean {
  const was = before?.processes.find(({ name }) => name === process.name);
  const isAnother = was === undefined || process.run !== was.run;
  const isOver = ENDED.includes(process.state);
  if (goal === 'stopped')
    return (
      (isOver && isJudged(process, readiness)) || (process.state === 'waiting' && process.want === 'down')
    );
  if (goal === 'exited')
    return isOver || process.state === 'backoff' || process.run === null || (isAnother && was?.run != null);
  if (before !== null && !isAnother) return false;
  if (readiness === null) return process.state === 'running' || process.state === 'ready';
  const isWaitedFor = readiness.waitingFor.some((each) => each.process === process.name);
  return process.want === 'up' && !isWaitedFor;
}

/** Nothing of it is to come by itself. */
export function isHopeless(process: ProcessStatus, readiness: Readiness | null): boolean {
  const { state, want, next_start_at: next } = process;
  if (want === 'down') return ENDED.includes(state);
  return (state === 'failed' || state === 'lost') && next === null && isJudged(process, readiness);
}

/** Init tells of an end at once. Whether another run follows its supervisor says, a moment later; where there is one. */
function isJudged({ last }: ProcessStatus, readiness: Readiness | null): boolean {
  return readiness === null || last === null || last.cause !== null;
}

function processLine({ name, state, last }: ProcessStatus): string {
  const how = last === null ? '' : `, ${last.signal ?? `code ${last.code ?? 'unknown'}`}`;
  return `${escapeText(name)}: ${state}${ENDED.includes(state) ? how : ''}\n`;
}

function taskLine({ task }: Status): string {
  return `${escapeText(task.name ?? 'task')}: ${task.state}, exit code ${task.exit_code ?? 'unknown'}\n`;
}
