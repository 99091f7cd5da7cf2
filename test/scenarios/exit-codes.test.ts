import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { fixture } from '../support/fixtures.ts';
import type { Mode } from '../support/gsup.ts';
import { scenario, type Trial } from '../support/scenario.ts';
import { theOne } from '../support/story.ts';

/** With the supervisor each run costs a start of Node, so there a sample has to do. */
const CODES: Record<Mode, number[]> = {
  order: Array.from({ length: 256 }, (_, code) => code),
  supervisor: [0, 1, 2, 3, 42, 63, 64, 69, 70, 71, 73, 75, 78, 124, 126, 127, 128, 129, 137, 143, 254, 255],
};

/** Signals that end a process by default. 32 and 33 are the C library's own, and as fatal as the others. */
const FATAL = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 24, 25, 26, 27, 29, 30, 31];
const REAL_TIME = Array.from({ length: 33 }, (_, index) => 32 + index);
const SIGNALS: Record<Mode, number[]> = {
  order: [...FATAL, ...REAL_TIME],
  supervisor: [1, 6, 9, 11, 15, 34, 64],
};

async function exitCode(trial: Trial, options: string[], command: string[], name: string): Promise<number> {
  const gsup = await trial.start(options, command, { name });
  return (await gsup.ended()).code;
}

/** A few at a time: enough for two cores, too few to be late. */
async function inBatches<T>(
  items: readonly T[],
  size: number,
  act: (item: T) => Promise<void>,
): Promise<void> {
  for (let at = 0; at < items.length; at += size) await Promise.all(items.slice(at, at + size).map(act));
}

scenario('S55 every exit code passes', { timeoutMs: 240_000 }, async (trial) => {
  const got = new Map<number, number>();
  await inBatches(CODES[trial.mode], 8, async (code) => {
    got.set(code, await exitCode(trial, [], [fixture('exits-with'), String(code)], `c${code}`));
  });
  for (const code of CODES[trial.mode]) expect(got.get(code), `code ${code}`).toBe(code);
});

scenario('S55 death by signal n is 128 + n', { timeoutMs: 240_000 }, async (trial) => {
  const got = new Map<number, number>();
  await inBatches(SIGNALS[trial.mode], 8, async (number) => {
    got.set(number, await exitCode(trial, [], [fixture('dies-of-signal'), String(number)], `s${number}`));
  });
  for (const number of SIGNALS[trial.mode]) expect(got.get(number), `signal ${number}`).toBe(128 + number);
});

scenario('S55 a command that is not there is 127, and said with its name', {}, async (trial) => {
  const gsup = await trial.start([], ['/nowhere/at-all']);
  expect((await gsup.ended()).code).toBe(127);
  expect(gsup.stderr.text()).toContain('/nowhere/at-all');
});

scenario('S55 a command that is not in PATH is 127', {}, async (trial) => {
  expect(await exitCode(trial, [], ['no-such-program-anywhere'], 'n')).toBe(127);
});

scenario('S55 a command that may not be executed is 126', {}, async (trial) => {
  const file = join(trial.folder, 'plain-file');
  writeFileSync(file, 'no program');
  expect(await exitCode(trial, [], [file], 'a')).toBe(126);
  chmodSync(file, 0o755); // executable now, but in no format that the kernel knows
  expect(await exitCode(trial, [], [file], 'b')).toBe(126);
  expect(await exitCode(trial, [], [trial.folder], 'd')).toBe(126);
});

scenario('S55 a working directory that is not there starts nothing, and says so', {}, async (trial) => {
  const gsup = await trial.start(['--cwd', '/nowhere/at-all'], [fixture('exits-with'), '0']);
  const { code } = await gsup.ended();
  expect([126, 127]).toContain(code);
  expect(gsup.stderr.text()).toContain('/nowhere/at-all');
});

scenario('S55 a forced stop is told apart from a SIGKILL of somebody else', {}, async (trial) => {
  const forced = await trial.start(['-g', '50ms'], [fixture('ignores-sigterm')], { name: 'forced' });
  await forced.ready();
  forced.signal('SIGTERM');
  expect((await forced.ended()).code).toBe(137);
  expect(theOne(forced.records(), 'run-ended')).toMatchObject({ forced: true, signal: 'SIGKILL' });

  const shot = await trial.start([], [fixture('dies-of-signal'), '9'], { name: 'shot' });
  expect((await shot.ended()).code).toBe(137);
  expect(theOne(shot.records(), 'run-ended')).toMatchObject({ forced: false, signal: 'SIGKILL', code: null });
});

scenario('S55 an exit map is applied last', {}, async (trial) => {
  const ended = [fixture('dies-of-signal'), '15'];
  expect(await exitCode(trial, ['-e', '143=0'], ended, 'a')).toBe(0);
  expect(await exitCode(trial, ['-e', '143'], ended, 'b')).toBe(0);
  expect(await exitCode(trial, ['-e', '3=4', '-e', '143=9'], ended, 'c')).toBe(9);
  expect(await exitCode(trial, ['-e', '143=9', '-e', '9=1'], ended, 'd')).toBe(9);
});

scenario('S55 stragglers that had to be killed do not change the code', {}, async (trial) => {
  const leader = [fixture('leaves-background-child'), '--at-once', '--code', '42', '--'];
  expect(await exitCode(trial, ['-g', '50ms'], [...leader, fixture('ignores-sigterm')], 't')).toBe(42);
});
