/** What must hold in every state, and along every way to it. */
import type { RecordBody } from '../../src/checkpoint/record.ts';
import { deadlinesOf } from '../../src/supervisor/deadlines.ts';
import { runsOf } from '../../src/supervisor/select.ts';
import type {
  Boundary,
  Bounds,
  Coordinator,
  InitOutput,
  Installation,
  Log,
  RunOutput,
  Watched,
  WatchedUpgrades,
  Written,
} from './boundary.ts';
import { isDue, KILL, sooner, TERM } from './boundary.ts';
import type { InitEvent } from './init.ts';

const UNWATCHED: Watched = {
  forks: 0,
  rung: null,
  deadlineNs: null,
  early: 0,
  kills: 0,
  ends: 0,
  outcomes: 0,
};

function watchedOf(world: Boundary, run: string): Watched {
  return world.watch.runs[run] ?? UNWATCHED;
}

function watch(world: Boundary, run: string, change: Partial<Watched>): Boundary {
  const runs = { ...world.watch.runs, [run]: { ...watchedOf(world, run), ...change } };
  return { ...world, watch: { ...world.watch, runs } };
}

function must(world: Boundary, holds: boolean, what: string): Boundary {
  return holds || world.broken !== null ? world : { ...world, broken: what };
}

function watchUpgrades(world: Boundary, change: Partial<WatchedUpgrades>): Boundary {
  return { ...world, watch: { ...world.watch, upgrades: { ...world.watch.upgrades, ...change } } };
}

/** The supervisor has written records. */
function wrote(world: Boundary, before: Log): Boundary {
  let next = world;
  for (const { body } of since(world.log, before)) next = recorded(next, before, body);
  return next;
}

function since(log: Log, before: Log): Written[] {
  const list: Written[] = [];
  for (let at = log.records; at !== null && at !== before.records; at = at.before) list.unshift(at);
  return list;
}

function recorded(world: Boundary, before: Log, body: RecordBody): Boundary {
  if (body.type === 'run-forked') {
    const stopped = before.state.task.stop !== null;
    return must(world, !stopped, `${body.run} is started after a stop was requested`);
  }
  if (body.type === 'stop-requested' && body.run === undefined)
    return must(world, world.log.state.task.asks <= world.asked, 'a stop is recorded that nobody asked for');
  if (body.type === 'supervisor-started') return came(world);
  if (body.type === 'upgrade') return watchUpgrades(world, { recorded: world.watch.upgrades.recorded + 1 });
  if (body.type !== 'outcome') return world;
  const outcomes = watchedOf(world, body.run).outcomes + 1;
  const next = watch(world, body.run, { outcomes });
  return must(
    must(next, outcomes === 1, `${body.run} has a second outcome`),
    body.outcome !== 'lost',
    `${body.run} is lost`,
  );
}

/** Of those that were lost, and of the first; who comes back from an absence is no news. */
function came(world: Boundary): Boundary {
  let times = 0;
  for (let at = world.log.records; at !== null; at = at.before)
    if (at.body.type === 'supervisor-started') times++;
  return must(
    world,
    times <= world.init.sup.restarts + 1,
    'a supervisor that was away is recorded as a new one',
  );
}

/** An absence ends when a client calls, and not before there is something for it. */
function woke(world: Boundary, before: Boundary, event: InitEvent): Boundary {
  const { sup, slots } = before.init;
  const isThere = world.init.sup.process || world.init.leave.asked;
  if (event.kind === 'called') return must(world, isThere, 'a client has called, and nobody is started');
  const isAway = sup.state === 'absent' || (event.kind === 'supervisor-ended' && sup.leaves);
  if (!isAway || !isThere || (event.kind !== 'time' && event.kind !== 'supervisor-ended')) return world;
  const atNs = sup.state === 'absent' ? sup.retryNs : sup.nextNs;
  const isNews = sup.event !== sup.seen || sup.tellAsks || slots.some(({ used, dirty }) => used && dirty);
  return must(world, isNews || isDue(atNs, world.nowNs), 'an absence ends for nothing');
}

/** init has read what a supervisor wrote: the requests in it that it had not taken before. */
function initHeard(world: Boundary, before: Boundary, event: InitEvent): Boundary {
  world = woke(world, before, event);
  if (event.kind !== 'supervisor-wrote') return world;
  let { taken } = world.watch.upgrades;
  for (const frame of event.frames) {
    const isNew = frame.kind === 'request' && frame.number > before.init.sup.lastNumber;
    if (isNew && frame.request.to === 'upgrade') taken++;
  }
  const next = watchUpgrades(world, { taken });
  return must(next, taken <= next.watch.upgrades.recorded, 'an upgrade is carried out twice');
}

