/** The commands that there are, for `--help` and for the suggestion after a wrong word. */
import { ORCHESTRATORS } from '../config/orchestrators.ts';
import { FORMATS } from '../import/formats.ts';
import { CLIENT_ROWS } from './client-rows.ts';
import type { CommandRow } from './command-row.ts';

export type { CommandOption, CommandRow } from './command-row.ts';

/** Habits from elsewhere. */
export const ALIASES: Readonly<Record<string, string>> = { ps: 'status', down: 'shutdown' };

export const COMMANDS: readonly CommandRow[] = [
  {
    name: 'run',
    usage: 'run [options] [--] CMD [ARG...]',
    summary: 'supervise one command',
    notes: `Options end at the first word that is none, or at --. On SIGTERM, SIGINT or SIGQUIT the command's process group
gets that signal, the whole tree is waited for as long as --grace says, then SIGKILL goes to what is left.
A second stop signal goes to the next rung at once, a third kills.`,
    takes: 'run',
  },
  {
    name: 'up',
    usage: 'up [options] [PROCESS...]',
    summary: 'supervise the processes of a config file, or those that are named and what they depend on',
    notes: `They start by dependency and readiness, and stop in reverse, each with a ladder of its own.
A second stop signal goes to the next rung of all that stop, a third kills; final processes run in any case.`,
    takes: 'up',
  },
  {
    name: 'check',
    usage: 'check [-f FILE] [--for WHAT] [--print], or check [--for WHAT] run [options] [--] CMD [ARG...]',
    summary:
      'check a config file, or a command of run, and print how it would be started and stopped, and how long that can take',
    notes: `Without a command it looks for gsup.yaml, gsup.yml, gsup.json or Procfile. All problems are told at once, each with file,
line and column; a bad config ends with 78. Nothing is started.`,
    options: [
      {
        long: 'file',
        short: 'f',
        value: 'FILE',
        help: 'the config; - is standard input; a later one goes over an earlier one',
      },
      {
        long: 'for',
        value: 'WHAT',
        help: `print the settings for ${ORCHESTRATORS.join(', ')}, with which that never kills first`,
      },
      { long: 'print', help: 'print the config as it is understood, with every default' },
    ],
    takes: 'run',
  },
  {
    name: 'checkpoint',
    usage: 'checkpoint verify|dump|compact [FILE]',
    summary: 'check, print or compact the checkpoint log of the task, or of FILE',
    notes: `verify exits 0 when every line is whole, 65 when one is damaged. dump prints the merged log, a record per line.
compact makes the checkpoint.log of a task that has ended as short as it can be: what its end followed from stays. While a
task runs its supervisor does that by itself.`,
  },
  {
    name: 'status',
    usage: 'status [--json] [--watch]',
    summary: 'print what the task and its processes do, or how it ended; also as `ps`',
    notes: 'Without --name every task that lives is told, or the one that ended last.',
    options: [
      { long: 'json', help: 'one JSON object; a list where several tasks live' },
      { long: 'watch', help: 'again and again, until the task has ended' },
    ],
  },
  {
    name: 'top',
    usage: 'top [--sort KEY] [--delay DURATION] [-b] [-n N]',
    summary:
      'show a task live: state, CPU, memory, restarts; keys stop, restart, drain and signal, and show output',
    notes: `? shows the keys; what stops something asks first. CPU and memory are those of whole trees. It ends with the task, with 0.
Without a terminal it prints the table once, or as -b and -n say.`,
    options: [
      {
        long: 'sort',
        value: 'KEY',
        help: 'config, name, state, cpu, memory, restarts or uptime (default: config, as they are declared)',
      },
      {
        long: 'delay',
        short: 'd',
        value: 'DURATION',
        help: 'time between two looks, at least 100ms (default: 1s)',
      },
      { long: 'batch', short: 'b', help: 'print tables one below the other, until the task has ended' },
      { long: 'iterations', short: 'n', value: 'N', help: 'with -b, or without a terminal: so many tables' },
    ],
  },
  ...CLIENT_ROWS,
  {
    name: 'health',
    usage: 'health [--ready|--live]',
    summary: 'print one line, and end with 0 or 1: for HEALTHCHECK and exec probes',
    notes: `Without a flag: nothing is unhealthy or has failed for good, and no stop has begun. It is answered without Node.js, and wakes nobody.
Of a plain run there is nothing to know but that it runs.`,
    options: [
      { long: 'ready', help: 'each process is ready, or has done its work' },
      { long: 'live', help: 'the task lives, and has a supervisor if it needs one' },
    ],
  },
  {
    name: 'logs',
    usage: 'logs [options] [PROCESS...]',
    summary: 'print what processes have written, also after everything has ended',
    notes: `Of each process that is captured (gsup run --log, logging in a config) the last 256 KiB are kept. PROCESS is a process (web),
a replica (web.2) or a run (web#3). What was written to standard error goes to standard error. On a terminal, control
characters other than colours are shown, not obeyed; elsewhere every byte is as it was written.`,
    options: [
      { long: 'follow', short: 'f', help: 'go on with what comes, until the task has ended' },
      { long: 'lines', short: 'n', value: 'N', help: 'only the last N lines of each process' },
      { long: 'tail', value: 'N', help: 'the same as --lines' },
      {
        long: 'since',
        value: 'TIME',
        help: 'only what was written then or later: a duration (10m: that long ago) or a time like 2026-01-31T12:00:00Z',
      },
      { long: 'timestamps', short: 't', help: 'each line with its time' },
      { long: 'json', help: 'one JSON object a line, as --log json writes it' },
    ],
  },
  {
    name: 'history',
    usage: 'history [options] [NAME...]',
    summary: 'tell what happened to the task, from its log alone, also after everything has ended',
    notes: `NAME is a run (web#3), a replica (web.2) or a process (web). TIME is a duration (10m: that long ago) or a time like
2026-01-31T12:00:00Z. Runs that went alike, one after the other, are told as the first, the last, and a line for those between.`,
    options: [
      { long: 'json', help: 'one JSON object, its names as in the records' },
      { long: 'since', value: 'TIME', help: 'only what happened then or later' },
      { long: 'until', value: 'TIME', help: 'only what happened then or earlier' },
      { long: 'all', help: 'each run for itself, however often it went alike' },
      { long: 'past', value: 'N', help: 'of the N-th start before this one; five are kept' },
    ],
  },
  {
    name: 'timeline',
    usage: 'timeline [-o FILE] [--past N], or timeline --serve [--address HOST:PORT] [--past N]',
    summary: 'draw what happened, from the log alone: one HTML file that needs nothing else, or an SVG',
    notes: `Without -o the page goes to standard output. A FILE that ends in .svg is an SVG. With --serve the page is on a web server that
lasts until ^C, and moves as the task goes on, over crashes and upgrades of its supervisor. What is printed is its address with a
token: whoever has that sees the task, and nobody can change anything.`,
    options: [
      { long: 'output', short: 'o', value: 'FILE', help: 'where to write it' },
      { long: 'past', value: 'N', help: 'of the N-th start before this one; five are kept' },
      { long: 'serve', help: 'serve the page, and show in it what happens' },
      {
        long: 'address',
        value: 'HOST:PORT',
        help: 'where to serve it: this machine alone, on a port that is free, if nothing is said',
      },
    ],
  },
  {
    name: 'schema',
    usage: 'schema',
    summary: 'print the JSON Schema of a config file, for editors',
  },
  {
    name: 'import',
    usage: 'import [--from FORMAT] [-o FILE] FILE',
    summary:
      'turn a supervisord.conf, a Compose file, a PM2 ecosystem, a Procfile or service directories of s6 into a config file',
    notes: `Without -o the config goes to standard output. What has no equal is a comment in it, and a line on stderr. It never writes over
a file that is there. Of FORMAT there are ${FORMATS.join(', ')}; it is found by name and content. FILE - is standard
input. An ecosystem in JavaScript is run, by a node that may only read files, for 10s at most.`,
    options: [
      { long: 'from', value: 'FORMAT', help: 'what the file is, where its name and content do not tell' },
      { long: 'output', short: 'o', value: 'FILE', help: 'where to write it; a new file' },
    ],
  },
  {
    name: 'init',
    usage: 'init',
    summary: 'write a gsup.yaml and a Dockerfile for what is in this folder',
    notes: `It looks at supervisord.conf, ecosystem.config.js, Procfile, package.json, a Compose file and a Dockerfile, asks nothing, and never writes over a
file that is there: it says what it has left alone.`,
  },
  {
    name: 'completion',
    usage: 'completion bash|zsh|fish',
    summary: 'print what a shell needs to complete commands and options',
    notes:
      'bash: source <(gsup completion bash). zsh: gsup completion zsh, into a file _gsup in a folder of fpath. fish: gsup completion fish | source.',
  },
  {
    name: 'install-init',
    usage: 'install-init [PATH]',
    summary:
      "link the native entry in this launcher's place, or at PATH, so that a container starts it directly",
    notes:
      'It also runs two tasks of a moment, so that what Node.js compiles of a supervisor lies beside the code: in an image the containers find it there.',
  },
];
