import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeBody } from '../../src/checkpoint/codec.ts';
import { readLogFile } from '../../src/checkpoint/read-log.ts';
import { encodeRewrite } from '../../src/checkpoint/rewrite.ts';
import { checkpointCommand } from '../../src/cli/checkpoint.ts';
import { type Options, parseArguments } from '../../src/cli/parse.ts';
import { signLine } from '../checkpoint/samples.ts';
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

function run(what: 'verify' | 'dump' | 'compact', file: string | undefined, said: Options) {
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

  describe('compact', () => {
    const stamp = (seq: number) => ({ at: '2026-01-01T00:00:00.000Z', mono_ns: BigInt(seq) });
    const path = () => join(dir, 'db', 'checkpoint.log');
    const runs = (count: number): Buffer =>
      Buffer.concat(
        Array.from({ length: count }, (_, i) =>
          encodeBody({ type: 'run-forked', process: 'db', run: `db#${i + 1}` }, i + 1, stamp(i + 1)),
        ),
      );
    const compact = (file: string | undefined) =>
      run('compact', file, options('--state-dir', dir, '--name', 'db'));

    it('keeps what the end of the task followed from, and says how long it was and is', () => {
      writeFileSync(path(), Buffer.concat([runs(50), Buffer.from('torn')]));
      const { stdout, exitCode } = compact(undefined);
      expect(exitCode).toBe(0);
      expect(stdout).toMatch(/^checkpoint.log: \d{4} bytes, 50 records, now \d{3} bytes, 2 records\n$/);
      const log = readLogFile(path());
      expect(log.entries.map(({ record }) => record)).toMatchObject([
        { type: 'gap', cause: 'compacted', missing: 49 },
        { type: 'run-forked', run: 'db#50' },
      ]);
      expect(log.size).toBe(log.goodEnd);
      expect(compact(path()).stdout).toMatch(/^checkpoint.log: nothing to drop, /);
    });

    it('refuses what it must not touch', () => {
      const untouched = (bytes: Uint8Array, name = 'checkpoint.log'): ReturnType<typeof compact> => {
        const file = join(dir, 'db', name);
        writeFileSync(file, bytes);
        const outcome = compact(file);
        expect(readFileSync(file)).toEqual(Buffer.from(bytes));
        return outcome;
      };
      const damaged = runs(50);
      damaged[20] = 0;
      expect(untouched(damaged)).toMatchObject({
        exitCode: 65,
        stderr: expect.stringContaining('damaged at line 1'),
      });
      const newer = Buffer.concat([runs(3), signLine('{"v":2,"a":1}'), Buffer.from('\n')]);
      expect(untouched(newer)).toMatchObject({
        exitCode: 65,
        stderr: expect.stringContaining('use a newer gsup'),
      });
      const facts = encodeBody({ type: 'stragglers', run: 'db#1', pids: [1] }, 1, stamp(1));
      expect(untouched(facts, 'init.log')).toMatchObject({
        exitCode: 69,
        stderr: expect.stringContaining('facts'),
      });
      writeFileSync(join(dir, 'db', 'lock'), livingLock());
      expect(untouched(runs(50))).toMatchObject({
        exitCode: 75,
        stderr: expect.stringContaining('is running'),
      });
      rmSync(join(dir, 'db', 'lock'));
      expect(compact(join(dir, 'db'))).toMatchObject({ exitCode: 0 });
      expect(compact('/dev/null')).toMatchObject({ exitCode: 69 });
    });

    it('goes on from where a kill has left it', () => {
      const old = runs(50);
      writeFileSync(path(), old);
      compact(undefined);
      const compacted = readFileSync(path());
      const behind = encodeRewrite(compacted, 50, stamp(50));
      for (const bytes of [
        Buffer.concat([old, behind.subarray(0, behind.length - 1)]),
        Buffer.concat([old, behind]),
        Buffer.concat([compacted, old.subarray(compacted.length), behind]),
      ]) {
        writeFileSync(path(), bytes);
        expect(compact(undefined)).toMatchObject({ exitCode: 0 });
        expect(readFileSync(path())).toEqual(compacted);
      }
    });
  });
});

/** Of this process, which lives. */
function livingLock(): string {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const stat = readFileSync('/proc/self/stat', 'latin1');
  const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  return `${boot} ${statSync('/proc/self/ns/pid').ino} ${process.pid} ${ticks}\n`;
}
