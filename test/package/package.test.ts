// What people install: packed, installed without a network, without a compiler and without scripts, and used.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { baseImage, containerRing, freshName, podman, tryPodman } from '../container/podman.ts';
import { makePackage, type Packed } from './packed.ts';

const { reason } = await containerRing();
const packed = makePackage();
if (typeof packed === 'string') console.warn(`the package cannot be made here: ${packed}`);

describe.skipIf(typeof packed === 'string')('the package', () => {
  const { folder, file, names, remove } = packed as Packed;
  const prefix = join(folder, 'prefix');
  const home = join(prefix, 'lib/node_modules/gsup');
  afterAll(() => remove());

  /** Nothing of this machine but its tools and Node. */
  const env = {
    PATH: `${join(prefix, 'bin')}:${dirname(process.execPath)}:/usr/bin:/bin`,
    HOME: folder,
    npm_config_cache: join(folder, 'cache'),
  };
  const run = (command: string, ...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(command, args, {
      env,
      cwd: folder,
      encoding: 'utf8',
      timeout: 60_000,
    });
    return { status, stdout, stderr };
  };
  const gsup = (...args: string[]) => run('gsup', ...args);
  const npm = run('npm', 'install', '-g', '--offline', '--ignore-scripts', '--prefix', prefix, file);

  test('has what is run and what is read, and nothing else', () => {
    const tops = new Set(names.map((name) => (name.includes('/') ? name.split('/')[0] : name)));
    expect([...tops].sort()).toEqual([
      'ARCHITECTURE.md',
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'bin',
      'dist',
      'docs',
      'man',
      'package.json',
    ]);
    const natives = names.filter((name) => name.startsWith('dist/native/'));
    expect(natives.sort()).toEqual(['dist/native/gsup-arm64', 'dist/native/gsup-x64']);
    expect(names).toContain('dist/THIRD-PARTY-LICENSES.txt');
    expect(names.filter((name) => name.startsWith('dist/cache/'))).toEqual([]);
  });

  test('is installed without a network, and asks npm for nothing else', () => {
    expect(npm).toMatchObject({ status: 0 });
    expect(readdirSync(join(prefix, 'lib/node_modules'))).toEqual(['gsup']);
    expect(readdirSync(home)).not.toContain('node_modules');
    const notices = readFileSync(join(home, 'dist/THIRD-PARTY-LICENSES.txt'), 'utf8');
    for (const name of ['commander', 'pino', 'pidusage', 'prom-client', 'yaml', 'zod'])
      expect(notices).toMatch(new RegExp(`^${name} \\d`, 'm'));
  });

  test.each([
    ['x64', 62],
    ['arm64', 183],
  ])('the native entry for %s needs no library, and is small', (arch, machine) => {
    const elf = readFileSync(join(home, `dist/native/gsup-${arch}`));
    expect(elf.readUInt16LE(18)).toBe(machine);
    const [at, size, count] = [Number(elf.readBigUInt64LE(32)), elf.readUInt16LE(54), elf.readUInt16LE(56)];
    const types = Array.from({ length: count }, (_, n) => elf.readUInt32LE(at + n * size));
    const [interpreter, dynamic] = [3, 2];
    expect(types).not.toContain(interpreter);
    expect(types).not.toContain(dynamic);
    expect(elf.length).toBeLessThan(200_000);
  });

  test('works through the launcher', () => {
    expect(gsup('--version').stdout).toBe(
      `${JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')).version}\n`,
    );
    expect(gsup('run', '--state-dir', join(folder, 's1'), '--', 'sh', '-c', 'exit 7').status).toBe(7);
    expect(gsup('run', '--stay', '--state-dir', join(folder, 's2'), '--', 'sh', '-c', 'exit 8').status).toBe(
      8,
    );
    const config = join(folder, 'gsup.yaml');
    writeFileSync(config, 'name: t\nprocesses:\n  one: { command: [sh, -c, "echo of the package"] }\n');
    expect(gsup('up', '-f', config, '--state-dir', join(folder, 's3'))).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('of the package'),
    });
    expect(gsup('history', '--state-dir', join(folder, 's3')).stdout).toContain('one');
  });

  test('install-init puts the native entry in front, and it finds the rest', () => {
    const place = join(folder, 'bin/gsup');
    mkdirSync(dirname(place), { recursive: true });
    expect(gsup('install-init', place)).toMatchObject({ status: 0 });
    const words = ['run', '--stay', '--state-dir', join(folder, 's4'), '--', 'sh', '-c', 'exit 9'];
    expect(run(place, ...words).status).toBe(9);
    expect(gsup('install-init').stdout).toContain(join(prefix, 'bin/gsup'));
    const native = run(
      'gsup',
      'run',
      '--state-dir',
      join(folder, 's5'),
      '--',
      'sh',
      '-c',
      'readlink /proc/$PPID/exe',
    );
    expect(native.stdout).toBe(`${join(home, 'dist/native')}/gsup-${process.arch}\n`);
  });

  test('is a library', () => {
    mkdirSync(join(folder, 'app'));
    expect(
      run('npm', 'install', '--offline', '--ignore-scripts', '--prefix', join(folder, 'app'), file).status,
    ).toBe(0);
    writeFileSync(
      join(folder, 'app/use.mjs'),
      "import { readCheckpoint } from 'gsup';\nconsole.log(typeof readCheckpoint);\n",
    );
    expect(run('node', join(folder, 'app/use.mjs'))).toMatchObject({ status: 0, stdout: 'function\n' });
  });

  describe.skipIf(reason)('in a container without a network and a compiler', () => {
    const inside = (...args: string[]) =>
      tryPodman('run', '--rm', '--init=false', '--network=none', '--name', freshName(), ...args);

    test('is installed and becomes PID 1', async () => {
      const script = [
        '! command -v cc gcc musl-gcc',
        'npm install -g --offline /gsup.tgz >/dev/null',
        'gsup install-init >/dev/null',
        'exec gsup run --stay -- sh -c "readlink /proc/1/exe; cat /proc/1/comm; exit 11"',
      ].join(' && ');
      const ran = await inside('-v', `${file}:/gsup.tgz:ro`, baseImage, 'sh', '-c', script);
      const place = `/gsup/dist/native/gsup-${process.arch}\ngsup`;
      expect(ran, ran.stderr).toMatchObject({ code: 11, stdout: expect.stringContaining(place) });
    });

    test('its native entry alone runs where there is nothing else at all: no libc, no shell, no Node', async () => {
      const image = `localhost/${freshName()}`;
      const native = `lib/node_modules/gsup/dist/native/gsup-${process.arch}`;
      const dockerfile = join(folder, 'Dockerfile');
      writeFileSync(dockerfile, `FROM scratch\nCOPY ${native} /gsup\nENTRYPOINT ["/gsup", "run"]\n`);
      await podman('build', '-q', '--network=none', '--layers=false', '-f', dockerfile, '-t', image, prefix);
      try {
        const { version } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as {
          version: string;
        };
        expect(await inside(image, '--', '/gsup', '--version')).toMatchObject({
          code: 0,
          stdout: `${version}\n`,
        });
        const without = await inside(image, '--stay', '--', '/gsup', '--version');
        expect(without).toMatchObject({
          code: 69,
          stderr: expect.stringContaining('cannot find the JavaScript part of gsup'),
        });
      } finally {
        await tryPodman('rmi', '-f', image);
      }
    });
  });
});
