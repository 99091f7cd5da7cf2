/** A Compose file as a draft: one process for each service, all of them in one container. */
import { relative } from 'node:path';
import { shown } from '../../config/problem.ts';
import {
  isList,
  isMapping,
  keyPlace,
  type Mapping,
  newMapping,
  type Tree,
  type Value,
} from '../../config/tree.ts';
import { readYaml } from '../../config/yaml.ts';
import type { Around } from '../around.ts';
import {
  type Block,
  blockOf,
  type DraftProcess,
  type Imported,
  imported,
  type Notes,
  newNotes,
  type Plain,
} from '../draft.ts';
import { entryName, newNames } from '../names.ts';
import { besideFile, commandOf } from './command.ts';
import { withParents } from './extends.ts';
import { healthOf } from './health.ts';
import { whyNot, whyNotOnTop } from './no-equal.ts';
import { restartOf } from './restart.ts';
import { placeIn, plain, remark, type Service, take, takeFlag, takeText, textsOf } from './service.ts';

export function importCompose(text: string, around: Around): Imported {
  const { tree, problems } = readYaml(text, around.file);
  if (problems.length > 0) return { kind: 'problems', problems };
  const notes = newNotes();
  const root = tree === null || !isMapping(tree.value) ? newMapping([]) : tree.value;
  if (tree === null || !isMapping(root.services)) {
    notes.refuse({ file: around.file, line: 1, column: 1 }, 'a mapping called services is needed, got none');
    return { kind: 'problems', problems: notes.problems };
  }
  noteTop(root, tree, notes);
  const nameOf = newNames(notes);
  const services = root.services;
  const names = new Map(
    Object.keys(services).map((name) => [name, nameOf(name, keyPlace(tree, ['services', name]))]),
  );
  const processes = Object.keys(services).flatMap((name): DraftProcess[] => {
    const place = keyPlace(tree, ['services', name]);
    const keys = withParents(services, name, place, notes);
    const service = { name, entry: names.get(name) ?? name, keys, tree, notes, taken: new Set<string>() };
    const made = processKeys(service, services, names, around);
    noteRest(service);
    return made === undefined ? [] : [{ ...place, name: service.entry, keys: made }];
  });
  return imported({ name: nameOfTask(root.name), max_failures: 0 }, processes, notes);
}

function nameOfTask(name: Value | undefined): string | undefined {
  return typeof name !== 'string' || name === '' ? undefined : name.includes('$') ? name : entryName(name);
}

function noteTop(root: Mapping, tree: Tree, notes: Notes): void {
  for (const key of Object.keys(root)) {
    if (key !== 'services' && key !== 'name')
      notes.note('lost', keyPlace(tree, [key]), null, key, whyNotOnTop(key));
  }
  const place = { ...keyPlace(tree, []), line: 0, column: 0 };
  notes.note(
    'hint',
    place,
    null,
    'max_failures',
    'Compose goes on when a service has failed; without max_failures: 0 gsup ends then',
  );
  notes.note(
    'hint',
    place,
    null,
    'services',
    'in one container they share its files and its network: they find each other at 127.0.0.1, not by name',
  );
}

/** undefined: nobody knows what it runs. */
function processKeys(
  service: Service,
  services: Mapping,
  names: ReadonlyMap<string, string>,
  around: Around,
): Block | undefined {
  const { argv, stopSignal, workingDir, user } = commandOf(service, around);
  const dependsOn = dependenciesOf(service, services, names);
  const profiles = take(service, 'profiles');
  if (profiles !== undefined) remark(service, 'changed', ['profiles'], 'it does not start by itself');
  // gsup is that init.
  take(service, 'init');
  const keys: Block = {
    command: argv,
    working_dir: takeText(service, 'working_dir') ?? workingDir,
    user: takeText(service, 'user') ?? user,
    environment: variablesOf(take(service, 'environment')),
    env_file: envFilesOf(service, around),
    depends_on: dependsOn,
    healthcheck: healthOf(service),
    ...restartOf(service),
    autostart: profiles === undefined ? undefined : false,
    tty: takeFlag(service, 'tty') || undefined,
    stdin_open: takeFlag(service, 'stdin_open') || undefined,
    ulimits: plainOf(take(service, 'ulimits')),
    oom_score_adj: takeText(service, 'oom_score_adj'),
    no_new_privileges: noNewPrivileges(service),
    stop: stopOf(service, stopSignal),
  };
  return argv === undefined ? undefined : keys;
}

function plainOf(value: Value | undefined): Plain | undefined {
  return value === undefined || value === null ? undefined : plain(value);
}

function variablesOf(value: Value | undefined): Plain | undefined {
  const empty = isMapping(value) ? Object.keys(value).length === 0 : isList(value) && value.length === 0;
  return empty ? undefined : plainOf(value);
}

/** Docker signals the container's first process alone. */
function stopOf(service: Service, fromImage: string | undefined): Block {
  return {
    signal: takeText(service, 'stop_signal') ?? fromImage ?? 'SIGTERM',
    grace: takeText(service, 'stop_grace_period') ?? '10s',
    target: 'leader',
    pre_stop: preStopOf(service),
  };
}

