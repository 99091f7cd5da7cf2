import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { gsupCommand } from '../support/cli.ts';
import { ask, socketOf } from '../support/control.ts';
import { fixture } from '../support/fixtures.ts';
import type { Gsup } from '../support/gsup.ts';
import { children, findPrograms, look } from '../support/processes.ts';
import type { Line } from '../support/records.ts';
import { scenario, type Trial, type Where } from '../support/scenario.ts';
import { until } from '../support/until.ts';
import { firstOf, isBefore, outcomesOf, recordsOf } from '../support/up.ts';

/** DESIGN 7: with `up` the supervisor leaves when nothing is to be decided, and comes for whatever is. A stop that orders are all of is not. */
const WHERE: Where = { modes: ['supervisor'] };
/** Commands find a task of their own namespace. */
const HERE: Where = { ...WHERE, rings: ['subreaper'] };
const SOON = { env: { GSUP_STAY_MS: '300' } };

function supervisors(gsup: Gsup): number[] {
  return findPrograms(gsup.pid, 'node');
}

async function left(gsup: Gsup): Promise<void> {
  await gsup.record('run-started');
  await until('the supervisor to leave', () => isAbsent(gsup));
}

/**
 * What crosses its leaving brings the next one at once: it is away when init sleeps without one, also without one that is not Node yet or
 * not reaped. All other children of init have a title.
 */
function isAbsent({ pid }: Gsup): boolean {
  const isThere = (): boolean =>
    children(pid).some((child) => !(look(child)?.name ?? 'gsup').startsWith('gsup '));
  return !isThere() && look(pid)?.state === 'S' && !isThere();
}

const WEB = { command: [fixture('reports-signals')] };
const TWO_LEVELS = { db: WEB, web: { ...WEB, depends_on: { db: { condition: 'started' } } } };

scenario(
  'a stop signal brings the supervisor back where something follows on the stop',
  WHERE,
  async (trial) => {
    const { db, web } = TWO_LEVELS;
    const processes = { db, web: { ...web, stop: { post_stop: 'echo cleaned' } } };
    const gsup = await trial.up({ processes }, SOON);
    await left(gsup);
    expect(existsSync(join(gsup.folder, 'health')), 'its last word stays').toBe(true);
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(0);
    expect(outcomesOf(gsup)).toEqual(['web#1 killed stopped 0', 'db#1 killed stopped 0']);
    expect(gsup.stdout.lines(/^got SIGTERM/)).toHaveLength(2);
    expect(gsup.stdout.lines(/^cleaned/)).toHaveLength(1);
    expect(recordsOf(gsup, 'supervisor-started'), 'coming back is no restart').toHaveLength(1);
    expect(gsup.stderr.text()).not.toContain('started again');
  },
);

/** Each start of a supervisor leaves a line. */
function countedStarts(folder: string): { readonly env: Record<string, string>; count(): number } {
  const [script, starts] = [join(folder, 'counted.mjs'), join(folder, 'starts')];
  const main = join(import.meta.dirname, '../../dist/main.js');
  const line = `appendFileSync('${starts}', '.\\n')`;
  writeFileSync(script, `import { appendFileSync } from 'node:fs'; ${line}; await import('${main}');`);
  writeFileSync(starts, '');
  return {
    env: { ...SOON.env, GSUP_SUPERVISOR: script },
    count: () => readFileSync(starts, 'utf8').split('\n').length - 1,
  };
}

/** After 500 ms a supervisor comes all the same, and a machine can be as slow as that: of a few such stops the first that was not. */
const QUICK_MS = 400;
const TRIES = 8;

/** Returns it with the number of supervisors that it has brought. */
async function quickStop(
  trial: Trial,
  processes: object,
  ...signals: NodeJS.Signals[]
): Promise<{ readonly gsup: Gsup; readonly started: number; readonly code: number | null }> {
  const { env, count } = countedStarts(trial.folder);
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const gsup = await trial.up({ processes }, { env, name: `t${attempt}` });
    await left(gsup);
    const before = count();
    for (const signal of signals) gsup.signal(signal);
    const { code } = await gsup.ended();
    const [asked, over] = [recordsOf(gsup, 'signal')[0], recordsOf(gsup, 'task-state').at(-1)];
    const tookMs = Number(BigInt(over?.mono_ns ?? 0) - BigInt(asked?.mono_ns ?? 0)) / 1e6;
    if (tookMs < QUICK_MS) return { gsup, started: count() - before, code };
  }
  throw new Error(`none of ${TRIES} stops took less than ${QUICK_MS} ms`);
}

