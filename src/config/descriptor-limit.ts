/** Whether init may open as many files as the processes of a plan need. Pure. */
import { MOST_PROCESSES, type ProcessPlan, type TaskPlan } from '../supervisor/plan.ts';

/** init's own: logs, lock, sockets, epoll, both ends of what is about to be forked, and what it was started with. Measured: 16. */
const OWN_FILES = 64;
/** The socket of a run's coordinator. What the run writes goes through two pipes, or one terminal, of which init keeps the ends. */
const RUN_FILES = 1;
const PIPES = 2;
const TERMINALS = 1;

/** null: so many can be supervised. */
export function countProblem({ name, processes }: Pick<TaskPlan, 'name' | 'processes'>): string | null {
  if (processes.length <= MOST_PROCESSES) return null;
  return `cannot start "${name}": it may have ${MOST_PROCESSES} processes, replicas counted, got ${processes.length}`;
}

/** `limits`: /proc/self/limits. null: there is room for all of them. */
export function descriptorProblem({ name, processes }: TaskPlan, limits: string): string | null {
  const tooMany = countProblem({ name, processes });
  if (tooMany !== null) return tooMany;
  const needed = processes.reduce((sum, process) => sum + descriptorsOf(process), OWN_FILES);
  const hard = /^Max open files\s+\S+\s+(\d+)/m.exec(limits)?.[1];
  if (hard === undefined || Number(hard) >= needed) return null;
  return `cannot start "${name}": its ${processes.length} processes need ${needed} open files in gsup itself, the hard limit is ${hard}; raise it (ulimit -n, docker run --ulimit nofile=${needed})`;
}

/** What init holds for a process at most: for its run, and for the commands that can run beside it, whose output goes the same way. */
export function descriptorsOf(process: ProcessPlan): number {
  const { tty, output } = process.launch;
  const isCaptured = output !== undefined && output.driver !== 'inherit' && output.driver !== 'none';
  const pipes = isCaptured ? PIPES : 0;
  const run = RUN_FILES + (tty === true ? TERMINALS : pipes);
  return run + commandsBeside(process) * (RUN_FILES + pipes);
}

/** A question and a hook: the one can still be on its way out when the other begins. */
function commandsBeside({ ready, health, preStart, postStop, ladder }: ProcessPlan): number {
  const asks = ready?.probe.kind === 'exec' || health?.probe.kind === 'exec';
  const hooks = preStart !== null || postStop !== null || ladder.some(({ action }) => action === 'exec');
  return (asks ? 1 : 0) + (hooks ? 1 : 0);
}
