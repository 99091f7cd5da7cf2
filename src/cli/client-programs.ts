/** The commands that ask a running task, as commander reads them: of all those that only need what a client needs. */
import { isatty } from 'node:tty';
import type { ClientCommand, ClientOptions } from './client-command.ts';
import { CLIENT_ROWS } from './client-rows.ts';
import { writeAll } from './output.ts';
import { type AddCommand, newCommand, said } from './program.ts';
import type { StatusOptions } from './status.ts';
import { allowsColour, terminalSize } from './terminal.ts';

export const CLIENT_PROGRAMS: Readonly<Record<string, AddCommand>> = {
  status: addStatus,
  ...Object.fromEntries(CLIENT_ROWS.map(({ name }) => [name, addClientCommand(name as ClientCommand)])),
};

function addStatus({ program, options, done }: Parameters<AddCommand>[0]): void {
  const command = newCommand(program, 'status');
  command.action(async (asked: StatusOptions) => {
    const { statusCommand } = await import('./status.ts');
    const { env, hrtime } = process;
    const print = (text: string) => writeAll(1, text);
    const colour = isatty(1) && allowsColour();
    const world = { env, size: terminalSize, colour, nowNs: hrtime.bigint, print };
    done(await statusCommand(asked, { ...options, ...said(command) }, world));
  });
}

/** Which words each of them needs is its own to say. */
function addClientCommand(name: ClientCommand): AddCommand {
  return ({ program, options, done }) => {
    const command = newCommand(program, name).argument('[word...]');
    command.action(async (words: string[], asked: ClientOptions) => {
      const { clientCommand } = await import('./client-command.ts');
      done(await clientCommand(name, words, asked, { ...options, ...said(command) }, process.env));
    });
  };
}
