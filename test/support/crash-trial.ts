import { mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { busyMs } from './busy.ts';
import { type CrashPoint, crashingNode, writesIn } from './crash-point.ts';
import { NOTES, type Story } from './crash-stories.ts';
import { type Gsup, type Ring, startGsup } from './gsup.ts';
import { isAlive } from './processes.ts';
import { type Line, msBetween } from './records.ts';
import { LATE_MS } from './scenario.ts';
import { pause, until } from './until.ts';

/** How the supervisor is killed: at exact writes of it, or whoever it is at these moments after the start. */
export interface Crash {
  readonly points?: readonly CrashPoint[];
  readonly momentsMs?: readonly number[];
}

/** All of a task's life that a user can see. What it is must not depend on crashes of the supervisor. */
export interface Told {
  readonly code: number;
  readonly stdout: readonly string[];
  readonly notes: string;
  readonly runs: readonly string[];
  readonly judged: readonly string[];
  readonly rungs: readonly string[];
  readonly hooks: readonly string[];
  readonly backoffs: readonly string[];
  readonly end: string;
}

export interface Played {
  readonly told: Told;
  /** What is wrong by itself, whatever the other runs of the story were. */
  readonly faults: readonly string[];
  readonly kills: number;
  /** How often the first supervisor has written. */
  readonly writes: number;
}

/** Stories take seconds; this is for a machine that does eight of them at once, and other things. */
const ENDS_WITHIN_MS = 120_000;
/** A supervisor that is being started has 2 s until init acts without it; then it is late, but never wrong. */
const START_MS = 2000;
/** What a rung that is due gives a supervisor that lives. */
const PATIENCE_MS = 250;
/** What init writes when a rung begins. */
const BEGINS: ReadonlySet<unknown> = new Set(['rung', 'signal', 'run-started']);

export async function playStory(story: Story, ring: Ring, crash: Crash): Promise<Played> {
  const folder = mkdtempSync(join(tmpdir(), 'gsup-crash-'));
  const crashes = join(folder, 'crashes');
  mkdirSync(crashes);
  let gsup: Gsup | undefined;
  try {
    const node = crashingNode(crashes, crash.points ?? []);
    const place = { ring, mode: 'supervisor', folder } as const;
    gsup = await startGsup(place, story.options?.(folder) ?? [], story.command?.(folder) ?? [], {
      env: { GSUP_NODE: node },
      ...(story.config === undefined ? {} : { up: story.config(folder) }),
      ...(story.stdin === undefined ? {} : { stdin: story.stdin }),
    });
    const killing = killAt(gsup, crash.momentsMs ?? []);
    await story.play(gsup);
    const ended = await gsup.ended(ENDS_WITHIN_MS);
    const writes = writesIn(crashes);
    const exact = writes.filter((each) => each.endsWith('X')).length;
    return {
      told: told(gsup, ended.code, join(folder, NOTES)),
      faults: [...faultsOf(gsup.records()), ...faultsOfOrder(gsup.records(), story.order ?? [])],
      kills: exact + (await killing),
      writes: writes[0]?.length ?? 0,
    };
  } finally {
    await gsup?.clear();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Moments count from the first supervisor on. Returns how many were killed: one that has gone cannot be. */
async function killAt(gsup: Gsup, momentsMs: readonly number[]): Promise<number> {
  if (momentsMs.length === 0) return 0;
  const isThere = () => supervisorOf(gsup) ?? !isAlive(gsup.pid);
  await until('a supervisor', isThere, ENDS_WITHIN_MS);
  const begin = performance.now();
  let kills = 0;
  for (const moment of momentsMs) {
    await pause(Math.max(0, begin + moment - performance.now()));
    const supervisor = supervisorOf(gsup);
    if (supervisor === undefined) continue;
    try {
      process.kill(supervisor, 'SIGKILL');
      kills++;
    } catch {
      // It has just ended by itself.
    }
  }
  return kills;
}

/** Not who reads the config of `up`, before it becomes one, nor a command that is Node. */
function supervisorOf(gsup: Gsup): number | undefined {
  return gsup.find('node').find((pid) => {
    const environment = read(`/proc/${pid}/environ`).split('\0');
    return environment.includes('GSUP_INIT=1') || (environment.includes('GSUP_INIT=first') && hasLog(pid));
  });
}

function hasLog(pid: number): boolean {
  try {
    return readlinkSync(`/proc/${pid}/fd/4`).includes('checkpoint.log');
  } catch {
    return false;
  }
}

/**
 * The ladder as it was climbed. Who acts first writes first, and the other one writes what it finds: then the supervisor's
 * record counts, since a hook's rung is a mere wait for a coordinator.
 */
function rungsOf(records: readonly Line[]): string[] {
  const rungs = new Map<string, Line>();
  for (const line of records.filter((each) => each.type === 'rung')) {
    const place = `${line.run} ${line.index}`;
    if (!rungs.has(place) || line.file === 'checkpoint.log') rungs.set(place, line);
  }
  return [...rungs].map(([place, line]) => `${place} ${line.action} ${line.signal}`).sort();
}

function told(gsup: Gsup, code: number, notes: string): Told {
  // How often something is asked whether it is ready or well depends on how long things take.
  const records = gsup.records().filter((line) => !/\/(ready|health)\.\d+$/.test(`${line.hook ?? line.run}`));
  const of = (type: string) => records.filter((line) => line.type === type);
  const last = records.findLast((line) => line.type === 'task-state');
  return {
    code,
    stdout: gsup.stdout
      .text()
      .split('\n')
      // It follows each signal, and may come when what the signal did is done.
      .filter((line) => !line.startsWith('got SIGCONT'))
      // Prefixes are as wide as the names of those that have been started so far.
      .map((line) => line.replace(/( pid \d+ uid \d+)? at \d+$/, '').replace(/^(\S+) +\| /, '$1 | '))
      // What several processes write comes in any order; what one of them does, in its own.
      .sort((a, b) => processOf(a).localeCompare(processOf(b))),
    notes: read(notes).replaceAll(/^\d+$/gm, 'started'),
    // Hooks may end beside the run that they serve.
    runs: of('run-ended')
      .map((line) => `${line.run} ${line.code} ${line.signal} ${line.forced}`)
      .sort(),
    judged: of('outcome')
      .map((line) => `${line.run} ${line.outcome} ${line.cause} ${line.failures}`)
      .sort(),
    rungs: rungsOf(records),
    hooks: of('hook')
      .map((line) => `${line.hook} ${line.state} ${line.code} ${line.signal}`)
      .sort(),
    backoffs: of('backoff')
      .map((line) => `${line.process} ${line.failures}`)
      .sort(),
    end: `${last?.state} ${last?.exit_code}`,
  };
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** Of a line with `--log prefix`: `web | ready`. */
function processOf(line: string): string {
  return /^(\S+) \| /.exec(line)?.[1] ?? '';
}

function faultsOfOrder(records: readonly Line[], order: readonly string[]): string[] {
  const find = (what: string) =>
    records.findIndex((line) => what === `${line.type} ${line.run ?? line.process ?? line.state}`);
  return order.flatMap((rule) => {
    const [before = -1, after = -1] = rule.split(' < ').map(find);
    return before >= 0 && before < after ? [] : [`not in order: ${rule} (${before}, ${after})`];
  });
}

/** Each thing decided once and done once, and no deadline that moves. */
function faultsOf(records: readonly Line[]): string[] {
  const decided = records.filter((line) => line.file === 'checkpoint.log');
  const twice = [
    ...repeated(decided, 'run-forked', (line) => `${line.run}`),
    ...repeated(decided, 'outcome', (line) => `${line.run}`),
    ...faultsOfBegun(records),
    ...repeated(decided, 'kill', (line) => `${line.run}`),
    ...repeated(decided, 'hook', (line) => `${line.hook} ${line.state}`),
    ...repeated(records, 'run-started', (line) => `${line.run}`),
    ...repeated(records, 'task-state', (line) => `${line.state}`),
  ];
  return [...twice, ...faultsOfTime(records), ...faultsOfBackoff(records)];
}

/**
 * A rung whose supervisor was killed before it had told anybody of it is written once more by the next one, as the first thing that
 * it writes; then it counts from there. That nobody was told of it twice is seen by what the command says.
 */
function withoutUntold(records: readonly Line[]): readonly Line[] {
  return records.filter((line, at) => {
    if (line.type !== 'rung' || line.file !== 'checkpoint.log') return true;
    const later = records.slice(at + 1).filter(({ file }) => file === 'checkpoint.log');
    const again = later.findIndex(
      ({ type, run, index }) => type === 'rung' && run === line.run && index === line.index,
    );
    const next = again < 0 ? undefined : later.slice(again).find(({ type }) => type !== 'rung');
    return next?.type !== 'supervisor-started';
  });
}

function repeated(records: readonly Line[], type: string, key: (line: Line) => string): string[] {
  const keys = records.filter((line) => line.type === type).map(key);
  return keys.filter((each, at) => keys.indexOf(each) !== at).map((each) => `two records ${type} of ${each}`);
}

/**
 * The next supervisor writes a rung once more where nobody had been told of it, with all of its wait. Once it has begun, because its
 * signal was sent or the coordinator took it alone, its deadline does not go away.
 */
function faultsOfBegun(records: readonly Line[]): string[] {
  return records.flatMap((again, at) => {
    const isOf = (line: Line) => line.run === again.run;
    const isSame = (line: Line) => line.type === 'rung' && isOf(line) && line.index === again.index;
    const before = records.slice(0, at);
    const first = before.findIndex((line) => line.file === 'checkpoint.log' && isSame(line));
    if (again.type !== 'rung' || again.file !== 'checkpoint.log' || first < 0) return [];
    const since = before.slice(first);
    const begun = since.some((line) => line.file === 'init.log' && isOf(line) && BEGINS.has(line.type));
    const deadline = since.findLast(isSame)?.deadline_ns;
    if (!begun || deadline == null || again.deadline_ns == null) return [];
    const movedMs = msBetween({ mono_ns: String(deadline) }, { mono_ns: String(again.deadline_ns) });
    const fault = `the deadline of rung ${again.index} of ${again.run} moved by ${movedMs} ms`;
    // Earlier is what a budget leaves, where the coordinator alone has not known of it; that nothing comes too early is asked below.
    // Later by no more than a start: what its coordinator does meanwhile is news that the next supervisor reads after its first picture.
    const busy = busyMs(BigInt((before[first] as Line).mono_ns), BigInt(again.mono_ns));
    return movedMs <= START_MS + PATIENCE_MS + LATE_MS + busy ? [] : [fault];
  });
}

/** Nobody starts before his wait is over. */
function faultsOfBackoff(records: readonly Line[]): string[] {
  return records.flatMap((wait, at) => {
    if (wait.type !== 'backoff') return [];
    const next = records
      .slice(at)
      .find((line) => line.type === 'run-forked' && line.process === wait.process);
    const early = next === undefined ? 0 : msBetween(next, { mono_ns: String(wait.deadline_ns) });
    return early > 0 ? [`${next?.run}: started ${early} ms before its back-off was over`] : [];
  });
}

/**
 * The next rung, or the kill, comes when the deadline before it is over: not earlier, unless somebody asked again or a hook
 * was done, and later by no more than what init waits for a supervisor.
 */
function faultsOfTime(records: readonly Line[]): string[] {
  const faults: string[] = [];
  const asks = records.filter((line) => line.type === 'signal' && line.run === undefined).length;
  const climbs = withoutUntold(records).filter((line) => line.type === 'rung' || line.type === 'kill');
  for (const run of new Set(climbs.map((line) => line.run))) {
    const own = climbs.filter((line) => line.run === run);
    for (const [at, next] of own.entries()) {
      const before = own.slice(0, at).findLast((line) => line.type === 'rung' && line.index !== next.index);
      if (before?.deadline_ns == null || isAgain(own.slice(0, at), next)) continue;
      // Both writers have one, and under a budget they can be some milliseconds apart; the first one to pass counts.
      const both = own.slice(0, at).filter((line) => line.index === before.index && line.deadline_ns != null);
      const due = both.map((line) => line.deadline_ns as string);
      const late = Math.max(...due.map((ns) => msBetween({ mono_ns: ns }, next)));
      const busy = busyMs(BigInt(before.mono_ns), BigInt(next.mono_ns));
      // A coordinator that was not answered in time has it as a mere wait, and the supervisor's hook may be done all the same.
      const hook = both.some(({ action }) => action === 'exec');
      if (late < -2 && asks < 2 && !hook) faults.push(`${run}: ${next.type} ${-late} ms too early`);
      if (late > START_MS + PATIENCE_MS + LATE_MS + busy)
        faults.push(`${run}: ${next.type} ${late} ms too late`);
    }
  }
  return faults;
}

/** The other writer has it already, or one behind it: a supervisor that is late writes what init no longer goes back to. */
function isAgain(before: readonly Line[], next: Line): boolean {
  return before.some((line) => line.type === next.type && Number(line.index ?? 0) >= Number(next.index ?? 0));
}
