import { chmodSync, chownSync, copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { fixture } from '../support/fixtures.ts';
import { scenario, type Trial } from '../support/scenario.ts';
import { expectWait, theOne, types } from '../support/story.ts';
import { until } from '../support/until.ts';

const UID = 61_500;

/** A gsup without privileges above a program that has made itself root: kill(2) says EPERM, even for SIGKILL. */
async function startAbove(trial: Trial, leader: readonly string[]) {
  const helper = join(trial.folder, 'cannot-be-signalled');
  copyFileSync(fixture('cannot-be-signalled'), helper);
  chmodSync(helper, 0o4755);
  chmodSync(trial.folder, 0o755);
  const stateDir = join(trial.folder, 'own');
  mkdirSync(stateDir);
  chownSync(stateDir, UID, UID);
  const warden = ['--uid', String(UID)];
  return trial.start(['-g', '300ms'], [...leader, helper], { stateDir, warden, mayLeave: true });
}

scenario(
  'S29 what SIGKILL does not end is named, is not called a success, and keeps nobody',
  { root: true },
  async (trial) => {
    const leader = [fixture('leaves-background-child'), '--code', '0', '--'];
    const gsup = await startAbove(trial, leader);
    await gsup.stdout.line(/^leader ready/);
    gsup.signal('SIGTERM');
    const ended = await gsup.ended();
    expect(ended.code).toBe(71);
    // SIGKILL was given 5 s; after that nobody is waited for.
    expectWait(theOne(gsup.records(), 'kill'), { mono_ns: ended.at }, 5000, 1500);
    expect(gsup.stderr.text()).toContain('cannot-be-signa'); // the kernel keeps 15 characters of a name
    expect(types(gsup.records())).toContain('stuck');
    expect(ended.alive).toBe(1);
    expect(ended.list.filter((one) => / cannot-be-signa S$/.test(one))).toHaveLength(1);
  },
);

scenario(
  'S29 the others are ended all the same, and a code other than 0 stays',
  { root: true },
  async (trial) => {
    const others = [
      fixture('leaves-background-child'),
      '--code',
      '9',
      '--',
      fixture('leaves-background-child'),
      '--',
    ];
    const gsup = await startAbove(trial, others);
    await until('both leaders', () => gsup.stdout.lines(/^leader ready/).length === 2);
    gsup.signal('SIGTERM');
    const ended = await gsup.ended();
    expect(ended.code).toBe(9);
    expect(ended.alive).toBe(1);
    expect(theOne(gsup.records(), 'leader-exited').code).toBe(9);
  },
);
