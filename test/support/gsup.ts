import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fixture, pathWithoutNode } from './fixtures.ts';
import { collect, type Output } from './output.ts';
import { descendants, findPrograms, isAlive, program } from './processes.ts';
import { faultsOfLog, faultsOfStory, type Line, readRecords } from './records.ts';
import { until } from './until.ts';

/** pid1: PID 1 of a namespace of its own. subreaper: an ordinary process. portable: no C part at all. */
export type Ring = 'pid1' | 'subreaper' | 'portable';
/** order: a plain run, which starts no Node. supervisor: the same run with `--stay`. */
export type Mode = 'order' | 'supervisor';

const root = join(import.meta.dirname, '../..');
export const BINARY = process.env.GSUP_TEST_BINARY ?? join(root, 'dist/native/gsup');
const PORTABLE = [process.execPath, '--', join(dirname(BINARY), '../main.js')];

/** A tree of 1,000 takes its time on a machine with other things to do. */
const READY_MS = 40_000;

export interface Settings {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** `pipe`: `gsup.stdin` writes to it. Default: /dev/null. */
  readonly stdin?: 'pipe';
  /** What stands between the warden and gsup: `starts-oddly ... --`, or a shell. */
  readonly before?: readonly string[];
  /** Options of the warden, see test/fixtures/warden.c. */
  readonly warden?: readonly string[];
  /** null: no --name. Default: `t`. */
  readonly name?: string | null;
  readonly stateDir?: string;
  /** The test itself says what may be left, and why. */
  readonly mayLeave?: true;
  /** The logs cannot be whole in this test; it looks at them itself. */
  readonly brokenLogs?: true;
  /** Run this instead of gsup, and ask the kernel the same at its end: a shell that starts gsup. */
  readonly instead?: readonly string[];
  /** `gsup up` with this config, and the command as the names of processes. */
  readonly up?: unknown;
  /** The command needs Node itself, so it may be in PATH. */
  readonly withNode?: true;
  /** A plain run of which something is asked: a supervisor comes for it, and leaves its log. */
  readonly mayVisit?: true;
}

/** What the warden saw at the end of gsup, from the kernel. */
export interface Ended {
  readonly code: number;
  readonly signal: number;
  readonly at: string;
  readonly alive: number;
  readonly zombies: number;
  readonly escaped: number;
  readonly immortal: number;
  readonly list: readonly string[];
}

export interface Gsup {
  /** Of gsup itself, as seen from the tests. */
  readonly pid: number;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly stdin: Writable | null;
  /** Its folder below the state directory. */
  readonly folder: string;
  /** The command's first `ready`. */
  ready(): Promise<void>;
  signal(signal: NodeJS.Signals | number): void;
  /** gsup has ended; fails when anything was left, or its logs are not what every log is. */
  ended(timeoutMs?: number): Promise<Ended>;
  records(): Line[];
  /** A record of this type, now or later. */
  record(type: string, matches?: (line: Line) => boolean): Promise<Line>;
  /** The supervisor's pid, now or later. */
  supervisor(): Promise<number>;
  /** All processes below gsup that execute this fixture. */
  find(name: string): number[];
  tree(): number[];
  /** Ends everything at once; for the end of a test. True when gsup still ran. */
  clear(): Promise<boolean>;
}

export function signalNumber(signal: NodeJS.Signals | number): number {
  return typeof signal === 'number' ? signal : constants.signals[signal];
}

/** The command line of a run, up to its command. */
export function gsupCommandLine(
  ring: Ring,
  mode: Mode,
  options: readonly string[],
  stateDir: string,
  name: string | null,
) {
  const gsup = ring === 'portable' ? PORTABLE : [BINARY];
  const named = name === null ? [] : ['--name', name];
  const stay = mode === 'supervisor' && ring !== 'portable' ? ['--stay'] : [];
  return [...gsup, 'run', '--state-dir', stateDir, ...named, ...stay, ...options, '--'];
}

/** The config is JSON: whatever reads YAML reads that. What a process prints is as it prints it, where nothing else is said. */
function upCommandLine(
  config: unknown,
  place: { readonly folder: string; readonly stateDir: string; readonly name: string | null },
  options: readonly string[],
): string[] {
  const file = join(place.folder, 'gsup.json');
  writeFileSync(file, JSON.stringify({ logging: { driver: 'inherit' }, ...(config as object) }));
  const named = place.name === null ? [] : ['--name', place.name];
  return [BINARY, 'up', '--state-dir', place.stateDir, ...named, '-f', file, ...options];
}

function environment(ring: Ring, mode: Mode, settings: Settings): Record<string, string> {
  const nodeMayStart = mode === 'supervisor' || ring === 'portable' || settings.withNode;
  return {
    PATH: nodeMayStart ? (process.env.PATH ?? '') : pathWithoutNode(),
    HOME: '/',
    LANG: 'C',
    ...settings.env,
  };
}

