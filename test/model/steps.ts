/** What can happen next at the boundary, and what comes of it. */

import type {
  Boundary,
  Bounds,
  Coordinator,
  FromCoordinator,
  InitOutput,
  Installation,
  RunOutput,
  Supervisor,
} from './boundary.ts';
import { isDue, KILL, MS, plus, sooner, TERM } from './boundary.ts';
import { dueOf, isReady, isThere, newCoordinator, stepCoordinator } from './coordinator.ts';
import { FIRST_INIT, type InitEvent, type InitPlan, initDue, REPLACE_AFTER, stepInit } from './init.ts';
import { promise } from './promises.ts';
import {
  askUpgrade,
  hear,
  newLog,
  newSupervisor,
  perform,
  recordsBefore,
  rest,
  visit,
  wake,
} from './supervisor.ts';

export type Step =
  /** From outside: a stop signal, and what the processes of a run do by themselves. */
  | { readonly kind: 'ask' }
  | { readonly kind: 'call' }
  | { readonly kind: 'upgrade'; readonly installation: Installation }
  | { readonly kind: 'leader-exits'; readonly slot: number; readonly code: number }
  | { readonly kind: 'other-exits'; readonly slot: number }
  /** The kernel does what is on its way. */
  | { readonly kind: 'execs' | 'start-fails' | 'leader-dies' | 'other-dies'; readonly slot: number }
  | { readonly kind: 'supervisor-dies' }
  | { readonly kind: 'time'; readonly toNs: bigint }
  | { readonly kind: 'init-reads' | 'init-reaps' | 'init-ticks' | 'init-is-called' }
  | { readonly kind: 'init-reads-run' | 'init-reaps-run' | 'coordinator'; readonly slot: number }
  | { readonly kind: 'hears' | 'wakes' | 'rests' | 'accepts' | 'acts' | 'leaves' }
  /** Faults of a supervisor. */
  | { readonly kind: 'kill' | 'half' | 'stop' | 'freeze' | 'thaw' }
  | { readonly kind: 'crash'; readonly records: number };

/** What of the real code would have been called, and what it did. */
export interface Taken {
  readonly next: Boundary;
  readonly init: { readonly event: InitEvent; readonly out: readonly InitOutput[] } | null;
  readonly run: { readonly slot: number; readonly out: readonly RunOutput[] } | null;
}

const USELESS = 69;

export function begin(bounds: Bounds): Taken {
  const nothing: Boundary = {
    nowNs: 1000n * MS,
    init: FIRST_INIT,
    coordinators: [],
    supervisor: null,
    toInit: [],
    half: false,
    log: newLog(bounds.plan),
    asked: 0,
    faults: 0,
    upgrades: 0,
    calls: 0,
    late: 0,
    waits: false,
    broken: null,
    watch: { runs: {}, upgrades: { recorded: 0, taken: 0, told: 0, good: '' } },
  };
  return initStep(nothing, { kind: 'open' }, bounds);
}

/** Everything that can happen. `isSystem`: it needs nobody from outside, and no fault. */
export function stepsOf(world: Boundary, bounds: Bounds): Step[] {
  if (world.init.exited !== null || world.broken !== null) return [];
  const forced = forcedStep(world, bounds);
  if (forced !== null) return [forced];
  if (isLate(world, bounds)) return [...supervisorSteps(world), ...faultSteps(world, bounds)];
  const prompt = promptSteps(world, bounds);
  const steps = [
    ...prompt,
    ...outsideSteps(world, bounds),
    ...supervisorSteps(world),
    ...faultSteps(world, bounds),
  ];
  const time = prompt.length === 0 || bounds.slow ? timeStep(world, bounds) : null;
  return time === null ? steps : [...steps, time];
}

function isLate({ supervisor }: Boundary, bounds: Bounds): boolean {
  if (supervisor?.life !== 'alive' || supervisor.cut || supervisor.silent || supervisor.code === USELESS)
    return false;
  return supervisor.inbox.filter(({ kind }) => kind === 'sync').length > bounds.lag;
}

export function isSystem(step: Step): boolean {
  switch (step.kind) {
    case 'ask':
    case 'call':
    case 'upgrade':
    case 'leader-exits':
    case 'other-exits':
    case 'start-fails':
    case 'kill':
    case 'half':
    case 'stop':
    case 'freeze':
    case 'crash':
    case 'thaw':
      return false;
    default:
      return true;
  }
}

