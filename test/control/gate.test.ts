import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { createGate } from '../../src/control/gate.ts';
import { addressText } from '../../src/control/tcp-address.ts';
import { readTokenFile } from '../../src/control/token-file.ts';

const uid = process.geteuid?.() ?? -1;
const TOKEN = 'a'.repeat(32);
let folder = '';
let path = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gsup-token-'));
  path = join(folder, 'token');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(text: string, mode = 0o600): void {
  writeFileSync(path, text);
  chmodSync(path, mode);
}

describe('S61 readTokenFile', () => {
  it('takes one line of 32 to 1024 characters, with or without a newline, also by way of a link', async () => {
    for (const text of [TOKEN, `${TOKEN}\n`, `${TOKEN}\r\n`, `${'b'.repeat(1022)}==\n`]) {
      write(text);
      expect(await readTokenFile(path, uid)).toEqual({ token: text.trim() });
    }
    const link = join(folder, 'link');
    symlinkSync(path, link);
    expect(await readTokenFile(link, uid)).toHaveProperty('token');
  });

  it.each([
    ['shorter', TOKEN.slice(1), 'got 31'],
    ['empty', '', 'got 0'],
    ['longer', 'a'.repeat(1025), 'got 1025'],
    ['a large file', 'a'.repeat(100_000), 'got more'],
    ['two lines', `${TOKEN}\n${TOKEN}\n`, 'one line'],
    ['with a space', `${TOKEN} b`, 'one line'],
    ['no ASCII', `${TOKEN}ä`, 'one line'],
  ])('refuses what is %s', async (_, text, why) => {
    write(text);
    expect(await readTokenFile(path, uid)).toEqual({ problem: expect.stringContaining(why) });
  });

  it.each([0o602, 0o620, 0o660, 0o666, 0o777])('refuses mode %o', async (mode) => {
    write(TOKEN, mode);
    const problem = expect.stringContaining(`got mode 0${mode.toString(8)}`);
    expect(await readTokenFile(path, uid)).toEqual({ problem });
  });

  it.each([0o600, 0o400, 0o440, 0o640])('takes mode %o', async (mode) => {
    write(TOKEN, mode);
    expect(await readTokenFile(path, uid)).toEqual({ token: TOKEN });
  });

  it.each([0o444, 0o644, 0o604, 0o404])(
    'takes mode %o, as secrets are mounted, and says what would be better',
    async (mode) => {
      write(TOKEN, mode);
      const warning = expect.stringMatching(
        `got mode 0${mode.toString(8)}; chmod 600, or .*defaultMode 0400`,
      );
      expect(await readTokenFile(path, uid)).toEqual({ token: TOKEN, warning });
    },
  );

  it('refuses the file of another user, a folder, and what is not there', async () => {
    if (uid !== 0) return;
    write(TOKEN);
    expect(await readTokenFile(path, 12345)).toEqual({ token: TOKEN });
    const { chownSync } = await import('node:fs');
    chownSync(path, 12346, 0);
    expect(await readTokenFile(path, 12345)).toEqual({ problem: expect.stringContaining('got user 12346') });
    mkdirSync(join(folder, 'd'), { mode: 0o700 });
    expect(await readTokenFile(join(folder, 'd'), uid)).toEqual({
      problem: expect.stringContaining('must be a file'),
    });
    expect(await readTokenFile(join(folder, 'no'), uid)).toEqual({
      problem: expect.stringContaining('ENOENT'),
    });
  });
});

describe('S61 the gate', () => {
  const complaints: string[] = [];
  const gateAt = (host: string, tokenFile: string | null = path) =>
    createGate({
      address: { host, port: 1 },
      tokenFile,
      uid,
      complain: (each) => complaints.push(each),
      warn: () => {},
    });
  const codeOf = (answer: unknown) => (answer as { json: { code: string } } | null)?.json.code ?? 'in';
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

  it('opens to the token alone, however the scheme is written', async () => {
    write(TOKEN);
    const { refusal } = gateAt('127.0.0.1');
    expect(await refusal(bearer(TOKEN), false)).toBeNull();
    expect(await refusal({ authorization: `bearer ${TOKEN}` }, false)).toBeNull();
    const wrong = ['', `${TOKEN}a`, TOKEN.slice(1), TOKEN.toUpperCase(), '='];
    for (const each of wrong) expect(codeOf(await refusal(bearer(each), false)), each).toBe('unauthorized');
    for (const each of [TOKEN, `Basic ${TOKEN}`, `Bearer ${TOKEN} x`, `Bearer${TOKEN}`])
      expect(codeOf(await refusal({ authorization: each }, false)), each).toBe('unauthorized');
    expect(codeOf(await refusal({}, false))).toBe('unauthorized');
    expect(await refusal({}, true)).toBeNull();
  });

  it('opens to nobody without a token file', async () => {
    expect(codeOf(await gateAt('127.0.0.1', null).refusal(bearer(TOKEN), false))).toBe('unauthorized');
    expect(codeOf(await gateAt('127.0.0.1', null).refusal(bearer('null'), false))).toBe('unauthorized');
  });

  it('takes another token when the file has another, and none when others may write it', async () => {
    complaints.length = 0;
    write(TOKEN);
    const { refusal } = gateAt('127.0.0.1');
    const next = 'c'.repeat(40);
    expect(await refusal(bearer(TOKEN), false)).toBeNull();
    writeFileSync(`${path}.new`, next, { mode: 0o600 });
    renameSync(`${path}.new`, path);
    expect(codeOf(await refusal(bearer(TOKEN), false))).toBe('unauthorized');
    expect(await refusal(bearer(next), false)).toBeNull();
    chmodSync(path, 0o622);
    expect(codeOf(await refusal(bearer(next), false))).toBe('unauthorized');
    expect(codeOf(await refusal(bearer(next), false))).toBe('unauthorized');
    expect(complaints).toEqual([expect.stringContaining('got mode 0622')]);
    rmSync(path);
    expect(codeOf(await refusal(bearer(next), false))).toBe('unauthorized');
    expect(complaints).toEqual([expect.anything(), expect.stringContaining('ENOENT')]);
    write(TOKEN);
    expect(await refusal(bearer(TOKEN), false)).toBeNull();
  });

  it.each([
    ['127.0.0.1:9100', 'in'],
    ['127.0.0.1', 'in'],
    ['[::1]:9100', 'in'],
    ['LocalHost:9100', 'in'],
    ['10.0.0.1', 'in'],
    [undefined, 'in'],
    ['evil.example', 'foreign-name'],
    ['localhost.evil.example:9100', 'foreign-name'],
    ['127.0.0.1.evil.example', 'foreign-name'],
    ['', 'foreign-name'],
  ])('on a loopback address, what is open is asked for by name %s: %s', async (host, code) => {
    write(TOKEN);
    const headers = host === undefined ? {} : { host };
    for (const own of ['127.0.0.1', 'localhost', '::1'])
      expect(codeOf(await gateAt(own).refusal(headers, true)), own).toBe(code);
    expect(await gateAt('127.0.0.1').refusal({ ...headers, ...bearer(TOKEN) }, true)).toBeNull();
    expect(await gateAt('0.0.0.0').refusal(headers, true)).toBeNull();
  });
});

test('addressText puts brackets where a port would not be told from an address', () => {
  expect(addressText({ host: '::1', port: 80 })).toBe('[::1]:80');
  expect(addressText({ host: 'localhost', port: 80 })).toBe('localhost:80');
});
