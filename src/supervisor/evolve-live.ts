/** What the host says now. It is said again, whole, after every crash, so nothing of it is written. */
import { hookKind, hookNumber, isHookName, isProbe, processName, runNumber, servedRun } from './names.ts';
import { isTerminal, isUnforked } from './select.ts';
import type { Asked, Live, Reader, Run, State } from './state.ts';
import { lookUp, mapTable, put, type Table } from './table.ts';
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
  | { readonly about: 'reload'; readonly reader: Reader }
  | { readonly about: 'reloaded' }
);

export function evolveLive(state: State, fact: HostFact): Live {
  const { live } = state;
  switch (fact.about) {
    case 'hello':
      return { ...live, partial: true, hello: fact.hello, supervisorPid: fact.supervisorPid };
    case 'run':
      return { ...(isOfInterest(state, fact.run) ? sawRun(live, fact.run) : live), partial: true };
    case 'asks':
      return { ...live, partial: true, asks: fact.asks };
    case 'sync':
      return {
        ...forgetOthers(state),
        synced: true,
        partial: false,
        missing: named(live.missing, fact.missing),
      };
    case 'asked':
    case 'answered':
      return { ...live, probes: put(live.probes, fact.key, fact.asked) };
    case 'ready':
      return { ...live, readyNs: put(live.readyNs, fact.run, fact.nowNs) };
    case 'reload': {
      const { reading, waiting } = live.reload ?? { reading: [], waiting: [] };
      const reload =
        live.reload === null
          ? { reading: [fact.reader], waiting }
          : { reading, waiting: [...waiting, fact.reader] };
      return { ...live, reload };
    }
    case 'reloaded': {
      const waiting = live.reload?.waiting ?? [];
      return { ...live, reload: waiting.length === 0 ? null : { reading: waiting, waiting: [] } };
    }
    case 'done':
      return { ...live, done: put(live.done, fact.what, true) };
  }
}

/** Of what is judged nothing is to be learned any more. What no log knows yet is news: the log may have been lost. */
export function isOfInterest(state: State, seen: RunSnapshot): boolean {
  const run = lookUp(state.runs, seen.name);
  return run === undefined ? isUnknown(state, seen) : !isTerminal(run);
}

/** The log tells nothing of it: neither that it is there, nor that it was. */
export function isUnknown(state: State, { name, phase }: RunSnapshot): boolean {
  const own = lookUp(state.runs, name);
  if (own !== undefined && !isUnforked(own)) return false;
  const process = lookUp(state.processes, processName(name));
  if (process === undefined) return false;
  // Its number is taken by what comes before its start.
  if (!isHookName(name)) return own === undefined ? runNumber(name) > process.runs : isUnforked(own);
  if (own !== undefined) return false;
  const served = servedRun(name);
  // Of what is judged only the end can still be told.
  if (phase !== 'ended' || runNumber(served) > process.runs) return true;
  const run = lookUp(state.runs, served);
  return run !== undefined && isHookUnheardOf(run, name);
}

function isHookUnheardOf(run: Run, hook: string): boolean {
  const kind = hookKind(hook);
  if (kind === 'pre-start') return isUnforked(run) && run.hook === null;
  if (kind === 'post-stop') return run.hook?.kind !== 'post-stop';
  return hookNumber(hook) > (isProbe(kind) ? run.probes : run.hooks);
}

function sawRun(live: Live, run: RunSnapshot): Live {
  const seen = put(live.seen, run.name, run);
  if (live.missing[run.name] === undefined) return { ...live, seen };
  const { [run.name]: _, ...missing } = live.missing;
  return { ...live, seen, missing };
}

/** More facts than this for each run can only be of runs that are no more; so not each batch looks through all of them. */
const KEPT_PER_RUN = 8;

/** What belongs to runs that are no more: a process may be restarted for years. */
function forgetOthers(state: State): Live {
  const { live, runs, processes } = state;
  const known = live.seen.size + live.done.size + live.probes.size + live.readyNs.size;
  if (known < KEPT_PER_RUN * (runs.size + 1)) return live;
  const isKept = (run: string): boolean => {
    const seen = lookUp(live.seen, run);
    if (lookUp(runs, run) !== undefined || (seen !== undefined && isUnknown(state, seen))) return true;
    return runNumber(run) > (lookUp(processes, processName(run))?.runs ?? 0);
  };
  const kept = <T>(of: Table<T>): Table<T> =>
    mapTable(of, (value, key) => (!key.includes('#') || isKept(key.split(' ')[0] ?? '') ? value : undefined));
  return {
    ...live,
    seen: kept(live.seen),
    done: kept(live.done),
    probes: kept(live.probes),
    readyNs: kept(live.readyNs),
  };
}

/** The same object where they are the same, as they nearly always are. */
function named(known: Live['missing'], names: readonly string[]): Live['missing'] {
  const isSame = names.length === Object.keys(known).length && names.every((name) => known[name] === true);
  if (isSame) return known;
  return Object.fromEntries(names.map((name) => [name, true]));
}
