import { readFileSync } from 'node:fs';
import { signalName } from '../signals/names.ts';

/** `gone`: there is no such process any more. `denied`: it is of a user that gsup may not signal. */
export type Sent = 'sent' | 'gone' | 'denied' | 'refused';

/** The only way in which the TypeScript part signals a process. Signal 0 only asks. */
export function signalProcess(pid: number, signal: number): Sent {
  return mayBeSignalled(pid) ? send(pid, signal) : 'refused';
}

/** SIGTSTP for this process itself, as ^Z would send it: a shell takes over until it sends SIGCONT. */
export function suspendOneself(): void {
  process.kill(process.pid, 'SIGTSTP');
}

/** As `signalProcess`, for every process of a group. */
export function signalGroup(group: number, signal: number): Sent {
  return mayBeSignalled(group) && group !== ownGroup() ? send(-group, signal) : 'refused';
}

/**
 * 0 would be gsup's own group, -1 every process of the machine, 1 its init. A number that is none of a process is a
 * bug elsewhere: whatever it was meant for, nobody gets a signal.
 */
export function mayBeSignalled(pid: number): boolean {
  return Number.isSafeInteger(pid) && pid > 1 && pid <= PID_MAX && pid !== process.pid;
}

/** PID_MAX_LIMIT of Linux; what is larger would be cut to 32 bits on its way to the kernel. */
const PID_MAX = 4_194_304;

function send(target: number, signal: number): Sent {
  try {
    process.kill(target, nameOrNumber(signal));
    return 'sent';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? 'denied' : 'gone';
  }
}

/** Names, because numbers differ between systems; real-time signals have none in Node. */
function nameOrNumber(signal: number): NodeJS.Signals | number {
  const name = signal < 32 ? signalName(signal) : undefined;
  return (name as NodeJS.Signals | undefined) ?? signal;
}

/** Node has no getpgrp. Without /proc the group is not known, and gsup's own pid is all that can be kept away from. */
function ownGroup(): number {
  try {
    const stat = readFileSync('/proc/self/stat', 'latin1');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]);
  } catch {
    return process.pid;
  }
}

/** A process and its descendants, by way of `ps` or `pgrep`: for systems without /proc. `then` is called in any case. */
export function killDescendants(pid: number, signal: number, then: () => void): void {
  if (!mayBeSignalled(pid)) return;
  import('tree-kill').then(
    ({ default: treeKill }) => treeKill(pid, nameOrNumber(signal), () => then()),
    () => then(),
  );
}
