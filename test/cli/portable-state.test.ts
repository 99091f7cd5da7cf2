import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isTaskLive } from '../../src/checkpoint/task-folders.ts';
import { claimTask } from '../../src/cli/portable-state.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gsup-state-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const claim = (name: string, exact = false) =>
  claimTask({ option: dir, env: {}, uid: process.getuid?.() ?? -1 }, name, exact);

describe('claimTask', () => {
  it('takes the first free name, and a name that was asked for or none', () => {
    expect(claim('web')).toMatchObject({ kind: 'claimed', task: 'web', folder: join(dir, 'web') });
    expect(claim('web')).toMatchObject({ kind: 'claimed', task: 'web.2' });
    expect(claim('web', true)).toEqual({ kind: 'held' });
  });

  it('gives a name back', () => {
    const first = claim('web', true);
    expect(isTaskLive(join(dir, 'web'))).toBe(true);
    if (first.kind === 'claimed') first.release();
    expect(isTaskLive(join(dir, 'web'))).toBe(false);
    expect(claim('web', true).kind).toBe('claimed');
  });

  it('takes the lock of a gsup that is gone', () => {
    mkdirSync(join(dir, 'web'));
    for (const stale of ['', 'other-boot 1 1 1\n', 'nonsense']) {
      writeFileSync(join(dir, 'web/lock'), stale);
      const claimed = claim('web', true);
      expect(claimed.kind).toBe('claimed');
      if (claimed.kind === 'claimed') claimed.release();
    }
  });

  it('keeps five old logs, newest first', () => {
    mkdirSync(join(dir, 'web'));
    for (let run = 1; run <= 7; run++) {
      writeFileSync(join(dir, 'web/checkpoint.log'), `run ${run}`);
      const claimed = claim('web', true);
      if (claimed.kind === 'claimed') claimed.release();
    }
    expect(readdirSync(join(dir, 'web')).sort()).toEqual([1, 2, 3, 4, 5].map((at) => `checkpoint.log.${at}`));
    expect(readFileSync(join(dir, 'web/checkpoint.log.1'), 'utf8')).toBe('run 7');
    expect(readFileSync(join(dir, 'web/checkpoint.log.5'), 'utf8')).toBe('run 3');
  });

  it('is not listable for others', () => {
    claim('web');
    expect(statSync(join(dir, 'web')).mode & 0o777).toBe(0o711);
    expect(statSync(join(dir, 'web/lock')).mode & 0o777).toBe(0o600);
  });

  it('does not use a directory that others can write to', () => {
    chmodSync(dir, 0o777);
    expect(claim('web')).toMatchObject({
      kind: 'none',
      path: dir,
      cause: expect.stringContaining('writable by others'),
    });
  });

  it('does not use a file', () => {
    const file = join(dir, 'file');
    writeFileSync(file, '');
    const question = { option: file, env: {}, uid: process.getuid?.() ?? -1 };
    expect(claimTask(question, 'web', false)).toMatchObject({ kind: 'none', path: file });
  });
});
