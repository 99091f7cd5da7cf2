import { type IncomingHttpHeaders, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Gsup } from './gsup.ts';
import { until } from './until.ts';

/** HTTP on the control socket, without any of the code under test. */
export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: what comes is what is tested
  readonly json: any;
}

export function socketOf(gsup: Pick<Gsup, 'folder'>): string {
  return join(gsup.folder, 'control.sock');
}

/** Rejects when there is no answer. A body that is no text is sent as JSON. */
export function ask(socketPath: string, method: string, path: string, body?: unknown): Promise<Reply> {
  const payload = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, method, path, agent: false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (part: string) => {
        text += part;
      });
      answer.on('error', reject);
      answer.on('end', () => {
        const isJson = answer.headers['content-type'] === 'application/json' && text !== '';
        const { statusCode: status = 0, headers } = answer;
        resolve({ status, headers, text, json: isJson ? JSON.parse(text) : undefined });
      });
    });
    asked.on('error', reject);
    asked.end(payload);
  });
}

/** As soon as a supervisor answers. */
export async function answered(gsup: Gsup): Promise<void> {
  let answers = false;
  await until('an answer', () => {
    if (!answers)
      ask(socketOf(gsup), 'GET', '/livez').then(
        () => {
          answers = true;
        },
        () => {},
      );
    return answers;
  });
}

/** Bytes as they are, and what comes back until the other end closes. */
export function sendRaw(socketPath: string, bytes: string | Buffer, end = true): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket: Socket = connect(socketPath);
    socket.setEncoding('latin1');
    socket.on('data', (part: string) => {
      text += part;
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
    socket.on('connect', () => (end ? socket.end(bytes) : socket.write(bytes)));
  });
}
