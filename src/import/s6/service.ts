/** One service of s6 as an entry. Pure. */
import { normalizeSignal, signalNumber } from '../../signals/names.ts';
import type { Block, Notes, Plain, RemarkKind } from '../draft.ts';
import { literal, literalForShell, shellWord } from '../words.ts';
import type { Service } from './folder.ts';
import { endsContainer, runOf, wordsOfUp } from './script.ts';

export interface Conversion {
  readonly service: Service;
  readonly entry: string;
  readonly notes: Notes;
}

/** It is run again whenever it ends, a second apart, and nobody kills it unless it says so. */
export function longrunKeys(conversion: Conversion): Block {
  const { service } = conversion;
  const ends = endsContainer(service.files.get('finish') ?? '');
  if (ends)
    say(
      conversion,
      'changed',
      'finish',
      'it ends the container: here the task ends when this process ends, with its code',
    );
  noteFiles(conversion);
  return {
    command: commandOf(conversion, 'run'),
    working_dir: literal(service.shown),
    ready: readyOf(conversion),
    autostart: service.files.has('down') && !service.isRc ? false : undefined,
    restart: ends ? undefined : 'always',
    min_duration: '1s',
    stop: {
      signal: signalOf(conversion),
      grace: graceOf(conversion),
      target: 'leader',
      post_stop: ends ? undefined : finishOf(conversion),
    },
  };
}

/** It runs once, and whoever depends on it waits for its success. */
export function oneshotKeys(conversion: Conversion): Block {
  const { service } = conversion;
  const up = service.files.get('up') ?? '';
  const words = wordsOfUp(up);
  const down = service.files.get('down')?.trim();
  if (down)
    say(
      conversion,
      'lost',
      'down',
      'gsup has nothing that runs when others stop; post_stop and final processes come nearest',
    );
  if (words === undefined)
    say(conversion, 'hint', 'up', 'it is read by execlineb, which must be in the image');
  noteFiles(conversion);
  return { command: (words ?? ['execlineb', '-P', `${service.shown}/up`]).map(literal) };
}

export function say(
  { service, entry, notes }: Conversion,
  kind: RemarkKind,
  what: string,
  why: string,
): void {
  notes.note(kind, { file: `${service.shown}/${what}`, line: 0, column: 0 }, entry, what, why);
}

function commandOf(conversion: Conversion, file: string): Plain {
  const { service } = conversion;
  const { argv, needs } = runOf(service.files.get(file) ?? '', service.executables.has(file), `./${file}`);
  if (needs.length > 0)
    say(conversion, 'hint', file, `it uses ${needs.join(', ')}, which must be in the image`);
  return argv.map(literal);
}

/** s6 waits for it without end. */
function readyOf(conversion: Conversion): Block | undefined {
  const fd = whole(conversion, 'notification-fd');
  return fd === undefined ? undefined : { fd, timeout: 'forever' };
}

function signalOf(conversion: Conversion): string {
  const text = conversion.service.files.get('down-signal')?.trim();
  if (text === undefined) return 'SIGTERM';
  const name = normalizeSignal(text.toUpperCase());
  if (name === undefined)
    say(conversion, 'lost', 'down-signal', `a signal is needed, got ${JSON.stringify(text.slice(0, 64))}`);
  return name ?? 'SIGTERM';
}

function graceOf(conversion: Conversion): string {
  const ms = whole(conversion, 'timeout-kill') ?? 0;
  return ms > 0 ? `${ms}ms` : 'forever';
}

function whole(conversion: Conversion, file: string): number | undefined {
  const text = conversion.service.files.get(file)?.trim();
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  say(conversion, 'lost', file, `a number is needed, got ${JSON.stringify(text.slice(0, 64))}`);
  return undefined;
}

/** With the arguments that s6-supervise gives: exit code or 256, number of the signal or 0, name. */
function finishOf(conversion: Conversion): Plain | undefined {
  const { service } = conversion;
  const text = service.files.get('finish');
  if (text === undefined) return undefined;
  if (!service.executables.has('finish')) {
    say(conversion, 'lost', 'finish', 'it is not executable, so s6 does not run it either');
    return undefined;
  }
  const { argv, needs } = runOf(text, true, './finish');
  if (needs.length > 0)
    say(conversion, 'hint', 'finish', `it uses ${needs.join(', ')}, which must be in the image`);
  if ((whole(conversion, 'timeout-finish') ?? 5000) > 10_000)
    say(conversion, 'changed', 'timeout-finish', 'post_stop has 10 s');
  if (/\bexit\s+125\b/.test(text))
    say(conversion, 'lost', 'finish', 'its exit code 125 does not keep the process from being restarted');
  const call = argv.map(shellWord).join(' ');
  const code = `"\${GSUP_EXIT_CODE:-256}"`;
  if (!TAKES_SIGNAL.test(text)) return literalForShell(`exec ${call} ${code}`);
  const numbers = SIGNALS.map((name) => `SIG${name}) s=${signalNumber(name)};;`).join(' ');
  return literalForShell(
    `s=0; case "$GSUP_EXIT_SIGNAL" in ${numbers} esac; exec ${call} ${code} $s ${shellWord(service.name)}`,
  );
}

/** It looks at more than its first argument. */
const TAKES_SIGNAL = /\$\{?[2-9@*]|\bimport/;

/** Of what processes die; `kill -l` of dash knows no names. */
const SIGNALS = ['HUP', 'INT', 'QUIT', 'ILL', 'ABRT', 'BUS', 'FPE', 'KILL', 'SEGV', 'PIPE', 'ALRM', 'TERM'];

const NO_EQUAL: Readonly<Record<string, string>> = {
  'max-death-tally': 'gsup keeps its history in the checkpoint log',
  'lock-fd': 'gsup does not hold a lock for a process',
  nosetsid: 'each process leads a session of its own',
  'flag-newpidns': 'gsup makes no namespaces',
  'timeout-up': 'a process that runs once may take as long as it needs',
  'timeout-down': 'a stop is bounded by its grace',
  'producer-for': 'gsup connects no processes: the output goes to its own',
  'consumer-for': 'gsup connects no processes: its standard input is empty',
  'pipeline-name': 'gsup connects no processes',
};

function noteFiles(conversion: Conversion): void {
  const { service } = conversion;
  for (const [file, why] of Object.entries(NO_EQUAL))
    if (service.files.has(file)) say(conversion, 'lost', file, why);
  if (service.folders.has('log'))
    say(conversion, 'lost', 'log', 'its logger is not run: the output goes to that of gsup; see logging');
  if (service.folders.has('instance') || service.folders.has('template'))
    say(conversion, 'lost', 'instance', 'gsup has replicas, without a template');
}
