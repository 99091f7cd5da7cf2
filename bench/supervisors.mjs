// The supervisors that are compared, each with N processes: what its users would write for that, and how they start it.
import { spawnSync } from 'node:child_process';
import { accessSync, chmodSync, constants, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const gsup = new URL('../dist/native/gsup', import.meta.url).pathname;
export const COMMAND = ['sleep', '100000'];
/** gsup's supervisor leaves when nothing has been to be decided for 10 s. */
const GONE_MS = 13_000;
const names = (n) => Array.from({ length: n }, (_, i) => `p${i}`);

/**
 * `prepare`: writes what N processes with that command need into `dir`, and returns the command line. `again`: a process that
 * ends is started again, at once where that can be said. `most`: what it is made for.
 * `stop`: the signal that ends it with all of them, where it is not SIGTERM. `restMs`: how long it takes to come to rest.
 */
const all = [
  { name: 'gsup', file: gsup, most: 1000, restMs: GONE_MS, prepare: (...words) => gsupUp('none', ...words) },
  {
    name: 'gsup, captured',
    file: gsup,
    most: 1000,
    restMs: GONE_MS,
    prepare: (...words) => gsupUp('prefix', ...words),
  },
  { name: 's6', file: 's6-svscan', most: 1000, prepare: s6 },
  { name: 'runit', file: 'runsvdir', most: 1000, stop: 'SIGHUP', prepare: runit },
  { name: 'supervisord', file: 'supervisord', most: 1000, prepare: supervisord },
  // Each process costs it a fork of a shell, ps and some MB: a thousand are not what it is for.
  { name: 'pm2-runtime', file: 'pm2-runtime', most: 100, prepare: pm2 },
];

function gsupUp(driver, file, dir, n, command, again) {
  const restart = again ? { restart: 'always', min_duration: '0s', backoff: { initial: '0s' } } : {};
  const processes = Object.fromEntries(names(n).map((name) => [name, { command, ...restart }]));
  writeFileSync(join(dir, 'gsup.json'), JSON.stringify({ name: 'many', logging: { driver }, processes }));
  return [file, 'up', '-f', join(dir, 'gsup.json'), '--state-dir', join(dir, 'state')];
}

function s6(file, dir, n, command) {
  return [file, '-c', '2000', runScripts(dir, n, command)];
}

function runit(file, dir, n, command) {
  return [file, runScripts(dir, n, command)];
}

/** Both read the same folder, and always start again. */
function runScripts(dir, n, command) {
  for (const name of names(n)) {
    mkdirSync(join(dir, 'scan', name), { recursive: true });
    writeFileSync(join(dir, 'scan', name, 'run'), `#!/bin/sh\nexec ${command.join(' ')}\n`);
    chmodSync(join(dir, 'scan', name, 'run'), 0o755);
  }
  return join(dir, 'scan');
}

function supervisord(file, dir, n, command, again) {
  const head = `[supervisord]\nnodaemon=true\nlogfile=/dev/null\nlogfile_maxbytes=0\npidfile=${dir}/pid\nminfds=${1024 + 8 * n}\n`;
  const restart = again ? 'autorestart=true\nstartsecs=0\n' : '';
  const program = (name) =>
    `[program:${name}]\ncommand=${command.join(' ')}\nstdout_logfile=NONE\nstderr_logfile=NONE\n${restart}`;
  writeFileSync(join(dir, 'supervisord.conf'), head + names(n).map(program).join(''));
  return [file, '-c', join(dir, 'supervisord.conf')];
}

function pm2(file, dir, n, [script, ...args]) {
  const out = { out_file: '/dev/null', error_file: '/dev/null' };
  const path = find(script);
  const app = (name) => ({ name, script: path, args: args.join(' '), interpreter: 'none', ...out });
  writeFileSync(join(dir, 'pm2.json'), JSON.stringify({ apps: names(n).map(app) }));
  return ['env', `PM2_HOME=${dir}/pm2`, file, 'start', join(dir, 'pm2.json')];
}

function find(file) {
  const folders = file.includes('/') ? [''] : (process.env.PATH ?? '').split(delimiter);
  return folders.map((folder) => join(folder, file)).find(isExecutable) ?? null;
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** pm2 is no part of any distribution: into `dir`, without its scripts. */
function installPm2(dir) {
  const npm = spawnSync('npm', ['i', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', dir, 'pm2'], {
    stdio: 'ignore',
  });
  const path = join(dir, 'node_modules/.bin/pm2-runtime');
  return npm.status === 0 && existsSync(path) ? path : null;
}

/** Those that are not there are left out, and named. */
export function installedSupervisors(filter, dir) {
  const wanted = all.filter(({ name }) => filter.length === 0 || filter.includes(name));
  const found = wanted.map((one) => ({
    ...one,
    path: find(one.file) ?? (one.name === 'pm2-runtime' ? installPm2(dir) : null),
  }));
  for (const { name, path } of found) if (path === null) console.error(`not to be had, left out: ${name}`);
  return found.filter(({ path }) => path !== null);
}
