import { appendFileSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLogProbe, type LogProbe } from '../../src/health/log-probe.ts';
import { at, copyLine } from '../logs/pieces.ts';

let logs = '';
let probe: LogProbe;
beforeEach(() => {
  logs = mkdtempSync(join(tmpdir(), 'gsup-probe-'));
  probe = createLogProbe({ logs, since: at(100) });
});
afterEach(() => rmSync(logs, { recursive: true }));

const LONG_MS = 60_000;
const SHORT_MS = 100;
const path = () => join(logs, 'web');
const write = (ms: number, text: string, of: Parameters<typeof copyLine>[2] = {}) =>
  appendFileSync(path(), copyLine(ms, text, of));
const rotate = () => renameSync(path(), `${path()}~1`);
const ask = (run: string, pattern: string, timeoutMs: number) =>
  new Promise<[boolean, string | undefined]>((resolve) =>
    probe.ask(run, pattern, timeoutMs, (ok, detail) => resolve([ok, detail])),
  );

describe('createLogProbe', () => {
  it('S40 finds what was written before it was asked, and what comes after', async () => {
    write(100, 'listening on 80');
    expect(await ask('web#1', '^listening on \\d+$', LONG_MS)).toEqual([true, undefined]);
    const waiting = ask('web#2', 'ready', LONG_MS);
    write(100, 'not yet', { run: 'web#2' });
    write(100, 'now ready\r', { run: 'web#2', stream: 'stderr' });
    expect(await waiting).toEqual([true, undefined]);
  });

  it('a line of another run, of a hook, or of an earlier gsup does not count', async () => {
    write(99, 'ready');
    write(100, 'ready', { run: 'web#2' });
    write(100, 'ready', { run: 'web#1/ready.1' });
    expect(await ask('web#1', '^ready$', SHORT_MS)).toEqual([false, 'no line matches /^ready$/']);
  });

  it('S59 is not defeated by rotation: in the older half, while it looks, and between two questions', async () => {
    write(100, 'ready');
    rotate();
    write(100, 'other');
    expect(await ask('web#1', 'ready', LONG_MS)).toEqual([true, undefined]);
    expect((await ask('web#3', 'ready', SHORT_MS))[0]).toBe(false);
    write(100, 'ready', { run: 'web#3' });
    rotate();
    write(100, 'other', { run: 'web#3' });
    expect(await ask('web#3', 'ready', LONG_MS)).toEqual([true, undefined]);
  });

  it('a long line is one line, and what has no end yet is none', async () => {
    write(100, 'rea', { kind: 'P' });
    expect((await ask('web#1', '^ready$', SHORT_MS))[0]).toBe(false);
    write(100, 'dy');
    expect(await ask('web#1', '^ready$', LONG_MS)).toEqual([true, undefined]);
  });

  it('says why it was not found', async () => {
    write(100, 'a'.repeat(60).concat('!'));
    write(100, 'a'.repeat(60).concat('!'));
    write(100, 'a'.repeat(60).concat('!'));
    expect((await ask('web#1', '^(a+)+$', 5000))[1]).toMatch(/takes too long on a line of 61 characters/);
    expect((await ask('db#1', 'x', SHORT_MS))[1]).toBe('no line matches /x/');
  });
});
