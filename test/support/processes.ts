import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

/** What the kernel says of a process; pids as seen from the tests. */
export interface Process {
  readonly pid: number;
  readonly name: string;
  readonly state: string;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // it has gone: an answer like any other
  }
}

/** undefined: there is no such process any more. A zombie is one, with state Z. */
export function look(pid: number): Process | undefined {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  const close = stat.lastIndexOf(')');
  const [state = '?', parent, group, session] = stat.slice(close + 2).split(' ');
  return {
    pid,
    name: stat.slice(stat.indexOf('(') + 1, close),
    state,
    parent: Number(parent),
    group: Number(group),
    session: Number(session),
  };
}

/** When it was started, in ticks since boot: with the pid, who it is. */
export function startTime(pid: number): string | undefined {
  const stat = read(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}

export function isAlive(pid: number): boolean {
  const state = look(pid)?.state;
  return state !== undefined && state !== 'Z' && state !== 'X';
}

export function children(pid: number): number[] {
  const threads = (() => {
    try {
      return readdirSync(`/proc/${pid}/task`);
    } catch {
      return [];
    }
  })();
  return threads
    .flatMap((thread) => (read(`/proc/${pid}/task/${thread}/children`) ?? '').split(' '))
    .filter(Boolean)
    .map(Number);
}

export function descendants(pid: number): number[] {
  const found: number[] = [];
  const open = [pid];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const below = children(next);
    found.push(...below);
    open.push(...below);
  }
  return found;
}

/** Base name of the program that a process executes; undefined for zombies and what has gone. */
export function program(pid: number): string | undefined {
  try {
    return basename(readlinkSync(`/proc/${pid}/exe`));
  } catch {
    return undefined;
  }
}

/** All processes below pid that execute a program of this name. */
export function findPrograms(pid: number, name: string): number[] {
  return descendants(pid).filter((below) => program(below) === name);
}

/** A field of /proc/PID/status, such as `voluntary_ctxt_switches`. */
export function statusField(pid: number, field: string): string | undefined {
  return read(`/proc/${pid}/status`)?.match(new RegExp(`^${field}:\\s*(.*)$`, 'm'))?.[1];
}