/**
 * Deaths that are on their way change nothing that anybody else looks at before they are told of, so that when they
 * happen makes no difference: they happen at once. What a supervisor still writes then is what a crash within its acts
 * leaves.
 */
function forcedStep({ supervisor, coordinators }: Boundary, bounds: Bounds): Step | null {
  const dying = supervisor?.doomed && (supervisor.life === 'alive' || supervisor.life === 'stopped');
  if (dying) return { kind: 'supervisor-dies' };
  for (const [slot, c] of coordinators.entries()) {
    if (c?.leader === 'dying' && !bounds.immortal) return { kind: 'leader-dies', slot };
    if (c?.leader === 'starting' && !bounds.lateExec && !bounds.startFails) return { kind: 'execs', slot };
    if (c?.other === 'dying') return { kind: 'other-dies', slot };
  }
  return null;
}

/** What init, coordinators and the kernel do at once. */
function promptSteps(world: Boundary, bounds: Bounds): Step[] {
  const steps: Step[] = [];
  const { init, supervisor, nowNs } = world;
  const unread = world.toInit.length > 0 || world.half;
  if (init.sup.socket && (unread || supervisor?.life === 'dead')) steps.push({ kind: 'init-reads' });
  if (supervisor !== null && supervisor.told !== 'nothing') steps.push({ kind: 'init-reaps' });
  if (world.waits && init.sup.state === 'absent') steps.push({ kind: 'init-is-called' });
  if (isDue(initDue(init, nowNs), nowNs) || isByeDue(world)) steps.push({ kind: 'init-ticks' });
  for (const [slot, c] of world.coordinators.entries()) {
    if (c === null) continue;
    const { socket } = init.slots[slot] ?? { socket: false };
    // Its end is one thing, whether it is read or reaped first; when it takes its time, both are tried.
    if (socket && (c.outbox.length > 0 || (c.over && bounds.slow)))
      steps.push({ kind: 'init-reads-run', slot });
    if (c.over) steps.push({ kind: 'init-reaps-run', slot });
    if (isReady(c, nowNs)) steps.push({ kind: 'coordinator', slot });
    if (c.leader === 'starting') steps.push({ kind: 'execs', slot });
  }
  return steps;
}

/** What its loop had been set to wake up for, before that time was there. */
function isByeDue({ init, nowNs }: Boundary): boolean {
  return init.leave.asked && init.sup.process && isDue(init.leave.byeNs, nowNs);
}

function outsideSteps(world: Boundary, bounds: Bounds): Step[] {
  const steps: Step[] = [];
  if (world.asked < bounds.asks) steps.push({ kind: 'ask' });
  if (world.calls < bounds.calls && !world.waits) steps.push({ kind: 'call' });
  if (world.upgrades < bounds.upgrades && isServing(world))
    for (const installation of bounds.installations) steps.push({ kind: 'upgrade', installation });
  for (const [slot, c] of world.coordinators.entries()) {
    if (c === null) continue;
    if (c.leader === 'starting' && bounds.startFails) steps.push({ kind: 'start-fails', slot });
    if (c.leader === 'alive')
      for (const code of bounds.exits) steps.push({ kind: 'leader-exits', slot, code });
    if (c.other === 'alive' && c.leader !== 'starting') steps.push({ kind: 'other-exits', slot });
  }
  return steps;
}

/** Its control socket is there, and it accepts what is asked. */
function isServing({ supervisor }: Boundary): boolean {
  if (supervisor?.left) return false;
  if (supervisor?.life !== 'alive' || supervisor.silent || supervisor.cut || supervisor.doomed) return false;
  const { live, task } = supervisor.core;
  return live.synced && !live.partial && task.exitCode === null && supervisor.acts.length === 0;
}

function supervisorSteps(world: Boundary): Step[] {
  const { supervisor, nowNs } = world;
  if (supervisor === null || supervisor.life !== 'alive' || supervisor.code === USELESS) return [];
  if (supervisor.silent) return [];
  if (supervisor.acts.length > 0) return [{ kind: 'acts' }];
  const steps: Step[] = [];
  if (supervisor.inbox.length > 0) steps.push({ kind: 'hears' });
  // Whoever is killed before the connection is closed does not see that any more.
  else if (supervisor.cut && !supervisor.doomed) steps.push({ kind: 'leaves' });
  if (isDue(supervisor.armedNs, nowNs)) steps.push({ kind: 'wakes' });
  if (isDue(supervisor.restNs, nowNs)) steps.push({ kind: 'rests' });
  if (world.waits && isServing(world)) steps.push({ kind: 'accepts' });
  return steps;
}

