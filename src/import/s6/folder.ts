/** Service directories of s6, sources of s6-rc, and the /etc of an image with s6-overlay, as data. */
import { join } from 'node:path';
import type { Around, Listed } from '../around.ts';
import type { Notes } from '../draft.ts';

export interface Service {
  readonly name: string;
  /** As the user would call it. */
  readonly shown: string;
  /** longrun, oneshot, bundle; of a plain service directory: longrun. */
  readonly type: string;
  readonly isRc: boolean;
  /** What stands in the small files, by name. */
  readonly files: ReadonlyMap<string, string>;
  readonly executables: ReadonlySet<string>;
  /** What lies in its folders, by name. */
  readonly folders: ReadonlyMap<string, readonly string[]>;
}

/** A script of cont-init.d or cont-finish.d. */
export interface Script {
  readonly name: string;
  readonly shown: string;
  readonly text: string;
  readonly executable: boolean;
}

export interface Found {
  readonly services: readonly Service[];
  readonly init: readonly Script[];
  readonly finish: readonly Script[];
}

/** Of each a service has no more: what else lies in its folder is its own. */
const FILES = [
  ...[
    'run',
    'finish',
    'up',
    'down',
    'type',
    'notification-fd',
    'timeout-kill',
    'timeout-finish',
    'down-signal',
  ],
  ...[
    'max-death-tally',
    'lock-fd',
    'nosetsid',
    'flag-newpidns',
    'flag-essential',
    'flag-recommended',
    'dependencies',
    'contents',
  ],
  ...['timeout-up', 'timeout-down', 'producer-for', 'consumer-for', 'pipeline-name'],
];
const FOLDERS = ['log', 'dependencies.d', 'contents.d', 'instance', 'instances', 'template'];

/** `path`: absolute; `shown`: as the user calls it. undefined: there is nothing of s6 in it. */
export function readFolder(path: string, shown: string, around: Around, notes: Notes): Found | undefined {
  const listed = around.list(path);
  const own = listed.map(({ name }) => name);
  if (own.includes('run') || own.includes('type'))
    return { services: [readService(path, shown, around)], init: [], finish: [] };
  const overlay = ['services.d', 's6-overlay', 'cont-init.d'].some((name) => own.includes(name));
  const found = overlay
    ? readOverlay(path, shown, around, own, notes)
    : { services: readAll(path, shown, listed, around), init: [], finish: [] };
  return found.services.length + found.init.length === 0 ? undefined : found;
}

function readOverlay(
  path: string,
  shown: string,
  around: Around,
  own: readonly string[],
  notes: Notes,
): Found {
  const inside = (name: string) => {
    try {
      return readAll(join(path, name), join(shown, name), around.list(join(path, name)), around);
    } catch {
      return [];
    }
  };
  if (own.includes('fix-attrs.d'))
    notes.note(
      'lost',
      { file: shown, line: 0, column: 0 },
      null,
      'fix-attrs.d',
      'gsup changes no owners; a script in cont-init.d can',
    );
  return {
    services: [...inside('services.d'), ...inside('s6-overlay/s6-rc.d')],
    init: own.includes('cont-init.d')
      ? readScripts(join(path, 'cont-init.d'), join(shown, 'cont-init.d'), around)
      : [],
    finish: own.includes('cont-finish.d')
      ? readScripts(join(path, 'cont-finish.d'), join(shown, 'cont-finish.d'), around)
      : [],
  };
}

function readAll(path: string, shown: string, listed: readonly Listed[], around: Around): Service[] {
  return listed
    .filter(({ name, kind }) => kind === 'folder' && !name.startsWith('.'))
    .map(({ name }) => readService(join(path, name), join(shown, name), around))
    .filter(({ files }) => files.has('run') || files.has('type'));
}

function readService(path: string, shown: string, around: Around): Service {
  const listed = around.list(path);
  const files = new Map<string, string>();
  for (const { name, kind } of listed)
    if (kind === 'file' && FILES.includes(name)) files.set(name, around.readFile(join(path, name)));
  const folders = listed.filter(({ name, kind }) => kind === 'folder' && FOLDERS.includes(name));
  return {
    name: path.split('/').at(-1) ?? '',
    shown,
    type: files.get('type')?.trim() ?? 'longrun',
    isRc: files.has('type'),
    files,
    executables: new Set(listed.filter(({ executable }) => executable).map(({ name }) => name)),
    folders: new Map(folders.map(({ name }) => [name, around.list(join(path, name)).map((one) => one.name)])),
  };
}

function readScripts(path: string, shown: string, around: Around): Script[] {
  return around
    .list(path)
    .filter(({ kind }) => kind === 'file')
    .map(({ name, executable }) => ({
      name,
      shown: join(shown, name),
      executable,
      text: around.readFile(join(path, name)),
    }));
}
