import type { HttpPort } from '../supervisor/ports.ts';
import type { Clock } from './host.ts';

/** Hooks of ladders. After a crash a request may be made again, under the same name. */
export function createHttpPort(clock: Clock): HttpPort {
  return {
    post(url, name, deadlineNs, done) {
      // The clock's, because a rung may last longer than a time-out of Node can.
      const disarm =
        deadlineNs === null
          ? () => {}
          : clock.at(deadlineNs, () => {
              cancel();
              done(false, 'no answer in time');
            });
      const cancel = postHook(url, name, ({ ok, detail }) => {
        disarm();
        done(ok, detail);
      });
    },
  };
}

/** What a POST came to: `ok` is a 2xx answer. */
export interface PostResult {
  readonly ok: boolean;
  readonly detail: string;
}

/**
 * POST to a hook's URL. Only the status line of the answer counts, so nothing else of it is kept. `done` is called
 * once and later, unless the returned function was called before. node:http is loaded here: most runs never need it.
 */
export function postHook(url: string, name: string, done: (result: PostResult) => void): () => void {
  const abort = new AbortController();
  let settled = false;
  const settle = (ok: boolean, detail: string): void => {
    if (settled) return;
    settled = true;
    abort.abort();
    done({ ok, detail });
  };

  const secure = url.startsWith('https:');
  (secure ? import('node:https') : import('node:http')).then(
    ({ request }) => {
      if (settled) return;
      try {
        request(url, {
          method: 'POST',
          signal: abort.signal,
          agent: false,
          headers: { 'content-length': 0, 'idempotency-key': name },
        })
          .on('response', (response) => {
            const status = response.statusCode ?? 0;
            settle(status >= 200 && status < 300, `status ${status}`);
          })
          .on('error', (error) => settle(false, errorText(error)))
          .end();
      } catch (error) {
        settle(false, (error as Error).message);
      }
    },
    (error: Error) => settle(false, error.message),
  );
  return () => {
    settled = true;
    abort.abort();
  };
}

/** A name that has several addresses fails once for each, and the error of all has no message of its own. */
function errorText(error: Error & { readonly code?: string }): string {
  return error.message || (error.code ?? error.name);
}
