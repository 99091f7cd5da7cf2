import type { RecordBody, Rusage } from '../checkpoint/record.ts';
import { signalName } from '../signals/names.ts';
import type { RunSnapshot, Usage } from '../supervisor/vocabulary.ts';
import type { Host, HostNews } from './host.ts';

/** Runs whose news may still come; a process may be restarted for years. */
const REMEMBERED = 4096;

/** The same host, whose news is written down before anybody hears it. */
export function withFacts(host: Host, log: { append(record: RecordBody): unknown } | null): Host {
  if (log === null) return host;
  const write = createFactWriter((record) => log.append(record));
  return {
    ...host,
    open: (report) =>
      host.open((news) => {
        write(news);
        report(news);
      }),
  };
}

/**
 * What init would have written to init.log: facts, each once. Returns a listener for the news of a host; `append` gets
 * the records in their order.
 */
export function createFactWriter(append: (record: RecordBody) => void): (news: HostNews) => void {
  const before = new Map<number, RunSnapshot>();
  let asks = 0;
  return (news) => {
    if (news.kind === 'asks' && news.asks.count > asks) {
      asks = news.asks.count;
      append({ type: 'signal', signal: nameOf(news.asks.signal), pid: news.asks.pid, uid: news.asks.uid });
    }
    if (news.kind !== 'run') return;
    for (const record of factsOf(news.run, before.get(news.run.key))) append(record);
    before.delete(news.run.key);
    before.set(news.run.key, news.run);
    const [oldest] = before.keys();
    if (before.size > REMEMBERED && oldest !== undefined) before.delete(oldest);
  };
}

/** The facts that make `now` of what was known before. */
export function factsOf(now: RunSnapshot, before: RunSnapshot | undefined): RecordBody[] {
  const { name: run, pid, code, startFailure } = now;
  const signal = now.signal === null ? null : nameOf(now.signal);
  const facts: RecordBody[] = [];
  if (now.startedNs > 0n && !before?.startedNs) {
    facts.push({ type: 'run-started', run, pid, start_ticks: Number(now.startTicks) });
  }
  if (now.leaderExited && !before?.leaderExited) {
    facts.push({ type: 'leader-exited', run, pid, code, signal, rusage: rusageOf(now.leaderUsage) });
    if (now.stragglerPids.length > 0) facts.push({ type: 'stragglers', run, pids: now.stragglerPids });
  }
  if (now.phase === 'ended' && before?.phase !== 'ended') {
    const failure = startFailure === null ? {} : { stage: startFailure.stage, errno: startFailure.errno };
    const rusage = rusageOf(now.treeUsage);
    facts.push({ type: 'run-ended', run, code, signal, forced: now.forced, rusage, ...failure });
  }
  return facts;
}

function rusageOf(usage: Usage): Rusage {
  return { user_us: usage.userUs, sys_us: usage.sysUs, max_rss_kb: usage.maxRssKb };
}

function nameOf(signal: number): string {
  return signalName(signal) ?? String(signal);
}
