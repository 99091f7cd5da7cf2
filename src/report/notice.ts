import type { JournalNews } from '../checkpoint/journal.ts';
import type { Happening } from '../supervisor/happening.ts';
import { errnoOf } from './errno.ts';
import { type Worded, wordHappening } from './happening-words.ts';

/** All that the TypeScript part says by itself: what happens to runs, to the log, and to the supervisor. */
export type Notice =
  | Happening
  | { readonly kind: 'log'; readonly log: string; readonly news: JournalNews }
  | { readonly kind: 'portable'; readonly losses: readonly string[] }
  /** At the start: how a stop could take longer than somebody else will wait. */
  | { readonly kind: 'stop-plan'; readonly warning: string }
  /** A later supervisor cannot read what the first one could. */
  | { readonly kind: 'environment-lost'; readonly problems: readonly string[] }
  | { readonly kind: 'supervisor-restarted'; readonly restarts: number }
  /** Clients may come over TCP. */
  | { readonly kind: 'tcp-open'; readonly address: string }
  /** They cannot, for now; it is tried again. */
  | { readonly kind: 'tcp-refused'; readonly problem: string }
  | { readonly kind: 'token-refused'; readonly problem: string }
  | { readonly kind: 'token-open'; readonly sentence: string }
  | { readonly kind: 'internal-error'; readonly error: string };

/** init and its coordinators say these by themselves, and know the names of the processes. */
export const SAID_BY_INIT: ReadonlySet<Notice['kind']> = new Set(['killed', 'stuck', 'lost']);

/** Differs from time to time where the same thing happens again, as in every round of a crash loop. */
const VARIES = new Set(['waitMs', 'leftMs', 'cutMs', 'failures', 'restarts', 'pids']);

/** Two notices with one key are the same to a person: the kind, the process and how it came about count. */
export function repeatKey(notice: Notice): string {
  return JSON.stringify(notice, (name, value) => {
    if (VARIES.has(name)) return undefined;
    if (name === 'run' || name === 'hook') return withoutNumbers(String(value));
    if (name === 'runs') return (value as readonly string[]).map(withoutNumbers);
    return value;
  });
}

/** `web#3/pre-stop.1` → `web/pre-stop`. */
function withoutNumbers(run: string): string {
  return run.replace(/#\d+/, '').replace(/(\/[a-z-]+)\.\d+$/, '$1');
}

export function wordNotice(notice: Notice): Worded {
  switch (notice.kind) {
    case 'log':
      return wordLogNews(notice.log, notice.news);
    case 'portable':
      return {
        level: 'warn',
        sentence: `the native part is not here, going on without: ${notice.losses.join('; ')}`,
      };
    case 'stop-plan':
      return warn(notice.warning);
    case 'environment-lost':
      return warn(`what starts from now on goes without some variables: ${notice.problems.join('; ')}`);
    case 'supervisor-restarted':
      return {
        level: 'warn',
        sentence: `the supervisor was started again (${notice.restarts} so far) and carries on`,
      };
    case 'tcp-open':
      return { level: 'info', sentence: `clients may come over http://${notice.address}` };
    case 'token-open':
      return warn(notice.sentence);
    case 'tcp-refused':
      return warn(`${notice.problem}; trying again`);
    case 'token-refused':
      return error(`${notice.problem}; until it is as it must be, nobody has the token`);
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
      return warn(
        `${log}: is written again, ${news.missing === 0 ? 'nothing is' : `${news.missing} records are`} missing`,
      );
    case 'sync-failed':
      return warn(`${log}: cannot be brought to the disk (${errnoOf(news.code)})`);
    case 'deleted':
      return warn(`${log}: has been deleted, and nobody will read what is written now`);
    case 'uncompacted':
      return warn(`${log}: cannot be compacted (${errnoOf(news.code)}), and goes on growing`);
  }
}

function warn(sentence: string): Worded {
  return { level: 'warn', sentence };
}

function error(sentence: string): Worded {
  return { level: 'error', sentence };
}
