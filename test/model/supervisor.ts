/**
 * A supervisor as a value: the real core, and between it and the world what loop.ts and perform.ts do, one act at a time.
 * test/model/replay-loop.ts holds the same acts against the real loop.
 */
import type { HostNews } from '../../src/host/host.ts';
import { nextDeadline } from '../../src/supervisor/deadlines.ts';
import { decide } from '../../src/supervisor/decide.ts';
import type { Occurrence } from '../../src/supervisor/effect.ts';
import { evolve } from '../../src/supervisor/evolve.ts';
import { lateRungs, withoutOvertaken } from '../../src/supervisor/late-rung.ts';
import { mayLeave } from '../../src/supervisor/leave.ts';
import { isWanted } from '../../src/supervisor/perform.ts';
import type { TaskPlan } from '../../src/supervisor/plan.ts';
import { requestOf } from '../../src/supervisor/requests.ts';
import type { Place } from '../../src/supervisor/round.ts';
import { initialState, type State } from '../../src/supervisor/state.ts';
import type { Act, FromSupervisor, Installation, Log, Supervisor, Written } from './boundary.ts';
import { isDue } from './boundary.ts';

const NO_ACT: Act = { record: null, request: null, number: null, seen: null };

export function newLog(plan: TaskPlan): Log {
  return { lastSeq: 0, state: initialState(plan), records: null, keys: {} };
}

export function newSupervisor(log: Log, generation: number): Supervisor {
  return {
    life: 'alive',
    generation,
    silent: false,
    doomed: false,
    code: null,
    told: 'nothing',
    cut: false,
    inbox: [],
    core: log.state,
    lastSync: 0,
    armedNs: null,
    toldNs: null,
    restNs: null,
    left: false,
    acts: [],
    found: log.records,
    keys: log.keys,
  };
}

/** It reads what has come, until something is to be done. */
export function hear(before: Supervisor, nowNs: bigint): Supervisor {
  let after = before;
  while (after.acts.length === 0 && after.inbox.length > 0) {
    const [news, ...inbox] = after.inbox;
    after = hearOne({ ...after, inbox }, news as HostNews, nowNs);
  }
  return after;
}

export function wake(before: Supervisor, nowNs: bigint): Supervisor {
  return turn({ ...before, armedNs: null }, { kind: 'due' }, nowNs, []);
}

/** Nothing has come for as long as it is to stay: src/supervisor/departure.ts. */
export function rest(before: Supervisor, nowNs: bigint): Supervisor {
  const after = { ...before, restNs: null };
  // What is due is answered first.
  if (isDue(before.armedNs, nowNs)) return after;
  const absence = mayLeave(before.core, nowNs);
  if (absence === null) return after;
  const { atNs: wakeNs, ordersSuffice } = absence;
  const seen = { kind: 'leave', event: before.lastSync, wakeNs, ordersSuffice } as const;
  return { ...after, left: true, inbox: [], armedNs: null, acts: [{ ...NO_ACT, seen }] };
}

/** A client has come, and is gone again. */
export function visit(before: Supervisor, nowNs: bigint): Supervisor {
  return { ...before, restNs: isDue(before.armedNs, nowNs) ? null : restOf(before.core, nowNs) };
}

function restOf(core: State, nowNs: bigint): bigint | null {
  return mayLeave(core, nowNs) === null ? null : nowNs + (core.live.hello?.stayNs ?? 0n);
}

/** A client of its control socket asks for an upgrade. */
export function askUpgrade(before: Supervisor, installation: Installation, nowNs: bigint): Supervisor {
  const request = { op: 'upgrade', installation } as const;
  return turn(before, { kind: 'request', id: 1, request, by: null }, nowNs, []);
}

function hearOne(before: Supervisor, news: HostNews, nowNs: bigint): Supervisor {
  switch (news.kind) {
    case 'hello':
      return turn(before, { ...news, supervisorPid: pidOf(before) }, nowNs, []);
    case 'sync':
      return takeOver({ ...before, lastSync: news.event }, news.event, nowNs);
    case 'closed':
      return before;
    default:
      return turn(before, news, nowNs, []);
  }
}

export function pidOf({ generation }: Supervisor): number {
  return 2 + generation;
}

