import { linkSync, mkdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { fixture, pathWithoutNode } from '../support/fixtures.ts';
import type { Gsup } from '../support/gsup.ts';
import { look } from '../support/processes.ts';
import { scenario, type Trial } from '../support/scenario.ts';
import { expectWait } from '../support/story.ts';
import { pause, until } from '../support/until.ts';
import { firstOf, hooksStarted, isBefore, recordsOf } from '../support/up.ts';

const SUPERVISED = { modes: ['supervisor'], timeoutMs: 120_000 } as const;
const PATIENCE_MS = 60_000;
/** Longer than that in which a second signal is the same request as the first. */
const ANOTHER_REQUEST_MS = 300;

/** A process that is busy for as long as the file is there. */
async function worker(trial: Trial, env: Record<string, string> = {}) {
  const file = join(trial.folder, 'job');
  writeFileSync(file, '');
  const stop = { busy: `test -e ${file}`, grace: '30s' };
  const gsup = await trial.up(
    { processes: { web: { command: [fixture('reports-signals')], stop } } },
    { env },
  );
  await gsup.ready();
  return { gsup, finish: () => rmSync(file) };
}

const answers = (gsup: Gsup) =>
  recordsOf(gsup, 'hook').filter(({ state, hook }) => state === 'ended' && /busy/.test(String(hook)));
const signals = (gsup: Gsup) => recordsOf(gsup, 'signal').filter(({ run }) => run === 'web#1');

scenario(
  'stop.busy: no signal while it is busy, 5 s between questions, also when the supervisor is killed',
  SUPERVISED,
  async (trial) => {
    const { gsup, finish } = await worker(trial);
    gsup.signal('SIGTERM');
    await until('an answer', () => answers(gsup).length === 1, PATIENCE_MS);
    process.kill(await gsup.supervisor(), 'SIGKILL');
    await until('another answer', () => answers(gsup).length === 2, PATIENCE_MS);
    expect(signals(gsup)).toEqual([]);
    finish();
    expect((await gsup.ended(PATIENCE_MS)).code).toBe(0);
    const codes = answers(gsup).map(({ code }) => code);
    expect(codes.slice(0, 2)).toEqual([0, 0]);
    expect(codes.slice(2)).toEqual([...codes.slice(3).map(() => 0), 1]);
    expectWait(answers(gsup)[0] as never, firstOf(gsup, 'run-started', 'web#1/busy.2'), 5000, 20_000);
    expect(isBefore(answers(gsup).at(-1) as never, signals(gsup)[0] as never)).toBe(true);
    expect(hooksStarted(gsup)).toEqual(codes.map((_, at) => `web#1/busy.${at + 1}`));
    expect(gsup.stderr.text()).toContain('web#1: busy, its stop waits until it is not');
  },
);

scenario('stop.busy: a second signal ends the wait', SUPERVISED, async (trial) => {
  const { gsup } = await worker(trial);
  gsup.signal('SIGTERM');
  await until('an answer', () => answers(gsup).length === 1, PATIENCE_MS);
  await pause(ANOTHER_REQUEST_MS);
  gsup.signal('SIGTERM');
  expect((await gsup.ended(PATIENCE_MS)).code).toBe(0);
  expect(signals(gsup)[0]?.signal).toBe('SIGTERM');
});

scenario(
  'S46 stop.busy: without a supervisor nobody can be asked, and it is said',
  SUPERVISED,
  async (trial) => {
    const folder = join(trial.folder, 'bin');
    const node = join(folder, 'node');
    mkdirSync(folder);
    linkSync(process.execPath, node);
    const { gsup } = await worker(trial, { PATH: `${folder}:${pathWithoutNode()}` });
    const supervisor = await gsup.supervisor();
    unlinkSync(node);
    process.kill(supervisor, 'SIGKILL');
    await until('the supervisor to be gone', () => look(supervisor) === undefined);
    gsup.signal('SIGTERM');
    expect((await gsup.ended(PATIENCE_MS)).code).toBe(0);
    expect(recordsOf(gsup, 'unkept').map(({ run, what }) => `${run} ${what}`)).toEqual([
      'web#1 waiting while busy',
    ]);
  },
);
