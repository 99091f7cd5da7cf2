import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { gsupCommand } from '../support/cli.ts';
import { ask, socketOf } from '../support/control.ts';
import { fixture } from '../support/fixtures.ts';
import type { Gsup } from '../support/gsup.ts';
import { findPrograms } from '../support/processes.ts';
import { scenario, type Where } from '../support/scenario.ts';
import { until } from '../support/until.ts';
import { outcomesOf, recordsOf } from '../support/up.ts';

/** DESIGN 7: with `up` the supervisor leaves when nothing is to be decided, and comes for whatever is. */
const WHERE: Where = { modes: ['supervisor'] };
/** Commands find a task of their own namespace. */
const HERE: Where = { ...WHERE, rings: ['subreaper'] };
const SOON = { env: { GSUP_STAY_MS: '300' } };

function supervisors(gsup: Gsup): number[] {
  return findPrograms(gsup.pid, 'node');
}

async function left(gsup: Gsup): Promise<void> {
  await gsup.record('run-started');
  await until('the supervisor to leave', () => supervisors(gsup).length === 0);
}

scenario('a stop signal brings the supervisor back, which stops what runs', WHERE, async (trial) => {
  const web = { command: [fixture('reports-signals')] };
  const config = { processes: { db: web, web: { ...web, depends_on: { db: { condition: 'started' } } } } };
  const gsup = await trial.up(config, SOON);
  await left(gsup);
  expect(existsSync(join(gsup.folder, 'health')), 'its last word stays').toBe(true);
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(0);
  expect(outcomesOf(gsup)).toEqual(['web#1 killed stopped 0', 'db#1 killed stopped 0']);
  expect(gsup.stdout.lines(/^got SIGTERM/)).toHaveLength(2);
  expect(recordsOf(gsup, 'supervisor-started'), 'coming back is no restart').toHaveLength(1);
  expect(gsup.stderr.text()).not.toContain('started again');
});

scenario('an end brings it back, and the process runs again as it should', WHERE, async (trial) => {
  const flag = join(trial.folder, 'end');
  const command = `until [ -e ${flag} ]; do sleep 0.05; done; rm ${flag}; exit 3`;
  const web = { command, restart: 'on-failure', min_duration: '0', backoff: { initial: '10ms' } };
  const gsup = await trial.up({ processes: { web } }, SOON);
  for (let run = 1; run <= 2; run++) {
    await gsup.record('run-started', (line) => line.run === `web#${run}`);
    await left(gsup);
    writeFileSync(flag, '');
    await gsup.record('outcome', (line) => line.run === `web#${run}`);
  }
  await gsup.record('run-started', (line) => line.run === 'web#3');
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(0);
  expect(outcomesOf(gsup).slice(0, 2)).toEqual(['web#1 failed exit 3', 'web#2 failed exit 3']);
  expect(recordsOf(gsup, 'supervisor-started')).toHaveLength(1);
});

scenario('its next deadline brings it back: a back-off of which nobody else knows', WHERE, async (trial) => {
  const web = {
    command: 'exit 3',
    max_failures: 2,
    min_duration: '0',
    backoff: { initial: '4s', jitter: '0%' },
  };
  const gsup = await trial.up({ processes: { web: { ...web, restart: 'on-failure' } } }, SOON);
  const backoff = await gsup.record('backoff');
  await until('the supervisor to leave', () => supervisors(gsup).length === 0);
  expect((await gsup.ended()).code).toBe(3);
  const again = recordsOf(gsup, 'run-forked').find(({ run }) => run === 'web#2');
  const waitedMs = Number((BigInt(String(again?.mono_ns)) - BigInt(String(backoff.mono_ns))) / 1_000_000n);
  expect(waitedMs).toBeGreaterThanOrEqual(3990);
  expect(waitedMs).toBeLessThan(12_000);
  expect(recordsOf(gsup, 'supervisor-started')).toHaveLength(1);
});

scenario('a message of sd_notify brings it back', WHERE, async (trial) => {
  const flag = join(trial.folder, 'say');
  const say = `until [ -e ${flag} ]; do sleep 0.05; done; "${fixture('says')}" STATUS=busy; exec sleep 1000`;
  const gsup = await trial.up({ processes: { web: { command: say } } }, SOON);
  await left(gsup);
  writeFileSync(flag, '');
  await until('a supervisor', () => supervisors(gsup).length > 0);
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(0);
});