/** One is served at a time; and from where it has worked, or was asked for and has not been told of yet. */
function startsAlone(world: Boundary): Boundary {
  const { installation } = world.init;
  const { taken, told, good } = world.watch.upgrades;
  const next = must(world, world.supervisor === null, 'a supervisor is started beside another one');
  return must(
    next,
    taken > told || installation.now === good,
    `the supervisor of ${installation.now} is not back`,
  );
}

/** init says how an upgrade went. */
function upgraded(world: Boundary, how: string, installation: Installation): Boundary {
  const { told, taken } = world.watch.upgrades;
  const next = watchUpgrades(world, { told: told + 1, ...(how === 'done' && { good: installation }) });
  const works = installation === '' || installation === '/good';
  return must(
    must(next, told + 1 <= taken, 'the result of an upgrade is told twice'),
    how === 'failed' || works,
    `the supervisor of ${installation} has come up`,
  );
}

function initDid(world: Boundary, out: readonly InitOutput[], bounds: Bounds): Boundary {
  let next = world;
  for (const each of out) {
    if (each.kind === 'fork-run') {
      const { name, key } = world.init.slots[each.slot] as Boundary['init']['slots'][number];
      const forks = watchedOf(next, name).forks + 1;
      next = watch(next, name, { forks });
      next = must(next, forks === 1, `${name} is forked twice`);
      next = must(next, key <= next.log.lastSeq, `${name} is forked before its record`);
    }
    if (each.kind === 'pass' && each.frame.kind === 'rung')
      next = must(next, each.frame.number <= next.log.lastSeq, 'a rung before its record');
    if (each.kind === 'pass' && each.frame.kind === 'alone')
      next = must(next, each.frame.asks <= next.asked, 'a stop without supervisor that nobody asked for');
    if (each.kind === 'record' && each.type.startsWith('upgrade ')) {
      const [, how, installation] = each.type.split(' ');
      next = upgraded(next, how as string, installation as Installation);
    }
    if (each.kind === 'exit') next = atExit(next, each.code, bounds);
  }
  const crashes = next.init.sup.restarts;
  if (bounds.stayMs !== null && !next.init.leave.asked)
    next = must(next, crashes <= next.faults, 'a supervisor that has left is taken for one that was lost');
  return served(next);
}

/** There is a supervisor, or there will be one; and whoever asked for another one knows how it went, or will. */
function served(world: Boundary): Boundary {
  const { sup, leave, installation } = world.init;
  const { taken, told } = world.watch.upgrades;
  const next = must(
    world,
    leave.asked || sup.process || sup.retryNs !== null || sup.state === 'absent',
    'there is no supervisor, and none will be started',
  );
  if (sup.state === 'absent') return due(next);
  return must(next, installation.waiting === taken - told, 'the result of an upgrade is lost');
}

/** While nobody is there init knows when the next thing is to be done that the log has decided. */
function due(world: Boundary): Boundary {
  const { state } = world.log;
  const nextNs = runsOf(state)
    .filter(({ phase }) => phase === 'backoff')
    .flatMap((run) => deadlinesOf(state, run))
    .reduce<bigint | null>(sooner, null);
  const { retryNs } = world.init.sup;
  const isKnown = nextNs === null || retryNs === nextNs;
  return must(world, isKnown, 'nobody is there, and init does not know the next deadline');
}

function atExit(world: Boundary, code: number, bounds: Bounds): Boundary {
  let next = world;
  const decided = world.log.state.task.exitCode !== null;
  for (const [run, { forks, ends, outcomes }] of Object.entries(world.watch.runs)) {
    next = must(next, forks === ends || bounds.immortal, `${run} has ${ends} ends at the exit`);
    next = must(next, outcomes === 1 || !decided || bounds.immortal, `${run} has no outcome`);
  }
  if (decided) next = must(next, code === world.log.state.task.exitCode, `exit code ${code}`);
  if (Object.keys(world.watch.runs).length === 0 && world.asked > 0)
    next = must(
      next,
      code === 128 + TERM || decided || isOfSupervisor(code),
      `exit code ${code} of a task that was stopped early`,
    );
  return next;
}

