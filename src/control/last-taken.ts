/** At the end of a task: until what was said has been taken, as long as it is being taken. */
import type { Socket } from 'node:net';

/** Who has something to take. */
export interface Taker {
  /** Nothing is left to take, or nobody to take it. */
  isDone(): boolean;
  /** Rises when something is taken. */
  taken(): number;
}

export interface Patience {
  /** Without anything taken. In looks, not in time: a machine that has no time for us has none for the client either. */
  readonly looks: number;
  /** Of all together. */
  readonly mostMs: number;
}

const LOOK_EVERY_MS = 5;

/** Resolves when there is nobody left who takes something. */
export async function untilTaken(takers: readonly Taker[], { looks, mostMs }: Patience): Promise<void> {
  const end = performance.now() + mostMs;
  let left = takers.map((taker) => ({ taker, taken: taker.taken(), looks: 0 }));
  for (;;) {
    left = left.filter((each) => {
      const taken = each.taker.taken();
      each.looks = taken > each.taken ? 0 : each.looks + 1;
      each.taken = taken;
      return !each.taker.isDone() && each.looks <= looks;
    });
    if (left.length === 0 || performance.now() >= end) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

/** `isSaid`: nothing more will be written to it. What the kernel has it keeps for the client, also when this process is gone. */
export function takerOf(socket: Socket, isSaid: () => boolean): Taker {
  return {
    isDone: () => socket.destroyed || (isSaid() && socket.writableLength === 0),
    taken: () => socket.bytesWritten - socket.writableLength,
  };
}
