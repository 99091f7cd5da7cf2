import { type IncomingHttpHeaders, request } from 'node:http';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
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

/** A unix socket by its path, or a port of 127.0.0.1. */
export type Place = string | { readonly port: number; readonly headers?: Readonly<Record<string, string>> };

/** Rejects when there is no answer. A body that is no text is sent as JSON. */
export function ask(place: Place, method: string, path: string, body?: unknown): Promise<Reply> {
  const payload = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const where = typeof place === 'string' ? { socketPath: place } : { host: '127.0.0.1', ...place };
  return new Promise((resolve, reject) => {
    const asked = request({ ...where, method, path, agent: false }, (answer) => {
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
export function sendRaw(place: Place, bytes: string | Buffer, end = true): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket: Socket = connect(typeof place === 'string' ? { path: place } : place);
    socket.setEncoding('latin1');
    socket.on('data', (part: string) => {
      text += part;
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
    socket.on('connect', () => (end ? socket.end(bytes) : socket.write(bytes)));
  });
}

/** A port of 127.0.0.1 that nobody listens on just now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
