/** The page's ear: what its server tells of a task as it goes on. Runs in a browser. */
/// <reference lib="dom" />
import type { News } from './live.ts';

export interface Listener {
  readonly news: (news: News) => void;
  /** Nobody answers; `refused`: and asking again is of no use. */
  readonly cut: (refused: boolean) => void;
}

const AGAIN_MS = 1000;
/** A tab keeps it, so that a page can be loaded again; it is in no link, no history and no address that is passed on. */
const KEPT_AS = 'gsup-token';

export async function follow(listener: Listener): Promise<void> {
  const token = takeToken();
  for (;;) {
    const ended = await listen(token, listener.news).catch(() => null);
    if (ended !== null) {
      if (ended === 'refused') listener.cut(true);
      return;
    }
    listener.cut(false);
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

function takeToken(): string {
  const given = location.hash.slice(1);
  if (given === '') return sessionStorage.getItem(KEPT_AS) ?? '';
  sessionStorage.setItem(KEPT_AS, given);
  history.replaceState(null, '', location.pathname);
  return given;
}

/** null: cut off. The first news of each connection has everything, so nothing need be remembered here. */
async function listen(token: string, tell: Listener['news']): Promise<'refused' | 'ended' | null> {
  const answer = await fetch('events', { headers: { authorization: `Bearer ${token}` }, cache: 'no-store' });
  if (answer.status === 401 || answer.status === 403) return 'refused';
  if (!answer.ok || answer.body === null) return null;
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return null;
    const lines = (rest + value).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line === '') continue;
      const news = JSON.parse(line) as News;
      tell(news);
      // There is no more to come.
      if (news.source === 'ended' || news.source === 'file') return 'ended';
    }
  }
}
