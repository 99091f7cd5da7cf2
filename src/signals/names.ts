/**
 * Signal names and numbers, both ways. The numbers are those of Linux on x86-64 and arm64 (signal(7)); real-time
 * signals count from 34, as libc's SIGRTMIN does, because 32 and 33 belong to the threads library.
 */
export type SignalName = `SIG${string}`;

export const SIGNALS: ReadonlyArray<readonly [name: string, number: number]> = [
  ['HUP', 1],
  ['INT', 2],
  ['QUIT', 3],
  ['ILL', 4],
  ['TRAP', 5],
  ['ABRT', 6],
  ['BUS', 7],
  ['FPE', 8],
  ['KILL', 9],
  ['USR1', 10],
  ['SEGV', 11],
  ['USR2', 12],
  ['PIPE', 13],
  ['ALRM', 14],
  ['TERM', 15],
  ['STKFLT', 16],
  ['CHLD', 17],
  ['CONT', 18],
  ['STOP', 19],
  ['TSTP', 20],
  ['TTIN', 21],
  ['TTOU', 22],
  ['URG', 23],
  ['XCPU', 24],
  ['XFSZ', 25],
  ['VTALRM', 26],
  ['PROF', 27],
  ['WINCH', 28],
  ['IO', 29],
  ['PWR', 30],
  ['SYS', 31],
];

/** Second names that libc knows; they are taken, never printed. */
export const SIGNAL_ALIASES: ReadonlyArray<readonly [name: string, number: number]> = [
  ['IOT', 6],
  ['CLD', 17],
  ['POLL', 29],
];

export const RTMIN = 34;
export const RTMAX = 64;

const numberByName = new Map<string, number>([...SIGNALS, ...SIGNAL_ALIASES]);
const nameByNumber = new Map<number, string>(SIGNALS.map(([name, number]) => [number, name]));

/** `SIGTERM`, `SIGRTMIN+3`; undefined for what is no signal (0, 32, 33, 65). */
export function signalName(number: number): SignalName | undefined {
  const name = nameByNumber.get(number);
  if (name !== undefined) return `SIG${name}`;
  if (!Number.isInteger(number) || number < RTMIN || number > RTMAX) return undefined;
  return number === RTMIN ? 'SIGRTMIN' : `SIGRTMIN+${number - RTMIN}`;
}

/**
 * The number of `TERM`, `SIGTERM`, `15`, `RTMIN+3` or `SIGRTMAX-1`, in any case, as `docker kill -s` takes them.
 * Undefined when it is no signal.
 */
export function signalNumber(text: string): number | undefined {
  if (/^[1-9][0-9]?$/.test(text)) return signalName(Number(text)) && Number(text);
  // Only then: there are letters whose capitals are ASCII (dotless i).
  if (!/^[A-Za-z0-9+-]+$/.test(text)) return undefined;
  const name = text.toUpperCase().replace(/^SIG/, '');
  const known = numberByName.get(name);
  if (known !== undefined) return known;
  const realTime = /^(RTMIN|RTMAX)(?:([+-])([0-9]{1,2}))?$/.exec(name);
  if (realTime === null) return undefined;
  return realTimeNumber(realTime[1] === 'RTMIN', realTime[2], Number(realTime[3] ?? 0));
}

/** One spelling for all that `signalNumber` takes. */
export function normalizeSignal(text: string): SignalName | undefined {
  const number = signalNumber(text);
  return number === undefined ? undefined : signalName(number);
}

/** SIGKILL and SIGSTOP cannot be caught, and SIGCHLD is how gsup learns that a child has ended. */
export function canBeReceived(number: number): boolean {
  return number !== 9 && number !== 17 && number !== 19;
}

function realTimeNumber(fromMin: boolean, sign: string | undefined, offset: number): number | undefined {
  if (sign !== undefined && sign !== (fromMin ? '+' : '-')) return undefined;
  const number = fromMin ? RTMIN + offset : RTMAX - offset;
  return number >= RTMIN && number <= RTMAX ? number : undefined;
}
