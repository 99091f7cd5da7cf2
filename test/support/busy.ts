import { readFileSync } from 'node:fs';

const LOOK_EVERY_MS = 100;
const KEPT = 6000;

interface Look {
  /** CLOCK_MONOTONIC, as the records have it. */
  readonly ns: bigint;
  /** Since the machine was started. */
  readonly stalledUs: number;
}

const looks: Look[] = [];

/** Time in which some task waited for a processor (Linux: Documentation/accounting/psi.rst); 0 where the kernel does not say. */
function look(): Look {
  const ns = process.hrtime.bigint();
  try {
    const some = readFileSync('/proc/pressure/cpu', 'utf8');
    return { ns, stalledUs: Number(/^some .*total=(\d+)/.exec(some)?.[1] ?? 0) };
  } catch {
    return { ns, stalledUs: 0 };
  }
}

looks.push(look());
setInterval(() => {
  looks.push(look());
  if (looks.length > KEPT) looks.splice(0, KEPT / 2);
}, LOOK_EVERY_MS).unref();

/**
 * How many milliseconds more something may take that began and ended at these moments: half of the time in which some task of
 * this machine waited for a processor. Nothing on a quiet machine; on one that is never quiet a bound is doubled.
 */
export function busyMs(fromNs: bigint, toNs: bigint): number {
  looks.push(look());
  const before = looks.findLast(({ ns }) => ns <= fromNs) ?? (looks[0] as Look);
  const after = looks.find(({ ns }) => ns >= toNs) ?? (looks.at(-1) as Look);
  return (after.stalledUs - before.stalledUs) / 2000;
}
