import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { fixture } from '../support/fixtures.ts';
import type { Gsup } from '../support/gsup.ts';
import { look } from '../support/processes.ts';
import type { Line } from '../support/records.ts';
import { scenario } from '../support/scenario.ts';
import { until } from '../support/until.ts';

const [RTMIN, RTMIN_PLUS_3, RTMAX] = [34, 37, 64];
const STORM = 10_000;
/** More frames than a socket holds, and few enough for all their records to stay in the log. */
const PIECES = 100;
const PIECE = 20;
const WHOLE = PIECES * PIECE;
const counter = (upTo: number) => [fixture('counts-signals'), '--up-to', String(upTo)];

/** From a process of its own, which sees to it that none is lost on the way to gsup. */
function storm(gsup: Gsup, times: number, ...signals: number[]): void {
  const words = [gsup.pid, times, ...signals].map(String);
  expect(spawnSync(fixture('sends-signals'), words).status).toBe(0);
}

const isRealTime = ({ type, signal }: Line) => type === 'signal' && /^SIGRT/.test(String(signal));
const timesOf = (lines: readonly Line[]) => lines.reduce((sum, { times }) => sum + Number(times ?? 1), 0);
function told(gsup: Gsup): { received: number; sent: number } {
  const lines = gsup.records().filter(isRealTime);
  const isSent = ({ run }: Line) => run !== undefined;
  return {
    received: timesOf(lines.filter((line) => !isSent(line))),
    sent: timesOf(lines.filter(isSent)),
  };
}

scenario('S25 of 10,000 real-time signals none is lost', {}, async (trial) => {
  const gsup = await trial.start([], counter(STORM));
  await gsup.ready();
  storm(gsup, STORM / 2, RTMIN, RTMAX);
  await gsup.stdout.line(/^counted 10000$/, 60_000);
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(0);
});

scenario(
  'S25 while a coordinator is stopped none is lost, and a stop finds its way behind them',
  { modes: ['supervisor'] },
  async (trial) => {
    const gsup = await trial.start(['-g', '60s'], counter(WHOLE));
    await gsup.ready();
    const command = await until('the command', () => gsup.find('counts-signals')[0]);
    const coordinator = look(command)?.parent as number;
    process.kill(coordinator, 'SIGSTOP');
    trial.afterwards(() => {
      try {
        process.kill(coordinator, 'SIGCONT');
      } catch {}
    });
    // Each piece is taken before the next comes, so that more frames are due than there is room for.
    for (let piece = 0; piece < PIECES; piece++) {
      storm(gsup, PIECE, piece % 2 ? RTMIN_PLUS_3 : RTMAX);
      await until('gsup to take it', () => told(gsup).received === (piece + 1) * PIECE);
    }
    gsup.signal('SIGTERM');
    await gsup.record('rung');
    process.kill(coordinator, 'SIGCONT');
    await gsup.stdout.line(/^counted 2000$/, 60_000);
    expect((await gsup.ended()).code).toBe(0);
    expect(told(gsup)).toEqual({ received: WHOLE, sent: WHOLE });
  },
);

scenario(
  'S25 on_signal: a storm reaches each process that has asked for it',
  { modes: ['supervisor'] },
  async (trial) => {
    const process = { command: counter(STORM), on_signal: { 'RTMIN+3': 'RTMIN+5' } };
    const gsup = await trial.up({ processes: { one: process, two: process } });
    await until('both', () => gsup.stdout.lines(/^ready$/).length === 2);
    storm(gsup, STORM, RTMIN_PLUS_3);
    await until('both', () => gsup.stdout.lines(/^counted 10000$/).length === 2);
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(0);
  },
);

scenario(
  'S25 a storm that comes before the first run is for that run, whole',
  { modes: ['supervisor'], rings: ['subreaper'] },
  async (trial) => {
    // What comes the moment after exec would end a command that has not blocked it yet: it inherits that.
    const before = [fixture('starts-oddly'), '--block', String(RTMIN), '--'];
    const gsup = await trial.start([], counter(1000), { before });
    await until('gsup to be there', () => existsSync(join(gsup.folder, 'lock')));
    storm(gsup, 1000, RTMIN);
    await gsup.stdout.line(/^counted 1000$/, 60_000);
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(0);
  },
);
