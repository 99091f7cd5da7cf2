import type { Around } from '../around.ts';
import { type Block, type DraftProcess, type Imported, imported, type Notes, newNotes } from '../draft.ts';
import { newNames } from '../names.ts';
import { expand } from './expand.ts';
import { readIni, type Section, type Sections } from './ini.ts';
import { type Defaults, ownVariables, type Program, readProgram } from './program.ts';
import { environmentOf, newReader, type Reader, rawValue, textOf, unasked } from './values.ts';

export function importSupervisord(text: string, around: Around): Imported {
  const notes = newNotes();
  const sections: Sections = new Map();
  readIni(text, around.file, sections, notes);
  readIncluded(sections, around, notes);
  if (notes.problems.length > 0) return { kind: 'problems', problems: notes.problems };
  const main = sections.get('supervisord');
  const reader = main === undefined ? undefined : newReader(main, notes, { here: around.folder });
  const defaults = defaultsOf(reader);
  const environment = reader && environmentOf(reader);
  const groups = groupsOf(sections, notes);
  const env = new Set<string>(reader?.env ?? []);
  const nameOf = newNames(notes);
  const programs: Program[] = [];
  for (const section of sections.values()) {
    const [, kind = '', name = ''] = /^(\w+):(.+)$/.exec(section.name) ?? [];
    if (kind !== 'program') noteSection(section, notes);
    else {
      const group = groups.find(({ programs: members }) => members.includes(name));
      const variables = {
        here: around.folder,
        program_name: name,
        group_name: group?.name ?? name,
        host_node_name: around.host,
        ...ownVariables(environment),
      };
      const own = newReader(section, notes, variables);
      const program = readProgram(own, name, defaults, nameOf);
      programs.push({ ...program, priority: group?.priority ?? program.priority });
      for (const one of own.env) env.add(one);
    }
  }
  if (reader !== undefined) noteMain(reader);
  noteCommon(env, sections, around, notes);
  return imported(taskOf(environment), ordered(programs), notes);
}

/** supervisord goes on whatever becomes of its programs. */
function taskOf(environment: Block | undefined): Block {
  return { max_failures: 0, environment };
}

function readIncluded(sections: Sections, around: Around, notes: Notes): void {
  const files = sections.get('include')?.values.get('files');
  if (files === undefined) return;
  for (const pattern of files.text.split(/\s+/).filter((one) => one !== '')) {
    const { text, problem, env } = expand(pattern, { here: around.folder, host_node_name: around.host });
    if (problem !== undefined) notes.refuse(files.place, `[include] files: ${problem}`);
    const path = env.reduce((path, name) => path.replaceAll(`\${${name}}`, around.env[name] ?? ''), text);
    const found = around.glob(path.replaceAll('$$', '$'));
    if (found.length === 0)
      notes.note('lost', files.place, null, '[include] files', `there is no file ${JSON.stringify(pattern)}`);
    for (const file of found) {
      try {
        readIni(around.readFile(file.path), file.shown, sections, notes);
      } catch (error) {
        notes.refuse(
          files.place,
          `[include] files: a readable file is needed, got ${around.causeOf(error)} for "${file.shown}"`,
        );
      }
    }
  }
}

function defaultsOf(reader: Reader | undefined): Defaults {
  if (reader === undefined) return { user: undefined, umask: undefined };
  return { user: textOf(reader, 'user'), umask: textOf(reader, 'umask') };
}

interface Group {
  readonly name: string;
  readonly programs: readonly string[];
  readonly priority: number;
}

function groupsOf(sections: Sections, notes: Notes): Group[] {
  return [...sections.values()].flatMap((section) => {
    const name = /^group:(.+)$/.exec(section.name)?.[1];
    if (name === undefined) return [];
    const members = (section.values.get('programs')?.text ?? '').split(',').map((one) => one.trim());
    for (const member of members) {
      if (!sections.has(`program:${member}`))
        notes.refuse(section.place, `[${section.name}] programs: there is no [program:${member}]`);
    }
    const priority = Number(section.values.get('priority')?.text ?? 999);
    return [{ name, programs: members, priority: Number.isInteger(priority) ? priority : 999 }];
  });
}

