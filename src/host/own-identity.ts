import { readFileSync, statSync } from 'node:fs';
import { readProcess } from './process-table.ts';

/** What makes this process this one, for whoever finds its pid later: empty and 0 where there is no /proc. */
export interface OwnIdentity {
  readonly bootId: string;
  readonly pidNs: bigint;
  readonly pid: number;
  readonly startTicks: bigint;
}

export function readOwnIdentity(): OwnIdentity {
  return {
    bootId: readBootId(),
    pidNs: BigInt(statSync('/proc/self/ns/pid', { throwIfNoEntry: false })?.ino ?? 0),
    pid: process.pid,
    startTicks: readProcess(process.pid)?.startTicks ?? 0n,
  };
}

function readBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}
