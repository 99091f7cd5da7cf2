/** What each command asks of a running task, and what it prints of the answer. */
import { realpathSync } from 'node:fs';
import type { Done } from '../control/client.ts';
import { durationText } from '../report/duration.ts';
import { escapeText } from '../report/escape.ts';
import { EXIT } from '../signals/exit-codes.ts';
import type { ConfigDifference } from '../supervisor/client-request.ts';
import type { Target } from '../supervisor/vocabulary.ts';
import type { ClientAsked } from './client-command.ts';
import { packageFolder } from './install-init.ts';
import { failure, type Outcome, success } from './output.ts';
import { awaitOutcome, type Goal, readTimeout } from './wait.ts';

export const start = (asked: ClientAsked): Promise<Outcome> => change(asked, 'start', 'starting', 'ready');
export const stop = (asked: ClientAsked): Promise<Outcome> => change(asked, 'stop', 'stopping', 'stopped');
export const restart = (asked: ClientAsked): Promise<Outcome> =>
  change(asked, 'restart', 'restarting', 'ready');

async function change(
  asked: ClientAsked,
  op: 'start' | 'stop' | 'restart',
  doing: string,
  goal: Goal,
): Promise<Outcome> {
  const { client, words, options } = asked;
  if (words.length === 0) return nothingNamed(op);
  const timeout = readTimeout(options.timeout);
  if ('exitCode' in timeout) return timeout;
  // A restart is over when there is a later run than now.
  const before = op === 'restart' && options.wait ? await client.status({ usage: false }) : null;
  const done = await client[op](words);
  const told = tell(asked, done, doing);
  if (!options.wait) return success(told);
  const end = await awaitOutcome(client, { goal, words, before, timeoutMs: timeout.ms });
  return { ...end, stdout: asked.quiet ? '' : told + (end.stdout ?? '') };
}

export async function signal(asked: ClientAsked): Promise<Outcome> {
  const { client, options } = asked;
  const [name, ...words] = asked.words;
  if (name === undefined)
    return failure(EXIT.usage, 'cannot send nothing: a signal is needed; write gsup signal HUP web');
  if (words.length === 0) return nothingNamed(`send ${escapeText(name, 40)}`);
  const done = await client.signal(name, words, (options.target ?? 'group') as Target);
  return success(tell(asked, done, `sent ${name} to`, 'is not running'));
}

export async function drain(asked: ClientAsked): Promise<Outcome> {
  return success(tell(asked, await asked.client.drain(asked.words), 'draining'));
}

export async function scale(asked: ClientAsked): Promise<Outcome> {
  const replicas: Record<string, number> = {};
  for (const word of asked.words) {
    const [, name, count] = /^(.+)=(\d{1,7})$/.exec(word) ?? [];
    if (name === undefined) {
      const got = escapeText(word, 60);
      return failure(EXIT.usage, `cannot scale "${got}": a process and a number are needed, like web=3`);
    }
    replicas[name] = Number(count);
  }
  if (asked.words.length === 0) return failure(EXIT.usage, 'cannot scale nothing: write gsup scale web=3');
  const done = await asked.client.scale(replicas);
  return success(tell(asked, done, 'scaling', 'is as asked already', done.difference));
}

export async function reload(asked: ClientAsked): Promise<Outcome> {
  const done = await asked.client.reload();
  const isSame = done.difference !== undefined && differenceLines(done.difference).length === 0;
  if (isSame && !asked.quiet) return success('the config is the same as before\n');
  return success(tell(asked, { ...done, unchanged: [] }, 'applying to', '', done.difference));
}

export async function shutdown(asked: ClientAsked): Promise<Outcome> {
  const { client, options } = asked;
  const timeout = readTimeout(options.timeout);
  if ('exitCode' in timeout) return timeout;
  const { processes } = await client.shutdown({ now: options.now === true });
  const again = processes.length === 0;
  const told = asked.quiet
    ? ''
    : `${escapeText(client.task)} is ${again ? 'being stopped already' : 'stopping'}\n`;
  if (!options.wait) return success(told);
  const end = await awaitOutcome(client, { goal: 'exited', words: [], before: null, timeoutMs: timeout.ms });
  return { ...end, stdout: told + (asked.quiet ? '' : (end.stdout ?? '')) };
}

/** Until the next one has answered, or the one before is back. */
export async function upgrade(asked: ClientAsked): Promise<Outcome> {
  const { client, options } = asked;
  const beganNs = process.hrtime.bigint();
  const installation = installationFolder(options.installation);
  await client.upgrade(installation);
  for await (const { record } of client.events()) {
    if (record.type !== 'upgrade' || BigInt(record.mono_ns as string) < beganNs) continue;
    // Somebody else may have asked for another one.
    if (record.installation !== installation) continue;
    if (record.state === 'failed')
      return failure(
        EXIT.unavailable,
        `cannot upgrade: the supervisor of "${installation}" did not come up, and the one before is back`,
      );
    if (record.state !== 'done') continue;
    const took = durationText(Number((process.hrtime.bigint() - beganNs) / 1_000_000n));
    return success(
      asked.quiet ? '' : `the supervisor is that of ${escapeText(installation)}, after ${took}\n`,
    );
  }
  return failure(EXIT.unavailable, 'cannot upgrade: the task has ended');
}

/** Of this very command, where none is named. */
function installationFolder(named: string | undefined): string {
  return named === undefined ? packageFolder(import.meta.url) : realpathSync(named);
}

function nothingNamed(what: string): Outcome {
  return failure(EXIT.usage, `cannot ${what} nothing: name a process; gsup status shows them`);
}

function tell(
  { quiet }: ClientAsked,
  { processes, unchanged }: Done,
  doing: string,
  otherwise = 'is as asked already',
  difference?: ConfigDifference,
): string {
  if (quiet) return '';
  const lines = [
    ...(difference === undefined ? [] : differenceLines(difference)),
    ...(processes.length === 0 ? [] : [`${doing} ${processes.join(', ')}`]),
    ...unchanged.map((name) => `${name} ${otherwise}`),
  ];
  return lines.map((line) => `${escapeText(line, 4000)}\n`).join('');
}

function differenceLines({ added, removed, changed, task }: ConfigDifference): string[] {
  return [
    ...added.map((name) => `+ ${name}`),
    ...removed.map((name) => `- ${name}`),
    ...changed.map(
      ({ process, keys, restart: anew }) => `~ ${process}: ${keys.join(', ')}${anew ? ' (new run)' : ''}`,
    ),
    ...(task.length === 0 ? [] : [`~ task: ${task.join(', ')}`]),
  ];
}
