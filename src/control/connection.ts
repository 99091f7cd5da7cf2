/** One request over a task's control socket, and what keeps it from being answered, in words. */
import { closeSync, constants, openSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { isTaskLive } from '../checkpoint/task-folders.ts';
import type { Problem } from './answer.ts';

export interface Call {
  readonly method: 'GET' | 'POST';
  /** With its query. */
  readonly path: string;
  readonly body?: unknown;
  /** The body from the second time on. */
  readonly bodyAgain?: unknown;
  /** Until the answer begins; whoever is started meanwhile has to come up. */
  readonly timeoutMs?: number;
  /** To be asked twice would be more than to be asked once: not again, when it may have been heard. */
  readonly once?: boolean;
  readonly signal?: AbortSignal;
  /** Good answers besides 2xx. */
  readonly accept?: readonly number[];
}

/** Why there is no good answer. `code`: as the server says, or one of the two that only a client can say. */
export interface ControlError extends Error {
  readonly code: Problem['code'] | 'no-supervisor' | 'no-answer' | 'no-task';
  readonly hint: string;
}

export const ANSWER_WITHIN_MS = 30_000;
const AGAIN_AFTER_MS = 50;
/** The longest path of a socket (sun_path) without its NUL. */
const SOCKET_PATH_MAX = 107;

export function controlError(code: ControlError['code'], message: string, hint: string): ControlError {
  return Object.assign(new Error(message), { code, hint });
}

/**
 * A supervisor may end at any time, and the next one answers: what was cut off is asked again. Rejects with a ControlError;
 * what is not 2xx is one, too.
 */
export async function call(folder: string, asked: Call): Promise<IncomingMessage> {
  let next = asked;
  const end = performance.now() + (asked.timeoutMs ?? ANSWER_WITHIN_MS);
  for (;;) {
    const answer = await attempt(folder, next, end - performance.now());
    if (!(answer instanceof Error)) return judged(answer, asked.accept);
    const given = reasonToGiveUp(folder, asked, answer, performance.now() >= end);
    if (given !== null) throw given;
    next = { ...asked, body: asked.bodyAgain ?? asked.body };
    await new Promise((resolve) => setTimeout(resolve, AGAIN_AFTER_MS));
  }
}

type Failure = Error & { readonly code?: string; readonly heard: boolean };

function attempt(folder: string, asked: Call, withinMs: number): Promise<IncomingMessage | Failure> {
  const { method, path, body, signal } = asked;
  const socket = openSocketPath(folder);
  return new Promise((resolve) => {
    let heard = false;
    const payload = body === undefined ? '' : JSON.stringify(body);
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) };
    const sent = request({
      // Without an agent: it would cost a tenth of a whole `gsup status`.
      createConnection: () => connect(socket.path),
      method,
      path,
      headers,
      ...(signal && { signal }),
    });
    const late = setTimeout(
      () => sent.destroy(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })),
      Math.max(1, withinMs),
    );
    sent.on('socket', (each) =>
      each.on('connect', () => {
        heard = true;
        socket.close();
      }),
    );
    const over = (result: IncomingMessage | Failure) => {
      clearTimeout(late);
      socket.close();
      resolve(result);
    };
    sent.on('response', over);
    sent.on('error', (error) => over(Object.assign(error, { heard })));
    sent.end(payload);
  });
}

/** A longer path is shortened by way of its folder's descriptor. */
function openSocketPath(folder: string): { path: string; close: () => void } {
  const path = join(folder, 'control.sock');
  const short = { path, close: () => {} };
  if (Buffer.byteLength(path) <= SOCKET_PATH_MAX) return short;
  try {
    const fd = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
    let open = true;
    const close = () => {
      if (open) closeSync(fd);
      open = false;
    };
    return { path: `/proc/self/fd/${fd}/control.sock`, close };
  } catch {
    return short;
  }
}

const GONE = ['ECONNREFUSED', 'ENOENT', 'ECONNRESET', 'EPIPE', 'EAGAIN'];

/** null: ask again. */
function reasonToGiveUp(folder: string, { once }: Call, error: Failure, late: boolean): Error | null {
  const { code = '', heard } = error;
  if (error.name === 'AbortError') return error;
  if (code === 'EACCES' || code === 'EPERM')
    return controlError(
      'no-task',
      `cannot reach the task in "${folder}": it belongs to another user`,
      'ask as that user, or as root',
    );
  if (!isTaskLive(folder)) return controlError('ended', 'the task has ended', 'gsup history tells how');
  if (late || !GONE.includes(code))
    return controlError(
      'no-answer',
      `the supervisor does not answer${code === 'ETIMEDOUT' ? '' : `: ${error.message}`}`,
      'its messages on stderr say why; the task goes on without it',
    );
  return once && heard
    ? controlError(
        'no-answer',
        'the supervisor ended before it answered',
        'look with gsup history whether it was done',
      )
    : null;
}

async function judged(answer: IncomingMessage, accept: readonly number[] = []): Promise<IncomingMessage> {
  const { statusCode = 0 } = answer;
  if ((statusCode >= 200 && statusCode < 300) || accept.includes(statusCode)) return answer;
  const said = (await readJson(answer).catch(() => ({}))) as Partial<Problem>;
  const { code = 'internal', message = `the supervisor answered with ${statusCode}`, hint = '' } = said;
  throw controlError(code, message, hint);
}

export async function readJson(answer: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  for await (const part of answer) parts.push(part as Buffer);
  return JSON.parse(Buffer.concat(parts).toString());
}
