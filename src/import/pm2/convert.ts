/** A PM2 ecosystem as a draft: an app, a process. */
import { join } from 'node:path';
import type { Place } from '../../config/problem.ts';
import { isList, isMapping, keyPlace, type Mapping, type Tree, type Value } from '../../config/tree.ts';
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
} from '../draft.ts';
import { newNames } from '../names.ts';
import { literal } from '../words.ts';
import {
  type App,
  change,
  lose,
  take,
  takeCodes,
  takeFlag,
  takeText,
  takeTime,
  takeWhole,
  variablesOf,
} from './app.ts';
import { commandOf, nameOfScript } from './command.ts';
import { isAsItIs, whyNot } from './no-equal.ts';

export interface Ecosystem {
  /** JSON or YAML; of a file in JavaScript, what it came to. */
  readonly text: string;
  /** Lines of `text` are lines of the file. */
  readonly isSource: boolean;
}

export function importPm2(
  { text, isSource }: Ecosystem,
  around: Around & { readonly processors: number },
): Imported {
  const { tree, problems } = readYaml(text, around.file);
  if (problems.length > 0) return { kind: 'problems', problems };
  const notes = newNotes();
  const start: Place = { file: around.file, line: isSource ? 1 : 0, column: isSource ? 1 : 0 };
  const found = tree === null ? undefined : appsOf(tree.value);
  if (tree === null || found === undefined) {
    notes.refuse(start, 'a list of apps is needed, got none');
    return { kind: 'problems', problems: notes.problems };
  }
  const placeAt = (path: readonly (string | number)[]) => (isSource ? keyPlace(tree as Tree, path) : start);
  const root = tree.value;
  if (isMapping(root) && isList(root.apps))
    for (const key of Object.keys(root)) {
      if (key !== 'apps')
        notes.note(
          'lost',
          placeAt([key]),
          null,
          key,
          key === 'deploy' ? 'gsup deploys nothing' : 'gsup does not know it',
        );
    }
  const nameOf = newNames(notes);
  const processes = found.apps.flatMap((value, at): DraftProcess[] => {
    const path = found.path === null ? [] : [...found.path, at];
    if (!isMapping(value)) {
      notes.note('lost', placeAt(path), null, `apps[${at}]`, 'it is no mapping');
      return [];
    }
    const entry = nameOf(nameFor(value), placeAt(path));
    const app: App = {
      entry,
      keys: value,
      notes,
      placeOf: (key) => placeAt([...path, key]),
      taken: new Set(['name']),
    };
    const keys = processKeys(app, around);
    noteRest(app);
    const { file, line, column } = placeAt(path);
    return keys === undefined ? [] : [{ file, line, column, name: entry, keys }];
  });
  noteCommon(start, notes);
  return imported({ max_failures: 0 }, processes, notes);
}

/** The list, or the one app that the file is. */
function appsOf(
  value: Value,
): { readonly apps: readonly Value[]; readonly path: readonly string[] | null } | undefined {
  if (isList(value)) return { apps: value, path: [] };
  if (!isMapping(value)) return undefined;
  if (isList(value.apps)) return { apps: value.apps, path: ['apps'] };
  if (isMapping(value.apps)) return { apps: [value.apps], path: null };
  return value.script === undefined && value.exec === undefined ? undefined : { apps: [value], path: null };
}

function nameFor({ name, script, exec }: Mapping): string {
  if (typeof name === 'string' && name !== '') return name;
  return nameOfScript(typeof script === 'string' ? script : typeof exec === 'string' ? exec : undefined);
}

function processKeys(app: App, around: Around & { readonly processors: number }): Block | undefined {
  const cwd = takeText(app, 'cwd');
  const command = commandOf(app, cwd, around);
  const replicas = replicasOf(app, around.processors);
  const user = takeText(app, 'uid') ?? takeText(app, 'user');
  const gid = takeText(app, 'gid');
  const keys: Block = {
    command,
    working_dir: cwd === undefined ? undefined : literal(cwd),
    replicas,
    user,
    group: gid,
    environment: environmentOf(app),
    ...restartOf(app),
    memory_limit: memoryOf(app),
    stop: stopOf(app),
    logging: loggingOf(app, cwd, replicas),
  };
  return command === undefined ? undefined : keys;
}

/** `max`, 0 and negative numbers count the processors of the machine that PM2 runs on. */
function replicasOf(app: App, processors: number): number | undefined {
  const text = takeText(app, 'instances');
  const mode = takeText(app, 'exec_mode');
  const said = text === undefined ? 1 : text === 'max' ? 0 : Number(text);
  if (!Number.isInteger(said) || said > 10_000) {
    lose(app, 'instances', 'a number, or max, is needed');
    return undefined;
  }
  const count = said > 0 ? said : Math.max(1, processors + said);
  if (said <= 0)
    change(
      app,
      'instances',
      `${count}: as many as this machine has processors, less ${-said}`.replace(', less 0', ''),
    );
  if (count === 1) return undefined;
  const variable = takeText(app, 'instance_var') ?? takeText(app, 'increment_var') ?? 'NODE_APP_INSTANCE';
  change(app, 'instances', `${variable} is GSUP_REPLICA here, and counts from 1`);
  if (mode === undefined || mode.startsWith('cluster'))
    change(
      app,
      'exec_mode',
      'replicas are processes of their own and share no port: each needs its own, or SO_REUSEPORT',
    );
  return count;
}

