/** What each part of the boundary went through, for its real code to go through as well: every different turn once. */
import type { HostNews } from '../../src/host/host.ts';
import type {
  Act,
  Boundary,
  Bounds,
  Coordinator,
  Init,
  InitOutput,
  Installation,
  RunOutput,
  ToCoordinator,
  Written,
} from './boundary.ts';
import { type Explored, explore, type Limit } from './explore.ts';
import { helloText, print, printInit } from './fingerprint.ts';
import type { InitEvent } from './init.ts';
import { begin, type Step, type Taken, take } from './steps.ts';

export interface InitTurn {
  readonly nowNs: bigint;
  readonly event: InitEvent;
  readonly out: readonly InitOutput[];
  readonly after: Init;
}

export type RunTurn =
  | { readonly kind: 'begin'; readonly nowNs: bigint; readonly born: Coordinator }
  | { readonly kind: 'frame'; readonly frame: ToCoordinator }
  | { readonly kind: 'happens'; readonly step: Step; readonly sigchld: boolean }
  | {
      readonly kind: 'turn';
      readonly nowNs: bigint;
      readonly out: readonly RunOutput[];
      readonly after: Coordinator;
      readonly fresh: boolean;
    };

export type LoopTurn =
  | { readonly kind: 'begin'; readonly found: Written | null; readonly pid: number }
  | {
      readonly kind: 'asked';
      readonly nowNs: bigint;
      readonly installation: Installation;
      readonly acts: readonly Act[];
    }
  | {
      readonly kind: 'hears' | 'wakes' | 'rests' | 'accepts';
      readonly nowNs: bigint;
      readonly news: readonly HostNews[];
      readonly acts: readonly Act[];
      /** The moments for which it has set a timer. */
      readonly timers: readonly bigint[];
      /** The one that has come. */
      readonly firedNs: bigint | null;
    };

export interface Traces {
  readonly explored: Explored;
  readonly init: readonly (readonly InitTurn[])[];
  readonly runs: readonly (readonly RunTurn[])[];
  readonly loops: readonly (readonly LoopTurn[])[];
}

/** A way so far; `longer`: another way begins with it. */
interface Way<T> {
  readonly turn: T;
  readonly before: Way<T> | null;
  longer: boolean;
}

interface Ways {
  readonly init: Way<InitTurn> | null;
  readonly runs: readonly (Way<RunTurn> | null)[];
  readonly loop: Way<LoopTurn> | null;
}

export function traceAll(bounds: Bounds, limit?: Limit): Traces {
  const seen = new Set<string>();
  /** Steps that a part had not taken in that state before, by the state that they start from. */
  const wanted = new Map<number, Step[]>();
  const explored = explore(bounds, limit, {
    onTransition(from, step, before, taken) {
      const what = turnOf(step, before, taken);
      if (what === null || seen.has(what)) return;
      seen.add(what);
      wanted.set(from, [...(wanted.get(from) ?? []), step]);
    },
  });
  return { explored, ...walk(bounds, explored, wanted) };
}

/** A part, its state, and what happens to it. */
function turnOf(step: Step, before: Boundary, taken: Taken): string | null {
  const { nowNs } = before;
  if (taken.init !== null) {
    const { event } = taken.init;
    const frames =
      'frames' in event
        ? event.frames.map((frame) => print('request' in frame ? frame.request : frame, nowNs))
        : [];
    const rest =
      'slot' in event ? event.slot : 'half' in event ? +event.half : 'code' in event ? event.code : '';
    return `i ${printInit(before.init, nowNs)} ${event.kind} ${frames} ${rest}`;
  }
  if (taken.run !== null && 'slot' in step)
    return `r ${print(before.coordinators[step.slot] as Coordinator, nowNs)}`;
  const { supervisor } = before;
  if (supervisor !== null && step.kind === 'upgrade')
    return `u ${step.installation} ${print(supervisor.core, nowNs)}`;
  if (supervisor === null || !isTurn(step.kind)) return null;
  const inbox = supervisor.inbox.map((news) =>
    news.kind === 'sync' ? 's' : news.kind === 'hello' ? helloText(news.hello) : print(news, nowNs),
  );
  return `s ${step.kind} ${print(supervisor.core, nowNs)} ${helloText(supervisor.core.live.hello)} ${inbox}`;
}

const TURNS = ['hears', 'wakes', 'rests', 'accepts'] as const;
type Turn = (typeof TURNS)[number];

/** The loop of a supervisor does something, if only with its timers. */
function isTurn(kind: Step['kind']): kind is Turn {
  return (TURNS as readonly string[]).includes(kind);
}

