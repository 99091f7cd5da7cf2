/** Commands that need more than a client of a running task does, as commander reads them. */

import { once } from 'node:events';
import { isatty, type ReadStream, type WriteStream } from 'node:tty';
import { EXIT } from '../signals/exit-codes.ts';
import type { CheckOptions } from './check-config.ts';
import type { HistoryOptions } from './history.ts';
import type { ImportOptions } from './import.ts';
import type { LogsOptions, LogsWorld } from './logs.ts';
import { complaintLines, writeAll } from './output.ts';
import { type AddCommand, CHECKPOINT_WORDS, newCommand, quiet, said, withCommonOptions } from './program.ts';
import { allowsColour } from './terminal.ts';
import type { TimelineOptions, TimelineWorld } from './timeline.ts';
import type { TopOptions, TopTerminal } from './top.ts';

type Asked = Parameters<AddCommand>[0];

export const OTHER_PROGRAMS: Readonly<Record<string, AddCommand>> = {
  checkpoint: addCheckpoint,
  top: addTop,
  logs: addLogs,
  history: addHistory,
  timeline: addTimeline,
  check: addCheck,
  schema: addSchema,
  import: addImport,
  init: addInit,
  'install-init': addInstallInit,
};

function addCheckpoint({ program, options, done }: Asked): void {
  const checkpoint = quiet(program.command('checkpoint'));
  for (const name of CHECKPOINT_WORDS) {
    const command = withCommonOptions(quiet(checkpoint.command(name))).argument('[file]');
    command.action(async (file: string | undefined) => {
      const { checkpointCommand } = await import('./checkpoint.ts');
      const print = (text: string) => writeAll(1, text);
      done(checkpointCommand(name, file, { ...options, ...said(command) }, process.env, print));
    });
  }
}

function addTop({ program, options, done }: Asked): void {
  const top = newCommand(program, 'top');
  top.action(async (asked: TopOptions) => {
    const { topCommand } = await import('./top.ts');
    const print = (text: string) => writeAll(1, text);
    const world = { env: process.env, terminal: terminalToDrawOn(), colour: allowsColour(), print };
    done(await topCommand(asked, { ...options, ...said(top) }, world));
  });
}

function addLogs({ program, options, done }: Asked): void {
  const logs = newCommand(program, 'logs').argument('[process...]');
  logs.action(async (names: string[], asked: LogsOptions) => {
    const { logsCommand } = await import('./logs.ts');
    done(await logsCommand(names, asked, { ...options, ...said(logs) }, logsWorld()));
  });
}

function addHistory({ program, options, done }: Asked): void {
  const history = newCommand(program, 'history').argument('[name...]');
  history.action(async (names: string[], asked: HistoryOptions) => {
    const { historyCommand } = await import('./history.ts');
    const around = { env: process.env, nowMs: Date.now(), colour: wantsColour() };
    done(historyCommand(names, asked, { ...options, ...said(history) }, around));
  });
}

function addTimeline({ program, options, done }: Asked): void {
  const timeline = newCommand(program, 'timeline');
  timeline.action(async (asked: TimelineOptions) => {
    const { timelineCommand } = await import('./timeline.ts');
    done(await timelineCommand(asked, { ...options, ...said(timeline) }, timelineWorld()));
  });
}

function addCheck({ program, options, done }: Asked): void {
  const check = newCommand(program, 'check');
  const file = check.options.find(({ long }) => long === '--file');
  file?.argParser((path: string, before: readonly string[] = []) => [...before, path]);
  check.action(async (asked: CheckOptions) => {
    const { checkConfig } = await import('./check-config.ts');
    done(checkConfig(asked, { ...options, ...said(check) }.name, process.env));
  });
}

function addSchema({ program, done }: Asked): void {
  withCommonOptions(quiet(program.command('schema'))).action(async () => {
    done((await import('./schema.ts')).schema());
  });
}

function addImport({ program, done }: Asked): void {
  const importing = newCommand(program, 'import').argument('<file>');
  importing.action(async (path: string, asked: ImportOptions) => {
    const { importCommand } = await import('./import.ts');
    done(importCommand(path, asked, process.env));
  });
}

function addInit({ program, done }: Asked): void {
  withCommonOptions(quiet(program.command('init'))).action(async () => {
    done((await import('./init.ts')).initCommand(process.cwd(), process.env));
  });
}

function addInstallInit({ program, done }: Asked): void {
  withCommonOptions(quiet(program.command('install-init')))
    .argument('[path]')
    .action(async (path: string | undefined) => {
      const { installInit, packageFolder } = await import('./install-init.ts');
      const folder = packageFolder(import.meta.url);
      const outcome = installInit(folder, path, process.env.PATH ?? '');
      if (outcome.exitCode === EXIT.success) await (await import('./compile-ahead.ts')).compileAhead(folder);
      done(outcome);
    });
}

function timelineWorld(): TimelineWorld {
  const { env, hrtime } = process;
  const print = (text: string) => void writeAll(1, text);
  const askedToEnd = () => Promise.race(['SIGINT', 'SIGTERM', 'SIGHUP'].map((name) => once(process, name)));
  return { env, print, say, askedToEnd, nowNs: hrtime.bigint };
}

function say(sentence: string): void {
  writeAll(2, complaintLines([{ level: 'warn', sentence }], isatty(2) ? 'text' : 'json'));
}

function logsWorld(): LogsWorld {
  const terminals = [isatty(1), isatty(2)] as const;
  return { env: process.env, nowMs: Date.now(), terminals, colour: allowsColour(), write: writeAll, say };
}

/** Where keys come from and a screen can be drawn. */
function terminalToDrawOn(): TopTerminal | null {
  if (!isatty(0) || !isatty(1) || process.env.TERM === 'dumb') return null;
  return { input: process.stdin as ReadStream, output: process.stdout as WriteStream };
}

function wantsColour(): boolean {
  return isatty(1) && allowsColour();
}
