/** Composition root: argv → command. The only place that ends the process. */
import module from 'node:module';
import { fileURLToPath } from 'node:url';
import { dispatch } from './cli/dispatch.ts';
import { type Outcome, writeAll } from './cli/output.ts';
import { EXIT } from './signals/exit-codes.ts';

// For the chunks that are loaded later (Node 22 and newer). Beside the code and nowhere else: whoever can write there
// could as well change the code itself.
const cache = fileURLToPath(new URL('cache', import.meta.url));
(module as { enableCompileCache?: (dir: string) => unknown }).enableCompileCache?.(cache);

function finish(outcome: Outcome | undefined) {
  if (outcome === undefined) return;
  writeAll(1, outcome.stdout ?? '');
  writeAll(2, outcome.stderr ?? '');
  process.exit(outcome.exitCode);
}

dispatch(process.argv.slice(2), process.env).then(finish, (error: unknown) => {
  writeAll(2, `gsup: internal error: ${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(EXIT.internal);
});
