/** Asks by GET: an answer from 200 to 399 is a good one, as for Kubernetes. Only its status line is read. */

/** Calls back once, later, within `timeoutMs`. */
export function askHttp(url: string, timeoutMs: number, done: (ok: boolean, detail: string) => void): void {
  const abort = new AbortController();
  let settled = false;
  const settle = (ok: boolean, detail: string): void => {
    if (settled) return;
    settled = true;
    clearTimeout(timer);
    abort.abort();
    done(ok, detail);
  };
  const timer = setTimeout(() => settle(false, 'no answer in time'), timeoutMs);
  const module = url.startsWith('https:') ? import('node:https') : import('node:http');
  module
    .then(({ get }) => {
      get(url, { signal: abort.signal, agent: false, headers: { 'user-agent': 'gsup' } })
        .on('response', ({ statusCode = 0 }) =>
          settle(statusCode >= 200 && statusCode < 400, `status ${statusCode}`),
        )
        .on('error', (error: NodeJS.ErrnoException) => settle(false, error.code ?? error.message));
    })
    .catch((error: Error) => settle(false, error.message));
}
