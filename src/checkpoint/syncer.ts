// Brings a log to the disk, without anybody waiting for it, and notices when its file has been deleted.
import type { JournalDisk } from './disk.ts';
import { codeOf, type FoundLog, type JournalNews } from './journal-open.ts';

export type Syncer = { request(): void; settled(): Promise<void>; close(): void };

/** At most one fdatasync under way; what is appended meanwhile shares the next one. */
export function createSyncer(log: FoundLog, disk: JournalDisk, report: (news: JournalNews) => void): Syncer {
  const said = new Set<JournalNews['kind']>();
  const waiting: (() => void)[] = [];
  let running = false;
  let dirty = false;
  let closed = false;

  const sayOnce = (news: JournalNews): void => {
    if (!said.has(news.kind)) report(news);
    said.add(news.kind);
  };
  const finish = (): void => {
    running = false;
    if (dirty && !closed) {
      start();
      return;
    }
    if (closed) log.closeOwn();
    for (const resolve of waiting.splice(0)) resolve();
  };
  const start = (): void => {
    const { fd } = log;
    if (fd === undefined) return;
    running = true;
    dirty = false;
    disk.sync(fd, (error) => {
      if (error) sayOnce({ kind: 'sync-failed', code: codeOf(error) });
      if (!log.linked) return finish();
      disk.linksLater(fd, (links) => {
        if (links === 0) sayOnce({ kind: 'deleted' });
        finish();
      });
    });
  };

  return {
    request: () => {
      dirty = true;
      if (!running && !closed) start();
    },
    settled: () => (running ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve()),
    close: () => {
      if (closed) return;
      closed = true;
      if (!running) log.closeOwn();
    },
  };
}
