/** Service directories of s6 as a draft. */
import type { Around } from '../around.ts';
import {
  type Block,
  type DraftProcess,
  type Imported,
  imported,
  type Notes,
  newNotes,
  type Plain,
} from '../draft.ts';
import { newNames } from '../names.ts';
import { literal } from '../words.ts';
import { type Found, readFolder, type Script, type Service } from './folder.ts';
import { type Graph, graphOf } from './graph.ts';
import { endsContainer, runOf } from './script.ts';
import { longrunKeys, oneshotKeys, say } from './service.ts';

export function importS6(path: string, around: Around): Imported {
  const notes = newNotes();
  const start = { file: around.file, line: 0, column: 0 };
  const found = readFolder(path, around.file, around, notes);
  if (found === undefined) {
    notes.refuse(start, 'a service directory (with run), or a folder of them, is needed, got none');
    return { kind: 'problems', problems: notes.problems };
  }
  const graph = graphOf(found.services);
  const nameOf = newNames(notes);
  const real = found.services.filter(({ type }) => type !== 'bundle');
  const names = new Map(real.map((service) => [service, nameOf(service.name, start)]));
  const init = found.init.map((script) => ({ script, entry: nameOf(`init-${script.name}`, start) }));
  const last = init.at(-1)?.entry;
  const processes = [
    ...init.map(({ script, entry }, at) => scriptEntry(script, entry, init[at - 1]?.entry, notes)),
    ...real.map((service) => serviceEntry(service, names, graph, last, notes)),
    ...found.finish.map((script) => finalEntry(script, nameOf(`finish-${script.name}`, start), notes)),
  ];
  notes.note('hint', start, null, 'paths', 'they are as seen from where gsup is started');
  return imported({ max_failures: 0, ...endOf(found, real, names) }, processes, notes);
}

/** A service whose finish ends the container is the one whose end ends the task. */
function endOf({ init }: Found, real: readonly Service[], names: ReadonlyMap<Service, string>): Block {
  const enders = real.filter(({ files }) => endsContainer(files.get('finish') ?? ''));
  const [first] = enders;
  if (first === undefined) return {};
  const once = init.length > 0 || real.some(({ type }) => type === 'oneshot');
  return enders.length === 1 || once ? { main: names.get(first) } : { exit_when: 'any' };
}

function serviceEntry(
  service: Service,
  names: ReadonlyMap<Service, string>,
  graph: Graph,
  lastInit: string | undefined,
  notes: Notes,
): DraftProcess {
  const entry = names.get(service) ?? service.name;
  const conversion = { service, entry, notes };
  if (service.type !== 'longrun' && service.type !== 'oneshot')
    say(
      conversion,
      'changed',
      'type',
      `longrun, oneshot or bundle is needed, got ${JSON.stringify(service.type.slice(0, 64))}: taken for longrun`,
    );
  const { command, ...keys } = service.type === 'oneshot' ? oneshotKeys(conversion) : longrunKeys(conversion);
  const depends: Record<string, Plain> =
    lastInit === undefined ? {} : { [lastInit]: { condition: 'completed_successfully' } };
  for (const name of graph.dependenciesOf(service)) {
    const other = [...names.keys()].find((one) => one.name === name);
    if (other === undefined)
      say(
        conversion,
        'lost',
        'dependencies',
        `${name} is not among these; s6-overlay brings some of its own`,
      );
    else depends[names.get(other) ?? name] = { condition: conditionOf(other) };
  }
  return {
    ...{ file: service.shown, line: 0, column: 0, name: entry },
    keys: {
      command,
      depends_on: Object.keys(depends).length === 0 ? undefined : depends,
      ...keys,
      ...(graph.starts(service) ? {} : { autostart: false }),
    },
  };
}

/** A oneshot is up when it has succeeded, a longrun when it has said so, or at once. */
function conditionOf({ type, files }: Service): string {
  if (type === 'oneshot') return 'completed_successfully';
  return files.has('notification-fd') ? 'ready' : 'started';
}

function scriptEntry(script: Script, entry: string, before: string | undefined, notes: Notes): DraftProcess {
  return {
    ...{ file: script.shown, line: 0, column: 0, name: entry },
    keys: {
      command: commandOf(script, entry, notes),
      depends_on: before === undefined ? undefined : { [before]: { condition: 'completed_successfully' } },
    },
  };
}

function finalEntry(script: Script, entry: string, notes: Notes): DraftProcess {
  return {
    ...{ file: script.shown, line: 0, column: 0, name: entry },
    keys: { command: commandOf(script, entry, notes), final: true },
  };
}

function commandOf({ text, executable, shown }: Script, entry: string, notes: Notes): Plain {
  const path = shown.startsWith('/') ? shown : `./${shown}`;
  const { argv, needs } = runOf(text, executable, path);
  if (needs.length > 0)
    notes.note(
      'hint',
      { file: shown, line: 0, column: 0 },
      entry,
      'script',
      `it uses ${needs.join(', ')}, which must be in the image`,
    );
  return argv.map(literal);
}
