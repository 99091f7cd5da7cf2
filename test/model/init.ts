/** init as src/init/supervisor.c and runs.c have it: one turn of its loop, with one thing that has happened. */

import { blankRun } from '../../src/host/blank-run.ts';
import type { HostNews } from '../../src/host/host.ts';
import { PROTOCOL_VERSION } from '../../src/host/protocol.ts';
import type { HostRequest } from '../../src/supervisor/effect.ts';
import type { Order } from '../../src/supervisor/vocabulary.ts';
import { beAbsent, endAbsence, isWoken, STOPS_WITHIN, stayOf, stopBeginsAlone } from './absence.ts';
import {
  type FromCoordinator,
  type FromSupervisor,
  type Init,
  type InitOutput,
  type Installation,
  isDue,
  MS,
  plus,
  SECOND,
  type Slot,
  sooner,
  TERM,
  type ToCoordinator,
} from './boundary.ts';
import { fillSocket, passOn, receive, receiveEarly } from './forwarding.ts';

const ANSWER_WITHIN = 250n * MS;
const START_WITHIN = 2n * SECOND;
export const REPLACE_AFTER = 10n * SECOND;
const RETRY_FIRST = 100n * MS;
const RETRY_LAST = 30n * SECOND;
const STUCK_AFTER = 5n * SECOND;
const EXIT_USAGE = 64;
const EXIT_INTERNAL = 70;
const EXIT_STUCK = 71;
const SIGNAL_BASE = 128;

export type InitEvent =
  | { readonly kind: 'open' }
  | { readonly kind: 'supervisor-wrote'; readonly frames: readonly FromSupervisor[]; readonly half: boolean }
  | { readonly kind: 'supervisor-closed' }
  | { readonly kind: 'supervisor-stopped' }
  | { readonly kind: 'supervisor-ended'; readonly code: number | null }
  | { readonly kind: 'run-wrote'; readonly slot: number; readonly frames: readonly FromCoordinator[] }
  | { readonly kind: 'run-closed'; readonly slot: number }
  | { readonly kind: 'run-ended'; readonly slot: number; readonly frames: readonly FromCoordinator[] }
  | { readonly kind: 'asked' }
  /** A client waits at the control socket, which init watches while nobody else does. */
  | { readonly kind: 'called' }
  | { readonly kind: 'received'; readonly signal: number; readonly times: number }
  /** Somebody else's frames have filled a coordinator's socket, or it has read them. */
  | { readonly kind: 'socket'; readonly slot: number; readonly full: boolean }
  | { readonly kind: 'time' };

/** What init is told once and for all. */
export interface InitPlan {
  /** A restart policy was asked for, so only a stop is the end. */
  readonly lasting: boolean;
  /** How long a supervisor stays that has nothing to decide. Absent: `--stay`. */
  readonly stayMs?: number | undefined;
}

export const FIRST_INIT: Init = {
  sup: {
    state: 'gone',
    socket: false,
    process: false,
    startedNs: 0n,
    retryNs: null,
    delayNs: 0n,
    event: 0,
    seen: 0,
    unseenNs: null,
    wakeNs: null,
    lastNumber: 0,
    restarts: 0,
    failed: 0,
    tellHello: false,
    tellAsks: false,
    spawned: false,
    partial: false,
    reapByNs: null,
    yields: false,
    leaves: false,
    woken: false,
    called: false,
    nextNs: null,
    worthNs: null,
    stayNs: null,
    ordersSuffice: false,
    stopsAlone: false,
  },
  installation: { now: '', before: '', waiting: 0, asked: false },
  asks: { count: 0, firstNs: 0n, event: 0, dueNs: null, alone: 0 },
  leave: { asked: false, code: 0, byeNs: null, killed: false, alone: false },
  present: false,
  slots: [],
  judged: null,
  exited: null,
};

interface Step {
  init: Init;
  readonly nowNs: bigint;
  readonly plan: InitPlan;
  readonly out: InitOutput[];
}

