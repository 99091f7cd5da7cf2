/** All interleavings, breadth first, with the states that were there before left out. */
import type { Boundary, Bounds } from './boundary.ts';
import { fingerprint } from './fingerprint.ts';
import { promise } from './promises.ts';
import { begin, isSystem, type Step, stepsOf, take } from './steps.ts';

export interface Explored {
  readonly states: number;
  readonly transitions: number;
  /** False: the limit of states ended it. */
  readonly complete: boolean;
  /** The shortest way to the first state of each kind of trouble. */
  readonly troubles: readonly Trouble[];
  /** Where the way to a state came from. */
  readonly parents: readonly number[];
  readonly steps: readonly Step[];
  readonly ends: number;
}

export interface Trouble {
  readonly what: string;
  readonly state: number;
}

export interface Visitor {
  /** Every transition, once: `known`: its end was there already. */
  onTransition?(from: number, step: Step, before: Boundary, after: ReturnType<typeof take>): void;
}

/** Where to leave off. What was found until then is replayed, but says nothing about ends. */
export interface Limit {
  readonly states?: number;
  readonly minutes?: number;
}

export function explore(bounds: Bounds, limit: Limit = {}, visitor: Visitor = {}): Explored {
  const { states: mostStates = Number.POSITIVE_INFINITY, minutes = Number.POSITIVE_INFINITY } = limit;
  const endMs = performance.now() + minutes * 60_000;
  const memoryNs = memoryOf(bounds);
  const known = new Map<string, number>();
  const parents: number[] = [];
  const steps: Step[] = [];
  /** Edges by their ends, for the way back from the end. */
  const sources: number[] = [];
  const targets: number[] = [];
  const alone: boolean[] = [];
  const asked: boolean[] = [];
  const ended: number[] = [];
  const troubles = new Map<string, number>();
  let transitions = 0;

  const enter = (world: Boundary, parent: number, step: Step): number => {
    const print = fingerprint(world, memoryNs);
    const there = known.get(print);
    if (there !== undefined) return there;
    const state = parents.length;
    known.set(print, state);
    parents.push(parent);
    steps.push(step);
    asked.push(world.asked > 0);
    if (world.init.exited !== null) ended.push(state);
    if (world.broken !== null && !troubles.has(world.broken)) troubles.set(world.broken, state);
    next.push({ state, world });
    return state;
  };

  let next: { state: number; world: Boundary }[] = [];
  enter(begin(bounds).next, -1, { kind: 'init-ticks' });
  let isOver = false;
  while (next.length > 0 && !isOver) {
    const level = next;
    next = [];
    for (const { state, world } of level) {
      isOver ||= parents.length >= mostStates || performance.now() >= endMs;
      if (isOver) break;
      const possible = stepsOf(world, bounds);
      const isSystemBusy = possible.some((step) => isSystem(step) && step.kind !== 'time');
      const rested = isSystemBusy ? world : promise.atRest(world, bounds);
      if (rested.broken !== null && !troubles.has(rested.broken)) troubles.set(rested.broken, state);
      if (possible.length === 0 && world.init.exited === null && world.broken === null) {
        if (!troubles.has('nothing can happen any more')) troubles.set('nothing can happen any more', state);
      }
      for (const step of possible) {
        const taken = take(world, step, bounds);
        transitions++;
        visitor.onTransition?.(state, step, world, taken);
        const to = enter(taken.next, state, step);
        sources.push(state);
        targets.push(to);
        alone.push(isSystem(step));
      }
    }
  }
  const complete = !isOver;
  if (complete) {
    const hangs = cannotEnd({ states: parents.length, sources, targets, alone, ended }, asked);
    if (hangs !== undefined) troubles.set(hangs.what, hangs.state);
  }
  return {
    states: parents.length,
    transitions,
    complete,
    troubles: [...troubles].map(([what, state]) => ({ what, state })),
    parents,
    steps,
    ends: ended.length,
  };
}

/** So far back a past time still says something: a restart is counted from the end of the run before. */
function memoryOf({ plan }: Bounds): bigint {
  const waits = plan.processes.map(({ restart }) =>
    restart.policy === 'no' ? 0 : restart.backoff.maxMs + restart.minDurationMs,
  );
  return BigInt(Math.max(...waits)) * 1_000_000n;
}

interface Graph {
  readonly states: number;
  readonly sources: readonly number[];
  readonly targets: readonly number[];
  readonly alone: readonly boolean[];
  readonly ended: readonly number[];
}

/** Once a stop was asked for, everything ends without anybody's help; before, it can. */
function cannotEnd(graph: Graph, asked: readonly boolean[]): Trouble | undefined {
  const byItself = reaches(graph, (edge) => graph.alone[edge] === true);
  const atAll = reaches(graph, () => true);
  for (let state = 0; state < graph.states; state++) {
    if (asked[state] && !byItself[state]) return { what: 'a stop that does not end', state };
    if (!atAll[state]) return { what: 'no way to the end', state };
  }
  return undefined;
}

function reaches(graph: Graph, follows: (edge: number) => boolean): Uint8Array {
  const { states, sources, targets, ended } = graph;
  const first = new Int32Array(states).fill(-1);
  const later = new Int32Array(sources.length);
  for (let edge = 0; edge < sources.length; edge++) {
    const to = targets[edge] as number;
    later[edge] = first[to] as number;
    first[to] = edge;
  }
  const found = new Uint8Array(states);
  const open = [...ended];
  for (const state of open) found[state] = 1;
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    for (let edge = first[state] as number; edge >= 0; edge = later[edge] as number) {
      const from = sources[edge] as number;
      if (found[from] || !follows(edge)) continue;
      found[from] = 1;
      open.push(from);
    }
  }
  return found;
}

/** The steps from the begin to a state. */
export function wayTo({ parents, steps }: Pick<Explored, 'parents' | 'steps'>, state: number): Step[] {
  const way: Step[] = [];
  for (let at = state; (parents[at] as number) >= 0; at = parents[at] as number)
    way.unshift(steps[at] as Step);
  return way;
}
