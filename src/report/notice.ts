import type { JournalNews } from '../checkpoint/journal.ts';
import type { Happening } from '../supervisor/happening.ts';
import { errnoOf } from './errno.ts';
import { type Worded, wordHappening } from './happening-words.ts';

/** All that the TypeScript part says by itself: what happens to runs, to the log, and to the supervisor. */
export type Notice =
  | Happening
  | { readonly kind: 'log'; readonly log: string; readonly news: JournalNews }
  | { readonly kind: 'portable'; readonly losses: readonly string[] }
  | { readonly kind: 'supervisor-restarted'; readonly restarts: number }
  | { readonly kind: 'internal-error'; readonly error: string };

/** init and its coordinators say these by themselves, and know the names of the processes. */
export const SAID_BY_INIT: ReadonlySet<Notice['kind']> = new Set(['killed', 'stuck', 'lost']);

export function wordNotice(notice: Notice): Worded {
  switch (notice.kind) {
    case 'log':
      return wordLogNews(notice.log, notice.news);
    case 'portable':
      return {
        level: 'warn',
        sentence: `the native part is not here, going on without: ${notice.losses.join('; ')}`,
      };
    case 'supervisor-restarted':
      return {
        level: 'warn',
        sentence: `the supervisor was started again (${notice.restarts} so far) and carries on`,
      };
    case 'internal-error':
      return { level: 'error', sentence: `internal error: ${notice.error}` };
    default:
      return wordHappening(notice);
  }
}

function wordLogNews(log: string, news: JournalNews): Worded {
  const kept = (copy: string | null): string =>
    copy === null ? 'no copy could be kept' : `a copy is in "${copy}"`;
  switch (news.kind) {
    case 'torn':
      return warn(`${log}: a torn last line of ${news.bytes} bytes is cut off; ${kept(news.copy)}`);
    case 'damaged':
      return error(
        `${log}: damaged at line ${news.damage.line} (${news.damage.reason}), a new one is begun; ${kept(news.copy)}`,
      );
    case 'memory':
      return warn(`${log}: cannot be had (${errnoOf(news.code)}), going on in memory`);
    case 'failing':
      return warn(`${log}: cannot be written (${errnoOf(news.code)}), going on without`);
    case 'recovered':
      return warn(`${log}: is written again, ${news.missing} records are missing`);
    case 'sync-failed':
      return warn(`${log}: cannot be brought to the disk (${errnoOf(news.code)})`);
    case 'deleted':
      return warn(`${log}: has been deleted, and nobody will read what is written now`);
  }
}

function warn(sentence: string): Worded {
  return { level: 'warn', sentence };
}

function error(sentence: string): Worded {
  return { level: 'error', sentence };
}