/** Before anything was started, why the supervisor cannot be started comes first. */
function isOfSupervisor(code: number): boolean {
  return code === 69 || code === 70;
}

/** A coordinator has done one turn. */
function runDid(
  world: Boundary,
  before: Coordinator,
  after: Coordinator,
  out: readonly RunOutput[],
  bounds: Bounds,
): Boundary {
  const { name } = after;
  let next = world;
  const first = out.findIndex((each) => each.kind === 'sent' && each.signal !== KILL);
  const recorded = out.slice(0, Math.max(first, 0)).some((each) => each.kind === 'record');
  next = must(next, first < 0 || recorded, `${name} is signalled before the record of it`);
  const ends = out.filter((each) => each.kind === 'record' && each.type === 'run-ended').length;
  if (ends > 0) next = watch(next, name, { ends: watchedOf(next, name).ends + ends });
  next = must(next, watchedOf(next, name).ends <= 1, `${name} ends twice`);
  return climbed(next, before, after, bounds);
}

/** No rung is skipped, or taken twice, for one ask, and SIGKILL is the last of them. */
function climbed(world: Boundary, before: Coordinator, after: Coordinator, bounds: Bounds): Boundary {
  const { name } = after;
  const from = before.climb.order.index;
  const to = after.climb.order.index;
  if (to === null || from === to) return world;
  const isOver = (index: number): boolean =>
    (index === from && isDue(before.s.deadlineNs, world.nowNs)) ||
    isDue(recordedDeadline(world.log, name, index), world.nowNs);
  let early = watchedOf(world, name).early;
  for (let index = from ?? 0; index < to; index++) if (!isOver(index)) early++;
  const next = watch(world, name, { early });
  const reason = after.s.leaderExited || world.asked > 0 || bounds.immortal;
  const fair = early <= Math.max(0, world.asked - 1) || world.asked > 2;
  return must(
    must(next, reason, `${name} is stopped, and nobody has asked for it`),
    fair,
    `${name} is at rung ${to} too early: ${early} were taken before their time, for ${world.asked} asks`,
  );
}

/** As the supervisor has decided it last: it may have gone on to the next rung since. */
function recordedDeadline({ records }: Log, run: string, index: number): bigint | null {
  for (let at = records; at !== null; at = at.before) {
    const { body } = at;
    if (body.type === 'rung' && body.run === run && body.index === index) return body.deadline_ns;
  }
  return null;
}

/** Nothing is on its way, and nothing is due: what was asked for has been done. */
function atRest(world: Boundary, bounds: Bounds): Boundary {
  const { supervisor, init } = world;
  const idle =
    supervisor === null
      ? init.sup.failed > 3 || init.sup.state === 'absent'
      : supervisor.life === 'alive' &&
        supervisor.core.live.synced &&
        supervisor.inbox.length === 0 &&
        supervisor.acts.length === 0 &&
        !supervisor.cut &&
        world.toInit.length === 0 &&
        !isDue(supervisor.armedNs, world.nowNs);
  if (idle && supervisor !== null && !supervisor.silent) {
    const { recorded, told } = world.watch.upgrades;
    world = must(world, recorded === told, 'a request for an upgrade is lost');
  }
  if (init.sup.state === 'absent') world = absentAtRest(world);
  if (!idle || world.asked === 0 || bounds.plan.processes.length > 1) return world;
  let next = world;
  for (const c of world.coordinators) {
    if (c === null || c.over || c.s.phase === 'ended' || c.s.phase === 'killing') continue;
    const { index, rungs } = c.climb.order;
    const least = world.asked > 2 ? rungs.length : Math.min(world.asked - 1, rungs.length);
    next = must(next, (index ?? -1) >= least, `${c.name} is at rung ${index}, after ${world.asked} asks`);
  }
  return next;
}

/** All that has happened is known to the log, and who wants something has been heard. */
function absentAtRest(world: Boundary): Boundary {
  const isKnown = world.log.state.task.asks === world.asked || world.init.sup.stopsAlone;
  let next = must(world, isKnown, 'nobody is there, and a stop is not known');
  next = must(next, !world.waits, 'nobody is there, and a client waits');
  for (const [run, { ends, outcomes }] of Object.entries(world.watch.runs))
    next = must(next, ends === outcomes, `nobody is there, and the end of ${run} is not known`);
  return next;
}

export const promise = { wrote, initHeard, startsAlone, initDid, runDid, atRest };
