import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessRow {
  readonly pid: number;
  /** Of its program, at most 15 bytes; anything may stand in it. */
  readonly name: string;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  readonly startTicks: bigint;
}

/** Every process that lives, or null where there is no /proc. Zombies do not live. */
export function readProcessTable(): readonly ProcessRow[] | null {
  const names = tryRead(() => readdirSync('/proc'));
  if (names === null || !names.includes('self')) return null;
  return names.filter((name) => /^[0-9]+$/.test(name)).flatMap((name) => readProcess(Number(name)) ?? []);
}

/** Null when it has gone, or is a zombie. */
export function readProcess(pid: number): ProcessRow | null {
  const stat = tryRead(() => readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? '';
  // The name of a process may contain anything, also `) R 1`: the fields begin after the last parenthesis (proc(5)).
  const end = stat.lastIndexOf(')');
  const fields = stat.slice(end + 2).split(' ');
  if (fields.length < 20 || fields[0] === 'Z' || fields[0] === 'X') return null;
  return {
    pid,
    name: stat.slice(stat.indexOf('(') + 1, end),
    parent: Number(fields[1]),
    group: Number(fields[2]),
    session: Number(fields[3]),
    startTicks: BigInt(fields[19] ?? 0),
  };
}

/** A process is known by pid and start time: a pid alone may be somebody else's by now. */
export interface Identity {
  readonly pid: number;
  readonly startTicks: bigint;
}

/**
 * What can be found of a leader's tree, without the leader: its session, its group, their descendants, and what was
 * found before and still lives. A process that left both and whose parents are gone cannot be found: init does better.
 */
export function findTree(
  table: readonly ProcessRow[],
  leader: Identity,
  known: ReadonlyMap<number, bigint>,
): readonly ProcessRow[] {
  const leaderRow = table.find(({ pid }) => pid === leader.pid);
  // As long as one process has the leader's pid as its group or session, the kernel gives it to nobody else.
  const taken = leaderRow !== undefined && leaderRow.startTicks !== leader.startTicks;
  const found = new Set(
    table
      .filter((row) => {
        if (!taken && (row.session === leader.pid || row.group === leader.pid)) return true;
        return known.get(row.pid) === row.startTicks;
      })
      .map(({ pid }) => pid),
  );
  let before: number;
  do {
    before = found.size;
    for (const row of table) if (found.has(row.parent)) found.add(row.pid);
  } while (found.size > before);
  return table.filter(({ pid }) => pid !== leader.pid && found.has(pid) && pid !== process.pid);
}

function tryRead<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}