function preStopOf(service: Service): Plain | undefined {
  const hooks = take(service, 'pre_stop');
  if (hooks === undefined || hooks === null) return undefined;
  const [first, ...others] = isList(hooks) ? hooks : [];
  if (!isMapping(first) || others.length > 0 || Object.keys(first).some((key) => key !== 'command')) {
    remark(service, 'lost', ['pre_stop'], 'one command is taken, and nothing beside it');
    return undefined;
  }
  return plainOf(first.command);
}

/** Compose's list means started, gsup's means ready. */
function dependenciesOf(
  service: Service,
  services: Mapping,
  names: ReadonlyMap<string, string>,
): Block | undefined {
  const value = take(service, 'depends_on');
  const links = textsOf(take(service, 'links')) ?? [];
  if (links.length > 0)
    remark(service, 'changed', ['links'], 'of a link the order is kept; all processes are at 127.0.0.1');
  const found: Record<string, Plain> = {};
  const add = (name: string, condition: string) => {
    const entry = names.get(name);
    if (entry === undefined) remark(service, 'lost', ['depends_on'], `there is no service ${shown(name)}`);
    else found[entry] = { condition };
  };
  for (const link of links) add(link.split(':')[0] ?? '', 'started');
  if (isMapping(value))
    for (const [name, said] of Object.entries(value)) add(name, conditionOf(service, services, name, said));
  else for (const name of textsOf(value) ?? []) add(name, 'started');
  return blockOf(found);
}

const CONDITIONS: Readonly<Record<string, string>> = {
  service_started: 'started',
  service_healthy: 'healthy',
  service_completed_successfully: 'completed_successfully',
};

function conditionOf(service: Service, services: Mapping, name: string, said: Value): string {
  const { condition = 'service_started', ...rest } = isMapping(said) ? said : newMapping([]);
  for (const [key, value] of Object.entries(rest)) {
    if (key === 'required' && value === 'true') continue;
    if (key === 'restart' && value === 'false') continue;
    remark(
      service,
      'lost',
      ['depends_on', name, key],
      key === 'restart' ? 'who depends on something is not restarted with it' : 'gsup does not know it',
    );
  }
  const word =
    typeof condition === 'string' && Object.hasOwn(CONDITIONS, condition) ? CONDITIONS[condition] : undefined;
  if (word === undefined)
    remark(
      service,
      'lost',
      ['depends_on', name],
      `a condition of Compose is needed, got ${shown(condition)}`,
    );
  const other = services[name];
  if (
    word !== 'healthy' ||
    (isMapping(other) && isMapping(other.healthcheck) && other.healthcheck.test !== undefined)
  )
    return word ?? 'started';
  remark(
    service,
    'changed',
    ['depends_on', name],
    'its health check is in its image and not in this file, so started is what is waited for',
  );
  return 'started';
}

/** A path, a list of them, or Compose's mappings; as seen from where the config is going to lie. */
function envFilesOf(service: Service, around: Around): Plain | undefined {
  const value = take(service, 'env_file');
  if (value === undefined || value === null) return undefined;
  const list = isList(value) ? value : [value];
  const paths = list.flatMap((item, at): string[] => {
    const path = isMapping(item) ? item.path : item;
    if (typeof path !== 'string') {
      remark(service, 'lost', ['env_file', at], `a path is needed, got ${shown(item)}`);
      return [];
    }
    if (isMapping(item) && item.format !== undefined)
      remark(service, 'changed', ['env_file', at], 'gsup reads it as Compose reads an ordinary one');
    if (!isMapping(item) || item.required !== 'false' || isThere(path, around))
      return [seenFromTarget(path, around)];
    remark(service, 'lost', ['env_file', at], `it is not required, and "${path}" is not there`);
    return [];
  });
  return paths.length === 0 ? undefined : paths;
}

function isThere(path: string, around: Around): boolean {
  try {
    around.readFile(besideFile(around, path));
    return true;
  } catch {
    return false;
  }
}

function seenFromTarget(path: string, around: Around): string {
  if (path.startsWith('/') || path.startsWith('$') || around.folder === around.targetFolder) return path;
  return relative(around.targetFolder, besideFile(around, path));
}

function noNewPrivileges(service: Service): true | undefined {
  const options = textsOf(take(service, 'security_opt')) ?? [];
  for (const option of options) {
    if (!/^no-new-privileges(?:[:=]true)?$/.test(option))
      remark(service, 'lost', ['security_opt'], `${option}: it is about the container`);
  }
  return options.some((option) => /^no-new-privileges(?:[:=]true)?$/.test(option)) || undefined;
}

function noteRest(service: Service): void {
  for (const [key, value] of Object.entries(service.keys)) {
    if (service.taken.has(key) || value === null) continue;
    const text = typeof value === 'string' ? ` (${value})` : '';
    service.notes.note('lost', placeIn(service, key), service.entry, `${key}${text}`, whyNot(key));
  }
}
