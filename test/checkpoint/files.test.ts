import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encodeBody } from '../../src/checkpoint/codec.ts';
import { dumpFiles, listLogs, locateLogs, verifyFiles } from '../../src/checkpoint/files.ts';
import { findTaskFolders, isTaskLive, parseLock, pickTask } from '../../src/checkpoint/task-folders.ts';
import { at, shortLog, signLine } from './samples.ts';

let base: string;
const uid = process.getuid?.() ?? 0;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'gsup-files-'));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

function makeTask(name: string, logs: Record<string, Uint8Array | string>): string {
  const folder = join(base, name);
  mkdirSync(folder);
  for (const [log, bytes] of Object.entries(logs)) writeFileSync(join(folder, log), bytes);
  return folder;
}
const line = (digest: string, seq: number, ns: number) =>
  encodeBody({ type: 'config', config_digest: digest }, seq, { at, mono_ns: BigInt(ns) });
const newline = Buffer.from('\n');

function verify(file: string) {
  const located = locateLogs({ file, env: {}, uid });
  if (!('path' in located)) throw new Error(located.message);
  return verifyFiles(located);
}
function dump(file: string) {
  const located = locateLogs({ file, env: {}, uid });
  if (!('path' in located)) throw new Error(located.message);
  const lines: string[] = [];
  return { ...dumpFiles(located, (text) => lines.push(text)), lines };
}

describe('checkpoint verify', () => {
  test('says of each log of a folder how many records it has, the present ones first', () => {
    const torn = Buffer.concat([shortLog(2), Buffer.from('{"v"')]);
    const folder = makeTask('web', {
      'checkpoint.log.2': shortLog(1),
      'init.log': torn,
      'checkpoint.log': shortLog(12),
      'init.log.1': '',
      'checkpoint.log.torn-1': 'no log',
      lock: '',
    });
    expect(verify(folder)).toEqual({
      lines: [
        'checkpoint.log: 12 records, seq 1-12, ok',
        'init.log: 2 records, seq 1-2, torn last line of 4 bytes, to be cut off at the next start, ok',
        'init.log.1: 0 records, ok',
        'checkpoint.log.2: 1 record, seq 1, ok',
      ],
      ok: true,
    });
  });

  test('S51 names the place of damage, and does not touch the file', () => {
    const bytes = shortLog(3);
    const length = shortLog(1).length;
    bytes[length + 5] = 0;
    const path = join(makeTask('web', { 'checkpoint.log': bytes }), 'checkpoint.log');
    expect(verify(path)).toEqual({
      lines: [
        `checkpoint.log: damaged at line 2, offset ${length}, seq 2: checksum missing or wrong; 1 good record before it`,
      ],
      ok: false,
    });
    expect(readFileSync(path)).toEqual(bytes);
  });

  test('tells a newer version, what it does not understand, and what is missing', () => {
    const envelope = `"v":1,"seq":1,"at":"${at}","mono_ns":"1"`;
    const gap = encodeBody({ type: 'gap', missing: 4, cause: 'ENOSPC' }, 6, { at, mono_ns: 2n });
    const folder = makeTask('web', {
      'checkpoint.log': Buffer.concat([signLine('{"v":3}'), newline]),
      'init.log': Buffer.concat([signLine(`{${envelope},"type":"dr\u009beam"}`), newline, gap]),
    });
    expect(verify(folder)).toEqual({
      lines: [
        'checkpoint.log: line 1, offset 0: format version 3, and this gsup reads 1; use a newer gsup',
        'init.log: 2 records, seq 1-6, 4 missing by its own account, 1 not understood (first: seq 1, type "dr\\u009beam": type not known), ok',
      ],
      ok: false,
    });
  });

  test('a log that is a link, a fifo or a folder is not read', () => {
    const folder = makeTask('web', { 'init.log': shortLog(1) });
    symlinkSync('/etc/passwd', join(folder, 'checkpoint.log'));
    mkdirSync(join(folder, 'init.log.1'));
    execFileSync('mkfifo', [join(folder, 'checkpoint.log.1')]);
    expect(verify(folder)).toEqual({
      lines: [
        'checkpoint.log: cannot be read: ELOOP',
        'init.log: 1 record, seq 1, ok',
        'checkpoint.log.1: cannot be read: EINVAL',
        'init.log.1: cannot be read: EINVAL',
      ],
      ok: false,
    });
  });
});

describe('checkpoint dump', () => {
  test('prints the two logs of a folder as one story, each line as it is stored', () => {
    const [c1, c3, i2, i4] = [line('c1', 1, 1), line('c3', 2, 3), line('i2', 1, 2), line('i4', 2, 4)];
    const folder = makeTask('web', {
      'checkpoint.log': Buffer.concat([c1, c3]),
      'init.log': Buffer.concat([i2, i4, Buffer.from('torn')]),
      'init.log.1': line('old', 1, 0),
    });
    const wanted = [c1, i2, c3, i4].map((bytes) => Buffer.from(bytes).toString());
    expect(dump(folder)).toEqual({ lines: wanted, problems: [], ok: true });
  });

  test('prints one file alone when it is given, a kept one too', () => {
    const folder = makeTask('web', { 'checkpoint.log': line('c', 1, 1), 'init.log.1': line('old', 1, 0) });
    expect(dump(join(folder, 'init.log.1')).lines).toEqual([Buffer.from(line('old', 1, 0)).toString()]);
  });

  test('prints the last kept logs when there are no others', () => {
    const folder = makeTask('web', { 'init.log.2': line('older', 1, 1), 'init.log.1': line('old', 1, 0) });
    expect(dump(folder).lines).toEqual([Buffer.from(line('old', 1, 0)).toString()]);
  });

  test('S51 prints what is good of a damaged log, and says where it ends', () => {
    const folder = makeTask('web', { 'checkpoint.log': Buffer.concat([line('c', 1, 1), line('c', 5, 2)]) });
    const dumped = dump(folder);
    expect(dumped.lines).toHaveLength(1);
    expect(dumped).toMatchObject({ ok: false, problems: [expect.stringContaining('seq 5 where 2 is due')] });
  });
});

