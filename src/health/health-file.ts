/** What `gsup health` reads: whether the task is well and ready, in a file that is written when that changes. */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { judgeTask, type Verdict } from '../control/verdict.ts';
import { escapeText } from '../report/escape.ts';
import type { State } from '../supervisor/state.ts';

/** More does not fit into the line that a probe shows. */
const NAMED = 5;

/** Returns what is to be called whenever the state may be another one: a burst of that is one look. */
export function createHealthFile(folder: string, state: () => State): () => void {
  let written = '';
  let looking = false;
  const look = (): void => {
    looking = false;
    const text = healthText(judgeTask(state()));
    if (text === written) return;
    try {
      const draft = join(folder, 'health.new');
      writeFileSync(draft, text, { mode: 0o600 });
      renameSync(draft, join(folder, 'health'));
      written = text;
    } catch {
      // A full disk, or no folder any more: tried again at the next change. The task goes on.
    }
  };
  return () => {
    if (!looking) setImmediate(look);
    looking = true;
  };
}

/** First line for programs, second one for people. */
export function healthText({ healthy, ready, waitingFor, stopping }: Verdict): string {
  const names = waitingFor.slice(0, NAMED).map(({ process, state }) => `${process} is ${state}`);
  const more = waitingFor.length > NAMED ? [`${waitingFor.length - NAMED} more`] : [];
  const why = stopping ? 'it is being stopped' : escapeText([...names, ...more].join(', '), 500);
  return `${healthy ? 'healthy' : 'unhealthy'} ${ready ? 'ready' : 'not-ready'}\n${why}\n`;
}
