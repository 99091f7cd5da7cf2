import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeBody } from '../../src/checkpoint/codec.ts';
import { checkpointCommand } from '../../src/cli/checkpoint.ts';
import { type Options, parseArguments } from '../../src/cli/parse.ts';
import { shown } from './shown.ts';

let dir = '';
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'gsup-cli-'));
  mkdirSync(join(dir, 'web'));
  mkdirSync(join(dir, 'db'));
});
afterAll(() => rmSync(dir, { recursive: true }));

function options(...argv: readonly string[]): Options {
  const parsed = parseArguments([...argv, 'checkpoint'], {});
  if (parsed.action !== 'other') throw new Error('not another command');
  return parsed.options;
}

function run(what: 'verify' | 'dump', file: string | undefined, said: Options) {
  let printed = '';
  const outcome = checkpointCommand(what, file, said, {}, (text) => {
    printed += text;
    return true;
  });
  return { ...shown(outcome), printed };
}

describe('checkpointCommand', () => {
  const lines = [1, 2].map((seq) =>
    Buffer.from(
      encodeBody({ type: 'task-state', state: 'active', exit_code: null }, seq, {
        at: '2026-01-01T00:00:00.000Z',
        mono_ns: BigInt(seq),
      }),
    ).toString(),
  );
  const log = () => join(dir, 'web', 'init.log');

  it('prints the lines of a log as they are', () => {
    writeFileSync(log(), lines.join(''));
    expect(run('dump', log(), options())).toEqual({ exitCode: 0, stdout: '', printed: lines.join('') });
    expect(run('dump', undefined, options('--state-dir', dir, '--name', 'web')).printed).toBe(lines.join(''));
    expect(run('verify', log(), options())).toMatchObject({
      exitCode: 0,
      stdout: 'init.log: 2 records, seq 1-2, ok\n',
    });
  });

  it('exits 65 for a damaged log, and prints what is before the damage', () => {
    writeFileSync(log(), lines.join(''));
    appendFileSync(log(), `{"broken":1}\n${lines[1]}`);
    const { exitCode, printed, stderr } = run('dump', log(), options());
    expect({ exitCode, printed }).toEqual({ exitCode: 65, printed: lines.join('') });
    expect(stderr).toMatch(/^gsup: init.log: damaged at line 3/);
    expect(run('verify', log(), options()).exitCode).toBe(65);
  });

  it('exits 69 when there is no such task or file', () => {
    expect(run('verify', join(dir, 'none'), options())).toMatchObject({ exitCode: 69 });
    expect(run('verify', undefined, options('--state-dir', dir, '--name', 'none'))).toMatchObject({
      exitCode: 69,
    });
  });
});