scenario('a client brings it back and keeps it; S74 600 health probes do not', HERE, async (trial) => {
  const gsup = await trial.up({ processes: { web: { command: [fixture('reports-signals')] } } }, SOON);
  await left(gsup);
  for (let probe = 0; probe < 600; probe++) {
    const { code } = await gsupCommand(gsup, 'health', probe % 2 === 0 ? '--live' : '--ready');
    expect(code).toBe(0);
  }
  expect(supervisors(gsup)).toEqual([]);
  const { status, json } = await ask(socketOf(gsup), 'GET', '/v1/status?usage=false');
  expect([status, json.processes[0].state]).toEqual([200, 'running']);
  expect(await gsupCommand(gsup, 'restart', 'web', '--wait')).toMatchObject({ code: 0 });
  await left(gsup);
  const told = JSON.parse((await gsupCommand(gsup, 'history', '--json')).stdout);
  expect(told.task).toMatchObject({ supervisor_restarts: 0, runs: 2 });
  const metrics = await ask(socketOf(gsup), 'GET', '/metrics');
  expect(metrics.text).toContain('gsup_supervisor_starts_total 1');
  expect(await gsupCommand(gsup, 'shutdown')).toMatchObject({ code: 0 });
  expect((await gsup.ended()).code).toBe(0);
});

scenario(
  '--stay keeps it, and so does what only it can know',
  { ...WHERE, rings: ['subreaper'] },
  async (trial) => {
    const web = { command: [fixture('reports-signals')] };
    const stays = await trial.up({ processes: { web } }, SOON, ['--stay']);
    // The one before was the reader of the config.
    await stays.record('run-started');
    const pid = await stays.supervisor();
    const failing = {
      exec: ['false'],
      interval: '10m',
      start_interval: '10ms',
      retries: 3,
      on_unhealthy: 'ignore',
    };
    const asks = await trial.up(
      { processes: { web: { ...web, healthcheck: failing } } },
      { ...SOON, name: 'u' },
    );
    await asks.record('hook', ({ state }) => state === 'ended');
    const asking = await asks.supervisor();
    const leaves = await trial.up({ processes: { web } }, { ...SOON, name: 'v' });
    await left(leaves);
    // One that could leave has left, long ago.
    expect([supervisors(stays), supervisors(asks)]).toEqual([[pid], [asking]]);
    for (const gsup of [stays, asks, leaves]) gsup.signal('SIGTERM');
    for (const gsup of [stays, asks, leaves]) expect((await gsup.ended()).code).toBe(0);
  },
);

scenario(
  'S46 there is no Node.js any more when it should come back: a stop is carried out all the same',
  WHERE,
  async (trial) => {
    const script = join(trial.folder, 'main.mjs');
    writeFileSync(script, `import '${join(import.meta.dirname, '../../dist/main.js')}';`);
    const env = { ...SOON.env, GSUP_SUPERVISOR: script };
    const gsup = await trial.up({ processes: { web: { command: [fixture('reports-signals')] } } }, { env });
    await left(gsup);
    writeFileSync(script, 'process.exit(1)');
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(0);
    expect(gsup.stdout.lines(/^got SIGTERM/)).toHaveLength(1);
    expect(gsup.stderr.lines(/the supervisor cannot be started/)).toHaveLength(1);
  },
);

scenario('S42 killed as it wakes, and as it leaves: the next one goes on', WHERE, async (trial) => {
  const flag = join(trial.folder, 'end');
  const command = `until [ -e ${flag} ]; do sleep 0.05; done; rm ${flag}; exit 3`;
  const web = {
    command,
    restart: 'on-failure',
    min_duration: '0',
    backoff: { initial: '10ms', max: '10ms' },
  };
  const gsup = await trial.up({ processes: { web } }, SOON);
  for (let run = 1; run <= 4; run++) {
    await gsup.record('run-started', (line) => line.run === `web#${run}`);
    await left(gsup);
    writeFileSync(flag, '');
    const pid = await until('a supervisor on its way', () => supervisors(gsup)[0]);
    // Later each time: in its start, in its recovery, at its work.
    await new Promise((resolve) => setTimeout(resolve, 30 * (run - 1)));
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has left by itself: then it is killed by nobody.
    }
    await gsup.record('outcome', (line) => line.run === `web#${run}`);
  }
  await gsup.record('run-started', (line) => line.run === 'web#5');
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(0);
  expect(outcomesOf(gsup).slice(0, 4)).toEqual([1, 2, 3, 4].map((run) => `web#${run} failed exit 3`));
  expect(recordsOf(gsup, 'run-started').map(({ run }) => run)).toEqual(
    [1, 2, 3, 4, 5].map((run) => `web#${run}`),
  );
});

scenario(
  'a storm of wakings is damped: whoever is woken again and again stays longer',
  { ...WHERE, rings: ['subreaper'] },
  async (trial) => {
    const gsup = await trial.up({ processes: { web: { command: [fixture('reports-signals')] } } }, SOON);
    await left(gsup);
    const stays: number[] = [];
    for (let time = 0; time < 4; time++) {
      await ask(socketOf(gsup), 'GET', '/livez');
      const began = performance.now();
      await until('it to leave', () => supervisors(gsup).length === 0);
      stays.push(performance.now() - began);
    }
    // 600, 1200, 2400 and 4800 ms: each is the least that it can have been.
    expect(stays[3], `stayed ${stays.map(Math.round).join(', ')} ms`).toBeGreaterThan(4700);
    expect(stays[0]).toBeGreaterThan(500);
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(0);
  },
);
