/** A request of a client becomes records, or is refused whole. */
import type { BodyOf } from '../checkpoint/record.ts';
import { signalName } from '../signals/names.ts';
import type { Answer, Refusal, Request } from './client-request.ts';
import { isFinal } from './plan.ts';
import { askForReload, scale } from './reconfigure.ts';
import { isAlive, mainRuns, processState, snapshotOf } from './select.ts';
import type { By, Process, Run, State } from './state.ts';
import { lookUp } from './table.ts';
import { presentStop, requestStop } from './task.ts';
import { decideOn, note, type Turn } from './turn.ts';

type Named<O extends Request['op']> = Extract<Request, { readonly op: O }>;

/** null: it is answered later, under `id`. */
export function takeRequest(turn: Turn, request: Request, by: By, id: number): Answer | null {
  if (turn.state.task.exitCode !== null) return refused({ reason: 'ended' });
  switch (request.op) {
    case 'start':
      return start(turn, request, by);
    case 'stop':
      return stop(turn, request, by);
    case 'signal':
      return signal(turn, request, by);
    case 'restart':
      return restart(turn, request, by);
    case 'drain':
      return drain(turn, request, by);
    case 'scale':
      return isStopping(turn.state) ? refused({ reason: 'stopping' }) : scale(turn, request.to, by);
    case 'reload':
      if (isStopping(turn.state)) return refused({ reason: 'stopping' });
      askForReload(turn, { id, by, count: 0 });
      return null;
    case 'shutdown':
      return shutdown(turn, request, by);
    case 'upgrade':
      return upgrade(turn, request, by);
  }
}

function start(turn: Turn, { processes }: Named<'start'>, by: By): Answer {
  const found = resolveNames(turn.state, processes);
  if ('refusal' in found) return refused(found.refusal);
  const refusal = startRefusal(turn.state, found.names);
  if (refusal !== null) return refused(refusal);
  const names = withDependencies(turn.state, found.names);
  const changed = names.filter((name) => isStartable(turn.state, name));
  if (changed.length > 0) note(turn, { type: 'start-requested', processes: changed, by });
  return done(changed, found.names);
}

function isStopping({ task }: State): boolean {
  return task.stop !== null || task.state !== 'active';
}

function startRefusal(state: State, names: readonly string[]): Refusal | null {
  if (isStopping(state)) return { reason: 'stopping' };
  const final = names.find((name) => isFinal(state.plan, name));
  return final === undefined ? null : { reason: 'final', name: final };
}

/** It is not up and will not be by itself, or not yet. */
function isStartable(state: State, name: string): boolean {
  const process = processState(state, name);
  if (process.want === 'down') return true;
  if (process.again) return false;
  const run = lastRun(state, name);
  return run === undefined || (run.phase !== 'waiting' && !isAlive(run));
}

/** What it depends on and nobody wants up would keep it waiting for ever. */
function withDependencies(state: State, names: readonly string[]): string[] {
  const wanted = new Set<string>();
  const next = [...names];
  for (let name = next.pop(); name !== undefined; name = next.pop()) {
    if (wanted.has(name)) continue;
    wanted.add(name);
    const plan = state.plan.processes.find((process) => process.name === name);
    for (const { on, condition } of plan?.dependsOn ?? [])
      if (isDown(state, on) && !isDoneWith(processState(state, on), condition)) next.push(on);
  }
  return state.plan.processes.map(({ name }) => name).filter((name) => wanted.has(name));
}

function isDown(state: State, name: string): boolean {
  return lookUp(state.processes, name)?.want === 'down';
}

function isDoneWith({ last }: Process, condition: string): boolean {
  return condition === 'completed_successfully' && last?.outcome === 'success';
}

function restart(turn: Turn, { processes, askedNs }: Named<'restart'>, by: By): Answer {
  const found = resolveNames(turn.state, processes);
  if ('refusal' in found) return refused(found.refusal);
  const refusal = startRefusal(turn.state, found.names);
  if (refusal !== null) return refused(refusal);
  const [name] = found.names;
  if (turn.state.plan.isHandedOver && name !== undefined) return refused({ reason: 'not-restartable', name });
  const names = found.names.filter((name) => askedNs === undefined || !isYounger(turn, name, askedNs));
  if (names.length > 0) note(turn, { type: 'restart-requested', processes: names, cause: 'api', by });
  return done(names, found.names);
}

