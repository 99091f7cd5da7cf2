/** The trees of runs as /proc shows them, and what they use. */
import { readFileSync } from 'node:fs';
import { readProcessTable } from '../host/process-table.ts';
import type { Tree } from './status.ts';

interface Row {
  readonly pid: number;
  readonly parent: number;
}

/**
 * Looks once, for all leaders. A run's tree is what descends from its coordinator, which is the parent of its leader,
 * also when that is a zombie already. null where there is no /proc, or nobody of that pid.
 */
export async function lookAtTrees(leaders: readonly number[]): Promise<(leader: number) => Tree | null> {
  const table = readProcessTable();
  if (table === null) return () => null;
  const trees = new Map(leaders.map((leader) => [leader, membersOf(table, leader)]));
  const usage = await usageOf([...trees.values()].flatMap((members) => members ?? []));
  return (leader) => {
    const members = trees.get(leader) ?? null;
    if (members === null) return null;
    const used = members.flatMap((pid) => usage.get(pid) ?? []);
    return {
      members: members.map((pid) => ({ pid, name: nameOf(pid) })),
      cpuPct: sum(used.map(({ cpu }) => cpu)),
      rssBytes: sum(used.map(({ memory }) => memory)),
    };
  };
}

function membersOf(table: readonly Row[], leader: number): number[] | null {
  const coordinator = parentOf(leader);
  if (coordinator === null) return null;
  const found = new Set([coordinator]);
  let before: number;
  do {
    before = found.size;
    for (const { pid, parent } of table) if (found.has(parent)) found.add(pid);
  } while (found.size > before);
  found.delete(coordinator);
  return [...found];
}

/** Of a zombie too. */
function parentOf(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return null;
  }
}

function nameOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trimEnd();
  } catch {
    return '?';
  }
}

interface Used {
  readonly cpu: number;
  readonly memory: number;
}

/** CPU since the last look of this process, or since the start of each; who has gone meanwhile is left out. */
async function usageOf(pids: readonly number[]): Promise<ReadonlyMap<number, Used>> {
  if (pids.length === 0) return new Map();
  const { default: pidusage } = await import('pidusage');
  const used = await pidusage([...pids]).catch(() => ({}) as Record<string, Used>);
  return new Map(Object.entries(used).flatMap(([pid, each]) => (each ? [[Number(pid), each] as const] : [])));
}

function sum(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((all, value) => all + value, 0);
}
