/**
 * What two states must share to be the same to all that can follow. Times count from now, those that have passed are
 * equal, but where their order matters; numbers of records and of batches only say what is done and what is not.
 */

import type { HostNews } from '../../src/host/host.ts';
import { entriesOf } from '../../src/supervisor/table.ts';
import type { Hello } from '../../src/supervisor/vocabulary.ts';
import { isTable } from '../simulation/plainly.ts';
import type { Boundary, FromSupervisor, Init, Seen, Slot, Supervisor } from './boundary.ts';
import { isDue, plus } from './boundary.ts';
import { REPLACE_AFTER } from './init.ts';

const LEFT_OUT: ReadonlySet<string> = new Set([
  'key',
  'pid',
  'startTicks',
  'leaderUsage',
  'treeUsage',
  'hello',
  'supervisorPid',
  'plan',
  'by',
  'launch',
  'number',
  'stragglerPids',
  'notifyCount',
  'extendUs',
  'mainPid',
  'extendNs',
  'watchdogNs',
  'statusText',
  'startedNs',
  'killedNs',
  'beganNs',
]);

interface View {
  readonly nowNs: bigint;
  readonly sinceNs: bigint;
  readonly lastNumber: number;
}

/** Values are shared between states: each is looked at once for each time at which it is met. */
const kept = new WeakMap<object, { nowNs: bigint; id: number }>();
const ids = new Map<string, number>();

/** `memoryNs`: so far back the time of a past event still matters. */
export function fingerprint(world: Boundary, memoryNs: bigint): string {
  const { init, supervisor, log } = world;
  const { sup } = init;
  const view = { nowNs: world.nowNs, sinceNs: world.nowNs - memoryNs, lastNumber: sup.lastNumber };
  const since = (event: number): number => Math.min(sup.event - event, 9);
  return [
    initPrint(init, view, supervisor?.life === 'frozen' || supervisor?.silent === true),
    world.coordinators.map((c) => (c === null ? '-' : cached(c, view))).join('/'),
    supervisor === null ? '-' : supervisorPrint(supervisor, view, since),
    world.toInit.map((frame) => framePrint(frame, view, since)).join(),
    +world.half,
    cached(log.state, view),
    pendingOf(world, view),
    world.asked,
    world.faults,
    world.upgrades,
    `${world.calls} ${world.late} ${+world.waits}`,
    world.broken,
    cached(world.watch, view),
  ].join('|');
}

/** Of init alone: with what it is told next it is all that its next turn depends on. */
export function printInit(init: Init, nowNs: bigint): string {
  return initPrint(init, { nowNs, sinceNs: nowNs, lastNumber: init.sup.lastNumber }, true);
}

/** Of anything else that is a value. */
export function print(value: object, nowNs: bigint): number {
  return cached(value, { nowNs, sinceNs: nowNs, lastNumber: 0 });
}

type Since = (event: number) => number;

/**
 * `exact`: the supervisor is frozen, and when it is replaced depends on this alone. Of one that lives only whether its time
 * is over: that it is silent until then is the same as to be frozen.
 */
function patience(atNs: bigint | null, view: View, exact: boolean): string {
  const overNs = plus(atNs, REPLACE_AFTER);
  return exact || isDue(overNs, view.nowNs) ? time(overNs, view) : time(atNs, view);
}

function initPrint(init: Init, view: View, exact: boolean): string {
  const { sup } = init;
  const since = (event: number): number => Math.min(sup.event - event, 9);
  return [
    sup.state,
    +sup.socket + 2 * +sup.process,
    time(sup.retryNs, view),
    sup.delayNs,
    since(sup.seen),
    patience(sup.unseenNs, view, exact),
    patience(sup.wakeNs, view, exact),
    time(sup.reapByNs, view),
    Math.min(sup.restarts, 3),
    Math.min(sup.failed, 4),
    +sup.tellHello + 2 * +sup.tellAsks + 4 * +sup.spawned + 8 * +sup.partial + 16 * +init.present,
    init.asks.count,
    since(Math.max(init.asks.event, sup.seen)),
    time(init.asks.dueNs, view),
    init.asks.alone,
    cached(init.leave, view),
    absencePrint(init, view),
    `${+sup.yields} ${Object.values(init.installation)}`,
    init.exited,
    init.judged === null ? '-' : cached(init.judged.snapshot, view),
    init.slots.map((slot) => slotText(slot, init, view)).join('/'),
  ].join('!');
}