describe('which task is meant', () => {
  const holder = (pid = process.pid): string => {
    const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    return `${bootId} ${statSync('/proc/self/ns/pid').ino} ${pid} ${ticks}\n`;
  };
  const locate = (name?: string, env = {}) => locateLogs({ option: base, name, env, uid });
  const log = { 'init.log': shortLog(1) };
  const linux = process.platform === 'linux';

  test('the one that is named, by --name or else by $GSUP_TASK', () => {
    makeTask('web', log);
    makeTask('db', log);
    expect(locate('web', { GSUP_TASK: 'db' })).toEqual({ kind: 'folder', path: join(base, 'web') });
    expect(locate(undefined, { GSUP_TASK: 'db' })).toEqual({ kind: 'folder', path: join(base, 'db') });
    expect(locate('none')).toEqual({ kind: 'none', message: 'cannot find a task "none"' });
  });

  test('the one that ended last, when none lives', () => {
    utimesSync(join(makeTask('web', log), 'init.log'), 2000, 2000);
    utimesSync(join(makeTask('db', log), 'init.log'), 3000, 3000);
    expect(locate()).toEqual({ kind: 'folder', path: join(base, 'db') });
  });

  test.runIf(linux)('the only one that lives; of several none', () => {
    utimesSync(join(makeTask('web', { ...log, lock: holder() }), 'init.log'), 1000, 1000);
    makeTask('db', { ...log, lock: holder().replace(/\d+\n/, '1\n') });
    expect(locate()).toEqual({ kind: 'folder', path: join(base, 'web') });
    makeTask('mail', { ...log, lock: holder() });
    expect(locate()).toMatchObject({ kind: 'several', message: expect.stringContaining('mail') });
  });

  test.runIf(linux)('a lock counts only with the right boot, namespace, pid and start time', () => {
    const [bootId, pidNs, pid, ticks] = holder().trim().split(' ');
    const isLive = (text: string): boolean => isTaskLive(makeTask(`t${Math.random()}`, { lock: text }));
    expect(isLive(`${bootId} ${pidNs} ${pid} ${ticks}\n`)).toBe(true);
    expect(isLive(`0${bootId} ${pidNs} ${pid} ${ticks}`)).toBe(false);
    expect(isLive(`${bootId} 1${pidNs} ${pid} ${ticks}`)).toBe(false);
    expect(isLive(`${bootId} ${pidNs} 0 ${ticks}`)).toBe(false);
    expect(isLive(`${bootId} ${pidNs} ${pid} 1${ticks}`)).toBe(false);
    expect(isLive('')).toBe(false);
    expect(isTaskLive(join(base, 'none'))).toBe(false);
  });

  test('a lock may have no boot id, and more lines after its first', () => {
    expect(parseLock(' 1 2 3\nrun 4 5\n')).toEqual({ bootId: '', pidNs: 1, pid: 2, startTicks: 3 });
  });

  test.each(['', 'x', '- 1 2', '- 1 -2 3', `- 1 2 3 ${'4'.repeat(600)}`, '- 1 99999999999 3'])(
    '%j is no lock',
    (text) => {
      expect(parseLock(text)).toBeUndefined();
    },
  );

  test('folders without a log and with a strange name are none, and a directory open to all is not trusted', () => {
    makeTask('empty', {});
    makeTask('we\u001bird', log);
    writeFileSync(join(base, 'file'), '');
    symlinkSync(makeTask('web', log), join(base, 'link'));
    expect(findTaskFolders({ option: base, env: {}, uid }).map(({ name }) => name)).toEqual(['web']);
    chmodSync(base, 0o777);
    expect(findTaskFolders({ option: base, env: {}, uid })).toEqual([]);
  });

  test.runIf(uid === 0)(
    'root finds the task in the default directory of another user, if it is that user who owns it',
    () => {
      const other = `/tmp/gsup-${4_000_000_000 + process.pid}`;
      mkdirSync(join(other, 'web'), { recursive: true });
      try {
        writeFileSync(join(other, 'web', 'init.log'), shortLog(1));
        const find = () => findTaskFolders({ env: {}, uid }).filter(({ path }) => path.startsWith(other));
        expect(find()).toEqual([]);
        execFileSync('chown', ['-R', `${4_000_000_000 + process.pid}`, other]);
        expect(find()).toMatchObject([{ name: 'web' }]);
      } finally {
        rmSync(other, { recursive: true });
      }
    },
  );

  test('nothing at all is said in a sentence', () => {
    expect(locate()).toEqual({ kind: 'none', message: 'cannot find a task: none has run here' });
    expect(locateLogs({ file: join(base, 'x'), env: {}, uid })).toMatchObject({ kind: 'none' });
    expect(locateLogs({ file: base, env: {}, uid })).toMatchObject({
      message: expect.stringContaining('no checkpoint log'),
    });
    expect(pickTask([], undefined).kind).toBe('none');
  });

  test('a log that is being written to is read as far as it goes', () => {
    const folder = makeTask('web', { 'init.log': shortLog(2) });
    appendFileSync(join(folder, 'init.log'), line('x', 3, 3).subarray(0, 20));
    expect(listLogs(folder)).toEqual([join(folder, 'init.log')]);
    expect(dump(folder).lines).toHaveLength(2);
  });
});
