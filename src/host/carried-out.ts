import type { Host, HostNews } from './host.ts';

export interface Watched {
  readonly host: Host;
  /** Everything up to this number has been carried out; 0: nothing is known. */
  carriedOut(): number;
}

/**
 * The same host, and how far its news tell that requests were carried out. It carries them out in the order of their
 * numbers, and a run's key is the number of the request that started it: so a run that is there vouches for all before.
 */
export function watchCarriedOut(host: Host): Watched {
  let highest = 0;
  const hear = (news: HostNews): void => {
    if (news.kind === 'hello') highest = Math.max(highest, news.hello.lastNumber);
    if (news.kind === 'run') highest = Math.max(highest, news.run.key);
  };
  return {
    host: {
      ...host,
      open: (report) =>
        host.open((news) => {
          hear(news);
          report(news);
        }),
    },
    carriedOut: () => highest,
  };
}
