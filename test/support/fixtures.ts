import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const sources = join(root, 'test/fixtures');
const built = join(root, 'build/fixtures');

/** Programs that shell fixtures may use. Node is not among them: with this PATH nobody can start it by accident. */
const TOOLS = ['sh', 'bash', 'cat', 'sleep', 'rm', 'touch', 'true', 'env', 'kill', 'stty', 'ps', 'less'];

/**
 * Path of the compiled test/fixtures/NAME.c. Compiled when it is missing or older than its source; beside each other in
 * several test workers, so each one writes a file of its own and renames it.
 */
export function fixture(name: string): string {
  const source = join(sources, `${name}.c`);
  const binary = join(built, name);
  const newest = Math.max(statSync(source).mtimeMs, statSync(join(sources, 'fixture.h')).mtimeMs);
  if (existsSync(binary) && statSync(binary).mtimeMs > newest) return binary;
  mkdirSync(built, { recursive: true });
  const draft = `${binary}.${process.pid}`;
  const flags = ['-O1', '-Wall', '-Wextra', '-Werror'];
  // Static starts in a fraction of the time; where there is no static C library, dynamic does as well.
  const compiled = [['-static'], []].some(
    (more) => spawnSync(process.env.CC ?? 'cc', [...flags, ...more, '-o', draft, source]).status === 0,
  );
  if (!compiled) throw new Error(`cannot compile "${source}": cc has failed, try it by hand`);
  renameSync(draft, binary);
  return binary;
}

/** A PATH with the few tools that fixtures need, and no Node. */
export function pathWithoutNode(): string {
  const folder = join(built, 'tools');
  mkdirSync(folder, { recursive: true });
  for (const tool of TOOLS) {
    const real = ['/bin', '/usr/bin'].map((place) => join(place, tool)).find(existsSync);
    if (real && !existsSync(join(folder, tool))) linkOnce(real, join(folder, tool));
  }
  return folder;
}

function linkOnce(target: string, link: string): void {
  try {
    symlinkSync(target, link);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
