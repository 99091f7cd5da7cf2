/** The trees of runs as /proc shows them, and what they use. */
import { readFileSync } from 'node:fs';
import { type ProcessRow, readProcessTable } from '../host/process-table.ts';
import type { Tree } from './status.ts';

/**
 * Looks once, for all leaders. A run's tree is what descends from its coordinator, which is the parent of its leader,
 * also when that is a zombie already. null where there is no /proc, or nobody of that pid.
 */
export async function lookAtTrees(leaders: readonly number[]): Promise<(leader: number) => Tree | null> {
  const table = readProcessTable();
  if (table === null) return () => null;
  const children = childrenIn(table);
  const parents = new Map(table.map(({ pid, parent }) => [pid, parent]));
  const trees = new Map(
    leaders.map((leader) => {
      const coordinator = parents.get(leader) ?? parentOf(leader);
      return [leader, coordinator === null ? null : below(coordinator, children)];
    }),
  );
  const usage = await usageOf([...trees.values()].flatMap((members) => members?.map(({ pid }) => pid) ?? []));
  return (leader) => {
    const members = trees.get(leader) ?? null;
    if (members === null) return null;
    const used = members.flatMap(({ pid }) => usage.get(pid) ?? []);
    return {
      members: members.map(({ pid, name }) => ({ pid, name })),
      cpuPct: sum(used.map(({ cpu }) => cpu)),
      rssBytes: sum(used.map(({ memory }) => memory)),
    };
  };
}

type Children = ReadonlyMap<number, readonly ProcessRow[]>;

/** By parent, so that a tree costs as much as it is large, however many others there are. */
function childrenIn(table: readonly ProcessRow[]): Children {
  const children = new Map<number, ProcessRow[]>();
  for (const row of table) {
    const others = children.get(row.parent);
    if (others === undefined) children.set(row.parent, [row]);
    else others.push(row);
  }
  return children;
}

/** Nobody twice: a table is read row by row, and a pid may be somebody else's before its end. */
function below(root: number, children: Children): ProcessRow[] {
  const found = new Map<number, ProcessRow>();
  const next = [root];
  for (let pid = next.pop(); pid !== undefined; pid = next.pop())
    for (const child of children.get(pid) ?? [])
      if (child.pid !== root && !found.has(child.pid)) {
        found.set(child.pid, child);
        next.push(child.pid);
      }
  return [...found.values()].sort((one, other) => one.pid - other.pid);
}

/** Of a zombie, which lives no more and so is in no table. */
function parentOf(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return null;
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
  // It asks getconf, by way of a shell. Where there is none (distroless) it takes what nearly every machine has, and would say so.
  process.env.PIDUSAGE_SILENT = '1';
  const used = await pidusage([...pids]).catch(() => ({}) as Record<string, Used>);
  return new Map(Object.entries(used).flatMap(([pid, each]) => (each ? [[Number(pid), each] as const] : [])));
}

function sum(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((all, value) => all + value, 0);
}