function absencePrint({ sup }: Init, view: View): string {
  const flags =
    +sup.leaves + 2 * +sup.woken + 4 * +sup.called + 8 * +sup.ordersSuffice + 16 * +sup.stopsAlone;
  return `${flags} ${time(sup.nextNs, view)} ${isDue(sup.worthNs, view.nowNs) ? 'p' : time(sup.worthNs, view)} ${sup.stayNs ?? '-'}`;
}

/** What init says of an absence, which is left out with all the rest of HELLO. */
export function helloText(hello: Hello | null): string {
  return `${hello?.stayNs ?? '-'}${hello?.woken ? 'w' : ''}`;
}

function newsPrint(news: HostNews, view: View, since: Since): string {
  if (news.kind === 'sync') return `s${since(news.event)}`;
  return news.kind === 'hello' ? `h${helloText(news.hello)}` : `${cached(news, view)}`;
}

function supervisorPrint(supervisor: Supervisor, view: View, since: Since): string {
  const hears = supervisor.life === 'alive' || supervisor.life === 'frozen';
  return [
    supervisor.life,
    +supervisor.doomed + 2 * +supervisor.cut + 4 * +supervisor.silent,
    supervisor.code,
    supervisor.told,
    (hears ? supervisor.inbox : []).map((news) => newsPrint(news, view, since)).join(),
    `${cached(supervisor.core, view)} ${helloText(supervisor.core.live.hello)}`,
    since(supervisor.lastSync),
    time(supervisor.armedNs, view),
    time(supervisor.toldNs, view),
    `${time(supervisor.restNs, view)} ${+supervisor.left}`,
    supervisor.acts
      .map((act) => (act.seen === null ? cached(act, view) : seenPrint(act.seen, view, since)))
      .join(),
  ].join(';');
}

function framePrint(frame: FromSupervisor, view: View, since: Since): string {
  if (frame.kind === 'foreign') return 'f';
  if (frame.kind !== 'request') return seenPrint(frame, view, since);
  return `${frame.number > view.lastNumber}${cached(frame.request, view)}`;
}

function seenPrint(seen: Seen, view: View, since: Since): string {
  const kind = seen.kind === 'seen' ? 'S' : seen.ordersSuffice ? 'O' : 'L';
  return `${kind}${since(seen.event)} ${time(seen.wakeNs, view)}`;
}

function pendingOf({ log }: Boundary, view: View): string {
  let pending = '';
  for (let at = log.records; at !== null && at.seq > view.lastNumber; at = at.before)
    pending += `${cached(at.body, view)} `;
  return pending;
}

function slotText(slot: Slot, init: Init, view: View): string {
  const exitedFirst = slot.snapshot.leaderExitedNs > init.asks.firstNs;
  return `${slot.name}${exitedFirst ? '>' : '<'}${cached(slot, view)}`;
}

/** A number for its text. */
function cached(value: object, view: View): number {
  const known = kept.get(value);
  if (known?.nowNs === view.nowNs) return known.id;
  const made = text(value, view);
  const id = ids.get(made) ?? ids.size;
  ids.set(made, id);
  kept.set(value, { nowNs: view.nowNs, id });
  return id;
}

function time(atNs: bigint | null, { nowNs, sinceNs }: View): string {
  if (atNs === null) return '-';
  if (atNs === 0n) return '0';
  return atNs <= sinceNs ? 'p' : `${(atNs - nowNs) / 1000n}`;
}

function text(value: unknown, view: View): string {
  if (typeof value === 'bigint') return time(value, view);
  if (value === null || value === undefined) return '-';
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return `[${value.map((each) => text(each, view)).join()}]`;
  if (isTable(value)) return text(Object.fromEntries(entriesOf(value)), view);
  let made = '{';
  for (const key in value) {
    if (LEFT_OUT.has(key)) continue;
    const member = (value as Record<string, unknown>)[key];
    const isObject = typeof member === 'object' && member !== null && !Array.isArray(member);
    made += `${key.length > 2 ? key.slice(0, 12) : key}:${isObject ? cached(member, view) : text(member, view)},`;
  }
  return `${made}}`;
}
