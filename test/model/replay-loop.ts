/** The turns of the model's supervisors, through the real loop: what it hears, and what it then writes and asks for. */

import { type CheckpointRecord, type RecordBody, stampRecord } from '../../src/checkpoint/record.ts';
import type { Host, HostNews } from '../../src/host/host.ts';
import type { HostRequest } from '../../src/supervisor/effect.ts';
import { createLoop } from '../../src/supervisor/loop.ts';
import type { TaskPlan } from '../../src/supervisor/plan.ts';
import { NO_CONFIG } from '../../src/supervisor/ports.ts';
import type { Act, Written } from './boundary.ts';
import type { Difference, Replayed } from './replay.ts';
import type { LoopTurn } from './traces.ts';

export function replayLoops(traces: readonly (readonly LoopTurn[])[], plan: TaskPlan): Replayed {
  const differences: Difference[] = [];
  let turns = 0;
  for (const trace of traces) {
    const told = tellLoop(trace, plan);
    turns += told.turns;
    if (told.difference !== null && differences.length < 20) differences.push(told.difference);
  }
  return { traces: traces.length, turns, differences };
}

function tellLoop(trace: readonly LoopTurn[], plan: TaskPlan) {
  const [first, ...turns] = trace;
  if (first?.kind !== 'begin') throw new Error('a trace begins with a supervisor');
  const loop = openLoop(first.found, first.pid, plan);
  const script: string[] = [];
  for (const [at, turn] of turns.entries()) {
    if (turn.kind === 'begin') break;
    loop.at(turn.nowNs);
    if (turn.kind === 'asked') loop.ask(turn.installation);
    else {
      if (turn.kind === 'accepts') loop.visit();
      if (turn.firedNs !== null) loop.fire(turn.firedNs);
      for (const news of turn.news) loop.hear(news);
    }
    const seen = [...loop.did(), ...(turn.kind === 'asked' ? [] : [loop.timers()])];
    const expected = [
      ...turn.acts.flatMap(actText),
      ...(turn.kind === 'asked' ? [] : [timersText(turn.timers)]),
    ];
    script.push(
      `${turn.kind} at ${turn.nowNs}: ${turn.kind === 'asked' ? turn.installation : turn.news.map(({ kind }) => kind).join(' ')}`,
    );
    if (seen.join('\n') !== expected.join('\n'))
      return { turns: at + 1, difference: { script, expected, seen } };
  }
  return { turns: turns.length, difference: null };
}

/** Numbers are left out: those of the model count what a crash has kept from being written. */
function actText({ record, request, seen }: Act): string[] {
  return [
    ...(record === null ? [] : [text(record)]),
    ...(request === null
      ? []
      : [text([request.to, objectOf(request), 'order' in request ? request.order : null])]),
    ...(seen === null
      ? []
      : [text([seen.kind, seen.event, seen.wakeNs, ...(seen.kind === 'leave' ? [seen.ordersSuffice] : [])])]),
  ];
}

function timersText(atNs: readonly bigint[]): string {
  return `timers ${atNs.map(String).sort()}`;
}

function objectOf(request: HostRequest): string {
  if ('run' in request) return request.run;
  return request.to === 'upgrade' ? request.installation : '';
}

function text(value: unknown): string {
  return JSON.stringify(value, (_, member) => (typeof member === 'bigint' ? `${member}` : member));
}

function openLoop(found: Written | null, pid: number, plan: TaskPlan) {
  let nowNs = 0n;
  let did: string[] = [];
  let report: (news: HostNews) => void = () => {};
  let company: () => void = () => {};
  let isConnected = false;
  const timers = new Set<{ readonly atNs: bigint; readonly act: () => void }>();
  const records = listOf(found);
  let seq = records.length;
  const names = new Map<number, string>();
  const asked = (to: string, run: string, order: unknown = null): void => {
    did.push(text([to, run, order]));
  };
  for (const { seq: key, ...body } of records) if (body.type === 'run-forked') names.set(key, body.run);
  const nameOf = (key: number): string => names.get(key) ?? '';
  const host = {
    open: (listener) => {
      report = listener;
    },
    spawn: (number, name, _, order) => {
      names.set(number, name);
      asked('spawn', name, order);
    },
    rung: (_, key, order) => asked('rung', nameOf(key), order),
    signal: (_, key) => asked('signal', nameOf(key)),
    forget: (_, key) => asked('forget', nameOf(key)),
    exit: () => asked('exit', ''),
    clear: () => asked('clear', ''),
    upgrade: (_, installation) => asked('upgrade', installation),
    seen: (event, wakeNs) => void did.push(text(['seen', event, wakeNs])),
    leave: (event, { atNs, ordersSuffice }) => void did.push(text(['leave', event, atNs, ordersSuffice])),
    close: () => {},
  } satisfies Host;
  const append = (body: RecordBody): number => {
    did.push(text(body));
    return ++seq;
  };
  const at = (atNs: bigint, act: () => void): (() => void) => {
    const timer = { atNs, act };
    timers.add(timer);
    return () => void timers.delete(timer);
  };
  const clock = { nowNs: () => nowNs, wallMs: () => 0, at };
  const ports = {
    journal: { append, isKept: () => true, skipTo: () => {} },
    host,
    clock,
    http: { post: () => {} },
    probes: { ask: () => {} },
    company: {
      isBusy: () => false,
      isConnected: () => isConnected,
      watch: (changed: () => void) => {
        company = changed;
      },
      shut: () => {},
    },
    config: NO_CONFIG,
    say: () => {},
  };
  const loop = createLoop({ plan, records, ports, pid });
  void loop.start();
  return {
    at: (ns: bigint) => {
      nowNs = ns;
    },
    hear: (news: HostNews) => report(news),
    ask: (installation: string) => void loop.request({ op: 'upgrade', installation }, null),
    fire: (atNs: bigint) => {
      const timer = [...timers].find((each) => each.atNs === atNs);
      if (timer === undefined) did.push(`no timer for ${atNs}`);
      else timers.delete(timer);
      timer?.act();
    },
    timers: () => timersText([...timers].map(({ atNs }) => atNs)),
    visit: () => {
      for (const there of [true, false]) {
        isConnected = there;
        company();
      }
    },
    did: () => {
      const done = did;
      did = [];
      return done;
    },
  };
}

function listOf(found: Written | null): CheckpointRecord[] {
  const list: CheckpointRecord[] = [];
  for (let at = found; at !== null; at = at.before)
    list.unshift(stampRecord(at.body, at.seq, { at: '', mono_ns: at.nowNs }) as CheckpointRecord);
  return list;
}
