/** A terminal that `gsup top` draws on: its modes, its keys, its signals. The only part of top that touches it. */

import { StringDecoder } from 'node:string_decoder';
import type { ReadStream, WriteStream } from 'node:tty';
import { suspendOneself } from '../host/kill.ts';
import { isLoneEscape, type Key, readKeys } from './keys.ts';
import type { Size } from './model.ts';
import { ENTER, LEAVE } from './screen.ts';

export interface TerminalEvents {
  readonly onKey: (key: Key) => void;
  readonly onSize: (size: Size) => void;
  /** Whoever has stopped or suspended this process has let it go on: the screen shows something else. */
  readonly onResume: () => void;
  /** Somebody wants this process to end, or the terminal has gone. */
  readonly onEnd: (signal: NodeJS.Signals) => void;
}

export interface Terminal {
  readonly size: () => Size;
  readonly write: (text: string) => void;
  /** As ^Z does elsewhere; `onResume` is called when it is over. */
  readonly suspend: () => void;
  /** Gives the terminal back as it was. */
  readonly close: () => void;
}

/** Keys that send more than an escape send it at once; over a slow line a little later. */
const ESCAPE_AFTER_MS = 50;
const ENDING: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'];

export function openTerminal(
  { input, output, write }: { input: ReadStream; output: WriteStream; write: (text: string) => void },
  events: TerminalEvents,
): Terminal {
  let isIn = false;
  const enter = (): void => {
    // The shell may have set it back meanwhile, of which Node does not know.
    if (input.isRaw) input.setRawMode(false);
    input.setRawMode(true);
    write(ENTER);
    isIn = true;
  };
  const leave = (): void => {
    if (!isIn) return;
    isIn = false;
    write(LEAVE);
    input.setRawMode(false);
  };
  const resume = (): void => {
    enter();
    events.onResume();
  };
  const suspend = (): void => {
    leave();
    process.off('SIGTSTP', suspend);
    process.off('SIGCONT', resume);
    // Without a handler the signal does what it does; where no shell could resume this group the kernel drops it.
    suspendOneself();
    process.on('SIGTSTP', suspend);
    process.on('SIGCONT', resume);
    resume();
  };
  const size = (): Size => sizeOf(output);
  const handlers: readonly (readonly [NodeJS.Signals, (signal: NodeJS.Signals) => void])[] = [
    ...ENDING.map((signal) => [signal, events.onEnd] as const),
    ['SIGTSTP', suspend],
    ['SIGCONT', resume],
    ['SIGWINCH', () => events.onSize(size())],
  ];
  for (const [signal, handler] of handlers) process.on(signal, handler);
  // A crash is told after the terminal is as it was, or nobody would see it.
  process.on('uncaughtExceptionMonitor', leave);
  process.on('exit', leave);
  const closeKeys = listen(input, events);
  enter();
  return {
    size,
    write,
    suspend,
    close() {
      leave();
      closeKeys();
      for (const [signal, handler] of handlers) process.off(signal, handler);
      process.off('uncaughtExceptionMonitor', leave);
      process.off('exit', leave);
    },
  };
}

function sizeOf(output: WriteStream): Size {
  const [columns, rows] = output.getWindowSize();
  // One that does not know (a serial line) says 0.
  return { columns: columns || 80, rows: rows || 24 };
}

function listen(input: ReadStream, { onKey, onEnd }: TerminalEvents): () => void {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  let timer: NodeJS.Timeout | undefined;
  const take = (bytes: Buffer): void => {
    clearTimeout(timer);
    const read = readKeys(rest + decoder.write(bytes));
    rest = read.rest;
    for (const key of read.keys) onKey(key);
    if (isLoneEscape(rest))
      timer = setTimeout(() => {
        rest = '';
        onKey('escape');
      }, ESCAPE_AFTER_MS);
  };
  const gone = (): void => onEnd('SIGHUP');
  input.on('data', take);
  input.on('end', gone);
  input.on('error', gone);
  input.resume();
  return () => {
    clearTimeout(timer);
    input.off('data', take);
    input.off('end', gone);
    input.pause();
  };
}
