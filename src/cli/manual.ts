/** The manual gsup(1), made of the tables of commands, options and exit codes. Pure. */
import { COMMAND_EXIT_CODES, type ExitCode, OWN_EXIT_CODES } from '../signals/exit-codes.ts';
import { COMMANDS, type CommandRow } from './commands.ts';
import { commandOptionLine, optionLine } from './help.ts';
import { environmentName, isForRun, isForUp, type OptionRow } from './option-row.ts';
import { OPTION_ROWS } from './options.ts';
import { bold, example, heading, inline, item, plain, section, subsection } from './troff.ts';

/** When the words below were last looked at. */
export const MANUAL_DATE = '2026-11-25';

export function gsupManual(version: string): string {
  const own = OPTION_ROWS.filter((row) => !row.common);
  const lines = [
    ...heading('gsup', 1, MANUAL_DATE, version),
    ...section('NAME', ['gsup \\- init and process supervisor for containers']),
    ...section('SYNOPSIS', synopsis()),
    ...section('DESCRIPTION', paragraphs(DESCRIPTION)),
    ...section('COMMANDS', COMMANDS.flatMap(command)),
    ...section('OPTIONS', [inline(OPTIONS_TEXT)]),
    ...subsection('Of every command', optionItems(OPTION_ROWS.filter((row) => row.common))),
    ...subsection('Of run', optionItems(own.filter(isForRun))),
    ...subsection('Of up', optionItems(own.filter(isForUp))),
    ...section('EXIT STATUS', [...COMMAND_EXIT_CODES, ...OWN_EXIT_CODES].flatMap(exitCode)),
    ...section('ENVIRONMENT', environment()),
    ...section(
      'FILES',
      FILES.flatMap(([name, text]) => item(bold(name), inline(text))),
    ),
    ...section(
      'EXAMPLES',
      EXAMPLES.flatMap(([text, command], at) => [
        ...(at === 0 ? [] : ['.PP']),
        inline(text),
        ...example(command),
      ]),
    ),
    ...section('SEE ALSO', ['.BR gsup.yaml (5),', '.BR tini (1),', '.BR signal (7),', '.BR credentials (7)']),
  ];
  return `${lines.join('\n')}\n`;
}

const DESCRIPTION = [
  "**gsup run** runs one command as PID 1 of a container does, or below any other process. On SIGTERM, SIGINT or SIGQUIT the command's process group gets that signal, the whole tree of its descendants is waited for as long as `--grace` says, and SIGKILL goes only to what is left then. The grace is a ceiling: when the last process has ended, gsup ends, with the code of the command.",
  '**gsup up** does the same for the processes of a config file, see gsup.yaml(5). They start by dependency and stop in reverse.',
  'A second stop signal goes to the next step at once, a third one to SIGKILL. Other signals are forwarded to the group (**run**), or as the config says (**up**).',
  'Every step is written to a log before it is taken; **status**, **history**, **logs** and **timeline** read what is there, also after everything has ended.',
];

const OPTIONS_TEXT =
  'Each can also be given in the environment: `--grace` as `GSUP_GRACE`, and so on; the command line wins. Durations: `500ms`, `1.5s`, `8s`, `1m30s`, `2h`, `1d`, `0`, and `forever` where something is waited for.';

const FILES: ReadonlyArray<readonly [name: string, text: string]> = [
  [
    '/run/gsup/TASK',
    'The state of a task of root: `init.log`, `checkpoint.log`, `lock`, `logs/`. Otherwise below `$XDG_RUNTIME_DIR/gsup`, `/tmp/gsup-UID` or `/dev/shm/gsup-UID`, or in `--state-dir`.',
  ],
  [
    'gsup.yaml, gsup.yml, gsup.json, Procfile',
    'The config of `up` and `check`, in this order, where no `-f` is given.',
  ],
];

const VARIABLES: ReadonlyArray<readonly [name: string, text: string]> = [
  ['GSUP_HOME', 'The folder with `dist/main.js`, where it is not found beside the native program.'],
  ['GSUP_NODE', 'The Node.js for what needs it, in place of the `node` in `PATH`.'],
];

const EXAMPLES: ReadonlyArray<readonly [text: string, command: string]> = [
  ['A server that may take 20 s to stop:', 'gsup run --grace 20s -- node server.js'],
  [
    'What a stop of it would do, and how to set up Kubernetes for it:',
    'gsup check --for kubernetes run --grace 20s -- node server.js',
  ],
  ['What has happened, and why:', 'gsup history'],
];

function synopsis(): string[] {
  const lines = COMMANDS.map(({ usage }) => `${bold('gsup')} ${plain(usage)}`);
  return lines.flatMap((line, at) => (at === 0 ? [line] : ['.br', line]));
}

function paragraphs(texts: readonly string[]): string[] {
  return texts.flatMap((text, at) => (at === 0 ? [inline(text)] : ['.PP', inline(text)]));
}

function command({ name, usage, summary, notes, options = [] }: CommandRow): string[] {
  const first = `${summary[0]?.toUpperCase()}${summary.slice(1)}.`;
  return [
    ...item(`${bold(name)}${plain(usage.slice(name.length))}`, inline(first)),
    ...(notes === undefined ? [] : ['.IP', inline(notes.replaceAll('\n', ' '))]),
    ...(options.length === 0
      ? []
      : [
          '.RS',
          ...options
            .map(commandOptionLine)
            .flatMap(([names, help]) => item(bold(names.trim()), inline(help))),
          '.RE',
        ]),
  ];
}

function optionItems(rows: readonly OptionRow[]): string[] {
  return rows.map(optionLine).flatMap(([names, help]) => item(bold(names.trim()), inline(help)));
}

function exitCode({ code, meaning }: ExitCode): string[] {
  return item(bold(code), inline(meaning));
}

function environment(): string[] {
  const names = OPTION_ROWS.filter((row) => !row.action).map((row) => environmentName(row.long));
  return [
    inline(`Of the options: ${names.map((name) => `\`${name}\``).join(', ')}.`),
    '.PP',
    'Where something lies:',
    ...VARIABLES.flatMap(([name, text]) => item(bold(name), inline(text))),
  ];
}
