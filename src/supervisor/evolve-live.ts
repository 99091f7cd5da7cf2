/** What the host says now. It is said again, whole, after every crash, so nothing of it is written. */
import { processName, runNumber } from './names.ts';
import { isTerminal } from './select.ts';
import type { Asked, Live, State } from './state.ts';
import type { Asks, Hello, RunSnapshot } from './vocabulary.ts';

export type HostFact = { readonly type: 'host' } & (
  | { readonly about: 'hello'; readonly hello: Hello; readonly supervisorPid: number }
  | { readonly about: 'run'; readonly run: RunSnapshot }
  | { readonly about: 'asks'; readonly asks: Asks }
  | { readonly about: 'sync'; readonly missing: readonly string[] }
  | { readonly about: 'asked' | 'answered'; readonly key: string; readonly asked: Asked }
  | { readonly about: 'ready'; readonly run: string; readonly nowNs: bigint }
  /** This supervisor has said or posted it. */
  | { readonly about: 'done'; readonly what: string }
);

export function evolveLive(state: State, fact: HostFact): Live {
  const { live } = state;
  switch (fact.about) {
    case 'hello':
      return { ...live, hello: fact.hello, supervisorPid: fact.supervisorPid };
    case 'run':
      return isOfInterest(state, fact.run.name) ? sawRun(live, fact.run) : live;
    case 'asks':
      return { ...live, asks: fact.asks };
    case 'sync':
      return { ...forgetOthers(state), synced: true, missing: named(fact.missing) };
    case 'asked':
    case 'answered':
      return { ...live, probes: { ...live.probes, [fact.key]: fact.asked } };
    case 'ready':
      return { ...live, readyNs: { ...live.readyNs, [fact.run]: fact.nowNs } };
    case 'done':
      return { ...live, done: { ...live.done, [fact.what]: true } };
  }
}

/** Of what is judged nothing is to be learned any more. What no log knows yet is news: the log may have been lost. */
export function isOfInterest(state: State, name: string): boolean {
  const run = state.runs[name];
  if (run !== undefined) return !isTerminal(run);
  const process = state.processes[processName(name)];
  return process !== undefined && runNumber(name) > process.runs;
}

function sawRun(live: Live, run: RunSnapshot): Live {
  const { [run.name]: _, ...missing } = live.missing;
  return { ...live, seen: { ...live.seen, [run.name]: run }, missing };
}

/** What belongs to runs that are no more: a process may be restarted for years. */
function forgetOthers({ live, runs, processes }: State): Live {
  const isKept = (run: string): boolean =>
    runs[run] !== undefined || runNumber(run) > (processes[processName(run)]?.runs ?? 0);
  const kept = <T>(of: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(
      Object.entries(of).filter(([key]) => !key.includes('#') || isKept(key.split(' ')[0] ?? '')),
    );
  return {
    ...live,
    seen: kept(live.seen),
    done: kept(live.done),
    probes: kept(live.probes),
    readyNs: kept(live.readyNs),
  };
}

function named(names: readonly string[]): Record<string, true> {
  return Object.fromEntries(names.map((name) => [name, true]));
}