/** They start by priority, and stop in reverse: each level depends on the one before. */
function ordered(programs: readonly Program[]): DraftProcess[] {
  const levels = [...new Set(programs.map(({ priority }) => priority))].sort((a, b) => a - b);
  let before: readonly string[] = [];
  const dependencies = new Map<number, readonly string[]>();
  for (const level of levels) {
    dependencies.set(level, before);
    const own = programs.filter(({ priority }) => priority === level).flatMap(({ processes }) => processes);
    const started = own.filter(({ keys }) => keys.autostart !== false).map(({ name }) => name);
    if (started.length > 0) before = started;
  }
  return programs.flatMap(({ priority, processes }) => {
    const names = dependencies.get(priority) ?? [];
    if (names.length === 0) return processes;
    const depends = Object.fromEntries(names.map((name) => [name, { condition: 'started' }]));
    return processes.map(({ keys: { command, ...keys }, ...process }) => ({
      ...process,
      keys: { command, depends_on: depends, ...keys },
    }));
  });
}

const SECTIONS: ReadonlyArray<readonly [pattern: RegExp, why: string]> = [
  [
    /^(?:unix_http_server|inet_http_server|supervisorctl|rpcinterface:|ctlplugin:)/,
    'gsup has a socket of its own, in its state directory',
  ],
  [
    /^eventlistener:/,
    'gsup has no events; one that ends supervisord when a program has failed needs none: take max_failures: 0 out, and gsup ends',
  ],
  [/^fcgi-program:/, 'gsup opens no socket for its processes'],
  [/^group:/, 'gsup has no groups: the programs keep their own names'],
];

function noteSection({ name, place }: Section, notes: Notes): void {
  if (name === 'supervisord' || name === 'include') return;
  const why =
    SECTIONS.find(([pattern]) => pattern.test(name))?.[1] ??
    'supervisord has no such section, and passes over it';
  notes.note('lost', place, null, `[${name}]`, why);
}

const MAIN_NO_EQUAL: Readonly<Record<string, string>> = {
  minfds: 'gsup raises no limits for itself; ulimits of a process sets its own',
  minprocs: 'gsup raises no limits for itself; ulimits of a process sets its own',
  directory: 'gsup stays where it is started; working_dir of a process sets its own',
  identifier: 'the task has a name instead',
  childlogdir: 'output without a file goes to the output of gsup',
};
const OWN_LOG = 'gsup writes its own messages to stderr';
/** Nothing is lost with these: gsup stays in the foreground, and cleans up nothing. */
const MAIN_NOTHING = ['nodaemon', 'nocleanup', 'silent', 'user', 'umask', 'environment'];

function noteMain(reader: Reader): void {
  for (const [key, { place }] of unasked(reader)) {
    if (MAIN_NOTHING.includes(key)) continue;
    const log = /^(?:log|strip_ansi)/.test(key) ? OWN_LOG : undefined;
    const why =
      MAIN_NO_EQUAL[key] ??
      log ??
      (key === 'pidfile' ? 'gsup status tells its pid' : 'supervisord has no such key');
    reader.notes.note('lost', place, null, `[supervisord] ${key}`, why);
  }
  const user = rawValue(reader, 'user');
  if (user !== undefined && !/^(?:root|0)$/.test(user.text))
    reader.notes.note(
      'changed',
      user.place,
      null,
      '[supervisord] user',
      'it is the user of the processes; gsup itself keeps its own',
    );
}

function noteCommon(env: ReadonlySet<string>, sections: Sections, around: Around, notes: Notes): void {
  const place = { file: around.file, line: 0, column: 0 };
  const texts = [...sections.values()].flatMap(({ values }) => [...values.values()].map(({ text }) => text));
  if (texts.some((text) => text.includes('%(here)')))
    notes.note('hint', place, null, '%(here)s', `it is ${around.folder}, where the file lies now`);
  for (const name of [...env].sort())
    notes.note(
      'changed',
      place,
      null,
      `%(ENV_${name})s`,
      'not set, it is empty here; supervisord would not start',
    );
  notes.note('hint', place, null, 'end', 'supervisord stays when all programs have ended, gsup ends then');
}
