/** Where the output of a program goes. gsup has one place for both streams of a process. Pure. */
import type { Block, Notes } from '../draft.ts';
import { flagOf, numberOf, type Reader, rawValue, sizeOf, textOf } from './values.ts';

type Stream = 'stdout' | 'stderr';

type Goal = { readonly kind: 'auto' | 'none' | 'own' } | { readonly kind: 'file'; readonly path: string };

/** The descriptors of supervisord itself. */
const OWN = /^\/(?:dev\/(?:stdout|stderr|fd\/[12]|tty)|proc\/(?:self|1)\/fd\/[12])$/;

/** No file gets as long: supervisord's 0 means that it is never put aside. */
const NEVER = '1024TB';

export function loggingOf(reader: Reader, process: string): Block | undefined {
  const stdout = goalOf(reader, 'stdout');
  const merged = flagOf(reader, 'redirect_stderr', false);
  const stderr = goalOf(reader, 'stderr');
  const limits = { stdout: limitsOf(reader, 'stdout'), stderr: limitsOf(reader, 'stderr') };
  const said = rawValue(reader, 'redirect_stderr')?.place ?? reader.section.place;
  if (merged) {
    if (stdout.kind === 'own') reader.notes.note('changed', said, process, 'redirect_stderr', KEPT_APART);
    return blockFor(stdout, limits.stdout);
  }
  const [main, other, stream] =
    stdout.kind === 'none' ? [stderr, stdout, 'stdout'] : [stdout, stderr, 'stderr'];
  if (main.kind === 'file' || other.kind === 'file' || (main.kind !== other.kind && main.kind !== 'none'))
    noteSecond(reader.notes, reader, process, main, other, stream as Stream);
  return blockFor(main, main === stdout ? limits.stdout : limits.stderr);
}

const KEPT_APART = 'the two streams stay apart: each goes to the same one of gsup';

function goalOf(reader: Reader, stream: Stream): Goal {
  const text = textOf(reader, `${stream}_logfile`);
  const word = text?.toLowerCase();
  if (text === undefined || word === 'auto') return { kind: 'auto' };
  if (word === 'none' || word === 'off' || word === 'syslog' || text === '/dev/null') return { kind: 'none' };
  return OWN.test(text) ? { kind: 'own' } : { kind: 'file', path: text };
}

function limitsOf(reader: Reader, stream: Stream): Block {
  const size = sizeOf(reader, `${stream}_logfile_maxbytes`, '50MB');
  const backups = numberOf(reader, `${stream}_logfile_backups`, 10);
  return { max_size: size ?? NEVER, max_files: Math.min(Math.max(backups, 0) + 1, 1000) };
}

function noteSecond(
  notes: Notes,
  reader: Reader,
  process: string,
  main: Goal,
  other: Goal,
  stream: Stream,
): void {
  if (main.kind === 'file' && other.kind === 'file' && main.path === other.path) return;
  const key = `${stream}_logfile`;
  const place =
    rawValue(reader, key)?.place ?? rawValue(reader, 'stdout_logfile')?.place ?? reader.section.place;
  const where = main.kind === 'file' ? `the file of the other stream` : `where the other stream goes`;
  notes.note('changed', place, process, key, `a process has one place for both streams: it goes to ${where}`);
}

function blockFor(goal: Goal, limits: Block): Block | undefined {
  switch (goal.kind) {
    case 'auto':
      return undefined;
    case 'none':
      return { driver: 'none' };
    case 'own':
      return { driver: 'inherit' };
    case 'file':
      return { driver: 'file', path: goal.path, ...limits };
  }
}
