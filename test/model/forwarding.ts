/** Received signals in init, as src/init/forward.c has them: added up while a coordinator's socket has no room. */
import type { Forwards, Init, InitOutput, Slot } from './boundary.ts';

const NONE: Forwards = { waiting: {}, full: false, crowded: false };
type Forward = Extract<InitOutput, { kind: 'forward' }>;

function more(counts: Readonly<Record<number, number>>, signal: number, times: number) {
  return { ...counts, [signal]: (counts[signal] ?? 0) + times };
}

export function receive(init: Init, signal: number, times: number): Init {
  if (!init.sup.spawned) return { ...init, early: more(init.early ?? {}, signal, times) };
  const slots = init.slots.map((slot) => {
    if (!slot.used || slot.snapshot.phase === 'ended') return slot;
    const forwards = slot.forwards ?? NONE;
    return { ...slot, forwards: { ...forwards, waiting: more(forwards.waiting, signal, times) } };
  });
  return { ...init, slots };
}

/** What came before the first run is for that. */
export function receiveEarly(init: Init): Init {
  const { early, ...rest } = init;
  return Object.entries(early ?? {}).reduce<Init>(
    (next, [signal, times]) => receive(next, Number(signal), times),
    rest,
  );
}

export function fillSocket(init: Init, at: number, full: boolean): Init {
  const slots = init.slots.map((slot, i) =>
    i === at ? { ...slot, forwards: { ...(slot.forwards ?? NONE), full } } : slot,
  );
  return { ...init, slots };
}

/** By number, as the kernel hands them out; all that there is room for. */
export function passOn(init: Init): { readonly init: Init; readonly told: readonly Forward[] } {
  const told: Forward[] = [];
  const slots = init.slots.map((slot, at): Slot => {
    const { forwards } = slot;
    if (forwards === undefined || !slot.used || !slot.socket) return slot;
    const waiting = Object.entries(forwards.waiting);
    if (forwards.full) return { ...slot, forwards: { ...forwards, crowded: waiting.length > 0 } };
    for (const [signal, times] of waiting)
      told.push({ kind: 'forward', slot: at, signal: Number(signal), times });
    return { ...slot, forwards: { ...NONE } };
  });
  return {
    init: told.length > 0 || slots.some((slot, i) => slot !== init.slots[i]) ? { ...init, slots } : init,
    told,
  };
}
