/** Runs a task over a simulated machine, with supervisors that crash where they are told to. */
import type { Compaction } from '../../src/checkpoint/compactor.ts';
import type { JournalDisk } from '../../src/checkpoint/disk.ts';
import { type JournalNews, openJournal } from '../../src/checkpoint/journal.ts';
import type { JournalSource } from '../../src/checkpoint/journal-open.ts';
import { readLogFrom } from '../../src/checkpoint/read-log.ts';
import { type CheckpointRecord, stampRecord } from '../../src/checkpoint/record.ts';
import { type RepairedLog, repairLog } from '../../src/checkpoint/repair.ts';
import type { Clock, Host } from '../../src/host/host.ts';
import type { Request } from '../../src/supervisor/client-request.ts';
import { decide } from '../../src/supervisor/decide.ts';
import type { ConfigRead } from '../../src/supervisor/effect.ts';
import type { Happening } from '../../src/supervisor/happening.ts';
import { createLoop, type Loop } from '../../src/supervisor/loop.ts';
import { processName } from '../../src/supervisor/names.ts';
import { neededRecords } from '../../src/supervisor/needed.ts';
import type { TaskPlan } from '../../src/supervisor/plan.ts';
import type { ConfigPort, JournalPort, Ports } from '../../src/supervisor/ports.ts';
import { replay } from '../../src/supervisor/replay.ts';
import type { State } from '../../src/supervisor/state.ts';
import type { Behaviour } from './behaviour.ts';
import { type DiskFault, LOG, type SimulatedDisk } from './disk.ts';
import { MS } from './scheduler.ts';
import {
  brief,
  type Decision,
  type Request as HostRequest,
  type Sent,
  stepsOf,
  type Trace,
} from './trace.ts';
import { createWorld, type World } from './world.ts';

export interface Scenario {
  readonly plan: TaskPlan;
  /** By run, else by process (or `node/pre-stop` for its hooks). */
  readonly behaviours: Readonly<Record<string, Behaviour>>;
  readonly script?: readonly Line[];
  /** When the tree of a process is above its memory limit, in ms after the begin. Without: never. */
  readonly large?: Readonly<Record<string, { readonly from: number; readonly until?: number }>>;
  /** When probes of a process (not commands) pass, in ms after the begin. Without: never. */
  readonly answers?: Readonly<Record<string, { readonly from: number; readonly until?: number }>>;
  /** What the config says from so many ms after the begin on; before the first one what it said at the begin. */
  readonly configs?: readonly { readonly from: number; readonly read: ConfigRead }[];
  /** Answers of POST by URL: after so long, whether it succeeded. Without: it fails at once. */
  readonly posts?: Readonly<Record<string, { readonly after: number; readonly ok: boolean }>>;
}

/** What happens from outside, in ms after the begin. `reload`: a signal that asks for it. */
export type Line = { readonly at: number } & (
  | { readonly signal: number }
  | { readonly request: Request }
  | { readonly reload: true }
);

/** One act of a supervisor, from 0, counted over all of them; `during` a write, of which `cut` bytes have arrived. */
export interface Crash {
  readonly act: number;
  readonly when: 'before' | 'during' | 'after';
  readonly cut?: number;
}

export interface Crashes {
  readonly at: readonly Crash[];
  /** How long there is no supervisor then. */
  readonly awayMs: number;
  /** And init knows it: nobody is waited for, and hooks are skipped. */
  readonly hopeless?: true;
  /** What becomes of the log: lost or damaged at each crash; never on a disk; its folder deleted at the begin. */
  readonly log?: 'lost' | 'damaged' | 'memory' | 'deleted';
  readonly disk?: readonly DiskFault[];
  /** The log is compacted when it is so long. */
  readonly compactAt?: number;
  /** The whole machine stops at the first crash. */
  readonly power?: true;
  /** A supervisor that has nothing to decide leaves after so long, and the next one needs so long to come. */
  readonly leaves?: { readonly stayMs: number; readonly startMs: number };
}

export interface Result {
  readonly trace: Trace;
  /** What was decided. */
  readonly records: readonly Decision[];
  /** What stands in checkpoint.log at the end. */
  readonly log: RepairedLog;
  readonly requests: readonly HostRequest[];
  readonly sent: readonly Sent[];
  readonly launches: World['launches'];
  readonly said: readonly Happening[];
  /** What was said about the log. */
  readonly news: readonly JournalNews[];
  readonly posts: readonly string[];
  readonly exitCode: number | null;
  /** ms after the begin. */
  readonly endedMs: number;
  readonly acts: number;
  /** Which of them were writes, and of how many bytes. */
  readonly writes: Readonly<Record<number, number>>;
  /** Which of them were the work of a compaction. */
  readonly working: readonly number[];
  readonly crashes: number;
  readonly state: State;
  /** Timers that were still armed at the end: of the last supervisor, with init, of coordinators. */
  readonly armed: number;
  readonly disk: SimulatedDisk;
  /** Records that nobody needed may be gone from the log. */
  readonly compacts: boolean;
  /** No supervisor went, or had come to the end, with records that it could not write. */
  readonly kept: boolean;
}

