import type { Target } from '../supervisor/vocabulary.ts';
import { killDescendants, type Sent, signalGroup, signalProcess } from './kill.ts';
import { findTree, type Identity, readProcess, readProcessTable } from './process-table.ts';

const SIGKILL = 9;

/** The tree of one run, as far as it can be found without being its subreaper. */
export interface PortableTree {
  /** Pids of what lives besides the leader. */
  look(): readonly number[];
  /** `escaped`: only who has left the group. */
  signal(signal: number, target: Target, escaped?: 'escaped'): void;
}

export function createPortableTree(
  leaderPid: number,
  leaderLives: () => boolean,
  readTable: typeof readProcessTable = readProcessTable,
): PortableTree {
  const leader: Identity = { pid: leaderPid, startTicks: readProcess(leaderPid)?.startTicks ?? 0n };
  const known = new Map<number, bigint>();
  const find = () => {
    const table = readTable();
    if (table === null) return null;
    const found = findTree(table, leader, known);
    known.clear();
    for (const row of found) known.set(row.pid, row.startTicks);
    return found;
  };

  return {
    look() {
      const found = find();
      if (found !== null) return found.map(({ pid }) => pid);
      // The group is all that can be asked about. It counts the leader, and knows no zombies on macOS.
      return !leaderLives() && signalGroup(leaderPid, 0) === 'sent' ? [leaderPid] : [];
    },
    signal(signal, target, escaped) {
      const found = find();
      const lives = leaderLives();
      if (found === null) {
        if (escaped === undefined) signalBlindly(leaderPid, signal, target, lives);
        return;
      }
      const groupOf = new Map(found.map(({ pid, group }) => [pid, group]));
      const inGroup = (pid: number): boolean => pid === leaderPid || groupOf.get(pid) === leaderPid;
      const isMeant = (pid: number): boolean =>
        // The target is a matter of the leader's time: what outlives it gets everything.
        !lives || target === 'tree' || (target === 'leader' ? pid === leaderPid : inGroup(pid));
      const all = [...(lives ? [leaderPid] : []), ...groupOf.keys()];
      const meant = all.filter((pid) => (escaped === undefined ? isMeant(pid) : !inGroup(pid)));
      const group = all.filter(inGroup);
      // One call reaches a whole group, also what was forked since the table was read.
      const atOnce =
        group.length > 0 && (target !== 'leader' || !lives) && group.every((pid) => meant.includes(pid));
      if (atOnce) signalGroup(leaderPid, signal);
      for (const pid of meant) if (!(atOnce && inGroup(pid))) signalProcess(pid, signal);
    },
  };
}

/** Without /proc: the group, and for `tree` or SIGKILL the descendants that `ps` or `pgrep` know. */
function signalBlindly(leaderPid: number, signal: number, target: Target, lives: boolean): void {
  const sendToGroup = (): Sent => signalGroup(leaderPid, signal);
  if (target === 'leader' && lives) signalProcess(leaderPid, signal);
  // The walk comes first: descendants are found by their parents, which must live for that.
  else if (lives && (target === 'tree' || signal === SIGKILL))
    killDescendants(leaderPid, signal, sendToGroup);
  else sendToGroup();
}
