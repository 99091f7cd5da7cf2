/** A supervisor that has lived leaves what Node has compiled of it (cached.cjs). So that an image has that, two short ones live here. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAllowed, nativeOf } from './install-init.ts';

/** Far more than they take, also where another machine is emulated. */
const LONGEST_MS = 30_000;

/** `folder`: of the package. Nothing depends on it: where it cannot be done, who comes first compiles. */
export async function compileAhead(folder: string): Promise<void> {
  const native = nativeOf(folder);
  const dir = isAllowed(join(folder, 'dist'), constants.W_OK) ? temporaryFolder() : undefined;
  if (native === undefined || dir === undefined) return;
  try {
    const config = join(dir, 'gsup.json');
    const command = [native, '--version'];
    writeFileSync(config, JSON.stringify({ processes: { one: { command } } }));
    const place = ['--state-dir', join(dir, 'state')];
    const run = ['run', '--stay', ...place, '--', ...command];
    await Promise.allSettled([run, ['up', ...place, '-f', config]].map((words) => live(native, words)));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function live(native: string, words: readonly string[]): Promise<unknown> {
  const env = { GSUP_NODE: process.execPath, GSUP_COMPILE_AHEAD: '1' };
  const bounds = { timeout: LONGEST_MS, killSignal: 'SIGKILL' } as const;
  return once(spawn(native, words, { env, stdio: 'ignore', ...bounds }), 'exit');
}

/** undefined: an image may have no place for one. */
function temporaryFolder(): string | undefined {
  try {
    return mkdtempSync(join(tmpdir(), 'gsup-'));
  } catch {
    return undefined;
  }
}