const NO_CRASH: Crashes = { at: [], awayMs: 0 };
const LONGEST_MS = 24 * 60 * 60 * 1000;
/** More than any case needs: two things that keep each other going. */
const MOST_STEPS = 20_000;
/** Killed before the first byte, the write is as good as not begun. */
const FIRST_BYTE = 1;

/** By then a config has been read, and whoever was killed has a successor. */
const ANSWERED_MS = 60;

/** Pid of the client that the first line of a script is, and so on. */
const FIRST_CLIENT = 9000;

/** Thrown through whatever a supervisor is doing. */
const CRASH = new Error('crash');

export function simulate(scenario: Scenario, crashes: Crashes = NO_CRASH): Result {
  const { leaves } = crashes;
  const world = createWorld(
    (run) => behaviourOf(scenario, run),
    crashes.disk,
    leaves === undefined
      ? null
      : {
          stayMs: leaves.stayMs,
          left: () => {
            life++;
            armed = new Set();
            loop = null;
          },
          woken: () => void scheduler.after(leaves.startMs, () => loop === null && begin()),
        },
  );
  const { scheduler, disk, trace } = world;
  const beganNs = scheduler.nowNs();
  const said: Happening[] = [];
  const news: JournalNews[] = [];
  const posts: string[] = [];
  const writes: Record<number, number> = {};
  const working: number[] = [];
  let acts = 0;
  let crashed = 0;
  let loop: Loop | null = null;
  let isKept = (): boolean => true;
  let closeJournal = (): void => {};
  let kept = true;
  let armed = new Set<object>();
  let life = 0;
  let armedAtEnd = 0;
  if (crashes.log === 'deleted') disk.unlink();

  const crashAt = (number: number, when: Crash['when']): Crash | undefined =>
    crashes.at.find((crash) => crash.act === number && crash.when === when);
  const crash = (): never => {
    throw CRASH;
  };
  /** Every act of a supervisor is a moment at which it can die. */
  const act = <T>(does: () => T): T => {
    const number = acts++;
    if (crashAt(number, 'before')) crash();
    const result = does();
    if (crashAt(number, 'after')) crash();
    return result;
  };
  /** Whatever calls into the loop ends with it. */
  const survive = (does: () => void): void => {
    try {
      does();
    } catch (error) {
      if (error !== CRASH) throw error;
      crashed++;
      kept &&= isKept();
      life++;
      armed = new Set();
      loop = null;
      if (crashes.power) {
        scheduler.stop();
        return;
      }
      trace.push({ atNs: scheduler.nowNs(), kind: 'died' });
      world.disconnect(crashes.hopeless === true);
      spoilLog(disk, crashes.log);
      scheduler.after(crashes.awayMs, begin);
    }
  };

  /** Killed in it, so many bytes have arrived; killed behind the last one, `then` has happened as well. */
  const writingAct = <T>(does: () => T, then: (result: T) => void): T =>
    act(() => {
      const number = acts - 1;
      const torn = crashAt(number, 'during');
      // What has waited for this write is torn as well.
      if (torn) kept &&= isKept();
      const before = disk.asked();
      if (torn) disk.tear(torn.cut ?? FIRST_BYTE);
      const result = does();
      const bytes = disk.asked() - before;
      writes[number] = bytes;
      disk.mend();
      if (torn && (torn.cut ?? FIRST_BYTE) < bytes) crash();
      then(result);
      if (torn) crash();
      return result;
    });

  const journalPort = (
    clock: Clock,
    guard: (does: () => void) => () => void,
  ): { port: JournalPort; found: readonly CheckpointRecord[] } => {
    const workingAct = (does: () => void): void => {
      // After the end nobody comes who could put right what is left half done.
      if (world.exitCode() === null) working.push(acts);
      writingAct(does, () => {});
    };
    const sync: JournalDisk['sync'] = (fd, done) =>
      disk.disk.sync(fd, (error) => guard(() => (compactAt ? workingAct : now)(() => done(error)))());
    const { compactAt } = crashes;
    const compaction: Compaction | undefined =
      compactAt === undefined
        ? undefined
        : {
            needed: (records) => neededRecords(records, world.lastNumber()),
            later: (does) =>
              void scheduler.after(
                0,
                guard(() => workingAct(does)),
              ),
            mayBegin: () => loop?.state().task.stop === null,
            atBytes: compactAt,
            keepBytes: compactAt / 4,
          };
    const opened = openJournal({
      ...sourceOf(crashes, disk),
      disk: { ...disk.disk, sync },
      clock,
      after: (ms, does) =>
        scheduler.after(
          ms,
          guard(() => writingAct(does, () => {})),
        ),
      report: (each) => news.push(each),
      ...(compaction && { compaction }),
    });
    if (opened.kind === 'newer') throw new Error('a log of the future');
    const { journal, log } = opened;
    // Numbers that were given before, and will never be written, are not this one's.
    let owes = false;
    isKept = () => !owes || journal.isKept();
    closeJournal = journal.close;
    const append: JournalPort['append'] = (body) => {
      const stamp = journal.now();
      return writingAct(
        () => journal.append(body, stamp),
        (seq) => {
          owes = true;
          trace.push({ atNs: scheduler.nowNs(), kind: 'record', record: stampRecord(body, seq, stamp) });
        },
      );
    };
    return { port: { append, isKept: journal.isKept, skipTo: journal.skipTo }, found: log.records };
  };

  /** What the loop has not looked at, because nothing had changed of it, is nothing: a look at everything finds no more to do. */
  const mustHaveSettled = (): void => {
    const state = loop?.state();
    if (state === undefined) return;
    const { records, effects } = decide(state, { kind: 'due', nowNs: scheduler.nowNs() });
    if (effects.length > 0)
      throw new Error(`overlooked: ${JSON.stringify(records[0]?.type ?? effects[0]?.kind)}`);
  };

  const lifeOf = (mine: number): { ports: Ports; found: readonly CheckpointRecord[] } => {
    const guard = (does: () => void) => (): void => {
      if (life === mine) survive(does);
    };
    /** What becomes an event of the loop. */
    const heard = (does: () => void) => (): void => {
      guard(does)();
      if (life === mine) mustHaveSettled();
    };
    const at = (atNs: bigint, wake: () => void): (() => void) => {
      const timer = {};
      armed.add(timer);
      const disarm = scheduler.at(atNs, () => {
        armed.delete(timer);
        heard(wake)();
      });
      return () => {
        armed.delete(timer);
        disarm();
      };
    };
    const post: Ports['http']['post'] = (url, name, _, done) =>
      act(() => {
        posts.push(name);
        const answer = scenario.posts?.[url] ?? { after: 1, ok: false };
        scheduler.after(
          answer.after,
          heard(() => done(answer.ok, answer.ok ? 'status 200' : 'status 503')),
        );
      });
    const ask: Ports['probes']['ask'] = (run, probe, __, done) =>
      act(() => {
        const large = scenario.large?.[processName(run)];
        const good = scenario.answers?.[processName(run)];
        scheduler.after(
          1,
          heard(() => {
            const ms = Number((scheduler.nowNs() - beganNs) / MS);
            if (probe.kind === 'memory') {
              done(
                large === undefined || ms < large.from || ms >= (large.until ?? Number.POSITIVE_INFINITY),
                '2kb',
              );
              return;
            }
            const ok = good !== undefined && ms >= good.from && ms < (good.until ?? Number.POSITIVE_INFINITY);
            done(ok, ok ? 'connected' : 'ECONNREFUSED');
          }),
        );
      });
    const clock: Clock = { nowNs: scheduler.nowNs, wallMs: () => Number(scheduler.nowNs() / MS), at };
    const { port, found } = journalPort(clock, guard);
    const host = guardHost(world.connect(), act, (does) => heard(does)());
    const ports = {
      journal: port,
      host,
      clock,
      http: { post },
      probes: { ask },
      config: configPort(guard),
      say: (each: Happening) => act(() => void said.push(each)),
    };
    return { ports, found };
  };

  /** The memory file that init keeps. */
  let plans: readonly { readonly plan: TaskPlan; readonly settled: boolean }[] = [
    { plan: scenario.plan, settled: true },
  ];
  const inForce = (found: readonly CheckpointRecord[]): TaskPlan => {
    const last = found.findLast(({ type }) => type === 'config');
    const revision = last?.type === 'config' ? last.revision : undefined;
    const all = plans.filter(({ plan, settled }) => settled || plan.revision === revision);
    return all.reduce((best, { plan }) => (plan.revision > best.revision ? plan : best), scenario.plan);
  };
  const configPort = (guard: (does: () => void) => () => void): ConfigPort => ({
    read: (done) =>
      act(() => {
        scheduler.after(
          5,
          guard(() => {
            const ms = Number((scheduler.nowNs() - beganNs) / MS);
            const now = scenario.configs?.findLast(({ from }) => from <= ms)?.read;
            done(now ?? { kind: 'plan', plan: scenario.plan });
          }),
        );
      }),
    keep: (plan) =>
      act(() => {
        plans = [...plans.filter((each) => each.plan.revision < plan.revision), { plan, settled: false }];
      }),
    settle: (revision) =>
      act(() => {
        plans = plans.map((each) => (each.plan.revision === revision ? { ...each, settled: true } : each));
      }),
  });

  const begin = (): void => {
    if (world.exitCode() !== null) return;
    trace.push({ atNs: scheduler.nowNs(), kind: 'born' });
    const { ports, found } = lifeOf(life);
    loop = createLoop({ plan: inForce(found), records: found, ports, pid: 2 + life });
    const { start } = loop;
    survive(() => void start());
  };

  /** A client that was cut off looks whether it was heard, and asks again if not. */
  const request = (asked: Request, pid: number): void => {
    const asker = life;
    world.wake();
    survive(() => void loop?.request(asked, { pid, uid: 0 }));
    // What is answered later can be cut off until then.
    if (asked.op === 'reload' && life === asker)
      scheduler.after(ANSWERED_MS, () => {
        if (life !== asker && world.exitCode() === null && !wasTaken(trace, pid)) request(asked, pid);
      });
    if (loop !== null || world.exitCode() !== null || wasTaken(trace, pid)) return;
    scheduler.after(Math.max(crashes.awayMs, leaves?.startMs ?? 0) + 1, () => request(asked, pid));
  };

  // Not when all is over: what nobody disarms goes off at last, and is no more.
  world.afterEnd(() => {
    if (loop !== null) closeJournal();
    armedAtEnd = armed.size + world.armed() + (world.wakeNs() === null ? 0 : 1);
  });
  begin();
  for (const [at, line] of (scenario.script ?? []).entries()) {
    const act = (): void =>
      'signal' in line
        ? world.ask(line.signal)
        : 'reload' in line
          ? world.askReload()
          : request(line.request, FIRST_CLIENT + at);
    scheduler.after(line.at, act);
  }
  const left = scheduler.run(beganNs + BigInt(LONGEST_MS) * MS, MOST_STEPS);
  const isOff = crashes.power === true && crashed > 0;
  if (!isOff && (left || world.exitCode() === null))
    throw new Error(`no end:\n${trace.slice(0, 200).map(brief).join('\n')}`);

  // A compacted log can stand behind the old one, as long as nobody has opened it again.
  const log = crashes.compactAt ? readLogFrom(disk.fd, undefined, disk.disk) : repairLog(disk.bytes(LOG));
  const found = log.entries.map(({ record }) => record);
  return {
    trace,
    records: stepsOf(trace, 'record').map(({ record }) => record),
    log,
    requests: stepsOf(trace, 'request'),
    sent: stepsOf(trace, 'sent'),
    launches: world.launches,
    said,
    news,
    posts,
    exitCode: world.exitCode(),
    endedMs: Number((world.endedNs() - beganNs) / MS),
    acts,
    writes,
    working,
    crashes: crashed,
    // Whoever went after the last act left nothing but the log.
    state: (loop as Loop | null)?.state() ?? replay(inForce(found), found),
    armed: armedAtEnd,
    disk,
    compacts: crashes.compactAt !== undefined,
    kept: kept && log.lastSeq === (stepsOf(trace, 'record').at(-1)?.record.seq ?? 0),
  };
}

