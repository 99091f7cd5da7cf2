// dist/client.cjs: what init starts for a command that it does not carry out itself. What it loads is compiled once: as in main.ts,
// beside the code, where whoever can write could as well change the code itself.
const fs = require('node:fs');
const { createRequire, enableCompileCache } = require('node:module');
const { join } = require('node:path');

const file = join(__dirname, 'client-commands.cjs');
const cache = join(__dirname, 'cache');

/** Node before 22.8 has no such cache. */
function requireCached() {
  const { Script } = require('node:vm');
  // V8 itself refuses what another version has compiled; a build takes the folder away.
  const kept = join(cache, `client-${process.version}-${process.arch}.bin`);
  const cachedData = attempt(() => fs.readFileSync(kept));
  const wrapped = `(function (exports, require, module, __filename, __dirname) {${fs.readFileSync(file, 'utf8')}\n})`;
  const script = new Script(wrapped, { filename: file, cachedData });
  // At the end, when it is known what is needed.
  if (!cachedData || script.cachedDataRejected) process.on('exit', () => attempt(() => keep(script, kept)));
  const module = { exports: {} };
  script.runInThisContext()(module.exports, createRequire(file), module, file, __dirname);
  return module.exports;
}

/** In one step: another one may read meanwhile. */
function keep(script, kept) {
  fs.mkdirSync(cache, { recursive: true });
  fs.accessSync(cache, fs.constants.W_OK);
  const draft = `${kept}.${process.pid}.new`;
  fs.writeFileSync(draft, script.createCachedData());
  fs.renameSync(draft, kept);
}

function attempt(act) {
  try {
    return act();
  } catch {
    return undefined;
  }
}

enableCompileCache?.(cache);
const { runClient } = enableCompileCache ? require(file) : requireCached();
const code = runClient(process.argv.slice(2), process.env);
if (code === null) import('./main.js');
else code.then((each) => process.exit(each));
