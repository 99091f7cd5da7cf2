/** Calls `look` whenever there may be something new, until it has an answer or the time is over. */
import type { Client, ControlError } from '../control/client.ts';

/** Where there is no stream of events to wake us: a plain run has no supervisor. */
const LOOK_EVERY_MS = 200;

/** null: the time is over. */
export async function watchTask<T>(
  client: Client,
  look: () => Promise<T | null>,
  timeoutMs: number | null,
): Promise<T | null> {
  const over = new AbortController();
  const late = timeoutMs === null ? undefined : setTimeout(() => over.abort(), timeoutMs);
  const bell = createBell();
  over.signal.addEventListener('abort', bell.ring);
  const listening = listen(client, over.signal, bell.ring);
  try {
    for (;;) {
      const found = await look();
      if (found !== null) return found;
      if (over.signal.aborted) return null;
      await bell.rung();
    }
  } finally {
    clearTimeout(late);
    over.abort();
    await listening;
  }
}

/** Rings for each event and for the end; once more when the stream is open, for what came before it was. */
async function listen(client: Client, over: AbortSignal, ring: () => void): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  over.addEventListener('abort', () => clearInterval(timer));
  try {
    for await (const _ of client.events({ cursor: 'now', signal: over, onOpen: ring })) ring();
  } catch (error) {
    if ((error as Partial<ControlError>).code === undefined && !over.aborted) throw error;
  }
  ring();
  // Nobody streams (any more); what is left to come is in the files.
  if (!over.aborted) timer = setInterval(ring, LOOK_EVERY_MS);
}

/** What rings while nobody waits is heard by who waits next. */
function createBell(): { ring: () => void; rung: () => Promise<void> } {
  let rang = false;
  let wake: (() => void) | null = null;
  return {
    ring: () => {
      rang = true;
      wake?.();
    },
    rung: async () => {
      if (!rang)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      wake = null;
      rang = false;
    },
  };
}