export function stepInit(
  before: Init,
  event: InitEvent,
  nowNs: bigint,
  plan: InitPlan,
): { readonly init: Init; readonly out: readonly InitOutput[] } {
  const step: Step = { init: before, nowNs, plan, out: [] };
  hear(step, event);
  if (event.kind !== 'open') tick(step);
  if (isDone(step)) {
    step.init = { ...step.init, exited: step.init.leave.code };
    step.out.push({ kind: 'exit', code: step.init.leave.code });
  } else flush(step);
  return { init: step.init, out: step.out };
}

export function initDue({ sup, asks, leave }: Init, nowNs: bigint): bigint | null {
  let due = sooner(leave.asked ? null : sooner(sup.retryNs, sup.reapByNs), asks.dueNs);
  if (leave.asked && sup.process && leave.byeNs !== null && leave.byeNs > nowNs)
    due = sooner(due, leave.byeNs);
  if (!sup.socket) return due;
  return sooner(due, sooner(plus(sup.unseenNs, REPLACE_AFTER), plus(sup.wakeNs, REPLACE_AFTER)));
}

function setSup(step: Step, change: Partial<Init['sup']>): void {
  step.init = { ...step.init, sup: { ...step.init.sup, ...change } };
}
function setInstallation(step: Step, change: Partial<Init['installation']>): void {
  step.init = { ...step.init, installation: { ...step.init.installation, ...change } };
}
function setAsks(step: Step, change: Partial<Init['asks']>): void {
  step.init = { ...step.init, asks: { ...step.init.asks, ...change } };
}
function setLeave(step: Step, change: Partial<Init['leave']>): void {
  step.init = { ...step.init, leave: { ...step.init.leave, ...change } };
}
function setSlot(step: Step, at: number, change: Partial<Slot>): void {
  const slots = [...step.init.slots];
  slots[at] = { ...(slots[at] as Slot), ...change };
  step.init = { ...step.init, slots };
}
function record(step: Step, type: string): void {
  step.out.push({ kind: 'record', type });
}

function hear(step: Step, event: InitEvent): void {
  switch (event.kind) {
    case 'open':
      startSupervisor(step);
      break;
    case 'supervisor-wrote':
      supervisorWrote(step, event.frames, event.half);
      break;
    case 'supervisor-closed':
      dropSocket(step);
      break;
    case 'supervisor-stopped':
      replace(step);
      break;
    case 'supervisor-ended':
      supervisorGone(step, event.code);
      break;
    case 'run-wrote':
      for (const frame of event.frames) runSays(step, event.slot, frame);
      break;
    case 'run-closed':
      setSlot(step, event.slot, { socket: false });
      break;
    case 'run-ended':
      for (const frame of event.frames) runSays(step, event.slot, frame);
      setSlot(step, event.slot, { process: false, socket: false });
      break;
    case 'asked':
      asked(step);
      break;
    case 'called':
      setSup(step, { called: true });
      break;
    case 'received':
      step.init = receive(step.init, event.signal, event.times);
      break;
    case 'socket':
      step.init = fillSocket(step.init, event.slot, event.full);
      break;
    case 'time':
      break;
  }
}

// ---- the life of the supervisor ----

function isHopeless({ sup }: Init): boolean {
  return sup.failed > 3;
}

/** Nobody waits for it. */
function isStuck({ used, snapshot }: Slot): boolean {
  return used && snapshot.phase === 'killing' && snapshot.stuck;
}

function isLive(slot: Slot): boolean {
  return slot.used && slot.snapshot.phase !== 'ended';
}

function setPresent(step: Step, present: boolean): void {
  step.init = { ...step.init, present };
  for (const [slot, { used, socket }] of step.init.slots.entries()) {
    if (used && socket) pass(step, slot, { kind: 'link', present });
  }
}

function pass(step: Step, slot: number, frame: ToCoordinator): void {
  step.out.push({ kind: 'pass', slot, frame });
}

function dropSocket(step: Step): void {
  if (step.init.sup.socket) step.out.push({ kind: 'drop' });
  setSup(step, { socket: false });
}

function killSupervisor(step: Step): void {
  if (step.init.sup.process) step.out.push({ kind: 'kill-supervisor' });
}

function giveUp(step: Step, code: number): void {
  setLeave(step, { asked: true, code });
  dropSocket(step);
  killSupervisor(step);
}

