/** Composition root: argv → command. The only place that writes a command's text and ends the process. */
import { writeSync } from 'node:fs';
import module from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Outcome } from './cli/output.ts';

// Beside the code and nowhere else: whoever can write there could as well change the code itself.
const cache = fileURLToPath(new URL('cache', import.meta.url));
(module as { enableCompileCache?: (dir: string) => unknown }).enableCompileCache?.(cache);

async function main(): Promise<Outcome | undefined> {
  const { dispatch } = await import('./cli/dispatch.ts');
  return dispatch(process.argv.slice(2), process.env);
}

function finish(outcome: Outcome | undefined) {
  if (outcome === undefined) return;
  if (outcome.stdout !== undefined) print(1, outcome.stdout);
  if (outcome.stderr !== undefined) print(2, outcome.stderr);
  process.exit(outcome.exitCode);
}

/** A reader that has gone (`gsup --help | head -1`) is no reason to fail; one that is slow is waited for. */
function print(fd: number, text: string) {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

main().then(finish, (error: unknown) => {
  print(2, `gsup: internal error: ${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(70);
});
