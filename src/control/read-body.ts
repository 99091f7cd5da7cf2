/** The body of a request, within its bound, as JSON. */
import type { IncomingMessage } from 'node:http';
import { type HttpAnswer, problem } from './answer.ts';
import { BODY_MAX_BYTES } from './limits.ts';

export type Body = { readonly bytes: Buffer } | { readonly wrong: HttpAnswer } | { readonly gone: true };

/** `keep` false: it is read to its end, and none of it is kept. */
export function readBody(request: IncomingMessage, keep = true): Promise<Body> {
  const parts: Buffer[] = [];
  let size = 0;
  return new Promise((resolve) => {
    request.on('data', (part: Buffer) => {
      size += part.length;
      if (size <= BODY_MAX_BYTES) {
        if (keep) parts.push(part);
      } else {
        parts.length = 0;
        const message = `the body has more than ${BODY_MAX_BYTES} bytes`;
        resolve({
          wrong: problem(413, 'too-large', message, 'ask for less at once', { connection: 'close' }),
        });
      }
    });
    request.on('end', () => resolve({ bytes: Buffer.concat(parts) }));
    request.on('close', () => resolve({ gone: true }));
    request.on('error', () => resolve({ gone: true }));
  });
}

/** Nothing is an empty object, so that `curl -X POST` is enough. */
export function parseBody(bytes: Buffer): { readonly value: unknown } | { readonly wrong: HttpAnswer } {
  if (bytes.length === 0) return { value: {} };
  try {
    return { value: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) };
  } catch (error) {
    const message = `the body is no JSON: ${(error as Error).message.slice(0, 200)}`;
    return { wrong: problem(400, 'bad-request', message, 'send a JSON object, or nothing') };
  }
}
