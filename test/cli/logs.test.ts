import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeBody } from '../../src/checkpoint/codec.ts';
import type { RecordBody } from '../../src/checkpoint/record.ts';
import { type LogsOptions, logsCommand } from '../../src/cli/logs.ts';
import { type Options, parseArguments } from '../../src/cli/parse.ts';
import { at, copyLine } from '../logs/pieces.ts';
import { shown } from './shown.ts';

let dir = '';
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'gsup-logs-'));
  for (const task of ['t', 'bare']) writeTask(task);
  const logs = join(dir, 't/logs');
  mkdirSync(logs);
  writeFileSync(
    join(logs, 'web.1'),
    copyLine(1, 'one', { run: 'web.1#1' }) + copyLine(9, 'nine', { run: 'web.1#2' }),
  );
  writeFileSync(join(logs, 'web.2'), copyLine(5, 'five', { run: 'web.2#1', stream: 'stderr' }));
  writeFileSync(
    join(logs, 'db'),
    copyLine(3, 'three', { run: 'db#1' }) + copyLine(4, 'hook', { run: 'db#1/pre-stop.1' }),
  );
});
afterAll(() => rmSync(dir, { recursive: true }));

function writeTask(name: string): void {
  mkdirSync(join(dir, name));
  const task: RecordBody = {
    type: 'task',
    task: name,
    version: '0',
    config_digest: '0',
    boot_id: 'b',
    pid_ns: 1,
    pid: 1,
  };
  const started = (run: string): RecordBody => ({ type: 'run-started', run, pid: 7, start_ticks: 1 });
  const records = [task, ...['web.1#1', 'web.2#1', 'db#1', 'silent#1'].map(started)];
  const lines = records.map((body, seq) => encodeBody(body, seq + 1, { at: at(seq), mono_ns: BigInt(seq) }));
  writeFileSync(join(dir, name, 'init.log'), Buffer.concat(lines.map((line) => Buffer.from(line))));
}

async function run(names: readonly string[], asked: LogsOptions = {}, task = 't') {
  const parsed = parseArguments(['--state-dir', dir, '--name', task, 'logs'], {});
  if (parsed.action !== 'other') throw new Error('not another command');
  const written = { 1: '', 2: '' };
  const said: string[] = [];
  const outcome = await logsCommand(names, asked, parsed.options as Options, {
    env: {},
    nowMs: Date.parse(at(10)),
    terminals: [false, false],
    colour: false,
    write: (fd, bytes) => {
      written[fd] += Buffer.from(bytes).toString();
      return true;
    },
    say: (sentence) => void said.push(sentence),
  });
  return { ...shown(outcome), out: written[1], err: written[2], said };
}

describe('logsCommand', () => {
  it('S60 shows what a task that has ended has written, by time, standard error apart', async () => {
    const { out, err, exitCode, said } = await run([]);
    expect(exitCode).toBe(0);
    expect(out).toBe('web.1  | one\ndb     | three\ndb     | hook\nweb.1  | nine\n');
    expect(err).toBe('web.2  | five\n');
    expect(said).toEqual([]);
  });

  it.each([
    [['web.1'], 'one\nnine\n'],
    [['web.1#1'], 'one\n'],
    [['db#1'], 'three\nhook\n'],
    [['web'], 'web.1 | one\nweb.1 | nine\n'],
  ])('%j', async (names, out) => expect((await run(names)).out).toBe(out));

  it.each<[LogsOptions, string]>([
    [{ lines: '1' }, 'hook nine'],
    [{ tail: '1' }, 'hook nine'],
    [{ lines: '0' }, ''],
    [{ lines: 'all' }, 'one three hook nine'],
    [{ since: '6ms' }, 'hook nine'],
    [{ since: at(9) }, 'nine'],
  ])('%j', async (asked, words) => {
    const { out } = await run(['web', 'db'], asked);
    expect(
      out
        .replaceAll(/^\S+ +\| /gm, '')
        .trim()
        .replaceAll('\n', ' '),
    ).toBe(words);
  });

  it('json: all on standard output', async () => {
    const { out, err } = await run(['web.2'], { json: true });
    expect(JSON.parse(out)).toEqual({
      time: at(5),
      process: 'web.2',
      run: 'web.2#1',
      stream: 'stderr',
      msg: 'five',
    });
    expect(err).toBe('');
  });

  it('says who has written nothing, who there is, and how to capture', async () => {
    expect(await run(['silent'])).toMatchObject({
      exitCode: 69,
      stderr: expect.stringContaining('silent has written nothing'),
    });
    expect((await run(['silent', 'db'])).said).toEqual([
      expect.stringContaining('silent has written nothing'),
    ]);
    expect(await run(['nobody'])).toMatchObject({
      exitCode: 69,
      stderr: expect.stringContaining('cannot find "nobody" in "t": it has web.1, web.2, db, silent'),
    });
    const bare = await run([], {}, 'bare');
    expect(bare.exitCode).toBe(69);
    expect(bare.stderr).toMatch(
      /what web\.1, web\.2, db, silent write goes where gsup's own output goes; capture it with gsup run --log prefix/,
    );
  });

  it.each<[LogsOptions, string]>([
    [{ lines: '-1' }, 'cannot use "--lines": a number or "all" is needed, got "-1"'],
    [{ tail: 'x' }, 'cannot use "--tail": a number or "all" is needed, got "x"'],
    [{ since: 'x' }, 'cannot use "--since": a duration (10m ago)'],
  ])('%j is wrong usage', async (asked, message) => {
    expect(await run([], asked)).toMatchObject({ exitCode: 64, stderr: expect.stringContaining(message) });
  });
});
