/** The `stop` of a process, and Compose's names for it, as one list of rungs. */
import { MAX_RUNGS } from '../cli/options.ts';
import { buildLadder } from '../signals/ladder.ts';
import type { ProcessPlan } from '../supervisor/plan.ts';
import type { Ladder, Rung } from '../supervisor/vocabulary.ts';
import type { Findings } from './findings.ts';
import { defaultOf, mapping, type ProcessShape, RUNG_KEYS, STOP_KEYS } from './keys.ts';
import type { RungShape } from './kinds.ts';
import type { Path } from './problem.ts';

type StopShape = NonNullable<ProcessShape['stop']>;

export type StopPart = Pick<ProcessPlan, 'ladder' | 'waits' | 'mustDrain' | 'postStop'>;

const NOTHING_SAID = mapping(STOP_KEYS).parse({});

export function stopOf(shape: ProcessShape, path: Path, findings: Findings): StopPart {
  const stop = withComposeNames(shape, path, findings);
  const inner = [...path, 'stop'];
  const rungs = stop.ladder === undefined ? ladderOfKeys(stop) : ladderOfRungs(stop, inner, findings);
  const ladder = [...busyRung(stop), ...rungs];
  if (ladder.length > MAX_RUNGS)
    findings.refuse([...inner, 'ladder'], `a ladder has at most ${MAX_RUNGS} rungs, got ${ladder.length}`);
  refuseUnused(stop, inner, findings);
  if (stop.must_drain) refuseUndrainable(stop, ladder, inner, findings);
  return {
    ladder,
    waits: stop.ladder === undefined ? 'grace' : 'rung',
    mustDrain: stop.must_drain ? { retryMs: stop.retry ?? defaultOf(STOP_KEYS.retry) } : null,
    postStop: stop.post_stop ?? null,
  };
}

/** Before all others: while it is busy nothing is asked of it. */
function busyRung({ busy }: StopShape): Ladder {
  return busy === undefined ? [] : [{ action: 'busy', command: busy, waitMs: null }];
}

const COMPOSE_NAMES = [
  ['stop_signal', 'signal'],
  ['stop_grace_period', 'grace'],
] as const;

function withComposeNames(shape: ProcessShape, path: Path, findings: Findings): StopShape {
  const stop = shape.stop ?? NOTHING_SAID;
  for (const [compose, own] of COMPOSE_NAMES) {
    if (shape[compose] === undefined || stop[own] === undefined) continue;
    findings.refuse([...path, compose], `one name for it is enough, got stop.${own} too`);
  }
  return {
    ...stop,
    signal: stop.signal ?? shape.stop_signal,
    grace: stop.grace === undefined ? shape.stop_grace_period : stop.grace,
  };
}

function ladderOfKeys(stop: StopShape): Ladder {
  return buildLadder({
    graceMs: stop.grace === undefined ? defaultOf(STOP_KEYS.grace) : stop.grace,
    signal: stop.signal ?? null,
    target: stop.target ?? defaultOf(STOP_KEYS.target),
    holdMs: stop.hold === undefined ? defaultOf(STOP_KEYS.hold) : stop.hold,
    preStop: stop.pre_stop ?? null,
    preStopTimeoutMs: stop.pre_stop_timeout ?? defaultOf(STOP_KEYS.pre_stop_timeout),
  });
}

const RUNG_WORDS = ['signal', 'grace', 'target', 'hold', 'pre_stop', 'pre_stop_timeout'] as const;

function ladderOfRungs(stop: StopShape, path: Path, findings: Findings): Ladder {
  for (const word of RUNG_WORDS) {
    if (stop[word] === undefined) continue;
    const place = findings.has([...path, word]) ? [...path, word] : path;
    findings.refuse(place, `the ladder says all of it, got ${word} beside it`, 'write a rung for it');
  }
  return (stop.ladder ?? []).map((rung, at) => rungOf(rung, [...path, 'ladder', at], findings));
}

function rungOf(rung: RungShape, path: Path, findings: Findings): Rung {
  const waitMs = rung.wait === undefined ? defaultOf(RUNG_KEYS.wait) : rung.wait;
  const acts = (['signal', 'exec', 'http_post'] as const).filter((act) => rung[act] !== undefined);
  if (acts.length > 1)
    findings.refuse(path, `one of signal, exec and http_post is needed, got ${acts.join(' and ')}`);
  if (acts.length === 0 && rung.wait === undefined)
    findings.refuse(path, 'one of signal, exec, http_post and wait is needed, got none');
  if (rung.target !== undefined && rung.signal === undefined)
    findings.refuse([...path, 'target'], 'only a signal has a target');
  if (rung.exec !== undefined) return { action: 'exec', command: rung.exec, waitMs };
  if (rung.http_post !== undefined) return { action: 'http_post', url: rung.http_post, waitMs };
  if (rung.signal === undefined) return { action: 'wait', waitMs };
  return {
    action: 'signal',
    signal: rung.signal,
    target: rung.target ?? defaultOf(RUNG_KEYS.target),
    waitMs,
  };
}

function refuseUnused(stop: StopShape, path: Path, findings: Findings): void {
  if (stop.pre_stop_timeout !== undefined && stop.pre_stop === undefined)
    findings.refuse([...path, 'pre_stop_timeout'], 'it needs a pre_stop, got none');
  if (stop.retry !== undefined && !stop.must_drain)
    findings.refuse([...path, 'retry'], 'it needs must_drain: true, got none');
}

/** Something must be able to succeed before the first signal. */
function refuseUndrainable(stop: StopShape, ladder: Ladder, path: Path, findings: Findings): void {
  const hook = ladder.findIndex((rung) => rung.action === 'exec');
  const signal = ladder.findIndex((rung) => rung.action === 'signal');
  if (hook >= 0 && (signal < 0 || hook < signal)) return;
  const need = stop.ladder === undefined ? 'a pre_stop' : 'an exec rung before the first signal';
  findings.refuse([...path, 'must_drain'], `${need} is needed that can succeed, got none`);
}
