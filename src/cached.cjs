// Loads a file of dist with what Node has compiled of it before. That is kept beside the code, where whoever can write could as
// well change the code itself.
const fs = require('node:fs');
const { Script } = require('node:vm');
const { createRequire } = require('node:module');
const { dirname, join } = require('node:path');

/** What `file` exports. `keepWhen` is given the act that keeps what is compiled by then, under `name`; only if it is missing. */
exports.requireCached = function requireCached(file, name, keepWhen) {
  const code = fs.readFileSync(file, 'utf8');
  // V8 itself refuses what another version has compiled, or the same with other flags. Of the code it compares the length.
  const kept = join(__dirname, 'cache', `${name}-${digestIn(code)}-${process.version}-${process.arch}.bin`);
  const cachedData = attempt(() => readKept(kept));
  const whole = `(function (module, require, __import, __filename, __dirname) {${code}\n})`;
  const script = new Script(whole, { filename: file, cachedData });
  if (!cachedData || script.cachedDataRejected) keepWhen(() => attempt(() => keep(script, kept)));
  const module = { exports: {} };
  script.runInThisContext()(module, createRequire(file), importFrom, file, __dirname);
  return module.exports;
};

/** What such code has in place of import(), which it cannot have (scripts/build.mjs). */
function importFrom(specifier) {
  return import(specifier);
}

/** The build has put it there. */
function digestIn(code) {
  return /[0-9a-f]{16}$/.exec(code.slice(-16))?.[0] ?? 'none';
}

/** V8 trusts what it is given: a damaged byte would end each process that reads it. So it is there twice. */
function readKept(kept) {
  const both = fs.readFileSync(kept);
  const one = both.subarray(0, both.length / 2);
  return one.equals(both.subarray(one.length)) ? one : undefined;
}

/** In one step: another one may read meanwhile. */
function keep(script, kept) {
  const folder = dirname(kept);
  fs.mkdirSync(folder, { recursive: true });
  fs.accessSync(folder, fs.constants.W_OK);
  const data = script.createCachedData();
  const draft = `${kept}.${process.pid}.new`;
  fs.writeFileSync(draft, Buffer.concat([data, data]));
  fs.renameSync(draft, kept);
}

function attempt(act) {
  try {
    return act();
  } catch {
    return undefined;
  }
}
