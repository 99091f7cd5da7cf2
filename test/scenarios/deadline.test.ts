import { expect } from 'vitest';
import { fixture } from '../support/fixtures.ts';
import { scenario, type Trial } from '../support/scenario.ts';
import { theOne } from '../support/story.ts';

const GRACE_MS = 40;

/** Ends a little before, at, or a little after its deadline. */
async function endAround(trial: Trial, name: string, offsetMs: number): Promise<boolean> {
  const command = [fixture('cleans-up-for'), String(GRACE_MS + offsetMs), '--code', '3'];
  const gsup = await trial.start(['-g', `${GRACE_MS}ms`], command, { name });
  await gsup.ready();
  gsup.signal('SIGTERM');
  const ended = await gsup.ended();
  const records = gsup.records();
  const end = theOne(records, 'run-ended');
  const leader = theOne(records, 'run-started').pid;
  // Killed or not, both are right here; but the code, the record and the story must say the same.
  expect([3, 137]).toContain(ended.code);
  if (ended.code === 137) expect(end.forced).toBe(true);
  const signalled = records
    .filter((line) => ['signal', 'rung', 'kill'].includes(line.type))
    .flatMap((line) => (Array.isArray(line.pids) ? (line.pids as number[]) : []));
  expect(signalled.filter((pid) => pid !== leader)).toEqual([]);
  return ended.code === 137;
}

/** Both outcomes have to come up, or the deadline was not met. */
async function manyTimes(trial: Trial, times: number, atOnce: number): Promise<void> {
  let killed = 0;
  for (let at = 0; at < times; at += atOnce) {
    const batch = Array.from({ length: atOnce }, (_, index) => at + index);
    const ends = batch.map((number) => endAround(trial, `t${number}`, ((number * 7) % 21) / 10 - 1));
    killed += (await Promise.all(ends)).filter(Boolean).length;
  }
  expect(killed).toBeGreaterThan(0);
  expect(killed).toBeLessThan(times);
}

scenario('S13 an end exactly at the deadline, 200 times', { modes: ['order'], timeoutMs: 240_000 }, (trial) =>
  manyTimes(trial, 200, 10),
);

scenario('S13 an end exactly at the deadline', { modes: ['supervisor'], timeoutMs: 240_000 }, (trial) =>
  manyTimes(trial, 48, 4),
);