function walk(bounds: Bounds, { parents, steps }: Explored, wanted: ReadonlyMap<number, readonly Step[]>) {
  const children = new Map<number, number[]>();
  const needed = new Uint8Array(parents.length);
  for (const state of wanted.keys()) {
    for (let at = state; at > 0 && !needed[at]; at = parents[at] as number) {
      needed[at] = 1;
      const parent = parents[at] as number;
      children.set(parent, [...(children.get(parent) ?? []), at]);
    }
  }
  const last = {
    init: new Set<Way<InitTurn>>(),
    runs: new Set<Way<RunTurn>>(),
    loops: new Set<Way<LoopTurn>>(),
  };
  const keep = (ways: Ways): void => {
    if (ways.init !== null) last.init.add(ways.init);
    for (const run of ways.runs) if (run !== null) last.runs.add(run);
    if (ways.loop !== null) last.loops.add(ways.loop);
  };
  const first = begin(bounds);
  const none: Ways = { init: null, runs: [], loop: null };
  const open = [{ state: 0, world: first.next, ways: follow(none, null, null, first) }];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const { state, world, ways } = at;
    for (const step of wanted.get(state) ?? []) keep(follow(ways, world, step, take(world, step, bounds)));
    for (const child of children.get(state) ?? []) {
      const step = steps[child] as Step;
      const taken = take(world, step, bounds);
      open.push({ state: child, world: taken.next, ways: follow(ways, world, step, taken) });
    }
  }
  return { init: listsOf(last.init), runs: listsOf(last.runs), loops: listsOf(last.loops) };
}

function listsOf<T>(ways: ReadonlySet<Way<T>>): T[][] {
  return [...ways]
    .filter((way) => !way.longer)
    .map((way) => {
      const list: T[] = [];
      for (let at: Way<T> | null = way; at !== null; at = at.before) list.unshift(at.turn);
      return list;
    });
}

function go<T>(before: Way<T> | null, turn: T): Way<T> {
  if (before !== null) before.longer = true;
  return { turn, before, longer: false };
}

function follow(ways: Ways, before: Boundary | null, step: Step | null, taken: Taken): Ways {
  let { init, loop } = ways;
  const runs = [...ways.runs];
  const { next } = taken;
  const { nowNs } = next;
  if (taken.init !== null) {
    init = go(init, { nowNs, ...taken.init, after: next.init });
    for (const out of taken.init.out) {
      if (out.kind === 'fork-run')
        runs[out.slot] = go(null, { kind: 'begin', nowNs, born: next.coordinators[out.slot] as Coordinator });
      if (out.kind === 'pass' && before?.coordinators[out.slot]?.over !== true)
        runs[out.slot] = go(runs[out.slot] ?? null, { kind: 'frame', frame: out.frame });
      if (out.kind === 'fork-supervisor' && next.supervisor !== null)
        loop = go(null, { kind: 'begin', found: next.supervisor.found, pid: 2 + next.supervisor.generation });
    }
  }
  if (step !== null && 'slot' in step && taken.init === null) {
    const { slot } = step;
    const after = next.coordinators[slot] as Coordinator;
    const sigchld = after.sigchld && before?.coordinators[slot]?.sigchld !== true;
    const turn: RunTurn =
      taken.run === null
        ? { kind: 'happens', step, sigchld }
        : {
            kind: 'turn',
            nowNs,
            out: taken.run.out,
            after,
            fresh: before?.coordinators[slot]?.fresh === true,
          };
    runs[slot] = go(runs[slot] ?? null, turn);
  }
  if (step !== null && isTurn(step.kind)) {
    const { inbox = [], armedNs = null, restNs = null } = before?.supervisor ?? {};
    const read = step.kind === 'hears' ? inbox.length - (next.supervisor?.inbox.length ?? 0) : 0;
    const timers = [next.supervisor?.armedNs, next.supervisor?.restNs].filter((atNs) => atNs != null);
    const firedNs = step.kind === 'wakes' ? armedNs : step.kind === 'rests' ? restNs : null;
    const acts = next.supervisor?.acts ?? [];
    loop = go(loop, { kind: step.kind, nowNs, news: inbox.slice(0, read), acts, timers, firedNs });
  }
  if (step?.kind === 'upgrade')
    loop = go(loop, {
      kind: 'asked',
      nowNs,
      installation: step.installation,
      acts: next.supervisor?.acts ?? [],
    });
  return { init, runs, loop };
}
