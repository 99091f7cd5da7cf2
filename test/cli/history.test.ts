import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeBody } from '../../src/checkpoint/codec.ts';
import type { RecordBody } from '../../src/checkpoint/record.ts';
import { type HistoryOptions, historyCommand } from '../../src/cli/history.ts';
import { type Options, parseArguments } from '../../src/cli/parse.ts';
import { shown } from './shown.ts';

const NOW_MS = Date.parse('2026-01-01T01:00:00Z');
let dir = '';
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'gsup-history-'));
  mkdirSync(join(dir, 'web'));
});
afterAll(() => rmSync(dir, { recursive: true }));

function log(name: string, told: readonly (readonly [number, RecordBody])[]): void {
  const lines = told.map(([ms, body], i) =>
    encodeBody(body, i + 1, {
      at: new Date(NOW_MS - 3_600_000 + ms).toISOString(),
      mono_ns: BigInt(ms) * 1_000_000n,
    }),
  );
  writeFileSync(join(dir, 'web', name), Buffer.concat(lines.map((line) => Buffer.from(line))));
}

const task = (version: string): RecordBody => {
  return { type: 'task', task: 'web', version, config_digest: '0', boot_id: 'b', pid_ns: 1, pid: 1 };
};
const started: RecordBody = { type: 'run-started', run: 'web#1', pid: 7, start_ticks: 1 };
const over: RecordBody = { type: 'task-state', state: 'success', exit_code: 0 };

function run(
  names: readonly string[],
  asked: HistoryOptions = {},
  argv: readonly string[] = ['--state-dir', dir],
) {
  const parsed = parseArguments([...argv, 'history'], {});
  if (parsed.action !== 'other') throw new Error('not another command');
  const around = { env: {}, nowMs: NOW_MS, colour: false };
  return shown(historyCommand(names, asked, parsed.options as Options, around));
}

describe('historyCommand', () => {
  it('tells the last start, and with --past an earlier one that is kept', () => {
    log('init.log.1', [
      [0, task('0.0.9')],
      [10, over],
    ]);
    log('init.log', [
      [0, task('0.1.0')],
      [10, started],
      [20, over],
    ]);
    expect(run([]).stdout).toMatch(/^web: success, exit code 0\n.*gsup 0\.1\.0/);
    expect(run([], { past: '1' }).stdout).toMatch(/gsup 0\.0\.9/);
    expect(run([], { past: '2' })).toMatchObject({ exitCode: 69 });
    expect(run([], { past: 'x' })).toMatchObject({ exitCode: 64 });
  });

  it('gives JSON whose names are those of the records', () => {
    const { stdout = '' } = run([], { json: true });
    const told = JSON.parse(stdout);
    expect(told).toMatchObject({ version: 1, task: { name: 'web', exit_code: 0, forced: [], stop: null } });
    expect(told.events[1]).toMatchObject({
      about: 'web#1',
      type: 'run-started',
      since_ms: 10,
      mono_ns: '10000000',
    });
  });

  it('takes durations and times, and says what it needs when it gets neither', () => {
    expect(run([], { since: '30m' }).stdout).not.toMatch(/started/);
    expect(run([], { since: '2h' }).stdout).toMatch(/started/);
    expect(run([], { until: '2026-01-01T00:00:00.005Z' }).stdout).not.toMatch(/started/);
    const wrong = run([], { since: 'yesterday' });
    expect(wrong).toMatchObject({ exitCode: 64 });
    expect(wrong.stderr).toMatch(/cannot use "--since": .*, got "yesterday"/);
  });

  it('says which names there are when it does not know one', () => {
    expect(run(['web#1']).stdout).toMatch(/started, pid 7/);
    const wrong = run(['db']);
    expect(wrong).toMatchObject({ exitCode: 69 });
    expect(wrong.stderr).toMatch(/cannot find "db" in the history: it tells of web#1/);
  });

  it('tells what is whole of a damaged log, and exits 65', () => {
    appendFileSync(join(dir, 'web', 'init.log'), '{"broken":1}\n{"broken":2}\n');
    expect(run([])).toMatchObject({ exitCode: 65 });
    expect(run([]).stdout).toMatch(/started, pid 7/);
    expect(run([]).stderr).toMatch(/the history is not whole: damaged at line 4/);
  });

  it('exits 69 when there is no such task', () => {
    expect(run([], {}, ['--state-dir', dir, '--name', 'none'])).toMatchObject({ exitCode: 69 });
  });
});
