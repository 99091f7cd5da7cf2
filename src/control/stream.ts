/** What streams of events and of output have in common. */
import type { Writable } from 'node:stream';
import { READ_WITHIN_MS } from './limits.ts';

/** What was written has been taken. false: the client does not read, and is cut off, or it has gone. */
export function drained(to: Writable, gone: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (taken: boolean) => {
      clearTimeout(late);
      to.off('drain', onDrain);
      gone.removeEventListener('abort', onGone);
      if (!taken) to.destroy();
      resolve(taken);
    };
    const onDrain = () => end(true);
    const onGone = () => end(false);
    const late = setTimeout(onGone, READ_WITHIN_MS);
    to.once('drain', onDrain);
    gone.addEventListener('abort', onGone);
    if (gone.aborted) end(false);
  });
}
