import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as install from '../../src/cli/install-init.ts';
import { copyInstallation } from '../support/installation.ts';
import { shown } from './shown.ts';

const { packageFolder } = install;
const installInit = (...given: Parameters<typeof install.installInit>) =>
  shown(install.installInit(...given));

let dir = '';
let folder = '';
let native = '';
const path = (...parts: readonly string[]) => join(dir, ...parts);

beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'gsup-link-')));
  folder = path('lib/gsup');
  native = join(folder, 'dist/native/gsup');
  for (const made of [join(folder, 'bin'), join(folder, 'dist/native'), path('bin'), path('other')]) {
    mkdirSync(made, { recursive: true });
  }
  for (const file of [native, join(folder, 'bin/gsup')]) {
    writeFileSync(file, '#!/bin/sh\n');
    chmodSync(file, 0o755);
  }
});
afterEach(() => rmSync(dir, { recursive: true }));

describe('installInit', () => {
  it("puts the link in the launcher's place", () => {
    symlinkSync('../lib/gsup/bin/gsup', path('bin/gsup'));
    const searchPath = `${path('other')}:${path('none')}::${path('bin')}`;
    expect(installInit(folder, undefined, searchPath)).toEqual({
      exitCode: 0,
      stdout: `${path('bin/gsup')} -> ${native}\n`,
    });
    expect(readlinkSync(path('bin/gsup'))).toBe(native);
    // The second time the place is found by the link that the first time made.
    expect(installInit(folder, undefined, searchPath).exitCode).toBe(0);
  });

  it('links the one of the package that is for this machine', () => {
    renameSync(native, `${native}-${process.arch}`);
    symlinkSync('../lib/gsup/bin/gsup', path('bin/gsup'));
    for (let times = 0; times < 2; times++)
      expect(installInit(folder, undefined, path('bin'))).toEqual({
        exitCode: 0,
        stdout: `${path('bin/gsup')} -> ${native}-${process.arch}\n`,
      });
  });

  it('leaves a gsup that is not this one alone', () => {
    symlinkSync('/bin/true', path('bin/gsup'));
    expect(installInit(folder, undefined, path('bin'))).toMatchObject({ exitCode: 64 });
    expect(readlinkSync(path('bin/gsup'))).toBe('/bin/true');
  });

  it("leaves the package's own launcher alone", () => {
    expect(installInit(folder, undefined, join(folder, 'bin'))).toMatchObject({ exitCode: 64 });
    expect(lstatSync(join(folder, 'bin/gsup')).isFile()).toBe(true);
  });

  it('links at the path that it is given, or in the folder', () => {
    for (const [to, place] of [
      [path('init'), path('init')],
      [path('bin'), path('bin/gsup')],
    ] as const) {
      expect(installInit(folder, to, '')).toEqual({ exitCode: 0, stdout: `${place} -> ${native}\n` });
      expect(realpathSync(place)).toBe(native);
    }
  });

  it('replaces a link, never a file', () => {
    symlinkSync('/bin/true', path('init'));
    writeFileSync(path('file'), 'mine');
    expect(installInit(folder, path('init'), '').exitCode).toBe(0);
    expect(installInit(folder, path('file'), '')).toEqual({
      exitCode: 64,
      stderr: `gsup: cannot link "${path('file')}": a new name or a link is needed, got a file that somebody has put there\n`,
    });
  });

  it('says what is wrong', () => {
    expect(installInit(folder, path('none/gsup'), '')).toMatchObject({ exitCode: 69 });
    rmSync(native);
    expect(installInit(folder, path('init'), '').stderr).toContain(
      'there is no native entry for this machine',
    );
  });
});

describe('gsup install-init', () => {
  const dist = () => join(folder, 'dist');
  const kept = () => readdirSync(join(dist(), 'cache')).map((name) => name.replace(/-.*/, ''));
  const run = (...words: string[]) =>
    spawnSync(process.execPath, [join(dist(), 'main.js'), ...words], { encoding: 'utf8' });
  beforeEach(() => {
    rmSync(folder, { recursive: true });
    copyInstallation(folder);
    rmSync(join(dist(), 'cache'), { recursive: true, force: true });
  });

  it('has what Node compiles of a supervisor kept, for the containers to come', () => {
    const { status, stdout, stderr } = run('install-init', path('init'));
    expect([status, stdout, stderr]).toEqual([0, `${path('init')} -> ${native}\n`, '']);
    expect(kept().sort()).toEqual(['command', 'first', 'supervisor']);
    // Who reads the config once more has not the supervisor's flags.
    writeFileSync(path('gsup.json'), '{"processes":{"one":{"command":"true"}}}');
    const files = () =>
      readdirSync(join(dist(), 'cache')).map((name) => statSync(join(dist(), 'cache', name)).ino);
    const before = files();
    const env = { PATH: process.env.PATH, GSUP_INIT: 'reload' };
    const again = spawnSync(process.execPath, [join(dist(), 'main.cjs'), 'up', '-f', path('gsup.json')], {
      env,
    });
    expect([again.status, files()]).toEqual([0, before]);
  });

  it('links as well where nothing can be kept', () => {
    writeFileSync(join(dist(), 'cache'), '');
    expect(run('install-init', path('init')).status).toBe(0);
    expect(realpathSync(path('init'))).toBe(native);
  });
});

describe('packageFolder', () => {
  it('is the folder above dist, however deep the module lies', () => {
    expect(packageFolder('file:///a/dist/b/gsup/dist/main.js')).toBe('/a/dist/b/gsup');
    expect(packageFolder('file:///a%20b/gsup/dist/chunks/x.js')).toBe('/a b/gsup');
  });
});
