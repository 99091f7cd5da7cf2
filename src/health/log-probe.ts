/**
 * Readiness by a line of output, from the copy that the pump keeps: what was written while no supervisor was there is found
 * too. Lines of other runs do not count, nor those of an earlier gsup, whose runs had the same names.
 */

import { processOfCopy } from '../logs/copies.ts';
import { processOfRun } from '../logs/copy-line.ts';
import { type CopyReader, createCopyReader } from '../logs/copy-reader.ts';
import { type Assembler, createAssembler, type LogLine } from '../logs/log-line.ts';
import { type FolderWatch, watchFolder } from '../logs/watch-folder.ts';
import { createLineMatcher, type LineMatcher, LOOKED_AT_CHARACTERS } from './line-matcher.ts';

/** Where the copies are, and since when lines in them are of this gsup: RFC 3339, UTC. */
export interface Copies {
  readonly logs: string;
  readonly since: string;
}

type Done = (ok: boolean, detail?: string) => void;

export interface LogProbe {
  /** Calls back once, later: when a line matches, or after `timeoutMs`. */
  ask(run: string, pattern: string, timeoutMs: number, done: Done): void;
}

/** Who is not asked again for so long is not waited for any more. */
const KEEP_MS = 10_000;

/** What is looked for. It stays between two questions, so that no rotation between them matters. */
interface Search {
  readonly run: string;
  readonly pattern: string;
  readonly reader: CopyReader;
  readonly assembler: Assembler;
  readonly matcher: LineMatcher;
  found: boolean;
  missed: boolean;
  isDue: boolean;
  waiting: Done | null;
  timer: NodeJS.Timeout | undefined;
}

export function createLogProbe({ logs, since }: Copies): LogProbe {
  /** By process: of its runs one can be waited for. */
  const searches = new Map<string, Search>();
  let watching: FolderWatch | null = null;

  const drop = (process: string): void => {
    const search = searches.get(process);
    if (search === undefined) return;
    clearTimeout(search.timer);
    search.reader.close();
    searches.delete(process);
    if (searches.size > 0) return;
    watching?.close();
    watching = null;
  };

  const answer = (process: string, search: Search, ok: boolean): void => {
    const done = search.waiting;
    if (done === null) return;
    search.waiting = null;
    clearTimeout(search.timer);
    if (ok) drop(process);
    else search.timer = unref(setTimeout(() => drop(process), KEEP_MS));
    done(ok, ok ? undefined : whyNot(search));
  };

  const lookAt = (process: string, search: Search): void => {
    search.isDue = false;
    if (searches.get(process) !== search || search.found) return;
    const { pieces, missed } = search.reader.read();
    const own = pieces.filter(({ run, time }) => run === search.run && time >= since);
    search.missed ||= missed;
    search.found = search.matcher.matches(search.assembler.push(own).map(textOf));
    if (search.found) answer(process, search, true);
  };

  /** What comes in a burst is looked at once. */
  const lookSoon = (process: string): void => {
    const search = searches.get(process);
    if (search === undefined || search.isDue) return;
    search.isDue = true;
    setImmediate(() => lookAt(process, search));
  };

  const begin = (process: string, run: string, pattern: string): Search => {
    drop(process);
    const search: Search = {
      run,
      pattern,
      reader: createCopyReader(logs, process),
      assembler: createAssembler(),
      matcher: createLineMatcher(pattern),
      found: false,
      missed: false,
      isDue: false,
      waiting: null,
      timer: undefined,
    };
    searches.set(process, search);
    watching ??= watchFolder(logs, (file) => {
      for (const name of file === null ? searches.keys() : [processOfCopy(file)]) lookSoon(name);
    });
    return search;
  };

  return {
    ask(run, pattern, timeoutMs, done) {
      const process = processOfRun(run);
      const known = searches.get(process);
      const search = known?.run === run ? known : begin(process, run, pattern);
      clearTimeout(search.timer);
      search.waiting = done;
      search.timer = unref(setTimeout(() => answer(process, search, false), timeoutMs));
      if (search.found) setImmediate(() => answer(process, search, true));
      else lookSoon(process);
    },
  };
}

const decoder = new TextDecoder();
/** No character has more bytes. */
const LOOKED_AT_BYTES = 4 * LOOKED_AT_CHARACTERS;

/** Without the carriage return of a program that writes for a terminal. */
function textOf({ text }: LogLine): string {
  return decoder.decode(text.subarray(0, LOOKED_AT_BYTES)).replace(/\r$/, '');
}

function whyNot({ pattern, matcher, missed }: Search): string {
  const gap = missed ? '; it wrote more than is kept, so a line may have been missed' : '';
  return matcher.gaveUp() ?? `no line matches /${pattern}/${gap}`;
}

function unref(timer: NodeJS.Timeout): NodeJS.Timeout {
  return timer.unref();
}
