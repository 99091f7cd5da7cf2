// A log that is written as init writes it, without an init: as many runs as a test wants, of whatever name.
import { appendFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeBody } from '../../src/checkpoint/codec.ts';
import type { RecordBody } from '../../src/checkpoint/record.ts';

export const rusage = { user_us: 1000, sys_us: 0, max_rss_kb: 2048 };

export interface WrittenLog {
  readonly folder: string;
  /** Milliseconds since the task began, and what is written. */
  add(...told: readonly (readonly [number, RecordBody])[]): void;
  /** From here on it counts as living for as long as this process does; or, with false, it has ended. */
  live(lives: boolean): void;
}

/** Below `stateDir`. `beganNs`: on the clock that records are told by. */
export function writeLog(stateDir: string, task: string, beganNs: bigint, beganMs: number): WrittenLog {
  const folder = join(stateDir, task);
  mkdirSync(folder);
  let count = 0;
  const add: WrittenLog['add'] = (...told) => {
    const lines = told.map(([ms, body]) =>
      encodeBody(body, ++count, {
        at: new Date(beganMs + ms).toISOString(),
        mono_ns: beganNs + BigInt(Math.round(ms * 1000)) * 1000n,
      }),
    );
    appendFileSync(join(folder, 'init.log'), Buffer.concat(lines.map((line) => Buffer.from(line))));
  };
  add([
    0,
    { type: 'task', task, version: '0.1.0', config_digest: '0', boot_id: 'b', pid_ns: 1, pid: process.pid },
  ]);
  return {
    folder,
    add,
    live: (lives) => writeFileSync(join(folder, 'lock'), lives ? `${ownIdentity()}\n` : ''),
  };
}

/** A run that begins and ends. */
export function shortRun(run: string, atMs: number, code = 0): (readonly [number, RecordBody])[] {
  return [
    [atMs, { type: 'run-started', run, pid: 7, start_ticks: 1 }],
    [atMs + 90, { type: 'run-ended', run, code, signal: null, forced: false, rusage }],
  ];
}

/** As init writes it into its lock. */
function ownIdentity(): string {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const stat = readFileSync('/proc/self/stat', 'latin1');
  const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  return `${boot} ${statSync('/proc/self/ns/pid').ino} ${process.pid} ${ticks}`;
}
