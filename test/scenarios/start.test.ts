import { spawn } from 'node:child_process';
import { chmodSync, copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { fixture } from '../support/fixtures.ts';
import { collect } from '../support/output.ts';
import { scenario, type Trial } from '../support/scenario.ts';
import { expectWait, theOne, types } from '../support/story.ts';
import { until } from '../support/until.ts';

const SIGTERM = 15;

/** A stop so early that the command may not have been started yet. */
async function stopAfter(trial: Trial, afterMs: number): Promise<void> {
  const gsup = await trial.start([], [fixture('prints-ready')], {
    name: `t${afterMs}`,
    warden: ['--signal', String(SIGTERM), '--after-us', String(afterMs * 1000)],
  });
  const ended = await gsup.ended();
  expect(ended, `TERM after ${afterMs} ms: ${gsup.stderr.text()}`).toMatchObject({ code: 143, signal: 0 });
  const records = gsup.records();
  expect(types(records), `TERM after ${afterMs} ms`).toContain('stop-requested');
  expect(records.findLast((line) => line.type === 'task-state')).toMatchObject({ exit_code: 143 });
  // So early that there is nothing to stop yet, gsup may leave it at that.
  if (types(records).includes('run-started'))
    expect(theOne(records, 'run-ended')).toMatchObject({ forced: false, signal: 'SIGTERM' });
}

scenario(
  'S17 TERM at any moment of the start: nothing left, same path, same code',
  { timeoutMs: 240_000 },
  async (trial) => {
    // Two at a time, so that Node's start is stretched a little but not by all of its neighbours.
    for (let ms = 0; ms <= 100; ms += 2)
      await Promise.all([stopAfter(trial, ms), ms < 100 && stopAfter(trial, ms + 1)]);
  },
);

scenario('S75 a start that hangs is given up after its time, as 126', {}, async (trial) => {
  const file = await held(trial);
  const gsup = await trial.start(['--start-timeout', '1s'], [file]);
  const ended = await gsup.ended();
  expect(ended.code).toBe(126);
  expect(gsup.stderr.text()).toContain(file);
});

scenario('S75 gsup serves signals while a start hangs', {}, async (trial) => {
  const file = await held(trial);
  const gsup = await trial.start(['--start-timeout', '20s', '-g', '500ms'], [file]);
  await hanging(gsup.tree);
  gsup.signal('SIGTERM');
  const ended = await gsup.ended();
  expect([126, 137, 143]).toContain(ended.code);
  expectWait(theOne(gsup.records(), 'stop-requested'), { mono_ns: ended.at }, 0, 1500);
});

/** A program that nobody can start: execve of it does not return as long as its holder lives. */
async function held(trial: Trial): Promise<string> {
  const file = join(trial.folder, 'held');
  copyFileSync(fixture('prints-ready'), file);
  chmodSync(file, 0o755);
  const holder = spawn(fixture('holds-exec'), [file], { stdio: ['ignore', 'pipe', 'inherit'] });
  trial.afterwards(() => void holder.kill('SIGKILL'));
  await collect(holder.stdout).line(/^ready$/);
  return file;
}

async function hanging(tree: () => number[]): Promise<void> {
  await until('somebody to hang in execve', () =>
    tree().some((pid) => {
      try {
        return /fanotify|fsnotify/.test(readFileSync(`/proc/${pid}/stack`, 'utf8'));
      } catch {
        return false;
      }
    }),
  );
}

scenario('S73 SIGCHLD ignored by whoever started gsup', {}, async (trial) => {
  const odd = [fixture('starts-oddly'), '--ignore', '17', '--'];
  const gsup = await trial.start([], [fixture('exits-with'), '7'], { before: odd });
  expect((await gsup.ended()).code).toBe(7);
});

scenario(
  'S73 TERM blocked by whoever started gsup: a stop is taken, and the command finds what gsup found',
  {},
  async (trial) => {
    const odd = [fixture('starts-oddly'), '--block', String(SIGTERM), '--'];
    const gsup = await trial.start(['-g', '500ms'], [fixture('prints-ready')], { before: odd });
    await gsup.ready();
    gsup.signal('SIGTERM');
    // The command was given TERM blocked, so only SIGKILL ends it.
    expect((await gsup.ended()).code).toBe(137);
  },
);

scenario('S73 CHLD blocked by whoever started gsup', {}, async (trial) => {
  const odd = [fixture('starts-oddly'), '--block', '17', '--'];
  const gsup = await trial.start([], [fixture('exits-with'), '7'], { before: odd });
  expect((await gsup.ended()).code).toBe(7);
});

scenario('S73 descriptors 0 to 2 closed: gsup uses none of these numbers for itself', {}, async (trial) => {
  const odd = [fixture('starts-oddly'), '--close-std', '--'];
  const file = join(trial.folder, 'context.json');
  const gsup = await trial.start([], [fixture('prints-context'), '--to', file], { before: odd });
  expect((await gsup.ended()).code).toBe(0);
  // Whatever stands at 0 to 2 in the command, it is nothing of gsup's: the logs are sound, or `ended` had failed.
});

for (const files of [16, 8, 3])
  scenario(`S73 ${files} descriptors: it works, or is refused before anything starts`, {}, async (trial) => {
    const odd = [fixture('starts-oddly'), '--nofile', String(files), '--'];
    const gsup = await trial.start([], [fixture('exits-with'), '7', '--say', 'was here'], { before: odd });
    const ended = await gsup.ended();
    const ran = gsup.stdout.text().includes('was here');
    if (ended.code === 7) expect(ran).toBe(true);
    else {
      expect(ran, `the command ran although gsup gave ${ended.code}`).toBe(false);
      expect(ended.signal).toBe(0);
      expect(gsup.stderr.text()).toMatch(/descriptor|file/i);
    }
  });
