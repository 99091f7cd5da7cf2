/**
 * The one loop: a queue of events, one at a time and to completion. Whatever changes the state comes through here, and
 * what the acts bring about comes back only as an event.
 */
import type { CheckpointRecord, Who } from '../checkpoint/record.ts';
import type { HostNews } from '../host/host.ts';
import type { Answer, Request } from './client-request.ts';
import { createClients } from './clients.ts';
import { nextDeadline } from './deadlines.ts';
import { decide } from './decide.ts';
import { createDeparture, NO_COMPANY } from './departure.ts';
import type { Occurrence } from './effect.ts';
import { isOfInterest } from './evolve-live.ts';
import { createPerformer } from './perform.ts';
import type { TaskPlan } from './plan.ts';
import type { Ports } from './ports.ts';
import { replay } from './replay.ts';
import { BEGIN, type Place } from './round.ts';
import type { Settled } from './settled.ts';
import type { State } from './state.ts';

export interface LoopOptions {
  readonly plan: TaskPlan;
  /** What checkpoint.log holds; nothing the first time. */
  readonly records: readonly CheckpointRecord[];
  readonly ports: Ports;
  readonly pid: number;
  /** It holds what no later one does (departure.ts). */
  readonly makesRoom?: boolean;
}

export interface Ended {
  /** null: the host went away before the end was decided. */
  readonly exitCode: number | null;
  readonly reason: string;
}

export interface Loop {
  /** Resolves when the host has closed. */
  start(): Promise<Ended>;
  /** Answered when what it asks for is in the log. Never, when this supervisor goes before. */
  request(request: Request, by: Who | null): Promise<Answer>;
  state(): State;
}

/** More steps than this in one turn, for each run, can only be two handlers that undo each other. */
const STEPS_PER_RUN = 100;

const DUE: Occurrence = { kind: 'due' };

export function createLoop({ plan, records, ports, pid, makesRoom = false }: LoopOptions): Loop {
  const { host, clock, journal } = ports;
  const performer = createPerformer(ports, records);
  const queue: Occurrence[] = [];
  let state = replay(plan, records);
  let settled: Settled | null = null;
  let isRunning = false;
  let lastSync = 0;
  let toldNs: bigint | null = null;
  let armed: { atNs: bigint | null; disarm: () => void } = { atNs: null, disarm: () => {} };
  let close: (ended: Ended) => void = () => {};
  const clients = createClients();
  let hasLeft = false;
  const departure = createDeparture({
    clock,
    company: ports.company ?? NO_COMPANY,
    state: () => state,
    nextNs: () => armed.atNs,
    isKept: () => journal.isKept(),
    leave: (absence) => {
      hasLeft = true;
      armed.disarm();
      host.leave(lastSync, absence);
    },
    makesRoom,
  });

  const push = (occurrence: Occurrence): void => {
    queue.push(occurrence);
    if (isRunning) return;
    isRunning = true;
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) turn(next);
    isRunning = false;
  };

  const turn = (occurrence: Occurrence): void => {
    const event =
      occurrence.kind === 'sync' ? { ...occurrence, awaited: takeOver(clock.nowNs()) } : occurrence;
    const nowNs = settle(event);
    if (event.kind === 'sync') lastSync = event.event;
    if (!state.live.synced || state.live.partial) return;
    arm(nowNs, event.kind === 'sync');
    // What came before is asked of a task that is known.
    for (const early of clients.takeEarly()) queue.push(early);
    ports.turned?.();
    departure.turned();
  };

  /** To completion. Returns the time at which nothing was left to be decided. */
  const settle = (first: Occurrence): bigint => {
    const limit = STEPS_PER_RUN * (state.runs.size + 1);
    let event = first;
    let from: Place = { ...BEGIN, settled };
    for (let steps = 0; steps < limit; steps++) {
      const nowNs = clock.nowNs();
      const decided = decide(state, { ...event, nowNs }, from);
      state = decided.state;
      performer.perform(decided.effects, push);
      clients.answer(decided.effects);
      if (decided.next === null) return nowNs;
      from = decided.next;
      event = DUE;
    }
    throw new Error('the core does not come to rest');
  };

  /** The nearest deadline lies here and with init, which replaces a supervisor that misses the one it was told of. */
  const arm = (nowNs: bigint, isSync: boolean): void => {
    const atNs = nextDeadline(state, nowNs);
    settled = { state, untilNs: atNs };
    if (atNs !== armed.atNs) {
      armed.disarm();
      armed = { atNs, disarm: atNs === null ? () => {} : clock.at(atNs, wake) };
    }
    if (atNs === toldNs && !isSync) return;
    toldNs = atNs;
    host.seen(lastSync, atNs);
  };

  const wake = (): void => {
    armed = { atNs: null, disarm: () => {} };
    push({ kind: 'due' });
  };

  const hear = (news: HostNews): void => {
    if (news.kind === 'closed') {
      armed.disarm();
      departure.close();
      clients.close();
      close({ exitCode: state.task.exitCode, reason: news.reason });
      return;
    }
    // What init says now it says to the next supervisor.
    if (hasLeft) return;
    if (news.kind === 'hello') journal.skipTo(news.hello.lastNumber);
    // Of a run that is judged a last snapshot can still be on its way.
    if (news.kind === 'run') performer.sawRun(news.run, isOfInterest(state, news.run));
    push(occurrenceOf(news, pid));
  };

  /** Once, when the first picture is complete: go on where the last supervisor has stopped. */
  const takeOver = (nowNs: bigint): readonly string[] => {
    const { hello, synced } = state.live;
    if (synced || hello === null) return [];
    const taken = performer.repeat(state, hello.lastNumber, nowNs);
    state = taken.state;
    return taken.awaited;
  };

  return {
    start: () =>
      new Promise((resolve) => {
        close = resolve;
        host.open(hear);
      }),
    request: (request, by) => clients.ask(request, by, state.live.synced ? push : null),
    state: () => state,
  };
}

function occurrenceOf(news: Exclude<HostNews, { kind: 'closed' }>, pid: number): Occurrence {
  switch (news.kind) {
    case 'hello':
      return { ...news, supervisorPid: pid };
    case 'sync':
      return { ...news, awaited: [] };
    default:
      return news;
  }
}
