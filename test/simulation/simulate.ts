/** Runs a task over a simulated machine, with supervisors that crash where they are told to. */
import type { CheckpointRecord } from '../../src/checkpoint/record.ts';
import type { Host } from '../../src/host/host.ts';
import type { Request } from '../../src/supervisor/effect.ts';
import type { Happening } from '../../src/supervisor/happening.ts';
import { createLoop, type Loop } from '../../src/supervisor/loop.ts';
import type { TaskPlan } from '../../src/supervisor/plan.ts';
import type { Ports } from '../../src/supervisor/ports.ts';
import { replay } from '../../src/supervisor/replay.ts';
import type { State } from '../../src/supervisor/state.ts';
import type { Behaviour } from './behaviour.ts';
import type { Sent } from './coordinator.ts';
import { MS } from './scheduler.ts';
import { createWorld, type Request as HostRequest, type World } from './world.ts';

export interface Scenario {
  readonly plan: TaskPlan;
  /** By run, else by process (or `node/pre-stop` for its hooks). */
  readonly behaviours: Readonly<Record<string, Behaviour>>;
  readonly script?: readonly Line[];
  /** Answers of POST by URL: after so long, whether it succeeded. Without: it fails at once. */
  readonly posts?: Readonly<Record<string, { readonly after: number; readonly ok: boolean }>>;
}

/** What happens from outside, in ms after the begin. */
export type Line = { readonly at: number } & ({ readonly signal: number } | { readonly request: Request });

export interface Crashes {
  /** The acts (from 0, counted over all supervisors) before or after which the supervisor dies. */
  readonly at: readonly { readonly act: number; readonly when: 'before' | 'after' }[];
  /** How long there is none then. */
  readonly awayMs: number;
  /** And the log is gone as well. */
  readonly loseLog?: true;
}

export interface Result {
  readonly records: readonly CheckpointRecord[];
  readonly requests: readonly HostRequest[];
  readonly sent: readonly Sent[];
  readonly launches: World['launches'];
  readonly said: readonly Happening[];
  readonly posts: readonly string[];
  readonly exitCode: number | null;
  /** ms after the begin. */
  readonly endedMs: number;
  readonly acts: number;
  readonly crashes: number;
  readonly state: State;
  /** Timers of the last loop that were still armed at the end. */
  readonly armed: number;
}

const NO_CRASH: Crashes = { at: [], awayMs: 0 };
const LONGEST_MS = 24 * 60 * 60 * 1000;

class Crash extends Error {}

export function simulate(scenario: Scenario, crashes: Crashes = NO_CRASH): Result {
  const world = createWorld((run) => behaviourOf(scenario, run));
  const beganNs = world.scheduler.nowNs();
  const said: Happening[] = [];
  const posts: string[] = [];
  let acts = 0;
  let crashed = 0;
  let loop: Loop | null = null;
  let armed = new Set<object>();
  let life = 0;

  /** Every act of a supervisor is a moment at which it can die. */
  const act = <T>(does: () => T): T => {
    const number = acts++;
    const dies = (when: 'before' | 'after'): boolean =>
      crashes.at.some((crash) => crash.act === number && crash.when === when);
    if (dies('before')) throw new Crash();
    const result = does();
    if (dies('after')) throw new Crash();
    return result;
  };
  /** Whatever calls into the loop ends with it. */
  const survive = (does: () => void): void => {
    try {
      does();
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      crashed++;
      life++;
      armed = new Set();
      loop = null;
      world.disconnect();
      if (crashes.loseLog) world.loseLog();
      world.scheduler.after(crashes.awayMs, begin);
    }
  };

  const portsOf = (mine: number): Ports => {
    const guard = (does: () => void) => (): void => {
      if (life === mine) survive(does);
    };
    const at = (atNs: bigint, wake: () => void): (() => void) => {
      const timer = {};
      armed.add(timer);
      const disarm = world.scheduler.at(atNs, () => {
        armed.delete(timer);
        guard(wake)();
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
        world.scheduler.after(
          answer.after,
          guard(() => done(answer.ok, answer.ok ? 'status 200' : 'status 503')),
        );
      });
    return {
      journal: { append: (body) => act(() => world.append(body)), skipTo: world.skipTo },
      host: guardHost(world.connect(), act, (does) => guard(does)()),
      clock: { ...world.clock(), at },
      http: { post },
      say: (happening) => act(() => void said.push(happening)),
    };
  };

  const begin = (): void => {
    if (world.exitCode() !== null) return;
    const ports = portsOf(life);
    loop = createLoop({ plan: scenario.plan, records: [...world.records], ports, pid: 2 + life });
    const { start } = loop;
    survive(() => void start());
  };

  /** A client that was cut off asks again; that is why what it asks for must be no more when it is said twice. */
  const request = (asked: Request): void => {
    survive(() => loop?.request(asked, null));
    if (loop !== null || world.exitCode() !== null) return;
    world.scheduler.after(crashes.awayMs + 1, () => request(asked));
  };

  begin();
  for (const line of scenario.script ?? []) {
    world.scheduler.after(line.at, () => ('signal' in line ? world.ask(line.signal) : request(line.request)));
  }
  const left = world.scheduler.run(beganNs + BigInt(LONGEST_MS) * MS);
  if (left || world.exitCode() === null)
    throw new Error(`no end: ${JSON.stringify(world.records.map(brief))}`);
  return {
    records: world.records,
    requests: world.requests,
    sent: world.sent,
    launches: world.launches,
    said,
    posts,
    exitCode: world.exitCode(),
    endedMs: Number((world.endedNs() - beganNs) / MS),
    acts,
    crashes: crashed,
    // Whoever went after the last act left nothing but the log.
    state: (loop as Loop | null)?.state() ?? replay(scenario.plan, world.records),
    armed: armed.size,
  };
}

function behaviourOf({ behaviours }: Scenario, run: string): Behaviour | undefined {
  const kind = run.replace(/#\d+/, '').replace(/\.\d+$/, '');
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
    upgrade: (...args) => act(() => host.upgrade(...args)),
    seen: (...args) => act(() => host.seen(...args)),
    close: () => host.close(),
  };
}

export function brief(record: CheckpointRecord): string {
  const { v: _v, seq, at: _at, mono_ns, type, ...rest } = record;
  const fields = JSON.stringify(rest, (_, value) => (typeof value === 'bigint' ? `${value / MS}` : value));
  return `${seq} ${Number(mono_ns / MS) - 1000} ${type} ${fields}`;
}

export type { World };