/** What holds after every test: the kernel has nothing left, and each log is sound. */
function faultsAtEnd(
  ended: Ended,
  folder: string,
  { ring, mode }: { ring: Ring; mode: Mode },
  settings: Settings,
): string[] {
  const faults: string[] = [];
  const left = ended.list.join(', ');
  if (!settings.mayLeave) {
    if (ended.alive > 0) faults.push(`${ended.alive} processes survived gsup: ${left}`);
    if (ended.zombies > 0) faults.push(`gsup has not reaped: ${left}`);
    // Without the C part there is no subreaper: orphans of the tree die above it, and gsup says so when it starts.
    if (ended.escaped > 0 && ring !== 'portable')
      faults.push(`${ended.escaped} processes left gsup's tree and died above it`);
  }
  if (ended.immortal > 0) faults.push(`the warden could not kill ${ended.immortal} processes`);
  if (settings.brokenLogs) return faults;
  const records = readRecords(folder);
  faults.push(...faultsOfLog(folder, 'init.log'), ...faultsOfLog(folder, 'checkpoint.log'));
  faults.push(...faultsOfStory(records));
  const supervisors = records.filter((record) => record.type === 'supervisor-started').length;
  if (
    mode === 'order' &&
    !settings.mayVisit &&
    (supervisors > 0 || existsSync(join(folder, 'checkpoint.log')))
  )
    faults.push('a plain run has started a supervisor');
  return faults;
}

/** Starts gsup in a ring, below a warden. Resolves when its process exists; `ready` says when the command does. */
export async function startGsup(
  place: { ring: Ring; mode: Mode; folder: string },
  options: readonly string[],
  command: readonly string[],
  settings: Settings = {},
): Promise<Gsup> {
  const { ring, mode } = place;
  const stateDir = settings.stateDir ?? join(place.folder, 'state');
  mkdirSync(stateDir, { recursive: true });
  const name = settings.name === undefined ? 't' : settings.name;
  const own =
    settings.up === undefined
      ? gsupCommandLine(ring, mode, options, stateDir, name)
      : upCommandLine(settings.up, { folder: place.folder, stateDir, name }, options);
  const argv = [
    ...(ring === 'pid1' ? ['--namespace'] : []),
    ...(settings.warden ?? []),
    '--',
    ...(settings.before ?? []),
    ...(settings.instead ?? [...own, ...command]),
  ];
  const warden: ChildProcess = spawn(fixture('warden'), argv, {
    cwd: settings.cwd ?? place.folder,
    env: environment(ring, mode, settings),
    stdio: [settings.stdin ?? 'ignore', 'pipe', 'pipe', 'pipe'],
  });
  const gone = new Promise<void>((resolve) => warden.once('close', () => resolve()));
  const report = collect(warden.stdio[3] as Readable);
  const [stdout, stderr] = [collect(warden.stdout), collect(warden.stderr)];
  const [started] = await report.line(/^\{"event":"started".*/);
  const pid = (JSON.parse(started) as { pid: number }).pid;
  const folder = join(stateDir, name ?? '');
  const tell = () => `stdout: ${stdout.text().slice(-1000)}\nstderr: ${stderr.text().slice(-2000)}`;
  const running = () => report.lines(/"event":"ended"/).length === 0;

  return {
    pid,
    stdout,
    stderr,
    stdin: warden.stdin,
    folder,
    ready: async () => {
      await until('"ready"', () => stdout.lines(/^ready\r?$/)[0] ?? !running(), READY_MS, tell);
      if (stdout.lines(/^ready\r?$/).length === 0) throw new Error(`gsup ended before "ready"\n${tell()}`);
    },
    signal: (signal) => void process.kill(pid, signalNumber(signal)),
    records: () => readRecords(folder),
    record: (type, matches = () => true) =>
      until(
        `a record ${type}`,
        () => readRecords(folder).find((line) => line.type === type && matches(line)),
        30_000,
        tell,
      ),
    supervisor: () => until('a supervisor', () => findPrograms(pid, 'node')[0], 30_000, tell),
    find: (wanted) => findPrograms(pid, wanted),
    tree: () => descendants(pid),
    ended: async (timeoutMs = 60_000) => {
      const line = await until(
        'the end of gsup',
        () => report.lines(/"event":"ended"/)[0],
        timeoutMs,
        () => {
          const alive = descendants(pid).map((below) => `${below} ${program(below)}`);
          return `${tell()}\nalive: ${alive.join(', ')}`;
        },
      );
      await gone;
      const ended = JSON.parse(line.input ?? '') as Ended;
      const faults = faultsAtEnd(ended, folder, place, settings);
      if (faults.length > 0) throw new Error(`${faults.join('\n')}\n${tell()}`);
      return ended;
    },
    clear: async () => {
      const stillRan = running();
      if (isAlive(warden.pid ?? 0)) warden.kill('SIGTERM');
      await gone;
      return stillRan;
    },
  };
}
