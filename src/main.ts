/** Composition root: argv → command. The only place that ends the process. */
import module from 'node:module';
import { fileURLToPath } from 'node:url';

// Before anything else is loaded (Node 22 and newer), and beside the code: whoever can write there could as well change
// the code itself. In an image `gsup install-init` fills it, simply by having run.
const cache = fileURLToPath(new URL('cache', import.meta.url));
(module as { enableCompileCache?: (dir: string) => unknown }).enableCompileCache?.(cache);

const { main } = await import('./cli/dispatch.ts');
process.exit(await main(process.argv.slice(2), process.env));