function startSupervisor(step: Step): void {
  const { nowNs } = step;
  step.out.push({ kind: 'fork-supervisor', installation: step.init.installation.now });
  setSup(step, {
    retryNs: null,
    startedNs: nowNs,
    process: true,
    socket: true,
    state: 'starting',
    tellHello: true,
    tellAsks: step.init.asks.count > 0,
    event: 0,
    seen: 0,
    unseenNs: nowNs,
    wakeNs: null,
    partial: false,
  });
  const slots = step.init.slots.map((slot) => ({ ...slot, dirty: slot.used }));
  step.init = { ...step.init, slots };
  if (step.init.asks.count > 0) setAsks(step, { dueNs: nowNs + START_WITHIN });
  setPresent(step, !isHopeless(step.init));
}

function replace(step: Step): void {
  killSupervisor(step);
  dropSocket(step);
  setSup(step, { unseenNs: null, wakeNs: null, reapByNs: step.nowNs + STUCK_AFTER });
}

function cannotBeReaped(step: Step): void {
  setSup(step, { reapByNs: null, state: 'gone' });
  if (!step.init.sup.spawned) {
    giveUp(step, EXIT_INTERNAL);
    return;
  }
  setSup(step, { failed: step.init.sup.failed + 4 });
  setPresent(step, false);
  if (step.init.asks.count > 0) setAsks(step, { dueNs: step.nowNs });
}

function supervisorGone(step: Step, code: number | null): void {
  const { nowNs } = step;
  const worked = step.init.sup.state === 'present';
  const { yields, restarts, leaves } = step.init.sup;
  const vain = !yields && !worked && step.init.installation.waiting > 0;
  dropSocket(step);
  setSup(step, { process: false, state: 'gone', reapByNs: null, yields: false, woken: false });
  if (!leaves) setSup(step, { restarts: restarts + 1 });
  const { sup, leave, asks } = step.init;
  if (leave.asked) return;
  if (leaves) {
    step.init = beAbsent(step.init, nowNs, step.plan, START_WITHIN);
    return;
  }
  if (vain) installationBad(step);
  if (yields || vain) {
    setSup(step, { retryNs: nowNs });
    if (asks.count > 0) setAsks(step, { dueNs: nowNs + START_WITHIN });
    return;
  }
  const isOwnError = code !== null && code >= EXIT_USAGE;
  if (!sup.spawned && (isOwnError || (sup.restarts > 2 && asks.count === 0))) {
    giveUp(step, isOwnError ? code : EXIT_INTERNAL);
    return;
  }
  const delayNs = worked && nowNs - sup.startedNs > REPLACE_AFTER ? 0n : sup.delayNs;
  setSup(step, { retryNs: nowNs + delayNs, failed: worked ? 0 : sup.failed + (code === null ? 1 : 2) });
  if (isHopeless(step.init)) setPresent(step, false);
  const longer = delayNs > 0n ? delayNs * 2n : RETRY_FIRST;
  setSup(step, { delayNs: longer > RETRY_LAST ? RETRY_LAST : longer });
  if (asks.count > 0) setAsks(step, { dueNs: isHopeless(step.init) ? nowNs : nowNs + START_WITHIN });
}

function see(step: Step, event: number, wakeNs: bigint | null): void {
  const { sup, asks } = step.init;
  setSup(step, { seen: event, wakeNs, unseenNs: event === sup.event ? null : step.nowNs });
  if (sup.failed > 0) setPresent(step, true);
  setSup(step, { failed: 0, state: sup.state === 'starting' ? 'present' : sup.state });
  if (sup.state === 'starting') installationGood(step);
  if (asks.count > 0 && event >= asks.event && !sup.tellAsks)
    setAsks(step, { dueNs: null, alone: asks.count });
}

function hearOf(step: Step, request: HostRequest): void {
  const { nowNs } = step;
  const { sup, asks } = step.init;
  const isMissed = sup.wakeNs !== null && sup.wakeNs < nowNs;
  setSup(step, { unseenNs: sup.unseenNs === null ? null : nowNs, wakeNs: isMissed ? nowNs : sup.wakeNs });
  if (request.to === 'rung' && asks.dueNs !== null && sup.state === 'present')
    setAsks(step, { dueNs: nowNs + ANSWER_WITHIN });
}

