// dist/main.cjs: the supervisor, and all commands. The only place that ends the process. CommonJS, because Node is sooner ready for it.
const { enableCompileCache } = require('node:module');
const { join } = require('node:path');
const { requireCached } = require('./cached.cjs');

// Of what is loaded later (Node 22 and newer).
enableCompileCache?.(join(__dirname, 'cache'));

const { GSUP_INIT: role, GSUP_COMPILE_AHEAD: isForThat } = process.env;
/** Those have flags from init, and V8 refuses what was compiled with others. Each needs something else. */
const name = { 1: 'supervisor', first: 'first' }[role] ?? 'command';
const lives = name !== 'command' && !isForThat;

/** By then a supervisor has begun what it does. Its end may be a SIGKILL, and is not to be waited for. */
const SETTLED_MS = 5000;
const settled = (keep) => setTimeout(keep, SETTLED_MS).unref();
const atExit = (keep) => process.on('exit', keep);

const { main } = requireCached(join(__dirname, 'dispatch.cjs'), name, lives ? settled : atExit);
main(process.argv.slice(2), process.env).then((code) => process.exit(code));
