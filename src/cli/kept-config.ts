/**
 * What Node has made of a config lies in a memory file that init keeps: the name of the task, then a plan a line. Every
 * supervisor of the task finds it there, so that a config that has changed meanwhile changes nothing, and what it says
 * of secrets is on no disk.
 */
import { fstatSync, readSync, writeSync } from 'node:fs';
import { ORDINARY, ORDINARY_TASK, type TaskPlan } from '../supervisor/plan.ts';

/** The descriptor of it that init gives; config.c has the same number. */
export const KEPT_CONFIG = 6;

export function keepPlan(fd: number, plan: TaskPlan): void {
  const bytes = Buffer.from(`${plan.name}\n${JSON.stringify(plan)}\n`);
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
}

/** Supervisors share the descriptor, and with it the place in the file: each reads from the begin. Throws what is no plan. */
export function keptPlan(fd: number): TaskPlan {
  const bytes = Buffer.alloc(fstatSync(fd).size);
  for (let at = 0; at < bytes.length; ) {
    const read = readSync(fd, bytes, at, bytes.length - at, at);
    if (read === 0) break;
    at += read;
  }
  const [, line = ''] = bytes.toString('utf8').split('\n');
  const plan = JSON.parse(line) as TaskPlan;
  // A supervisor of another version may have put it there, one that did not know everything.
  return {
    ...ORDINARY_TASK,
    ...plan,
    processes: plan.processes.map((process) => ({ ...ORDINARY, ...process })),
  };
}
