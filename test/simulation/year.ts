/**
 * A task that is restarted once a minute, for as long as one likes: the real core, the real journal on a real file, and its
 * compaction; only time and the host are simulated. One supervisor lives all the time; another one reads the log at the end.
 */
import { realDisk } from '../../src/checkpoint/disk.ts';
import { openJournal } from '../../src/checkpoint/journal.ts';
import { blankRun } from '../../src/host/blank-run.ts';
import { watchCarriedOut } from '../../src/host/carried-out.ts';
import type { Host, HostNews } from '../../src/host/host.ts';
import { createLoop } from '../../src/supervisor/loop.ts';
import { neededRecords } from '../../src/supervisor/needed.ts';
import { createPerformer } from '../../src/supervisor/perform.ts';
import { NO_CONFIG, type Ports } from '../../src/supervisor/ports.ts';
import { replay } from '../../src/supervisor/replay.ts';
import { plainly } from './plainly.ts';
import { restarts, runPlan } from './plans.ts';
import { createScheduler, MS } from './scheduler.ts';

export interface Year {
  readonly restarts: number;
  /** Records that were written, and what they would have taken without compaction. */
  readonly records: number;
  readonly writtenBytes: number;
  readonly compactions: number;
  readonly longestBytes: number;
  readonly finalBytes: number;
  /** The longest time for which a compaction held up the loop. */
  readonly compactionMs: number;
  /** For a supervisor that takes over at the end: reading and folding. */
  readonly replayMs: number;
  readonly replayedRecords: number;
  /** It knows the same as the one that lived all the time. */
  readonly same: boolean;
  /** Of the heap, after a tenth of the time and at the end; needs --expose-gc. */
  readonly heapBytes: readonly [number, number];
}

const RUN_MS = 1000;
const MINUTE_MS = 60_000;
const plan = runPlan({ restart: { ...restarts({}), policy: 'always', minDurationMs: MINUTE_MS } });

/** `path`: a file that is not there yet. */
export function simulateYear(wanted: number, path: string): Year {
  const scheduler = createScheduler();
  const clock = { nowNs: scheduler.nowNs, wallMs: () => Number(scheduler.nowNs() / MS), at: scheduler.at };
  const disk = { ...realDisk, sync: (_: number, done: (error: null) => void) => done(null) };
  const machine = createMachine(scheduler, wanted);
  const { host, carriedOut } = watchCarriedOut(machine.host);
  let compactionMs = 0;
  const opened = openJournal({
    path,
    disk,
    clock,
    report: (news) => {
      throw new Error(news.kind);
    },
    compaction: {
      needed: (records) => neededRecords(records, carriedOut()),
      later: (act) => {
        const began = performance.now();
        act();
        compactionMs = Math.max(compactionMs, performance.now() - began);
      },
    },
  });
  if (opened.kind === 'newer') throw new Error('a log of the future');
  const { journal } = opened;
  const fd = disk.open(path);
  let [records, writtenBytes, longestBytes, compactions, size] = [0, 0, 0, 0, 0];
  const append: Ports['journal']['append'] = (body) => {
    const seq = journal.append(body);
    const now = disk.size(fd);
    records++;
    if (now < size) compactions++;
    else writtenBytes += now - size;
    [longestBytes, size] = [Math.max(longestBytes, now), now];
    return seq;
  };
  const port = { append, isKept: journal.isKept, skipTo: journal.skipTo };
  const ports: Ports = {
    journal: port,
    host,
    clock,
    http: { post() {} },
    probes: { ask() {} },
    config: NO_CONFIG,
    say() {},
  };
  const loop = createLoop({ plan, records: opened.log.records, ports, pid: 2 });
  void loop.start();
  const whole = BigInt(wanted) * BigInt(MINUTE_MS) * MS;
  scheduler.run(whole / 10n);
  const early = heapBytes();
  scheduler.run(whole * 2n);
  const late = heapBytes();

  const began = performance.now();
  const again = openJournal({ path, clock, report: () => {} });
  if (again.kind === 'newer') throw new Error('a log of the future');
  createPerformer(ports, again.log.records);
  const state = replay(plan, again.log.records);
  const replayMs = performance.now() - began;
  const { task, processes, runs } = loop.state();
  again.journal.close();
  journal.close();
  disk.close(fd);
  return {
    restarts: machine.started(),
    records,
    writtenBytes,
    compactions,
    longestBytes,
    finalBytes: size,
    compactionMs,
    replayMs,
    replayedRecords: again.log.records.length,
    same:
      plainly({ task, processes, runs }) ===
      plainly({ task: state.task, processes: state.processes, runs: state.runs }),
    heapBytes: [early, late],
  };
}

/** Every run fails after a second. After `wanted` of them the last one lives on. */
function createMachine(scheduler: ReturnType<typeof createScheduler>, wanted: number) {
  let report: (news: HostNews) => void = () => {};
  let [event, started] = [0, 0];
  const tell = (news: HostNews): void => {
    report(news);
    report({ kind: 'sync', event: ++event });
  };
  const host: Host = {
    open(listener) {
      report = listener;
      const hello = { version: 1, pid1: true, initPid: 1, initTicks: 1n, pidNs: 1n, bootId: 'boot' };
      tell({ kind: 'hello', hello: { ...hello, restarts: 0, lastNumber: 0 } });
    },
    spawn(number, name) {
      const run = { ...blankRun(number, name), pid: 100, forkedNs: scheduler.nowNs() };
      started++;
      scheduler.after(1, () =>
        tell({ kind: 'run', run: { ...run, phase: 'running', startedNs: scheduler.nowNs() } }),
      );
      if (started > wanted) return;
      scheduler.after(RUN_MS, () => {
        const endedNs = scheduler.nowNs();
        const ended = { leaderExited: true, leaderExitedNs: endedNs, endedNs, code: 1 };
        tell({ kind: 'run', run: { ...run, phase: 'ended', ...ended } });
      });
    },
    rung() {},
    signal() {},
    forget() {},
    exit() {},
    clear() {},
    upgrade() {},
    seen() {},
    leave() {},
    close() {},
  };
  return { host, started: () => started - 1 };
}

function heapBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}