function faultSteps(world: Boundary, bounds: Bounds): Step[] {
  const { supervisor } = world;
  if (supervisor === null || supervisor.life === 'dead' || supervisor.code === USELESS) return [];
  const can = (kind: Bounds['kinds'][number]): boolean => bounds.kinds.includes(kind);
  if (supervisor.life === 'frozen') return can('thaw') ? [{ kind: 'thaw' }] : [];
  if (world.faults >= bounds.faults || supervisor.life !== 'alive' || supervisor.doomed) return [];
  const steps: Step[] = [];
  for (const kind of ['kill', 'stop', 'freeze'] as const) if (can(kind)) steps.push({ kind });
  const records = recordsBefore(supervisor.acts);
  if (can('crash'))
    for (let count = 1; count <= records; count++) steps.push({ kind: 'crash', records: count });
  if (can('half') && !supervisor.cut && records < supervisor.acts.length) steps.push({ kind: 'half' });
  return steps;
}

function timeStep(world: Boundary, bounds: Bounds): Step | null {
  const { init, supervisor, nowNs } = world;
  let toNs: bigint | null = later(initDue(init, nowNs), nowNs);
  for (const c of world.coordinators) if (c !== null) toNs = sooner(toNs, later(dueOf(c), nowNs));
  if (supervisor?.life === 'alive')
    for (const atNs of [supervisor.armedNs, supervisor.restNs]) toNs = sooner(toNs, later(atNs, nowNs));
  if (init.sup.state === 'absent') toNs = sooner(toNs, later(init.sup.worthNs, nowNs));
  if (toNs === null || (isOverdue(world, bounds) && world.late >= (bounds.late ?? 0))) return null;
  return isTooSlow(world, toNs) && world.faults >= bounds.faults ? null : { kind: 'time', toNs };
}

/** A supervisor has something to do, and time passes: that is counted. */
function isOverdue(world: Boundary, { late }: Bounds): boolean {
  return late !== null && supervisorSteps(world).length > 0;
}

function later(atNs: bigint | null, nowNs: bigint): bigint | null {
  return atNs !== null && atNs > nowNs ? atNs : null;
}

/** A supervisor that could have answered is replaced: that is a fault of its own. */
function isTooSlow({ init, supervisor }: Boundary, toNs: bigint): boolean {
  const { sup } = init;
  if (!sup.socket || supervisor === null || supervisor.life !== 'alive' || supervisor.doomed) return false;
  if (supervisor.silent) return false;
  return isDue(plus(sup.unseenNs, REPLACE_AFTER), toNs) || isDue(plus(sup.wakeNs, REPLACE_AFTER), toNs);
}

export function take(world: Boundary, step: Step, bounds: Bounds): Taken {
  const { supervisor } = world;
  switch (step.kind) {
    case 'ask':
      return initStep({ ...world, asked: world.asked + 1 }, { kind: 'asked' }, bounds);
    case 'upgrade':
      return quietly({
        ...world,
        upgrades: world.upgrades + 1,
        supervisor: askUpgrade(supervisor as Supervisor, step.installation, world.nowNs),
      });
    case 'init-ticks':
      return initStep(world, { kind: 'time' }, bounds);
    case 'init-is-called':
      return initStep(world, { kind: 'called' }, bounds);
    case 'call':
      return quietly({ ...world, calls: world.calls + 1, waits: true });
    case 'init-reads':
      return initReads(world, bounds);
    case 'init-reaps':
      return initReaps(world, bounds);
    case 'init-reads-run':
      return initReadsRun(world, step.slot, bounds);
    case 'init-reaps-run':
      return initReapsRun(world, step.slot, bounds);
    case 'coordinator':
      return coordinatorStep(world, step.slot, bounds);
    case 'time':
      return quietly({
        ...world,
        nowNs: step.toNs,
        faults: world.faults + (isTooSlow(world, step.toNs) ? 1 : 0),
        late: world.late + (isOverdue(world, bounds) ? 1 : 0),
      });
    default:
      break;
  }
  if ('slot' in step) return quietly(withRun(world, step.slot, (c) => happens(c, step)));
  return quietly(supervisorStep(world, supervisor as Supervisor, step));
}

function quietly(next: Boundary): Taken {
  return { next, init: null, run: null };
}