function takeOver(before: Supervisor, event: number, nowNs: bigint): Supervisor {
  const { hello, synced } = before.core.live;
  if (synced || hello === null) return turn(before, { kind: 'sync', event, awaited: [] }, nowNs, []);
  const left = undone(before.found, hello.lastNumber);
  const late = lateRungs(
    before.core,
    left.map(({ body }) => body),
    nowNs,
  );
  const core = late.reduce(evolve, before.core);
  const written = late.map((body): Act => ({ record: body, request: null, number: null, seen: null }));
  const last = before.found?.seq ?? 0;
  const anew = late.map((body, at) => ({ body, seq: last + 1 + at }));
  const again = withoutOvertaken([...left, ...anew]).flatMap(({ seq, body }): Act[] => {
    const request = requestOf(core, body, nowNs);
    if (request === null || !isWanted(core, request)) return [];
    return [{ record: null, request, number: seq, seen: null }];
  });
  const awaited = again.flatMap(({ request }) => (request?.to === 'spawn' ? [request.run] : []));
  const begun = [...written, ...again];
  return turn({ ...before, core, found: null }, { kind: 'sync', event, awaited }, nowNs, begun);
}

function undone(records: Written | null, lastNumber: number): Written[] {
  const list: Written[] = [];
  for (let at = records; at !== null && at.seq > lastNumber; at = at.before) list.unshift(at);
  return list;
}

function turn(before: Supervisor, first: Occurrence, nowNs: bigint, begun: readonly Act[]): Supervisor {
  const acts = [...begun];
  let { core } = before;
  let event = first;
  let from: Place | undefined;
  for (let steps = 0; ; steps++) {
    if (steps > 500) throw new Error('the core does not come to rest');
    const decided = decide(core, { ...event, nowNs }, from);
    core = decided.state;
    for (const effect of decided.effects) {
      if (effect.kind !== 'record') continue;
      acts.push({ record: effect.record, request: effect.request, number: null, seen: null });
    }
    if (decided.next === null) break;
    from = decided.next;
    event = { kind: 'due' };
  }
  const after = { ...before, core };
  if (!core.live.synced || core.live.partial) return { ...after, acts };
  const armedNs = nextDeadline(core, nowNs);
  if (first.kind === 'sync' || armedNs !== before.toldNs) {
    acts.push({
      record: null,
      request: null,
      number: null,
      seen: { kind: 'seen', event: after.lastSync, wakeNs: armedNs },
    });
  }
  return { ...after, armedNs, toldNs: armedNs, restNs: restOf(core, nowNs), acts };
}

/** How many of the next acts are records only; then comes one that init hears of. */
export function recordsBefore(acts: readonly Act[]): number {
  const at = acts.findIndex((act) => act.request !== null || act.seen !== null);
  return at < 0 ? acts.length : at;
}

/** The next acts, up to `count` of them: what is written, and what is sent. */
export function perform(
  before: Supervisor,
  log: Log,
  count: number,
  nowNs: bigint,
): { readonly supervisor: Supervisor; readonly log: Log; readonly sent: readonly FromSupervisor[] } {
  let after: { log: Log; keys: Readonly<Record<string, number>> } = { log, keys: before.keys };
  const sent: FromSupervisor[] = [];
  for (const { record, request, number, seen } of before.acts.slice(0, count)) {
    if (seen !== null) sent.push(seen);
    if (record !== null) after = { ...after, log: append(after.log, record, nowNs) };
    if (request === null) continue;
    const seq = number ?? after.log.lastSeq;
    if (request.to === 'spawn') after = { ...after, keys: { ...after.keys, [request.run]: seq } };
    const key = 'run' in request ? (after.keys[request.run] ?? 0) : 0;
    sent.push({ kind: 'request', number: seq, key, request });
  }
  const supervisor = { ...before, keys: after.keys, acts: before.acts.slice(count) };
  return { supervisor, log: after.log, sent };
}

export function append(log: Log, body: Written['body'], nowNs: bigint): Log {
  const seq = log.lastSeq + 1;
  const forks = body.type === 'run-forked' || (body.type === 'hook' && body.state === 'started');
  const name = body.type === 'hook' ? body.hook : body.type === 'run-forked' ? body.run : '';
  return {
    lastSeq: seq,
    state: evolve(log.state, body),
    records: { seq, nowNs, body, before: log.records },
    keys: forks ? { ...log.keys, [name]: seq } : log.keys,
  };
}