function supervisorWrote(step: Step, frames: readonly FromSupervisor[], half: boolean): void {
  for (const frame of frames) {
    if (frame.kind !== 'foreign') {
      carryOut(step, frame);
      if (step.init.sup.leaves) break;
      continue;
    }
    replace(step);
    setInstallation(step, { asked: false });
    return;
  }
  setSup(step, { partial: half });
  const yields = step.init.installation.asked;
  setInstallation(step, { asked: false });
  setSup(step, { yields, leaves: step.init.sup.leaves && !yields });
  if (yields || step.init.sup.leaves) replace(step);
}

function carryOut(step: Step, frame: Exclude<FromSupervisor, { kind: 'foreign' }>): void {
  if (frame.kind === 'seen' || frame.kind === 'leave') {
    see(step, frame.event, frame.wakeNs);
    setSup(step, { leaves: frame.kind === 'leave' });
    if (frame.kind === 'leave') setSup(step, { nextNs: frame.wakeNs, ordersSuffice: frame.ordersSuffice });
    return;
  }
  const { request } = frame;
  const isLate = frame.number <= step.init.sup.lastNumber;
  if (isLate && request.to !== 'forget') return;
  if (!isLate) {
    setSup(step, { lastNumber: frame.number });
    hearOf(step, request);
  }
  if (request.to === 'exit') {
    setLeave(step, { asked: true, code: request.code & 255 });
    return;
  }
  if (request.to === 'upgrade') {
    installationAsk(step, request.installation as Installation);
    return;
  }
  const isFirst = request.to === 'spawn' && !step.init.sup.spawned;
  if (isFirst) setSup(step, { spawned: true });
  runRequest(step, frame.number, frame.key, request);
  if (isFirst) step.init = receiveEarly(step.init);
}

// ---- from where the supervisor comes ----

function installationAsk(step: Step, root: Installation): void {
  const { now, before, waiting } = step.init.installation;
  if (waiting > 0 && now !== root) settle(step, 'failed');
  const more = step.init.installation.waiting + 1;
  setInstallation(step, { now: root, before: waiting > 0 ? before : now, waiting: more, asked: true });
}

function settle(step: Step, how: 'done' | 'failed'): void {
  const { now, waiting } = step.init.installation;
  for (let told = 0; told < waiting; told++) record(step, `upgrade ${how} ${now}`);
  setInstallation(step, { waiting: 0 });
}

function installationGood(step: Step): void {
  const { waiting, asked } = step.init.installation;
  if (waiting > 0 && !asked) settle(step, 'done');
}

function installationBad(step: Step): void {
  settle(step, 'failed');
  setInstallation(step, { now: step.init.installation.before });
}

// ---- the runs ----

function runRequest(step: Step, number: number, key: number, request: HostRequest): void {
  if (request.to === 'spawn') {
    spawnRun(step, number, request.run, request.order);
    return;
  }
  const at = step.init.slots.findIndex((slot) => slot.used && slot.key === key);
  const slot = step.init.slots[at];
  if (slot === undefined) return;
  if (request.to === 'forget' && slot.snapshot.phase === 'ended') {
    setSlot(step, at, { used: false, socket: false });
    if (!slot.name.includes('/')) step.init = { ...step.init, judged: slot };
  }
  if (request.to !== 'rung') return;
  setSlot(step, at, { order: request.order });
  if (slot.socket) pass(step, at, { kind: 'rung', number, key, order: request.order });
}

function spawnRun(step: Step, number: number, name: string, order: Order): void {
  const { slots } = step.init;
  const free = slots.findIndex((slot) => !slot.used && !slot.process);
  const at = free < 0 ? slots.length : free;
  setSlot(step, at, {
    used: true,
    name,
    key: number,
    snapshot: { ...blankRun(number, name), forkedNs: step.nowNs },
    dirty: true,
    socket: true,
    process: true,
    stopAsked: false,
    stood: 0,
    answer: 0,
    order,
    forwards: undefined,
  });
  step.out.push({ kind: 'fork-run', slot: at });
}

function runSays(step: Step, at: number, frame: FromCoordinator): void {
  if (frame.kind === 'record') {
    record(step, frame.type);
    return;
  }
  const slot = step.init.slots[at] as Slot;
  setSlot(step, at, { snapshot: { ...frame.run, key: slot.key }, dirty: true });
}

