/** `[program:x]`: one section, one or more entries. Pure. */
import type { Place } from '../../config/problem.ts';
import { type Block, blockOf, type DraftProcess, isBlock } from '../draft.ts';
import { splitWords } from '../words.ts';
import type { Variables } from './expand.ts';
import { loggingOf } from './logging.ts';
import {
  environmentOf,
  expandedOf,
  flagOf,
  numberOf,
  type Reader,
  rawValue,
  refuse,
  shown,
  signalOf,
  textOf,
  unasked,
} from './values.ts';

export interface Defaults {
  readonly user: string | undefined;
  readonly umask: string | undefined;
}

export type NameOf = (wanted: string, place: Place) => string;

export interface Program {
  readonly name: string;
  readonly priority: number;
  readonly processes: readonly DraftProcess[];
}

/** Nobody tends more of one kind. */
const MAX_COPIES = 256;

export function readProgram(reader: Reader, program: string, defaults: Defaults, nameOf: NameOf): Program {
  const count = numberOf(reader, 'numprocs', 1);
  const first = numberOf(reader, 'numprocs_start', 0);
  const priority = numberOf(reader, 'priority', 999);
  const { place } = reader.section;
  if (count < 1 || count > MAX_COPIES) {
    const said = rawValue(reader, 'numprocs')?.place ?? place;
    const rule = `a number from 1 to ${MAX_COPIES} is needed, got ${count}`;
    reader.notes.refuse(said, `[${reader.section.name}] numprocs: ${rule}`);
    return { name: program, priority, processes: [] };
  }
  const numbers = isNumbered(reader) ? Array.from({ length: count }, (_, at) => first + at) : [first];
  const processes = numbers.map((number, at) => {
    const copy = copyOf(reader, { process_num: number, numprocs: count }, at === 0);
    const name = nameOf(numbers.length === 1 ? program : nameOfCopy(copy, program), place);
    const replicas = numbers.length === 1 && count > 1 ? count : undefined;
    return { ...place, name, keys: processKeys(copy, name, replicas, defaults) };
  });
  noteRest(reader, processes[0]);
  return { name: program, priority, processes: withOwnFiles(processes, reader) };
}

/** With its number among what is known. What is wrong with one is wrong with all, and told of the first. */
function copyOf(reader: Reader, variables: Variables, isFirst: boolean): Reader {
  const notes = isFirst ? reader.notes : { ...reader.notes, note: () => {}, refuse: () => {} };
  const numbered = { ...reader, notes, variables: { ...reader.variables, ...variables } };
  const environment = environmentOf(numbered);
  return { ...numbered, variables: { ...numbered.variables, ...ownVariables(environment) } };
}

/** Copies that differ and would write one file get a file each. */
function withOwnFiles(
  processes: readonly DraftProcess[],
  { section, notes }: Reader,
): readonly DraftProcess[] {
  const file = section.values.get('stdout_logfile');
  if (processes.length < 2 || file === undefined || file.text.includes('%(process_num)')) return processes;
  return processes.map((process, at) => {
    const { logging } = process.keys;
    if (!isBlock(logging) || typeof logging.path !== 'string') return process;
    const why = 'two processes cannot write the same file, so each has its own';
    if (at === 0) notes.note('changed', file.place, process.name, 'stdout_logfile', why);
    const path = logging.path.replace(/(\.[^./]*)?$/, (end) => `.${at + 1}${end}`);
    return { ...process, keys: { ...process.keys, logging: { ...logging, path } } };
  });
}

/** Whether one copy differs from another by more than its name. */
function isNumbered({ section }: Reader): boolean {
  return [...section.values].some(
    ([key, { text }]) => key !== 'process_name' && text.includes('%(process_num)'),
  );
}

/** What a section says of its own environment is known in it. */
export function ownVariables(environment: Record<string, string> | undefined): Variables {
  return Object.fromEntries(
    Object.entries(environment ?? {})
      .filter(([, value]) => !value.includes('$'))
      .map(([name, value]) => [`ENV_${name}`, value]),
  );
}

function nameOfCopy(copy: Reader, program: string): string {
  const pattern = rawValue(copy, 'process_name');
  return pattern === undefined
    ? `${program}_${copy.variables.process_num}`
    : expandedOf(copy, 'process_name', pattern).text;
}

function processKeys(copy: Reader, name: string, replicas: number | undefined, defaults: Defaults): Block {
  const user = textOf(copy, 'user') ?? defaults.user;
  return {
    command: commandOf(copy),
    replicas,
    working_dir: textOf(copy, 'directory'),
    user: user === undefined || user === 'root' || user === '0' ? undefined : user,
    umask: textOf(copy, 'umask') ?? defaults.umask,
    environment: environmentOf(copy),
    ...restartKeys(copy, name),
    autostart: flagOf(copy, 'autostart', true) ? undefined : false,
    stop: {
      signal: signalOf(copy, 'stopsignal', 'SIGTERM'),
      grace: `${Math.max(0, numberOf(copy, 'stopwaitsecs', 10))}s`,
      target: flagOf(copy, 'stopasgroup', false) ? undefined : 'leader',
    },
    logging: loggingOf(copy, name),
  };
}

