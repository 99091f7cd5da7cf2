/** The absence of a supervisor as src/init/absence.c has it: when it begins, how long the next one is to stay, and what ends it. */
import type { Init } from './boundary.ts';
import { isDue, MS, SECOND, sooner } from './boundary.ts';
import type { InitPlan } from './init.ts';

const STAY_LAST = 300n * SECOND;
const WORTH = 6n;

/** HELLO says it; null: a supervisor does not leave. */
export function stayOf({ sup }: Init, { stayMs }: InitPlan): bigint | null {
  return stayMs === undefined ? null : (sup.stayNs ?? BigInt(stayMs) * MS);
}

/** The supervisor was ended because it has asked for that. */
export function beAbsent(init: Init, nowNs: bigint, plan: InitPlan, patienceNs: bigint): Init {
  const { sup, asks } = init;
  const dueNs = asks.count > 0 && asks.dueNs !== null ? nowNs + patienceNs : asks.dueNs;
  const worthNs = nowNs + WORTH * (stayOf(init, plan) ?? 0n);
  const absent = { state: 'absent', leaves: false, delayNs: 0n, retryNs: sup.nextNs, worthNs } as const;
  return { ...init, sup: { ...sup, ...absent }, asks: { ...asks, dueNs } };
}

/** Something to tell, also what was told last and crossed its leaving. */
function hasNews(init: Init): boolean {
  return init.sup.tellAsks || isBehind(init);
}

/** Something besides asks that the one that has left does not know. */
function isBehind({ sup, slots }: Init): boolean {
  return sup.event !== sup.seen || slots.some(({ used, dirty }) => used && dirty);
}

export function isWoken(init: Init, nowNs: bigint): boolean {
  const { called, retryNs, stopsAlone } = init.sup;
  return called || isDue(retryNs, nowNs) || (stopsAlone ? asksForTime(init) : hasNews(init));
}

function asksForTime({ slots, asks }: Init): boolean {
  return slots.some(
    ({ used, snapshot: { phase, extendNs } }) =>
      used && phase !== 'ended' && extendNs > 0n && extendNs >= asks.firstNs,
  );
}

/** When a stop that needs no supervisor gets one all the same. */
export const STOPS_WITHIN = 500n * MS;

export function stopBeginsAlone(init: Init): boolean {
  const { state, ordersSuffice, called, stopsAlone } = init.sup;
  const isFirst = init.asks.count === 1 && !stopsAlone;
  return state === 'absent' && ordersSuffice && isFirst && !called && !isBehind(init);
}

/** Of the one that comes now; whoever was away for a short time only will stay longer. */
export function endAbsence(init: Init, nowNs: bigint, plan: InitPlan): Init {
  const stay = stayOf(init, plan) ?? 0n;
  const stayNs = isDue(init.sup.worthNs, nowNs)
    ? BigInt(plan.stayMs ?? 0) * MS
    : sooner(stay * 2n, STAY_LAST);
  return { ...init, sup: { ...init.sup, woken: true, stopsAlone: false, stayNs } };
}
