/** The one table of exit codes (SPEC.md 2): `--help`, docs/reference/exit-codes.md and init's header come from it. */
export const EXIT = {
  success: 0,
  usage: 64,
  data: 65,
  unavailable: 69,
  internal: 70,
  stuck: 71,
  state: 73,
  held: 75,
  config: 78,
  timedOut: 124,
  notExecutable: 126,
  notFound: 127,
  signalBase: 128,
} as const;

export interface ExitCode {
  readonly code: string;
  readonly meaning: string;
}

/** What the command decides. */
export const COMMAND_EXIT_CODES: readonly ExitCode[] = [
  { code: '0-255', meaning: "the command's own code, after --exit-map" },
  { code: '126', meaning: 'the command was found but cannot be executed, or did not start in time' },
  { code: '127', meaning: 'the command was not found' },
  { code: '128+n', meaning: 'the command died of signal n (137: SIGKILL, 143: SIGTERM)' },
];

/** What gsup itself says. 64 to 78 are those of sysexits.h, 124 is that of timeout(1). */
export const OWN_EXIT_CODES: readonly ExitCode[] = [
  { code: String(EXIT.usage), meaning: 'wrong usage: an option, a value or a command that does not exist' },
  { code: String(EXIT.data), meaning: 'the checkpoint log is damaged, or written by a newer gsup' },
  {
    code: String(EXIT.unavailable),
    meaning: 'no such task, it cannot do that as it is, or Node.js is needed and there is none',
  },
  { code: String(EXIT.internal), meaning: 'internal error: a bug in gsup' },
  {
    code: String(EXIT.stuck),
    meaning: 'something could not be killed (only where the code would have been 0)',
  },
  { code: String(EXIT.state), meaning: 'no state directory can be had, and --require-state was given' },
  { code: String(EXIT.held), meaning: 'another gsup holds this task' },
  { code: String(EXIT.config), meaning: 'bad config' },
  { code: String(EXIT.timedOut), meaning: 'what was waited for has not come in time (wait, --wait)' },
];

/** The exit code of a process as a shell reports it: its own, or 128 and the signal's number. */
export function exitCodeOf(code: number | null, signal: number | null): number {
  return code ?? EXIT.signalBase + (signal ?? 0);
}

/** `--exit-map` is applied before success is judged; a code without an entry stays as it is. */
export function mapExitCode(code: number, map: ReadonlyArray<readonly [from: number, to: number]>): number {
  return map.find(([from]) => from === code)?.[1] ?? code;
}
