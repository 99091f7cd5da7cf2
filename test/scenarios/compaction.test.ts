import { appendFileSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { encodeBody } from '../../src/checkpoint/codec.ts';
import { signLine } from '../checkpoint/samples.ts';
import { fixture } from '../support/fixtures.ts';
import type { Gsup } from '../support/gsup.ts';
import { readLog } from '../support/records.ts';
import { scenario } from '../support/scenario.ts';
import { until } from '../support/until.ts';

/** The supervisor is killed, and its log is as long as after a year of restarts of it when the next one finds it. */
async function makeLong(gsup: Gsup, bytes: number): Promise<void> {
  const file = join(gsup.folder, 'checkpoint.log');
  gsup.signal('SIGSTOP');
  process.kill(await gsup.supervisor(), 'SIGKILL');
  const last = readLog(gsup.folder, 'checkpoint.log').at(-1);
  const [at, mono_ns] = [String(last?.at), BigInt(last?.mono_ns ?? 0)];
  const lines: Uint8Array[] = [];
  for (let [seq, size] = [(last?.seq ?? 0) + 1, 0]; size < bytes; seq++) {
    const line = encodeBody({ type: 'supervisor-started', pid: 1, version: '0' }, seq, { at, mono_ns });
    size += line.length;
    lines.push(line);
  }
  appendFileSync(file, Buffer.concat(lines));
  gsup.signal('SIGCONT');
}

scenario(
  'a long log is compacted while its task runs, and nobody notices',
  { modes: ['supervisor'] },
  async (trial) => {
    const gsup = await trial.start(['-g', '5s'], [fixture('reports-signals'), '--code', '3']);
    await gsup.ready();
    const file = join(gsup.folder, 'checkpoint.log');
    const { ino } = statSync(file);
    await makeLong(gsup, 1_100_000);
    await until('a shorter log', () => statSync(file).size < 400_000);
    const kept = readLog(gsup.folder, 'checkpoint.log');
    expect(kept[0]?.type).toBe('task');
    const gaps = kept.filter((line) => line.type === 'gap');
    expect(new Set(gaps.map(({ cause }) => cause))).toEqual(new Set(['compacted']));
    expect(Math.max(...gaps.map(({ missing }) => Number(missing)))).toBeGreaterThan(4000);
    // The next one has the same file from init, and goes on with it.
    expect(statSync(file).ino).toBe(ino);
    process.kill(await gsup.supervisor(), 'SIGKILL');
    const started = () =>
      readLog(gsup.folder, 'checkpoint.log').filter((line) => line.type === 'supervisor-started');
    const before = started().length;
    await until('another supervisor', () => started().length > before);
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(3);
    expect(gsup.stdout.lines(/^ready/)).toHaveLength(1);
    expect(gsup.stdout.lines(/^got SIGTERM/)).toHaveLength(1);
    expect(gsup.stderr.text()).not.toMatch(/torn|damaged|compacted/);
  },
);

scenario(
  'a log of a later version is not touched: the command goes on, and a stop is carried out without supervisor',
  { modes: ['supervisor'], rings: ['subreaper'] },
  async (trial) => {
    const gsup = await trial.start(['-g', '5s'], [fixture('reports-signals'), '--code', '3'], {
      brokenLogs: true,
    });
    await gsup.ready();
    const file = join(gsup.folder, 'checkpoint.log');
    const line = encodeBody(
      { type: 'config', config_digest: 'x' },
      readLog(gsup.folder, 'checkpoint.log').length + 1,
      {
        at: '2026-01-02T03:04:05.678Z',
        mono_ns: 5n,
      },
    );
    gsup.signal('SIGSTOP');
    process.kill(await gsup.supervisor(), 'SIGKILL');
    appendFileSync(file, newer(line));
    const bytes = readFileSync(file);
    gsup.signal('SIGCONT');
    await until('a refusal', () => /format version 2, which needs a newer gsup/.test(gsup.stderr.text()));
    await until('init to say so', () => /cannot be started: the runs go on/.test(gsup.stderr.text()));
    gsup.signal('SIGTERM');
    expect((await gsup.ended()).code).toBe(3);
    expect(gsup.stdout.lines(/^got SIGTERM/)).toHaveLength(1);
    expect(readFileSync(file).equals(bytes)).toBe(true);
  },
);

/** The same line as a later gsup would write it. */
function newer(line: Uint8Array): Buffer {
  const text = Buffer.from(line).toString();
  const body = text.slice(0, text.lastIndexOf(',"crc"')).replace('"v":1', '"v":2');
  return Buffer.concat([signLine(`${body}}`), Buffer.from('\n')]);
}