/** How many rungs it has taken, as it says itself or as was asked of it. */
function climbed({ order, snapshot }: Slot): number {
  return Math.max(order.index ?? -1, snapshot.rung ?? -1) + 1;
}

/** The first ask is answered by a rung, whether it has been already or not; the second by the one after that. */
function answerOf(slot: Slot): number {
  return Math.max(climbed(slot), 1) + 1;
}

/** A second ask is for whoever is on the way down. Who has moved on since was told to. */
function wantsNext(slot: Slot): boolean {
  return ((climbed(slot) > 0 && !slot.order.firstOnly) || slot.stopAsked) && climbed(slot) < slot.answer;
}

function stopAlone(step: Step, hooks: boolean): void {
  const { asks } = step.init;
  const live = step.init.slots.filter((slot) => isLive(slot) && !isStuck(slot));
  const level = live.reduce((most, slot) => Math.max(most, slot.order.level), 0);
  for (let asked = 1; asked <= asks.count && asked <= 3; asked++) {
    for (let at = 0; at < step.init.slots.length; at++) {
      const slot = step.init.slots[at] as Slot;
      const begins =
        (slot.snapshot.rung === null || slot.order.firstOnly === true) &&
        !slot.stopAsked &&
        slot.order.level === level &&
        (hooks || !slot.name.includes('/'));
      const told = asked === 1 ? !begins : asked <= asks.alone || (asked === 2 && !wantsNext(slot));
      if (!isLive(slot) || !slot.socket || told) continue;
      setSlot(step, at, { stopAsked: true });
      pass(step, at, { kind: 'alone', asks: asked });
    }
  }
  if (asks.alone < asks.count) setAsks(step, { alone: asks.count });
}

// ---- asks, time, the end ----

function asked(step: Step): void {
  const { asks, sup } = step.init;
  const count = asks.count + 1;
  setAsks(step, { count, firstNs: count === 1 ? step.nowNs : asks.firstNs });
  setSup(step, { tellAsks: true });
  if (count === 2) {
    const slots = step.init.slots.map((slot) => ({ ...slot, stood: climbed(slot), answer: answerOf(slot) }));
    step.init = { ...step.init, slots };
  }
  const isFirst = stopBeginsAlone(step.init);
  if (isFirst) {
    setSup(step, { stopsAlone: true, retryNs: step.nowNs + STOPS_WITHIN });
    setPresent(step, false);
  }
  const wait = { present: ANSWER_WITHIN, starting: START_WITHIN, absent: START_WITHIN, gone: 0n }[sup.state];
  setAsks(step, { dueNs: step.nowNs + (step.init.sup.stopsAlone ? 0n : wait) });
}

function wake(step: Step): void {
  const isReason = isWoken(step.init, step.nowNs);
  setSup(step, { called: false });
  if (!isReason) return;
  step.init = endAbsence(step.init, step.nowNs, step.plan);
  startSupervisor(step);
}

function tick(step: Step): void {
  const { nowNs } = step;
  if (step.init.sup.state === 'absent' && !step.init.leave.asked) wake(step);
  else if (isDue(step.init.sup.retryNs, nowNs) && !step.init.leave.asked) startSupervisor(step);
  if (isDue(step.init.sup.reapByNs, nowNs) && !step.init.leave.asked) cannotBeReaped(step);
  const { sup } = step.init;
  const silent =
    isDue(plus(sup.unseenNs, REPLACE_AFTER), nowNs) || isDue(plus(sup.wakeNs, REPLACE_AFTER), nowNs);
  if (sup.socket && silent) replace(step);
  const { asks } = step.init;
  const isGone = step.init.sup.state === 'gone';
  const isAlone = nobodyComes(step.init);
  if (asks.count === 0 || !(isDue(asks.dueNs, nowNs) || isAlone)) return;
  setAsks(step, { dueNs: isGone || step.init.sup.stopsAlone ? null : nowNs + ANSWER_WITHIN });
  if (!step.init.sup.spawned) {
    record(step, 'stop-requested');
    record(step, 'task-state');
    giveUp(step, SIGNAL_BASE + TERM);
    return;
  }
  stopAlone(step, isAlone);
}

