/** Whether init may open as many files as the processes of a plan need. Pure. */
import type { TaskPlan } from '../supervisor/plan.ts';
import type { Launch } from '../supervisor/vocabulary.ts';

/** init's own: logs, lock, sockets, epoll, and what it was started with. */
const OWN_FILES = 64;
/** The socket of its coordinator, and that of a hook or a probe beside it. */
const RUN_FILES = 2;
/** stdout and stderr, here and with the one who copies them. */
const OUTPUT_FILES = 4;
/** init has room for 2,047 runs (RUNS_MAX in runs.h), and a process can have a hook or a probe beside its own. */
const MOST_PROCESSES = 1000;

/** `limits`: /proc/self/limits. null: there is room for all of them. */
export function descriptorProblem({ name, processes }: TaskPlan, limits: string): string | null {
  if (processes.length > MOST_PROCESSES)
    return `cannot start "${name}": it may have ${MOST_PROCESSES} processes, replicas counted, got ${processes.length}`;
  const needed = processes.reduce((sum, { launch }) => sum + filesOf(launch), OWN_FILES);
  const hard = /^Max open files\s+\S+\s+(\d+)/m.exec(limits)?.[1];
  if (hard === undefined || Number(hard) >= needed) return null;
  return `cannot start "${name}": its ${processes.length} processes need ${needed} open files in gsup itself, the hard limit is ${hard}; raise it (ulimit -n, docker run --ulimit nofile=${needed})`;
}

function filesOf({ output }: Launch): number {
  return output === undefined || output.driver === 'inherit' || output.driver === 'none'
    ? RUN_FILES
    : RUN_FILES + OUTPUT_FILES;
}