function environmentOf(app: App): Block | undefined {
  const pairs = variablesOf(take(app, 'env')).map(([name, text]) => [name, literal(text)] as const);
  const port = takeText(app, 'port');
  return blockOf({ ...Object.fromEntries(pairs), ...(port === undefined ? {} : { PORT: port }) });
}

/** PM2 restarts whatever ends, until it has ended `max_restarts` times before `min_uptime`. */
function restartOf(app: App): Block {
  const again = takeFlag(app, 'autorestart', true);
  const most = takeWhole(app, 'max_restarts') ?? 16;
  const uptime = takeTime(app, 'min_uptime') ?? '1s';
  const codes = takeCodes(app, 'stop_exit_codes');
  const delay = takeTime(app, 'restart_delay');
  const growing = takeTime(app, 'exp_backoff_restart_delay');
  if (!again) return { success_exit_codes: codes };
  const waits =
    growing !== undefined && growing !== '0ms'
      ? { initial: growing, factor: 1.5, max: '15s', jitter: '0%' }
      : delay !== undefined && delay !== '0ms'
        ? { initial: delay, factor: 1, max: delay, jitter: '0%' }
        : {};
  return {
    restart: codes === undefined ? 'always' : 'on-failure',
    max_failures: Math.max(1, most),
    success_exit_codes: codes,
    backoff: { ...waits, reset_after: uptime },
  };
}

function memoryOf(app: App): string | undefined {
  const text = takeText(app, 'max_memory_restart');
  return text === undefined || !/^\d+$/.test(text) ? text : `${text}b`;
}

/** PM2 signals the whole tree, and with `treekill: false` the process alone. */
function stopOf(app: App): Block {
  return {
    signal: takeText(app, 'kill_signal') ?? 'SIGINT',
    grace: takeTime(app, 'kill_timeout') ?? '1600ms',
    target: takeFlag(app, 'treekill', true) ? 'tree' : 'leader',
  };
}

const NOWHERE = /^(?:\/dev\/null|NULL)$/;

function loggingOf(app: App, cwd: string | undefined, replicas: number | undefined): Block | undefined {
  const names = {
    out: ['out_file', 'out', 'output', 'out_log'],
    error: ['error_file', 'error', 'err', 'err_file', 'err_log'],
  };
  const [out] = names.out.flatMap((key) => takeText(app, key) ?? []);
  const [error] = names.error.flatMap((key) => takeText(app, key) ?? []);
  const off = takeFlag(app, 'disable_logs', false);
  const format = takeText(app, 'log_date_format');
  const timestamps = takeFlag(app, 'time', false) || (format !== undefined && format !== '') || undefined;
  const type = takeText(app, 'log_type');
  if (format) change(app, 'log_date_format', 'times are written as gsup writes them');
  if (type !== undefined && type !== 'json' && type !== 'raw')
    lose(app, 'log_type', 'gsup writes text or JSON');
  if (off || (out !== undefined && NOWHERE.test(out) && (error === undefined || NOWHERE.test(error))))
    return { driver: 'none' };
  const path = out !== undefined && !NOWHERE.test(out) ? out : error;
  if (path === undefined || NOWHERE.test(path))
    return type === 'json' ? { driver: 'json', timestamps } : blockOf({ timestamps });
  if (error !== path)
    change(
      app,
      out === undefined ? 'error_file' : 'out_file',
      'both streams of a process go to this one file',
    );
  if (replicas !== undefined)
    change(app, 'out_file', 'each replica writes a file of its own, with its number in its name');
  const placed = cwd === undefined || path.startsWith('/') ? path : join(cwd, path);
  return { driver: 'file', path: literal(placed), timestamps };
}

function noteRest(app: App): void {
  const watches = app.keys.watch !== undefined && app.keys.watch !== 'false';
  for (const [key, value] of Object.entries(app.keys)) {
    if (
      app.taken.has(key) ||
      value === null ||
      isAsItIs(key, typeof value === 'string' ? value : '...', watches)
    )
      continue;
    lose(app, key, whyNot(key));
  }
}

function noteCommon({ file }: Place, notes: Notes): void {
  const place = { file, line: 0, column: 0 };
  notes.note(
    'hint',
    place,
    null,
    'logs',
    'what has no file of its own goes to the output of gsup, and not to ~/.pm2/logs',
  );
  notes.note('hint', place, null, 'end', 'PM2 stays when all apps have ended, gsup ends then');
}
