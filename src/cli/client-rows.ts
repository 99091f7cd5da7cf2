/** The commands that ask something of a running task, for `--help`; part of the table in commands.ts. */
import type { CommandOption, CommandRow } from './command-row.ts';

const TIMEOUT: CommandOption = {
  long: 'timeout',
  value: 'DURATION',
  help: 'wait no longer than this, and end with 124 (default: forever)',
};

function waitOption(what: string): CommandOption[] {
  return [{ long: 'wait', help: `end when ${what}` }, TIMEOUT];
}

const NAMES = 'PROCESS is a process (web.2) or an entry of the config (web: each of its replicas).';

export const CLIENT_ROWS: readonly CommandRow[] = [
  {
    name: 'start',
    usage: 'start [--wait] [--timeout DURATION] PROCESS...',
    summary: 'start processes, and what they depend on',
    notes: `${NAMES} What is in its back-off starts at once. Nothing starts once a stop of the task has begun.`,
    options: waitOption('they are ready'),
  },
  {
    name: 'stop',
    usage: 'stop [--wait] [--timeout DURATION] PROCESS...',
    summary: 'stop processes, each with its ladder; they stay down until they are started',
    notes: NAMES,
    options: waitOption('their trees are gone'),
  },
  {
    name: 'restart',
    usage: 'restart [--wait] [--timeout DURATION] PROCESS...',
    summary: 'give processes a new run; of replicas the next when the last is ready',
    notes: NAMES,
    options: waitOption('the new runs are ready'),
  },
  {
    name: 'signal',
    usage: 'signal [--target WHO] SIG PROCESS...',
    summary: 'send a signal, once',
    notes: NAMES,
    options: [{ long: 'target', value: 'WHO', help: 'group, leader or tree (default: group)' }],
  },
  {
    name: 'drain',
    usage: 'drain [PROCESS...]',
    summary: 'take the first rung of their ladders, and no further: finish, and take no more work',
    notes: `${NAMES} Without one: all but the final processes.`,
  },
  {
    name: 'scale',
    usage: 'scale PROCESS=N...',
    summary: 'change how many replicas there are; the newest are stopped first, with their ladder',
  },
  {
    name: 'reload',
    usage: 'reload',
    summary: 'read the config again, and apply it to what has changed and to nothing else',
    notes: 'It prints what is different. A config with a problem changes nothing, and ends with 78.',
  },
  {
    name: 'shutdown',
    usage: 'shutdown [--now] [--wait] [--timeout DURATION]',
    summary: 'stop the task; also as `down`',
    options: [{ long: 'now', help: 'with SIGKILL, at once' }, ...waitOption('the task has ended')],
  },
  {
    name: 'wait',
    usage: 'wait [--for WHAT] [--timeout DURATION] [PROCESS...]',
    summary: 'wait until processes, or the task, are ready, exited or stopped',
    notes: `exited: the present run has ended. stopped: and no other follows. ready: as /readyz of the control API has it.
What will not come any more ends with 69.`,
    options: [{ long: 'for', value: 'WHAT', help: 'ready, exited or stopped (default: exited)' }, TIMEOUT],
  },
  {
    name: 'upgrade',
    usage: 'upgrade [--installation DIR]',
    summary: 'replace the running supervisor by that of this installation; no process notices',
    notes: 'When the other one does not come up the one before is back, and this ends with 69.',
    options: [
      {
        long: 'installation',
        value: 'DIR',
        help: 'folder of another one, with dist/main.js (default: of this command)',
      },
    ],
  },
];
