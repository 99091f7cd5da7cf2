// The inits that are compared, each as its users start it; those that are not installed are left out, and named.
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const gsup = new URL('../dist/native/gsup', import.meta.url).pathname;

/** `argv` stands before the command. tini -s: not PID 1 here, so it has to be told to be the reaper. */
const all = [
  { name: 'tini', file: 'tini', argv: ['-s', '--'] },
  { name: 'gsup run', file: gsup, argv: ['run', '--'] },
  // As in a new container: without logs of earlier tasks that have to be renamed.
  { name: 'gsup run, first', file: gsup, argv: ['run', '--'], fresh: true },
  { name: 'gsup run, log in memory', file: gsup, argv: ['run', '--no-checkpoint', '--'] },
  { name: 'gsup run --stay', file: gsup, argv: ['run', '--stay', '--'], supervised: true },
  { name: 'dumb-init', file: 'dumb-init', argv: ['--'] },
  { name: 'catatonit', file: 'catatonit', argv: ['--'] },
];

function find(file) {
  for (const folder of file.includes('/') ? [''] : (process.env.PATH ?? '').split(delimiter)) {
    const path = folder === '' ? file : join(folder, file);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {}
  }
  return null;
}

/** `filter`: names from the command line, none for all. */
export function installedInits(filter) {
  const wanted = all.filter((init) => filter.length === 0 || filter.includes(init.name));
  const found = wanted.map((init) => ({ ...init, path: find(init.file) }));
  for (const init of found) if (init.path === null) console.error(`not installed, left out: ${init.name}`);
  return found.filter((init) => init.path !== null);
}
