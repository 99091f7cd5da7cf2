/** The status of a living task: its log, what the core knows of who has no record yet, and the trees as the kernel shows them. */
import { lookAtTrees } from '../report/live-trees.ts';
import type { Look, Status, Tree } from '../report/status.ts';
import type { State } from '../supervisor/state.ts';
import { lookUp } from '../supervisor/table.ts';
import type { Feed } from './feed.ts';

export interface StatusSource {
  /** `usage` false: without CPU, memory and names of trees, which cost a look at every process of the machine. */
  status(usage: boolean): Promise<Status>;
}

type TreeOf = (leader: number) => Tree | null;

export function createStatusSource(
  feed: Pick<Feed, 'status'>,
  state: () => State,
  nowNs: () => bigint,
): StatusSource {
  /** Whoever asks meanwhile shares it: many clients cost as much as one. */
  let looking: Promise<TreeOf> | null = null;

  const build = (treeOf: TreeOf): Status => {
    const { plan, processes } = state();
    const declared: Look['declared'] = plan.processes.map(({ name }) => ({
      name,
      want: lookUp(processes, name)?.want ?? 'up',
    }));
    return feed.status().status({ nowNs: nowNs(), live: true, treeOf, declared });
  };

  const look = (): Promise<TreeOf> => {
    const leaders = build(() => null).processes.flatMap(({ pid }) => pid ?? []);
    looking ??= lookAtTrees(leaders).finally(() => {
      looking = null;
    });
    return looking;
  };

  return { status: async (usage) => build(usage ? await look() : () => null) };
}
