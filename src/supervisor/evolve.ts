/**
 * The only way in which the state changes: a fact in, the next state out. Records of the log and news of the host are
 * facts; so a replay of the log is a fold, and what a supervisor knows after a crash is what it had written.
 */
import type { BodyOf, RecordBody } from '../checkpoint/record.ts';
import { evolveConfig } from './evolve-config.ts';
import { evolveLive, type HostFact } from './evolve-live.ts';
import { coverRuns, evolveStop } from './evolve-stop.ts';
import { evolveRestart, evolveStart, isRenewal } from './evolve-want.ts';
import { hookKind, hookNumber, isProbe, runName, runNumber } from './names.ts';
import { isFinal, isKnownRun } from './plan.ts';
import { isTerminal, runsOfProcess } from './select.ts';
import {
  type HookKind,
  type HookOf,
  newProcess,
  newRun,
  type Process,
  type Run,
  type State,
  type Task,
} from './state.ts';
import { drop, lookUp, put } from './table.ts';

export type Fact = RecordBody | HostFact;

export function evolve(state: State, fact: Fact): State {
  switch (fact.type) {
    case 'task':
      return withTask(state, { begun: true });
    case 'run-forked':
      return forked(state, fact);
    case 'run-ready':
      return withRun(state, fact.run, { ready: true });
    case 'health-changed':
      return withRun(state, fact.run, { health: fact.health });
    case 'start-requested':
      return evolveStart(state, fact);
    case 'stop-requested':
      return fact.run === undefined ? evolveStop(state, fact) : stopsRun(state, fact, fact.run);
    case 'restart-requested':
      return evolveRestart(state, fact);
    case 'rung':
      return entered(state, fact);
    case 'config':
      return evolveConfig(state, fact);
    case 'order':
      return withRun(state, fact.run, { reorder: false });
    case 'reload':
      return withTask(state, { reloads: fact.count });
    case 'kill':
      return fact.run === undefined ? state : killing(state, fact.run);
    case 'outcome':
      return judged(state, fact);
    case 'hook':
      return fact.state === 'started' ? hookStarted(state, fact) : hookEnded(state, fact);
    case 'backoff':
      return waits(state, fact);
    case 'task-state':
      return withTask(state, {
        state: fact.state,
        exitCode: fact.exit_code,
        ...(fact.deadline_ns !== undefined && { finalsEndNs: fact.deadline_ns }),
      });
    case 'clearing':
      return withTask(state, { clearing: true });
    case 'budget':
      return withTask(state, { budget: { budgetMs: fact.budget_ms, deadlineNs: fact.deadline_ns } });
    case 'host':
      return { ...state, live: evolveLive(state, fact) };
    // Told for people, or by init: nothing follows from them here.
    case 'supervisor-started':
    case 'signal-requested':
    case 'run-started':
    case 'signal':
    case 'leader-exited':
    case 'stragglers':
    case 'run-ended':
    case 'stranger':
    case 'stuck':
    case 'undelivered':
    case 'oom':
    case 'unkept':
    case 'upgrade':
    case 'gap':
      return state;
  }
}

/** For another one, or because of what its leader has left behind. */
function stopsRun(state: State, fact: BodyOf<'stop-requested'>, name: string): State {
  const next = coverRuns(state, fact, (run) => run.name === name);
  const { process } = fact;
  if (!isRenewal(fact.cause) || process === undefined) return next;
  return withProcess(next, process, { again: true, renewal: null });
}

/** Nothing is started once a stop has begun: this one was found again behind it, and is covered by it. */
function forked(state: State, { process, run }: BodyOf<'run-forked'>): State {
  const { stop, finalsStop } = state.task;
  const covering = isFinal(state.plan, process) ? finalsStop : stop;
  return onlyRun(
    begunRun(state, { process, run }),
    newRun(run, process, { phase: 'forked', stop: covering }),
  );
}

function waits(state: State, record: BodyOf<'backoff'>): State {
  const next = withProcess(state, record.process, { failures: record.failures, again: false, renewal: null });
  const name = runName(record.process, (lookUp(state.processes, record.process)?.runs ?? 0) + 1);
  return onlyRun(next, newRun(name, record.process, { phase: 'backoff', dueNs: record.deadline_ns }));
}

/** The last run of a process takes the place of all before it: restarts without end must not fill the memory. */
function onlyRun(state: State, run: Run): State {
  if (!isKnownRun(state.plan, run)) return state;
  const others = runsOfProcess(state, run.process).filter((other) => other.name !== run.name);
  const left = others.reduce((runs, other) => drop(runs, other.name), state.runs);
  return { ...state, runs: put(left, run.name, run) };
}

function entered(state: State, record: BodyOf<'rung'>): State {
  const run = lookUp(state.runs, record.run);
  if (run === undefined || run.phase === 'killing' || isTerminal(run)) return state;
  const again = run.rung?.index === record.index;
  const hook: HookOf | null =
    again && run.hook?.result === 'failed' ? { ...run.hook, retryNs: 0n } : run.hook;
  return withRun(state, record.run, {
    phase: 'stopping',
    rung: {
      index: record.index,
      waitMs: record.wait_ms,
      deadlineNs: record.deadline_ns,
      notifyCount: record.notify_count ?? 0,
      firstOnly: run.stop?.firstOnly === true,
    },
    owed: run.owed === 'kill' ? 'kill' : null,
    cutMs: again ? run.cutMs : run.cutMs + record.cut_ms,
    hook,
  });
}

