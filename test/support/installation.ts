import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { buildSync } from 'esbuild';
import { BINARY } from './gsup.ts';

const root = join(import.meta.dirname, '../..');
/** From where the gsup under test was installed. */
const own = join(dirname(BINARY), '../..');

/** A folder with a `dist/main.js` as given: what an upgrade names. */
export function installScript(folder: string, script: string): string {
  mkdirSync(join(folder, 'dist'), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(folder, 'dist/main.js'), script);
  return folder;
}

/** The whole of gsup in another folder, native entry and all. */
export function copyInstallation(folder: string): string {
  mkdirSync(folder, { recursive: true });
  for (const part of ['dist', 'package.json'])
    cpSync(join(own, part), join(folder, part), { recursive: true });
  return folder;
}

let driver: string | undefined;

/**
 * An installation whose supervisor says that it is of this version, and that upgrades when it is told through a file, as
 * clients will tell it through the control socket. See test/fixtures/upgradable-supervisor.ts.
 */
export function installDriver(folder: string, version: string): string {
  driver ??= buildSync({
    entryPoints: [join(root, 'test/fixtures/upgradable-supervisor.ts')],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    banner: {
      js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
    },
  }).outputFiles[0]?.text as string;
  const said = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version as string;
  return installScript(folder, driver.replaceAll(`"${said}"`, `"${version}"`));
}
