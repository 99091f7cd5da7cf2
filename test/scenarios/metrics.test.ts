// What init, its coordinators and the pump have counted, exactly, whoever of them is killed meanwhile (SCENARIOS, S42, S54 and S72).
import { join } from 'node:path';
import { expect } from 'vitest';
import { answered, ask, socketOf } from '../support/control.ts';
import { fixture } from '../support/fixtures.ts';
import type { Gsup } from '../support/gsup.ts';
import { findPrograms, look } from '../support/processes.ts';
import { pumpOf } from '../support/pump.ts';
import { readIfThere } from '../support/read.ts';
import { scenario } from '../support/scenario.ts';
import { until, untilAsync } from '../support/until.ts';

const SUPERVISED = { modes: ['supervisor'] } as const;
const ORPHANS = 'gsup_orphans_reaped_total';
const bytesOf = (process: string, stream: string): string =>
  `gsup_log_bytes_total{process="${process}",stream="${stream}"}`;

/** By name and labels. What is absent is undefined. */
async function scrape(gsup: Gsup): Promise<Record<string, number>> {
  const { text } = await ask(socketOf(gsup), 'GET', '/metrics');
  const samples = text.split('\n').filter((line) => /^gsup_(?:orphans|log_bytes)/.test(line));
  return Object.fromEntries(
    samples.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}

/** Counts up to that, and not beyond. */
async function counts(gsup: Gsup, wanted: Record<string, number>): Promise<void> {
  let last: Record<string, number> = {};
  const reached = async () => {
    last = await scrape(gsup);
    return Object.entries(wanted).every(([name, value]) => (last[name] ?? 0) >= value);
  };
  await untilAsync(`${JSON.stringify(wanted)}`, reached, 60_000).catch((error: Error) => {
    throw new Error(`${error.message}: ${JSON.stringify(last)}`);
  });
  expect(last).toMatchObject(wanted);
}

function post(gsup: Gsup, path: string, body?: unknown) {
  return ask(socketOf(gsup), 'POST', path, body);
}

/** A supervisor that is killed may be replaced while it is asked: then the next one is. */
async function replaced(gsup: Gsup): Promise<void> {
  const first = await gsup.supervisor();
  process.kill(first, 'SIGKILL');
  await until('another supervisor', () => findPrograms(gsup.pid, 'node').some((pid) => pid !== first));
  await answered(gsup);
}

scenario(
  'S54 S42 orphans are counted by all coordinators together, one by one, also while no supervisor is there',
  SUPERVISED,
  async (trial) => {
    const gsup = await trial.up({
      processes: {
        a: { command: [fixture('orphans'), '30'] },
        b: { command: [fixture('orphans'), '70'] },
      },
    });
    await until('all orphans', () => gsup.stdout.text().match(/^ready$/gm)?.length === 2);
    await answered(gsup);
    await counts(gsup, { [ORPHANS]: 0 });
    await post(gsup, '/v1/processes/a/signal', { signal: 'USR1' });
    await counts(gsup, { [ORPHANS]: 30 });
    const supervisor = await gsup.supervisor();
    process.kill(supervisor, 'SIGKILL');
    const leaders = gsup.find('orphans').filter((pid) => look(pid)?.session === pid);
    expect(leaders).toHaveLength(2);
    for (const pid of leaders) process.kill(pid, 'SIGUSR1');
    await until('the orphans to be reaped', () => gsup.find('orphans').length === 2);
    await until('another supervisor', () => findPrograms(gsup.pid, 'node').some((pid) => pid !== supervisor));
    await answered(gsup);
    await counts(gsup, { [ORPHANS]: 100 });
    await replaced(gsup);
    expect((await scrape(gsup))[ORPHANS]).toBe(100);
    gsup.signal('SIGTERM');
    await gsup.ended();
  },
);

scenario(
  'S42 bytes of output are counted by process and stream, over all its runs and whatever supervisor is there',
  SUPERVISED,
  async (trial) => {
    const gsup = await trial.up({
      logging: { driver: 'prefix' },
      processes: {
        web: { command: [fixture('writes-lines'), '--lines', '900', '--size', '100', '--errors'] },
        silent: { command: ['sleep', '600'] },
        loud: { command: ['sleep', '600'], logging: { driver: 'inherit' } },
      },
    });
    const own = 'ready\nwritten 900\n'.length;
    const after = (runs: number) => ({
      [bytesOf('web', 'stdout')]: runs * (90_000 + own),
      [bytesOf('web', 'stderr')]: runs * 90_000,
    });
    const written = (run: string) => gsup.record('run-started', (line) => line.run === run);
    await written('web#1');
    await answered(gsup);
    await counts(gsup, { ...after(1), [bytesOf('silent', 'stdout')]: 0, [bytesOf('silent', 'stderr')]: 0 });
    for (const runs of [2, 3]) {
      await post(gsup, '/v1/processes/web/restart');
      await written(`web#${runs}`);
      await counts(gsup, after(runs));
      await replaced(gsup);
      expect(await scrape(gsup)).toMatchObject(after(runs));
    }
    // Nobody asks before the place of a stream goes to the next one.
    const whole = () => gsup.stdout.text().match(/\| written 900$/gm)?.length ?? 0;
    for (const runs of [4, 5, 6]) {
      await post(gsup, '/v1/processes/web/restart');
      await until(`the output of web#${runs}`, () => whole() === runs);
    }
    await counts(gsup, after(6));
    expect(Object.keys(await scrape(gsup)).join()).not.toContain('loud');
    gsup.signal('SIGTERM');
    await gsup.ended();
  },
);

scenario(
  'S72 the pump is killed again and again: what was written is counted once',
  { ...SUPERVISED, timeoutMs: 180_000 },
  async (trial) => {
    const path = join(trial.folder, 'out.log');
    const gsup = await trial.up({
      processes: {
        web: {
          command: [fixture('writes-lines'), '--until-usr1', '--size', '1000', '--errors'],
          logging: { driver: 'file', path, max_size: '1MB', max_files: 2 },
        },
      },
    });
    await gsup.record('run-started');
    await answered(gsup);
    const sum = async () => {
      const all = await scrape(gsup);
      return (all[bytesOf('web', 'stdout')] ?? 0) + (all[bytesOf('web', 'stderr')] ?? 0);
    };
    let last = await sum();
    for (let kills = 0, killed = 0; kills < 5; kills++) {
      killed = await until('a pump', () => {
        const pid = pumpOf(gsup)();
        return pid !== killed && pid;
      });
      process.kill(killed, 'SIGKILL');
      // It goes on behind where it was.
      const before = last;
      await untilAsync('more output', async () => {
        const now = await sum();
        expect(now).toBeGreaterThanOrEqual(last);
        last = now;
        return now > before;
      });
    }
    await post(gsup, '/v1/processes/web/signal', { signal: 'USR1' });
    // What stderr had before may come behind it, and a rotation between them.
    const lastLine = () => /^written (\d+)\n/m.exec(readIfThere(`${path}.1`) + readIfThere(path));
    const written = await until('the last line', lastLine, 60_000);
    const lines = Number(written[1]) * 1000;
    const said = 'ready\n'.length + written[0].length;
    await counts(gsup, { [bytesOf('web', 'stdout')]: lines + said, [bytesOf('web', 'stderr')]: lines });
    gsup.signal('SIGTERM');
    await gsup.ended();
  },
);

scenario(
  'S54 a plain run has counted before anybody asks, and tells its visitor',
  { modes: ['order'] },
  async (trial) => {
    const gsup = await trial.start(['--log', 'prefix'], [fixture('orphans'), '40'], {
      withNode: true,
      mayVisit: true,
    });
    await gsup.stdout.line(/^t \| ready$/);
    gsup.signal('SIGUSR1');
    await gsup.stdout.line(/^t \| released/);
    await until('the orphans to be reaped', () => gsup.find('orphans').length === 1);
    await gsup.record('run-started');
    const said = gsup.stdout.text().replaceAll(/^t \| /gm, '').length;
    const wanted = { [ORPHANS]: 40, [bytesOf('t', 'stdout')]: said, [bytesOf('t', 'stderr')]: 0 };
    await counts(gsup, wanted);
    expect(await scrape(gsup)).toEqual(wanted);
    gsup.signal('SIGTERM');
    await gsup.ended();
  },
);