function wasTaken(trace: Trace, pid: number): boolean {
  return stepsOf(trace, 'record').some(({ record }) => 'by' in record && record.by?.pid === pid);
}

const now = (does: () => void): void => does();

function sourceOf({ log }: Crashes, { fd }: SimulatedDisk): JournalSource {
  if (log === 'memory') return {};
  return { fd, path: LOG };
}

function spoilLog(disk: SimulatedDisk, how: Crashes['log']): void {
  if (how === 'lost') disk.empty(LOG);
  if (how === 'damaged') disk.flip(LOG, 40);
}

function behaviourOf({ behaviours }: Scenario, run: string): Behaviour | undefined {
  const kind = run.replace(/#\d+/, '').replace(/(\/.*)\.\d+$/, '$1');
  return behaviours[run] ?? behaviours[kind];
}

function guardHost(host: Host, act: <T>(does: () => T) => T, guard: (does: () => void) => void): Host {
  return {
    open: (listener) => host.open((news) => guard(() => listener(news))),
    spawn: (...args) => act(() => host.spawn(...args)),
    rung: (...args) => act(() => host.rung(...args)),
    signal: (...args) => act(() => host.signal(...args)),
    forget: (...args) => act(() => host.forget(...args)),
    exit: (...args) => act(() => host.exit(...args)),
    clear: (...args) => act(() => host.clear(...args)),
    upgrade: (...args) => act(() => host.upgrade(...args)),
    seen: (...args) => act(() => host.seen(...args)),
    // Killed behind it, it has left all the same.
    leave: (...args) => {
      act(() => {});
      host.leave(...args);
    },
    close: () => host.close(),
  };
}

export function briefly({ trace }: Result): string {
  return trace.map(brief).join('\n');
}