function nobodyComes(init: Init): boolean {
  return init.sup.stopsAlone || (init.sup.state === 'gone' && isHopeless(init));
}

/** Nobody is left to decide, and nothing is left to decide about. */
function overAlone(step: Step): number | null {
  const { slots, asks } = step.init;
  const mains = slots.filter((slot) => slot.used && !slot.name.includes('/'));
  const last = mains.reduce<Init['judged']>(
    (best, slot) => (best !== null && best.key > slot.key ? best : slot),
    step.init.judged,
  );
  if (last === null || slots.some((slot) => isLive(slot) && !isStuck(slot)) || !nobodyComes(step.init))
    return null;
  if (step.plan.lasting && asks.count === 0) return null;
  const code = exitCodeOf(last);
  return code === 0 && slots.some(isStuck) ? EXIT_STUCK : code;
}

function exitCodeOf({ snapshot }: Pick<Slot, 'snapshot'>): number {
  const { startFailure, code, signal, stuck } = snapshot;
  if (startFailure !== null) return startFailure.errno === 2 ? 127 : 126;
  if (code === null && signal === null) return stuck ? EXIT_STUCK : EXIT_INTERNAL;
  return signal === null ? (code ?? 0) : SIGNAL_BASE + signal;
}

function isDone(step: Step): boolean {
  const { nowNs } = step;
  if (!step.init.leave.asked) {
    const code = overAlone(step);
    if (code === null) return false;
    record(step, 'task-state');
    setLeave(step, { asked: true, code });
  }
  const { slots } = step.init;
  const stuck = slots.filter(isStuck).length;
  if (slots.filter(isLive).length > stuck) return false;
  if (step.init.leave.code === 0 && stuck > 0) setLeave(step, { code: EXIT_STUCK });
  setLeave(step, { alone: true });
  for (const [at, { socket }] of slots.entries()) {
    if (stuck === 0 || !socket) continue;
    setSlot(step, at, { socket: false });
    step.out.push({ kind: 'hang-up', slot: at });
  }
  if (slots.some((slot) => slot.process)) return false;
  dropSocket(step);
  if (step.init.leave.byeNs === null) setLeave(step, { byeNs: nowNs + START_WITHIN });
  if (step.init.sup.process && isDue(step.init.leave.byeNs, nowNs)) {
    if (step.init.leave.killed) return true;
    killSupervisor(step);
    setLeave(step, { killed: true, byeNs: nowNs + STUCK_AFTER });
  }
  return !step.init.sup.process;
}

/** State, not events: what has changed is told as it is now. */
function flush(step: Step): void {
  const { init, told: forwarded } = passOn(step.init);
  step.init = init;
  step.out.push(...forwarded);
  const { sup } = step.init;
  if (!sup.socket) return;
  const told: HostNews[] = [];
  if (sup.tellHello) {
    const about = {
      version: PROTOCOL_VERSION,
      pid1: true,
      restarts: sup.restarts,
      initPid: 1,
      initTicks: 0n,
      pidNs: 0n,
    };
    const stayNs = stayOf(step.init, step.plan);
    const stay = { ...(sup.woken && { woken: true as const }), ...(stayNs !== null && { stayNs }) };
    told.push({ kind: 'hello', hello: { ...about, ...stay, bootId: '', lastNumber: sup.lastNumber } });
    setSup(step, { tellHello: false });
  }
  for (const [at, slot] of step.init.slots.entries()) {
    if (!slot.used || !slot.dirty) continue;
    const askedAgain = slot.stood > 0 && slot.stood === climbed(slot);
    told.push({ kind: 'run', run: { ...slot.snapshot, askedAgain } });
    setSlot(step, at, { dirty: false });
  }
  if (sup.tellAsks) {
    const { count, firstNs } = step.init.asks;
    told.push({ kind: 'asks', asks: { count, signal: TERM, pid: 7, uid: 0, firstNs } });
    setAsks(step, { event: sup.event + 1 });
    setSup(step, { tellAsks: false });
  }
  if (told.length === 0) return;
  const event = sup.event + 1;
  setSup(step, { event, ...(sup.seen === sup.event ? { unseenNs: step.nowNs } : {}) });
  told.push({ kind: 'sync', event });
  for (const news of told) step.out.push({ kind: 'news', news });
}
