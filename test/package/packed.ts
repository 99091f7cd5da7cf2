// The package as `npm pack` makes it, made once for each test file that asks for it.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const MINUTES_MS = 60_000;

export interface Packed {
  /** Where it lies; `remove` removes it. */
  readonly folder: string;
  /** Its path. */
  readonly file: string;
  readonly names: readonly string[];
  remove(): void;
}

/**
 * The build is the one that the tests use; only the native entries are made, as `npm pack` would have them made. A string says why
 * they cannot be made here.
 */
export function makePackage(): Packed | string {
  const natives = spawnSync('sh', [join(root, 'scripts/natives.sh')], {
    encoding: 'utf8',
    timeout: 5 * MINUTES_MS,
  });
  if (natives.status !== 0) return natives.stderr.trim().split('\n').at(-1) ?? 'natives.sh';
  const folder = mkdtempSync(join(tmpdir(), 'gsup-pack-'));
  const words = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
  const pack = spawnSync('npm', words, { cwd: root, encoding: 'utf8', timeout: MINUTES_MS });
  if (pack.status !== 0) throw new Error(`npm pack: ${pack.stderr}`);
  const [{ filename, files }] = JSON.parse(pack.stdout) as [{ filename: string; files: { path: string }[] }];
  return {
    folder,
    file: join(folder, filename),
    names: files.map(({ path }) => path),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
