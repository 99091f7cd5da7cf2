/** Effects become acts. A record is in the log, and its number known, before the host hears what follows from it. */
import type { CheckpointRecord, RecordBody } from '../checkpoint/record.ts';
import type { Effect, HostRequest, Occurrence } from './effect.ts';
import { evolve } from './evolve.ts';
import { lateRungs, withoutOvertaken } from './late-rung.ts';
import { hookKind, isHookName, processName, servedRun } from './names.ts';
import type { Ports } from './ports.ts';
import { requestOf } from './requests.ts';
import { isAlive } from './select.ts';
import type { State } from './state.ts';
import { lookUp } from './table.ts';
import type { RunSnapshot } from './vocabulary.ts';

export interface Performer {
  perform(effects: readonly Effect[], report: (occurrence: Occurrence) => void): void;
  /** What was decided, and not carried out when the last supervisor went, is asked for again. */
  repeat(state: State, lastNumber: number, nowNs: bigint): TakenOver;
  /** `isOfInterest`: it is not judged yet. */
  sawRun(run: RunSnapshot, isOfInterest: boolean): void;
}

export interface TakenOver {
  /** With the rungs that begin only now. */
  readonly state: State;
  /** Runs whose start was asked for again. */
  readonly awaited: readonly string[];
}

type Numbered = CheckpointRecord & RecordBody;

export function createPerformer(ports: Ports, found: readonly CheckpointRecord[]): Performer {
  /** Let go once they were looked through: a supervisor may live for years. */
  let records = found.filter((record): record is Numbered => record.type !== 'unknown');
  /** A run's key is the number of the request that spawned it. */
  const keys = new Map<string, number>();
  for (const record of records) remember(keys, record, record.seq);

  /**
   * Runs whose end no log knows, by what they are a run of. As long as init has one of them, a supervisor that takes over
   * learns of it, and starts nothing twice. A newer one of the same tells as much; so does the log, once it is whole.
   */
  const unkept = new Map<string, { readonly run: string; readonly number: number }>();
  /** Runs that init has still, although their end is in the log: when it was written, nobody was left to say so. */
  const judged = new Map<string, number>();

  const send = (request: HostRequest, number: number): void => {
    const key = 'run' in request ? keys.get(request.run) : undefined;
    sendTo(ports, request, number, key);
    // Nothing is asked of a run that is forgotten, and runs may follow on each other for ever.
    if (request.to === 'forget') keys.delete(request.run);
  };

  const ask = (request: HostRequest, number: number): void => {
    if (request.to === 'forget' && !ports.journal.isKept()) {
      unkept.set(kindOf(request.run), { run: request.run, number });
      return;
    }
    send(request, number);
    if (request.to === 'spawn') forgetOlder(kindOf(request.run));
  };

  /** A process that runs again is done with the hooks of its last run, too. */
  const forgetOlder = (kind: string): void => {
    for (const [of, older] of unkept) {
      if (of !== kind && !of.startsWith(`${kind}#`)) continue;
      unkept.delete(of);
      send({ to: 'forget', run: older.run }, older.number);
    }
  };

  const forgetAll = (): void => {
    for (const { run, number } of unkept.values()) send({ to: 'forget', run }, number);
    unkept.clear();
  };

  return {
    perform(effects, report) {
      for (const effect of effects) {
        if (effect.kind === 'say') ports.say(effect.happening);
        if (effect.kind === 'http') post(ports, effect, report);
        if (effect.kind === 'probe') askPort(ports, effect, report);
        if (effect.kind === 'read-config') ports.config.read((read) => report({ kind: 'config', read }));
        if (effect.kind === 'keep') ports.config.keep(effect.plan);
        if (effect.kind === 'kept') ports.config.settle(effect.revision);
        if (effect.kind !== 'record') continue;
        const seq = ports.journal.append(effect.record);
        if (unkept.size > 0 && ports.journal.isKept()) forgetAll();
        if (effect.request?.to === 'spawn') keys.set(effect.request.run, seq);
        if (effect.request !== null) ask(effect.request, seq);
      }
    },
    repeat(state, lastNumber, nowNs) {
      const undone = records.filter((record) => record.seq > lastNumber);
      const kept = records.filter((record) => record.seq <= lastNumber && judged.has(endedBy(record) ?? ''));
      records = [];
      for (const [run, key] of judged) keys.set(run, key);
      for (const record of kept) send({ to: 'forget', run: endedBy(record) ?? '' }, record.seq);
      const late = lateRungs(state, undone, nowNs);
      const after = late.reduce(evolve, state);
      // All are written first, and numbers only rise: whoever takes over from here finds the same, or what is left of it.
      const written = late.map((body) => ({ body, seq: ports.journal.append(body) }));
      const found = undone.map((record) => ({ body: record, seq: record.seq }));
      const awaited = withoutOvertaken([...found, ...written]).flatMap(({ body, seq }) => {
        if (isThere(after, body)) return [];
        const request = requestOf(after, body, nowNs);
        if (request === null || !isWanted(after, request)) return [];
        send(request, seq);
        return request.to === 'spawn' ? [request.run] : [];
      });
      return { state: after, awaited };
    },
    sawRun(run, isOfInterest) {
      if (isOfInterest) keys.set(run.name, run.key);
      else if (run.phase === 'ended' && records.length > 0) judged.set(run.name, run.key);
    },
  };
}

