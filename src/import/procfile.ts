/** A Procfile as a draft: what foreman and Heroku make of it. Pure. */

import { readProcfile } from '../config/procfile.ts';
import { isMapping, keyPlace, newMapping } from '../config/tree.ts';
import type { Around } from './around.ts';
import { type DraftProcess, type Imported, imported, newNotes } from './draft.ts';
import { newNames } from './names.ts';
import { literalForShell } from './words.ts';

/** foreman counts ports by the hundred, from this one. */
const FIRST_PORT = 5000;

export function importProcfile(text: string, around: Around): Imported {
  const { tree, problems } = readProcfile(text, around.file);
  if (problems.length > 0) return { kind: 'problems', problems };
  const notes = newNotes();
  const root = tree !== null && isMapping(tree.value) ? tree.value.processes : undefined;
  const lines = Object.entries(isMapping(root) ? root : newMapping([])).flatMap(([name, entry]) =>
    isMapping(entry) && typeof entry.command === 'string' ? [{ name, command: entry.command }] : [],
  );
  const nameOf = newNames(notes);
  const release = lines.some(({ name }) => name === 'release');
  const served = lines.filter(({ name }) => name !== 'release');
  const processes = lines.map(({ name, command }): DraftProcess => {
    const place =
      tree === null ? { file: around.file, line: 0, column: 0 } : keyPlace(tree, ['processes', name]);
    const waits = release && name !== 'release';
    const at = served.findIndex((one) => one.name === name);
    const port = FIRST_PORT + 100 * at;
    return {
      ...place,
      name: nameOf(name, place),
      keys: {
        command: literalForShell(command),
        depends_on: waits ? { release: { condition: 'completed_successfully' } } : undefined,
        environment: name === 'release' ? undefined : { PORT: at === 0 ? `\${PORT:-${port}}` : String(port) },
        stop: { signal: 'SIGTERM', grace: '5s' },
      },
    };
  });
  const start = { file: around.file, line: 0, column: 0 };
  notes.note(
    'hint',
    start,
    null,
    'PORT',
    'as foreman sets it: that of gsup or 5000 for the first, a fixed one for each other',
  );
  if (release)
    notes.note(
      'changed',
      start,
      null,
      'release',
      'as on Heroku: it runs first, and the others when it has succeeded; foreman would run it beside them',
    );
  return imported(release ? {} : { exit_when: 'any' }, processes, notes);
}