function withRun(world: Boundary, slot: number, change: (c: Coordinator) => Coordinator): Boundary {
  const coordinators = [...world.coordinators];
  const c = coordinators[slot] ?? null;
  coordinators[slot] = c === null ? null : change(c);
  return { ...world, coordinators };
}

function happens(c: Coordinator, step: Step): Coordinator {
  switch (step.kind) {
    case 'execs':
      return { ...c, leader: 'alive', pipe: 'ready' };
    case 'start-fails':
      return { ...c, leader: 'zombie', pipe: 'failed', code: 127, other: 'none', sigchld: true };
    case 'leader-exits':
      return { ...c, leader: 'zombie', code: step.code, signal: null, sigchld: true };
    case 'leader-dies':
      return {
        ...c,
        leader: 'zombie',
        code: null,
        signal: KILL,
        sigchld: true,
        pipe: c.pipe === 'open' ? 'ready' : c.pipe,
      };
    case 'other-exits':
    case 'other-dies':
      // Its parent is told of it; the coordinator only once it has adopted it.
      return { ...c, other: 'none', sigchld: c.sigchld || c.leader === 'zombie' };
    default:
      return c;
  }
}

function supervisorStep(world: Boundary, supervisor: Supervisor, step: Step): Boundary {
  const { nowNs } = world;
  const become = (after: Supervisor): Boundary => ({ ...world, supervisor: after });
  const fault = (after: Supervisor, from = world): Boundary => ({
    ...from,
    supervisor: after,
    faults: world.faults + 1,
  });
  switch (step.kind) {
    case 'hears':
      return become(hear(supervisor, nowNs));
    case 'wakes':
      return become(wake(supervisor, nowNs));
    case 'rests':
      return become(rest(supervisor, nowNs));
    case 'accepts':
      return { ...become(visit(supervisor, nowNs)), waits: false };
    case 'acts':
      return acts(world, supervisor, recordsBefore(supervisor.acts) + 1);
    case 'leaves':
      return become(ended(supervisor, supervisor.core.task.exitCode === null ? 70 : 0));
    case 'supervisor-dies':
      return become(ended(supervisor, supervisor.code));
    case 'kill':
      return fault(ended(supervisor, null));
    case 'crash': {
      const after = acts(world, supervisor, step.records);
      return fault(ended(after.supervisor as Supervisor, null), after);
    }
    case 'half': {
      const after = acts(world, supervisor, recordsBefore(supervisor.acts));
      return { ...fault(ended(after.supervisor as Supervisor, null), after), half: true };
    }
    case 'stop':
      return fault({ ...supervisor, life: 'stopped', told: 'stopped' });
    case 'freeze':
      return fault({ ...supervisor, life: 'frozen' });
    case 'thaw':
      return become({ ...supervisor, life: 'alive' });
    default:
      return world;
  }
}

function ended(supervisor: Supervisor, code: number | null): Supervisor {
  return {
    ...supervisor,
    life: 'dead',
    code,
    told: 'ended',
    inbox: [],
    acts: [],
    armedNs: null,
    restNs: null,
    found: null,
  };
}

function acts(world: Boundary, supervisor: Supervisor, count: number): Boundary {
  const did = perform(supervisor, world.log, count, world.nowNs);
  const toInit = supervisor.cut ? world.toInit : [...world.toInit, ...did.sent];
  return promise.wrote({ ...world, supervisor: did.supervisor, log: did.log, toInit }, world.log);
}

function initReads(world: Boundary, bounds: Bounds): Taken {
  const { toInit, half } = world;
  if (toInit.length === 0 && !half) return initStep(world, { kind: 'supervisor-closed' }, bounds);
  const read = { ...world, toInit: [], half: false };
  return initStep(read, { kind: 'supervisor-wrote', frames: toInit, half }, bounds);
}

function initReaps(world: Boundary, bounds: Bounds): Taken {
  const supervisor = world.supervisor as Supervisor;
  if (supervisor.told === 'stopped') {
    const told = { ...world, supervisor: { ...supervisor, told: 'nothing' as const } };
    return initStep(told, { kind: 'supervisor-stopped' }, bounds);
  }
  return initStep(
    { ...world, supervisor: null },
    { kind: 'supervisor-ended', code: supervisor.code },
    bounds,
  );
}

function initReadsRun(world: Boundary, slot: number, bounds: Bounds): Taken {
  const { outbox } = world.coordinators[slot] as Coordinator;
  if (outbox.length === 0) return initStep(world, { kind: 'run-closed', slot }, bounds);
  return initStep(emptyOutbox(world, slot), { kind: 'run-wrote', slot, frames: outbox }, bounds);
}