function remember(keys: Map<string, number>, record: RecordBody, seq: number): void {
  const run = spawnedBy(record);
  if (run !== null) keys.set(run, seq);
}

function spawnedBy(record: RecordBody): string | null {
  if (record.type === 'run-forked') return record.run;
  return record.type === 'hook' && record.state === 'started' ? record.hook : null;
}

function endedBy(record: RecordBody): string | null {
  if (record.type === 'outcome') return record.run;
  return record.type === 'hook' && record.state === 'ended' ? record.hook : null;
}

/** It was adopted: there is no need to know how it would be started, and there may be no way to. */
function isThere(state: State, record: RecordBody): boolean {
  const run = spawnedBy(record);
  return run !== null && lookUp(state.live.seen, run) !== undefined;
}

/** `web` of `web#3`, `web#3/pre-stop` of its hooks. */
function kindOf(run: string): string {
  return isHookName(run) ? `${servedRun(run)}/${hookKind(run)}` : processName(run);
}

/** A run that is there was not asked for in vain: it was adopted. One that has ended is not wanted any more. */
export function isWanted(state: State, request: HostRequest): boolean {
  if (request.to !== 'spawn') return true;
  const run = lookUp(state.runs, request.run);
  return run !== undefined && isAlive(run) && lookUp(state.live.seen, request.run) === undefined;
}

function sendTo({ host }: Ports, request: HostRequest, number: number, key: number | undefined): void {
  switch (request.to) {
    case 'spawn':
      host.spawn(number, request.run, request.launch, request.order);
      break;
    case 'rung':
      if (key !== undefined) host.rung(number, key, request.order);
      break;
    case 'signal':
      if (key !== undefined) host.signal(number, key, request.signal, request.target);
      break;
    case 'forget':
      if (key !== undefined) host.forget(number, key);
      break;
    case 'exit':
      host.exit(number, request.code);
      break;
    case 'clear':
      host.clear(number);
      break;
    case 'upgrade':
      host.upgrade(number, request.installation);
      break;
  }
}

function askPort(
  ports: Ports,
  { run, role, probe, timeoutMs }: Extract<Effect, { kind: 'probe' }>,
  report: (occurrence: Occurrence) => void,
): void {
  ports.probes.ask(run, probe, timeoutMs, (ok, detail) =>
    report({ kind: 'probe', run, role, ok, ...(detail !== undefined && { detail }) }),
  );
}

function post(
  ports: Ports,
  effect: Extract<Effect, { kind: 'http' }>,
  report: (occurrence: Occurrence) => void,
): void {
  const { run, hook, url, deadlineNs } = effect;
  ports.http.post(url, hook, deadlineNs, (ok, detail) =>
    report({ kind: 'http', run, hook, ok, ...(detail !== undefined && { detail }) }),
  );
}
