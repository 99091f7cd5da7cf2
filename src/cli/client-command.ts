/** Commands that ask something of a running task: which one, what it answers, and what that is as an exit code. */
import type { Client, ControlError } from '../control/client.ts';
import { connectTo } from '../control/client.ts';
import { findLiveTask } from '../control/find-task.ts';
import { EXIT } from '../signals/exit-codes.ts';
import * as requests from './client-requests.ts';
import { failure, type Outcome } from './output.ts';
import type { Environment, Options } from './parse.ts';
import { waitCommand } from './wait.ts';

/** The commands' own options, as typed. */
export interface ClientOptions {
  readonly wait?: boolean;
  readonly timeout?: string;
  readonly target?: string;
  readonly now?: boolean;
  readonly for?: string;
  readonly installation?: string;
}

/** What is asked, of whom, and how. */
export interface ClientAsked {
  readonly client: Client;
  readonly words: readonly string[];
  readonly options: ClientOptions;
  readonly quiet: boolean;
}

export const CLIENT_COMMANDS = {
  start: requests.start,
  stop: requests.stop,
  restart: requests.restart,
  signal: requests.signal,
  drain: requests.drain,
  scale: requests.scale,
  reload: requests.reload,
  shutdown: requests.shutdown,
  upgrade: requests.upgrade,
  wait: waitCommand,
} as const satisfies Readonly<Record<string, (asked: ClientAsked) => Promise<Outcome>>>;

export type ClientCommand = keyof typeof CLIENT_COMMANDS;

export async function clientCommand(
  name: ClientCommand,
  words: readonly string[],
  own: ClientOptions,
  options: Options,
  env: Environment,
): Promise<Outcome> {
  const stateDir = options['state-dir'] ?? undefined;
  const found = findLiveTask({ name: options.name ?? undefined, stateDir, env });
  if (found.kind === 'none') return failure(EXIT.unavailable, found.message);
  if (found.kind === 'several') return failure(EXIT.usage, found.message);
  const client = connectTo(found.folder.path, found.folder.name);
  try {
    return await CLIENT_COMMANDS[name]({ client, words, options: own, quiet: options.quiet });
  } catch (error) {
    if (!isControlError(error)) throw error;
    return failure(exitCodeOf(error.code), `${error.message}${error.hint === '' ? '' : `; ${error.hint}`}`);
  }
}

function isControlError(error: unknown): error is ControlError {
  return error instanceof Error && typeof (error as Partial<ControlError>).hint === 'string';
}

/** What the command line says wrongly is 64, what cannot be done as things are is 69. */
function exitCodeOf(code: ControlError['code']): number {
  switch (code) {
    case 'bad-config':
      return EXIT.config;
    case 'internal':
      return EXIT.internal;
    case 'bad-request':
    case 'no-such-process':
    case 'no-such-signal':
    case 'not-an-installation':
    case 'bad-count':
    case 'not-scalable':
    case 'final':
      return EXIT.usage;
    default:
      return EXIT.unavailable;
  }
}