function initReapsRun(world: Boundary, slot: number, bounds: Bounds): Taken {
  const { outbox } = world.coordinators[slot] as Coordinator;
  const coordinators = [...world.coordinators];
  coordinators[slot] = null;
  const frames: readonly FromCoordinator[] = world.init.slots[slot]?.socket ? outbox : [];
  return initStep({ ...world, coordinators }, { kind: 'run-ended', slot, frames }, bounds);
}

function emptyOutbox(world: Boundary, slot: number): Boundary {
  return withRun(world, slot, (c) => ({ ...c, outbox: [] }));
}

/** What init is told on its command line. */
export function planOf({ plan, stayMs }: Bounds): InitPlan {
  const lasting = plan.processes.some(({ restart }) => restart.policy !== 'no');
  return { lasting, stayMs: stayMs ?? undefined };
}

function initStep(world: Boundary, event: InitEvent, bounds: Bounds): Taken {
  const { init, out } = stepInit(world.init, event, world.nowNs, planOf(bounds));
  let next: Boundary = { ...world, init };
  for (const each of out) next = initDid(next, each, bounds);
  return {
    next: promise.initDid(promise.initHeard(next, world, event), out, bounds),
    init: { event, out },
    run: null,
  };
}

function initDid(world: Boundary, out: InitOutput, bounds: Bounds): Boundary {
  const { supervisor } = world;
  switch (out.kind) {
    case 'news':
      if (supervisor === null || supervisor.life === 'dead' || supervisor.silent || supervisor.left)
        return world;
      return { ...world, supervisor: { ...supervisor, inbox: [...supervisor.inbox, out.news] } };
    case 'pass':
      return withRun(world, out.slot, (c) => (c.over ? c : { ...c, inbox: [...c.inbox, out.frame] }));
    case 'hang-up':
      return withRun(world, out.slot, (c) => ({ ...c, over: c.over || c.s.stuck }));
    case 'fork-supervisor': {
      const { restarts } = world.init.sup;
      const born = newSupervisor(world.log, restarts);
      const useless = bounds.hopelessFrom !== null && restarts >= bounds.hopelessFrom;
      const alone = promise.startsAlone(world);
      if (useless) return { ...alone, supervisor: { ...born, doomed: true, code: USELESS } };
      return comesUp(alone, born, out.installation);
    }
    case 'fork-run': {
      const { name, order } = world.init.slots[out.slot] as Boundary['init']['slots'][number];
      const coordinators = [...world.coordinators];
      coordinators[out.slot] = newCoordinator(name, order, world.init.present, bounds.straggler, world.nowNs);
      return { ...world, coordinators };
    }
    case 'kill-supervisor':
      return supervisor === null ? world : { ...world, supervisor: { ...supervisor, doomed: true } };
    case 'drop':
      return {
        ...world,
        toInit: [],
        half: false,
        supervisor: supervisor === null ? null : { ...supervisor, cut: true },
      };
    default:
      return world;
  }
}

/** How it begins depends on where it comes from. */
function comesUp(world: Boundary, born: Supervisor, installation: Installation): Boundary {
  switch (installation) {
    case '':
    case '/good':
      return { ...world, supervisor: born };
    case '/ends':
      return { ...world, supervisor: { ...born, doomed: true, code: 1 } };
    case '/wrong-usage':
      return { ...world, supervisor: { ...born, doomed: true, code: 64 } };
    case '/other-protocol':
      return { ...world, supervisor: { ...born, silent: true }, toInit: [{ kind: 'foreign' }] };
    case '/silent':
      return { ...world, supervisor: { ...born, silent: true } };
  }
}

function coordinatorStep(world: Boundary, slot: number, bounds: Bounds): Taken {
  const before = world.coordinators[slot] as Coordinator;
  const { c, out } = stepCoordinator(before, world.nowNs);
  let after = c;
  for (const each of out) if (each.kind === 'sent' && each.signal === KILL) after = struck(after, each.to);
  const next = withRun(world, slot, () => after);
  return { next: promise.runDid(next, before, after, out, bounds), init: null, run: { slot, out } };
}

function struck(c: Coordinator, to: 'group' | 'leader' | 'tree'): Coordinator {
  const leader = isThere(c.leader) ? 'dying' : c.leader;
  return { ...c, leader, other: to !== 'leader' && isThere(c.other) ? 'dying' : c.other };
}

export { TERM };
