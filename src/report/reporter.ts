import { closeSync, writeSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { escapeAll, escapeText } from './escape.ts';
import { type Level, levels } from './levels.ts';
import { type Notice, repeatKey, wordNotice } from './notice.ts';
import { openOwnDescription } from './own-description.ts';
import { createRepeats } from './repeats.ts';

export interface ReporterOptions {
  /** stderr, or init's copy of it. Never 1: stdout belongs to the command. */
  readonly fd: number;
  readonly format: 'text' | 'json';
  readonly level: Level;
  readonly colour: boolean;
  /** Somebody else says these. */
  readonly omit?: ReadonlySet<Notice['kind']>;
}

export interface Reporter {
  say(notice: Notice): void;
  /** Something that was said is not written yet. */
  isWriting(): boolean;
  /** Resolves when everything that was said has been written. */
  close(): Promise<void>;
}

type WriteLine = (level: Level, sentence: string, fields: Readonly<Record<string, unknown>>) => void;

export function createReporter(given: ReporterOptions): Reporter {
  const options = { ...given, fd: openOwnDescription(given.fd) };
  const repeats = createRepeats();
  const text = textWriter(options);
  let closed = false;
  // Lines wait for pino in their order; it is loaded by the first of them, because most tasks never say anything.
  let json: Promise<WriteLine> | null = null;
  let written: Promise<void> = Promise.resolve();
  let waiting = 0;

  const write: WriteLine = (level, sentence, fields) => {
    if (options.format === 'text') return text(level, sentence, fields);
    json ??= loadJsonWriter(options).catch(() => text);
    waiting++;
    written = Promise.all([json, written]).then(([line]) => {
      line(level, sentence, fields);
      waiting--;
    });
  };
  return {
    isWriting: () => waiting > 0,
    say(notice) {
      const { level, sentence } = wordNotice(notice);
      if (closed || options.omit?.has(notice.kind)) return;
      if (levels[level] < levels[options.level]) return;
      const times = repeats.count(repeatKey(notice));
      if (times === null) return;
      const shown = escapeText(sentence);
      const { kind, ...fields } = notice;
      const more = times > 1 ? { times } : {};
      write(level, times > 1 ? `${shown} (${times} times)` : shown, {
        event: kind,
        ...snakeCase(fields),
        ...more,
      });
    },
    async close() {
      if (closed) return;
      closed = true;
      await written;
      if (options.fd !== given.fd) closeSync(options.fd);
    },
  };
}

function textWriter({ fd, colour }: ReporterOptions): WriteLine {
  return (level, sentence) => {
    const [on, off] =
      colour && level in colours ? [colours[level as keyof typeof colours], '\x1b[0m'] : ['', ''];
    writeLine(fd, `gsup: ${on}${sentence}${off}\n`);
  };
}

const colours = { warn: '\x1b[33m', error: '\x1b[31m' } as const;

/** The same members as init's own lines: level, time, pid, name, msg. */
async function loadJsonWriter({ fd, level: least }: ReporterOptions): Promise<WriteLine> {
  // It is evaluated at once: not before what is asked of init in this turn is sent.
  await setImmediate();
  // The default export: of a bundled CommonJS module it is the only one.
  const { default: pino } = await import('pino');
  const logger = pino(
    { level: least, base: { pid: process.pid, name: 'gsup' } },
    { write: (line: string) => writeLine(fd, line) },
  );
  return (level, sentence, fields) => logger[level](escapeAll(fields), sentence);
}

/**
 * A reader that stalls loses lines: nothing that gsup has to do waits for whoever reads what it says about it. A line
 * shorter than PIPE_BUF is lost as a whole, see pipe(7).
 */
function writeLine(fd: number, line: string): void {
  const bytes = Buffer.from(line);
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
  } catch {
    // EAGAIN, EPIPE, EBADF, ENOSPC: there is nowhere left to say it.
  }
}

/** Field names as the records have them; times are decimal strings there and here. */
function snakeCase(fields: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [
      key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      snakeCaseValue(value),
    ]),
  );
}

function snakeCaseValue(value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}`;
  if (Array.isArray(value)) return value.map(snakeCaseValue);
  return typeof value === 'object' && value !== null ? snakeCase(value) : value;
}