/** Its run was forked after that; one that is to be, and is not there yet, will have been. */
function isYounger({ state, nowNs }: Turn, name: string, ns: bigint): boolean {
  const run = lastRun(state, name);
  return run !== undefined && isAlive(run) && (snapshotOf(state, run)?.forkedNs || nowNs) > ns;
}

/** Whoever drains takes no more; a final process has nothing to do before its time. */
function drain(turn: Turn, { processes }: Named<'drain'>, by: By): Answer {
  const { plan } = turn.state;
  const others = plan.processes.filter(({ role }) => role !== 'final').map(({ name }) => name);
  const found = processes.length === 0 ? { names: others } : resolveNames(turn.state, processes);
  if ('refusal' in found) return refused(found.refusal);
  const changed = found.names.filter((name) => processState(turn.state, name).want === 'up');
  stopNamed(turn, changed, { cause: 'api', by, first_only: true });
  return done(changed, found.names);
}

function stop(turn: Turn, { processes }: Named<'stop'>, by: By): Answer {
  const found = resolveNames(turn.state, processes);
  if ('refusal' in found) return refused(found.refusal);
  const { state } = turn;
  const changed = found.names.filter(
    (name) => processState(state, name).want === 'up' || lastRun(state, name)?.stop?.firstOnly === true,
  );
  stopNamed(turn, changed, { cause: 'api', by });
  return done(changed, found.names);
}

/** One record, so that a crash leaves all of it, or nothing. */
function stopNamed(
  turn: Turn,
  processes: readonly string[],
  asked: Pick<BodyOf<'stop-requested'>, 'cause' | 'by' | 'first_only'>,
): void {
  const [process] = processes;
  if (process === undefined) return;
  note(turn, { type: 'stop-requested', ...asked, ...(processes.length === 1 ? { process } : { processes }) });
}

function signal(turn: Turn, { processes, signal: number, target }: Named<'signal'>, by: By): Answer {
  const name = signalName(number);
  if (name === undefined) return refused({ reason: 'no-such-signal', signal: number });
  const found = resolveNames(turn.state, processes);
  if ('refusal' in found) return refused(found.refusal);
  const runs = found.names.flatMap((process) => {
    const run = lastRun(turn.state, process);
    return run !== undefined && isAlive(run) ? [run] : [];
  });
  if (runs.length === 0) return refused({ reason: 'not-running', processes: found.names });
  for (const { process, name: run } of runs)
    decideOn(turn, { type: 'signal-requested', process, run, signal: name, target, by });
  return done(
    runs.map(({ process }) => process),
    found.names,
  );
}

function shutdown(turn: Turn, { now }: Named<'shutdown'>, by: By): Answer {
  const all = turn.state.plan.processes.map(({ name }) => name);
  if (presentStop(turn.state) !== null && !now) return done([], all);
  requestStop(turn, { cause: 'api', by, ...(now ? { now: true } : {}) });
  return done(all, all);
}

function upgrade(turn: Turn, { installation }: Named<'upgrade'>, by: By): Answer {
  if (!isInstallation(installation)) return refused({ reason: 'not-an-installation', path: installation });
  decideOn(turn, { type: 'upgrade', installation, state: 'requested', by });
  return done([], []);
}

/** INSTALLATION_SIZE of the protocol, with its NUL. */
const LONGEST_PATH = 1023;

function isInstallation(path: string): boolean {
  const bytes = new TextEncoder().encode(path).length;
  return (path === '' || path.startsWith('/')) && bytes <= LONGEST_PATH && !path.includes('\0');
}

/** An entry stands for each of its replicas. In the order of the config, each once. */
function resolveNames(
  { plan }: State,
  asked: readonly string[],
): { readonly names: readonly string[] } | { readonly refusal: Refusal } {
  const known = new Set(plan.processes.flatMap(({ name, entry }) => [name, entry]));
  const unknown = asked.find((name) => !known.has(name));
  if (unknown !== undefined)
    return { refusal: { reason: 'no-such-process', name: unknown, known: [...known] } };
  const wanted = new Set(asked);
  const names = plan.processes.filter(({ name, entry }) => wanted.has(name) || wanted.has(entry));
  return { names: names.map(({ name }) => name) };
}

function lastRun(state: State, process: string): Run | undefined {
  return mainRuns(state).find((run) => run.process === process);
}

function done(changed: readonly string[], meant: readonly string[]): Answer {
  return {
    kind: 'done',
    processes: changed,
    unchanged: meant.filter((name) => !changed.includes(name)),
  };
}

function refused(refusal: Refusal): Answer {
  return { kind: 'refused', refusal };
}
