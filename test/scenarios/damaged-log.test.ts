import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  cpSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { fixture } from '../support/fixtures.ts';
import { BINARY } from '../support/gsup.ts';
import { faultsOfLog } from '../support/records.ts';
import { scenario, type Trial } from '../support/scenario.ts';
import { until } from '../support/until.ts';

/** The folder of a task whose gsup was killed: logs without an end. */
async function unendedTask(trial: Trial): Promise<string> {
  const gsup = await trial.start([], [fixture('prints-ready')], { mayLeave: true, brokenLogs: true });
  await gsup.ready();
  gsup.signal('SIGKILL');
  await gsup.ended();
  return gsup.folder;
}

function lastLineOf(log: Buffer): { start: number; length: number } {
  const start = log.lastIndexOf('\n', log.length - 2) + 1;
  return { start, length: log.length - start };
}

/** gsup again, on a copy of the task in which this file has these bytes. */
async function startOver(trial: Trial, task: string, file: string, bytes: Uint8Array, number: number) {
  const stateDir = join(trial.folder, `cut-${number}`);
  cpSync(task, join(stateDir, 't'), { recursive: true, filter: (path) => !lstatSync(path).isSocket() });
  writeFileSync(join(stateDir, 't', file), bytes);
  const gsup = await trial.start([], [fixture('exits-with'), '7'], { stateDir, brokenLogs: true });
  expect((await gsup.ended()).code, gsup.stderr.text()).toBe(7);
  return { gsup, files: readdirSync(gsup.folder) };
}

async function cutAndStart(trial: Trial, file: string, step: number): Promise<void> {
  const task = await unendedTask(trial);
  const log = readFileSync(join(task, file));
  const { start, length } = lastLineOf(log);
  const cuts = Array.from({ length: Math.ceil((length - 1) / step) }, (_, index) => 1 + index * step);
  for (let at = 0; at < cuts.length; at += 4)
    await Promise.all(
      cuts.slice(at, at + 4).map(async (kept) => {
        const torn = log.subarray(0, start + kept);
        const { gsup, files } = await startOver(trial, task, file, torn, kept);
        const told = `${kept} of ${length} bytes of the last line of ${file}`;
        // Either its writer goes on with it: then the fragment is cut off, said and kept. Or it is put aside as it was.
        const copy = files.find((name) => name.startsWith(`${file}.torn-`));
        if (copy) expect(gsup.stderr.text(), told).toMatch(/torn/);
        const aside = copy ?? `${file}.1`;
        expect(files, told).toContain(aside);
        expect(readFileSync(join(gsup.folder, aside)).equals(torn), told).toBe(true);
        expect(faultsOfLog(gsup.folder, file), told).toEqual([]);
      }),
    );
}

scenario(
  'S51 init.log is cut at any byte of its last record before a start',
  { timeoutMs: 240_000 },
  (trial) => cutAndStart(trial, 'init.log', trial.mode === 'order' ? 1 : 41),
);

scenario('S51 so is checkpoint.log', { modes: ['supervisor'], timeoutMs: 240_000 }, (trial) =>
  cutAndStart(trial, 'checkpoint.log', 37),
);

scenario(
  'S51 a byte flipped before that is found and named',
  { rings: ['subreaper'], modes: ['order'] },
  async (trial) => {
    const gsup = await trial.start([], [fixture('exits-with'), '0'], { brokenLogs: true });
    await gsup.ended();
    const file = join(gsup.folder, 'init.log');
    const whole = readFileSync(file);
    expect(spawnSync(BINARY, ['checkpoint', 'verify', file]).status).toBe(0);
    const firstLine = whole.indexOf('\n');
    for (const at of [5, Math.floor(firstLine / 2), firstLine - 4]) {
      const flipped = Buffer.from(whole);
      flipped[at] = (flipped[at] ?? 0) ^ 1;
      writeFileSync(file, flipped);
      const verified = spawnSync(BINARY, ['checkpoint', 'verify', file], { encoding: 'utf8' });
      expect(verified.status, `byte ${at}`).toBe(65);
      expect(verified.stderr + verified.stdout, `byte ${at}`).toMatch(/init\.log|line 1|seq 1/);
    }
  },
);

scenario('S51 a damaged log does not keep the next gsup from starting', {}, async (trial) => {
  const task = await unendedTask(trial);
  for (const [number, file] of readdirSync(task)
    .filter((name) => name.endsWith('.log'))
    .entries()) {
    const log = readFileSync(join(task, file));
    log[10] = (log[10] ?? 0) ^ 1;
    await startOver(trial, task, file, log, number);
  }
});

/** Killed within write(2), a supervisor leaves a fragment; the next one goes on with the same file. */
scenario(
  'S51 a supervisor cuts off what the one before it has left torn',
  { modes: ['supervisor'] },
  async (trial) => {
    const gsup = await trial.start([], [fixture('reports-signals'), '--code', '3']);
    await gsup.ready();
    const file = join(gsup.folder, 'checkpoint.log');
    gsup.signal('SIGSTOP');
    process.kill(await gsup.supervisor(), 'SIGKILL');
    appendFileSync(file, '{"v":1,"seq":5,"at":"20');
    const torn = readFileSync(file);
    gsup.signal('SIGCONT');
    await until(
      'the next supervisor',
      () => gsup.records().filter((line) => line.type === 'supervisor-started').length === 2,
    );
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(3);
    expect(gsup.stderr.text()).toMatch(/torn/);
    const copy = readdirSync(gsup.folder).find((name) => name.startsWith('checkpoint.log.torn-'));
    expect(readFileSync(join(gsup.folder, copy ?? 'no copy')).equals(torn)).toBe(true);
  },
);

scenario(
  'S51 a supervisor does not go on with a log that is damaged in its middle',
  { modes: ['supervisor'] },
  async (trial) => {
    const gsup = await trial.start([], [fixture('reports-signals'), '--code', '3'], { brokenLogs: true });
    await gsup.ready();
    const file = join(gsup.folder, 'checkpoint.log');
    const supervisor = await gsup.supervisor();
    gsup.signal('SIGSTOP');
    process.kill(supervisor, 'SIGKILL');
    const log = openSync(file, 'r+');
    writeSync(log, '#', 10);
    closeSync(log);
    gsup.signal('SIGCONT');
    const next = () => gsup.find('node').find((pid) => pid !== supervisor);
    await until('the next supervisor', next);
    await until('a message', () => /damaged/.test(gsup.stderr.text()));
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(3);
    expect(gsup.stdout.lines(/^got SIGTERM/)).toHaveLength(1);
    expect(gsup.stdout.lines(/^ready/)).toHaveLength(1);
  },
);