scenario(
  'S74 a stop that orders are all of needs no supervisor, and is told all the same',
  WHERE,
  async (trial) => {
    const { gsup, started, code } = await quickStop(trial, TWO_LEVELS, 'SIGTERM');
    expect([code, started]).toEqual([0, 0]);
    expect(existsSync(join(gsup.folder, 'health')), 'a task that stops is not well').toBe(false);
    expect(gsup.stdout.lines(/^got SIGTERM/)).toHaveLength(2);
    const [first, second] = recordsOf(gsup, 'run-ended');
    expect([first?.run, second?.run]).toEqual(['web#1', 'db#1']);
    const below = firstOf(gsup, 'rung', 'db#1');
    expect(isBefore(first as Line, below), 'a level when the one above has gone').toBe(true);
    expect(gsup.stderr.lines(/stop: SIGTERM from/)).toHaveLength(1);
    const summary = /stopped, exit code 0: 2 ended by themselves or in time, (web|db)#1 the longest/;
    expect(gsup.stderr.lines(summary)).toHaveLength(1);
    const told = JSON.parse((await gsupCommand(gsup, 'history', '--json')).stdout);
    const stop = { asks: 1, signal: 'SIGTERM' };
    expect(told.task).toMatchObject({ state: 'killed', exit_code: 0, forced: [], stop });
    const { processes, task } = JSON.parse((await gsupCommand(gsup, 'status', '--json')).stdout);
    expect(task).toMatchObject({ state: 'killed', exit_code: 0, stop: { cause: 'signal' } });
    expect(processes.map(({ state }: { state: string }) => state)).toEqual(['killed', 'killed']);
  },
);

scenario('S14 asked again in such a stop: SIGKILL at once, and nobody is started', WHERE, async (trial) => {
  const deaf = { command: [fixture('reports-signals'), '--exit-on', 'none'], stop: { grace: '1h' } };
  const { gsup, started, code } = await quickStop(trial, { web: deaf }, 'SIGTERM', 'SIGINT');
  expect([code, started]).toEqual([137, 0]);
  expect(recordsOf(gsup, 'kill')).toHaveLength(1);
  expect(gsup.stderr.lines(/stopped, exit code 137: 1 needed SIGKILL, web#1 the longest/)).toHaveLength(1);
});

scenario(
  'a stop that lasts brings the supervisor back, which says what is waited for',
  HERE,
  async (trial) => {
    const { env, count } = countedStarts(trial.folder);
    const deaf = { command: [fixture('reports-signals'), '--exit-on', 'none'], stop: { grace: '5s' } };
    const gsup = await trial.up({ processes: { db: WEB, web: deaf } }, { env });
    await left(gsup);
    const before = count();
    gsup.signal('SIGTERM');
    await until('a supervisor', () => count() > before);
    expect((await gsup.ended()).code).toBe(137);
    expect(outcomesOf(gsup)).toEqual(['db#1 killed stopped 0', 'web#1 killed stopped SIGKILL']);
    expect(gsup.stdout.lines(/^got SIGTERM/), 'nobody is told twice').toHaveLength(2);
    expect(gsup.stderr.lines(/stopped, exit code 137/)).toHaveLength(1);
    const [rung, ended] = [firstOf(gsup, 'rung', 'web#1'), firstOf(gsup, 'run-ended', 'web#1')];
    const tookMs = Number((BigInt(ended.mono_ns) - BigInt(rung.mono_ns)) / 1_000_000n);
    expect(tookMs, 'the grace is that of the order').toBeGreaterThanOrEqual(4990);
    const told = JSON.parse((await gsupCommand(gsup, 'history', '--json')).stdout);
    expect(told.task).toMatchObject({
      state: 'killed',
      exit_code: 137,
      forced: ['web#1'],
      stop: { asks: 1 },
    });
  },
);

scenario('S28 who asks for more time in such a stop gets it', HERE, async (trial) => {
  const more = `"${fixture('says')}" EXTEND_TIMEOUT_USEC=60000000`;
  const command = `trap '${more}; sleep 8; exit 0' TERM; echo ready; while :; do sleep 0.05; done`;
  const { env, count } = countedStarts(trial.folder);
  const gsup = await trial.up({ processes: { web: { command, stop: { grace: '5s' } } } }, { env });
  await left(gsup);
  const before = count();
  gsup.signal('SIGTERM');
  expect((await gsup.ended()).code).toBe(0);
  expect(count()).toBeGreaterThan(before);
  expect(outcomesOf(gsup)).toEqual(['web#1 killed stopped 0']);
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
    const web = { ...WEB, stop: { post_stop: 'echo cleaned' } };
    const gsup = await trial.up({ processes: { web } }, { env });
    await left(gsup);
    writeFileSync(script, 'process.exit(1)');
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(0);
    expect(gsup.stdout.lines(/^got SIGTERM/)).toHaveLength(1);
    expect(gsup.stderr.lines(/its post-stop hook is not kept/)).toHaveLength(1);
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