function killing(state: State, name: string): State {
  const hurried = lookUp(state.runs, name)?.owed != null;
  return withRun(state, name, { phase: 'killing', owed: null, hurried });
}

function judged(state: State, record: BodyOf<'outcome'>): State {
  const { run, outcome, cause, code, signal, forced } = record;
  const last = {
    run,
    outcome,
    cause,
    code,
    signal,
    forced,
    transient: record.transient === true,
    forkedNs: record.forked_ns,
    endedNs: record.ended_ns,
  };
  const before = lookUp(state.runs, run);
  // What a coordinator has killed by itself has no record of a kill.
  const hurried = before !== undefined && (before.hurried || (forced && before.owed !== null));
  const next = withRun(knowing(state, record), run, { phase: outcome, owed: null, hurried });
  const held = state.task.held && lookUp(state.processes, record.process)?.want !== 'up';
  return withProcess(withTask(next, { held }), record.process, { last, failures: record.failures });
}

/** No record tells of its fork: only what served it was found again. */
function knowing(state: State, { process, run }: BodyOf<'outcome'>): State {
  const isKnown = runNumber(run) <= (lookUp(state.processes, process)?.runs ?? 0);
  return isKnown ? state : forked(state, { type: 'run-forked', process, run });
}

function hookStarted(state: State, record: BodyOf<'hook'>): State {
  const kind = hookKind(record.hook);
  const index = record.index ?? null;
  if (isProbe(kind)) return probeStarted(state, record, kind);
  const known = kind === 'pre-start' ? prepared(state, record) : state;
  const before = lookUp(known.runs, record.run);
  const hooks = before?.hooks ?? 0;
  // One that is found again when the log knows of a later one has nothing more to say.
  const isLatest = kind === 'post-stop' || hookNumber(record.hook) > hooks;
  const hook = { name: record.hook, kind, index, result: null, retryNs: null };
  const next = withRun(known, record.run, {
    hook: isLatest || before === undefined ? hook : before.hook,
    hooks: Math.max(hooks + (isLatest ? 1 : 0), hookNumber(record.hook)),
  });
  if (kind === 'http-post') return next;
  const run = newRun(record.hook, record.process, {
    dueNs: record.deadline_ns ?? null,
    serves: { run: record.run, kind, index },
  });
  if (!isKnownRun(state.plan, run)) return next;
  return { ...next, runs: put(next.runs, run.name, run) };
}

/** What was wanted has begun. */
function begunRun(state: State, { process, run }: Pick<BodyOf<'hook'>, 'process' | 'run'>): State {
  return withProcess(state, process, {
    runs: Math.max(runNumber(run), lookUp(state.processes, process)?.runs ?? 0),
    again: false,
    renewal: null,
  });
}

/** The number of a run is taken when something is begun for it. Only its hook was found again: it waits for that. */
function prepared(state: State, record: BodyOf<'hook'>): State {
  const { process, run } = record;
  const isKnown =
    lookUp(state.runs, run) !== undefined || runNumber(run) <= (lookUp(state.processes, process)?.runs ?? 0);
  const next = isKnown ? state : onlyRun(state, newRun(run, process, { phase: 'waiting' }));
  return begunRun(next, record);
}

/** It is no part of a ladder: what the run stands on stays as it is. */
function probeStarted(state: State, record: BodyOf<'hook'>, kind: HookKind): State {
  // By its name, not counted: the log of a long life is compacted.
  const probes = Math.max(hookNumber(record.hook), lookUp(state.runs, record.run)?.probes ?? 0);
  const run = newRun(record.hook, record.process, {
    dueNs: record.deadline_ns ?? null,
    serves: { run: record.run, kind, index: null },
  });
  const next = withRun(state, record.run, { probes });
  if (!isKnownRun(state.plan, run)) return next;
  return { ...next, runs: put(next.runs, run.name, run) };
}

function hookEnded(state: State, record: BodyOf<'hook'>): State {
  const itself = lookUp(state.runs, record.hook);
  const runs = drop(state.runs, record.hook);
  const served = lookUp(state.runs, record.run);
  if (served?.hook?.name !== record.hook) return { ...state, runs };
  // Whoever had to be ended has not done its work, whatever it says at last; what it left behind is another matter.
  const ok = record.code === 0 && (itself === undefined || itself.rung === null || itself.stop !== null);
  const hook: HookOf = { ...served.hook, result: ok ? 'ok' : 'failed', retryNs: record.deadline_ns ?? null };
  const drained = served.drained || (ok && hook.kind === 'pre-stop');
  return withRun({ ...state, runs }, record.run, { hook, drained });
}

function withTask(state: State, change: Partial<Task>): State {
  return { ...state, task: { ...state.task, ...change } };
}

function withRun(state: State, name: string, change: Partial<Run>): State {
  const run = lookUp(state.runs, name);
  return run === undefined ? state : { ...state, runs: put(state.runs, name, { ...run, ...change }) };
}

function withProcess(state: State, name: string, change: Partial<Process>): State {
  // Of what the config has no more there is still how many runs it had.
  const process = lookUp(state.processes, name) ?? newProcess('down');
  return { ...state, processes: put(state.processes, name, { ...process, ...change }) };
}