function commandOf(copy: Reader): readonly string[] {
  const value = rawValue(copy, 'command');
  if (value === undefined) {
    copy.notes.refuse(copy.section.place, `[${copy.section.name}] command: a command is needed, got none`);
    return [];
  }
  const words = splitWords(expandedOf(copy, 'command', value).text);
  if (words === undefined)
    refuse(copy, 'command', value, `a closing quote is needed, got ${shown(value.text)}`);
  else if (words.length === 0) refuse(copy, 'command', value, 'a command is needed, got nothing');
  return words ?? [];
}

/** A start that does not last `startsecs` is tried again `startretries` times, and what has lasted is judged anew. */
function restartKeys(reader: Reader, name: string): Block {
  const word = (textOf(reader, 'autorestart') ?? 'unexpected').toLowerCase();
  const startSecs = Math.max(0, numberOf(reader, 'startsecs', 1));
  const retries = Math.max(0, numberOf(reader, 'startretries', 3));
  const codes = exitCodes(reader);
  const never = ['false', 'no', 'off', '0', 'none'].includes(word);
  if (never) {
    const said = rawValue(reader, 'startretries');
    if (said !== undefined && retries > 0)
      reader.notes.note('lost', said.place, name, 'startretries', 'what is not restarted is started once');
    return { success_exit_codes: codes };
  }
  const always = ['true', 'yes', 'on', '1'].includes(word);
  if (!always && word !== 'unexpected')
    refuse(
      reader,
      'autorestart',
      rawValue(reader, 'autorestart') as never,
      `true, false or unexpected is needed, got ${shown(word)}`,
    );
  return {
    restart: always ? 'always' : 'on-failure',
    max_failures: startSecs === 0 ? undefined : retries + 1,
    success_exit_codes: codes,
    backoff: startSecs === 0 ? undefined : blockOf({ initial: '1s', reset_after: `${startSecs}s` }),
  };
}

function exitCodes(reader: Reader): readonly number[] | undefined {
  const value = rawValue(reader, 'exitcodes');
  if (value === undefined) return undefined;
  const codes = (textOf(reader, 'exitcodes') ?? '')
    .split(',')
    .map((code) => code.trim())
    .filter((code) => code !== '');
  const wrong = codes.find((code) => !/^\d{1,3}$/.test(code) || Number(code) > 255);
  if (wrong !== undefined)
    refuse(reader, 'exitcodes', value, `numbers from 0 to 255 are needed, got ${shown(wrong)}`);
  const numbers = codes.map(Number);
  return numbers.length === 0 || (numbers.length === 1 && numbers[0] === 0) ? undefined : numbers;
}

const NO_EQUAL: Readonly<Record<string, string>> = {
  killasgroup: 'SIGKILL is for the whole tree here, always',
  stdout_capture_maxbytes: 'gsup has no events',
  stderr_capture_maxbytes: 'gsup has no events',
  stdout_events_enabled: 'gsup has no events',
  stderr_events_enabled: 'gsup has no events',
  stdout_syslog: 'gsup does not write to syslog',
  stderr_syslog: 'gsup does not write to syslog',
  serverurl: 'it is for programs that talk to supervisord',
};

/** What means the same when it is written as when it is not. */
const NOTHING: Readonly<Record<string, RegExp>> = {
  killasgroup: /^(?:true|yes|on|1)$/i,
  stdout_capture_maxbytes: /^0/,
  stderr_capture_maxbytes: /^0/,
  stdout_events_enabled: /^(?:false|no|off|0)$/i,
  stderr_events_enabled: /^(?:false|no|off|0)$/i,
  stdout_syslog: /^(?:false|no|off|0)$/i,
  stderr_syslog: /^(?:false|no|off|0)$/i,
  serverurl: /^auto$/i,
};

function noteRest(reader: Reader, first: DraftProcess | undefined): void {
  const name = first?.name ?? null;
  noteName(reader, first);
  for (const [key, { text, place }] of unasked(reader)) {
    if (NOTHING[key]?.test(text)) continue;
    reader.notes.note(
      'lost',
      place,
      name,
      key,
      NO_EQUAL[key] ?? 'supervisord has no such key, and passes over it',
    );
  }
  const path = rawValue(reader, 'stdout_logfile');
  const logging = first?.keys.logging;
  if (
    path === undefined ||
    first?.keys.replicas === undefined ||
    !isBlock(logging) ||
    logging.driver !== 'file'
  )
    return;
  reader.notes.note(
    'changed',
    path.place,
    name,
    'stdout_logfile',
    'each replica writes a file of its own, with its number in its name',
  );
}

/** The name of a single process, or of replicas, is that of its program. */
function noteName(reader: Reader, first: DraftProcess | undefined): void {
  const pattern = rawValue(reader, 'process_name');
  const program = reader.section.name.replace(/^[^:]*:/, '');
  if (pattern === undefined || first === undefined || first.name !== program) return;
  if (pattern.text === '%(program_name)s') return;
  const called = first.keys.replicas === undefined ? program : `${program}.1, ${program}.2 and so on`;
  reader.notes.note('changed', pattern.place, first.name, 'process_name', `it is called ${called}`);
}
