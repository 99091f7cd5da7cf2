/** Questions to a result, in ms after the begin. */
import type { BodyOf, RecordBody } from '../../src/checkpoint/record.ts';
import type { Result } from './simulate.ts';
import type { Decision } from './trace.ts';

const BEGAN_MS = 1000;

type Of<T extends RecordBody['type']> = Decision & BodyOf<T>;

export function recordsOf<T extends RecordBody['type']>(result: Result, type: T): Of<T>[] {
  return result.records.filter((record): record is Of<T> => record.type === type);
}

export function msOf(ns: bigint): number {
  return Number(ns / 1_000_000n) - BEGAN_MS;
}

/** A time of a script as the clock has it. */
export function nsOf(ms: number): bigint {
  return BigInt(BEGAN_MS + ms) * 1_000_000n;
}

/** `15@3000`: what leader or others of a run were sent, and when. */
export function signalsOf(result: Result, run: string, who: 'leader' | 'others' = 'leader'): string[] {
  return result.sent
    .filter((sent) => sent.run === run && sent.leader === (who === 'leader'))
    .map((sent) => `${sent.signal}@${msOf(sent.atNs)}`);
}

export function outcomesOf(result: Result): string[] {
  return recordsOf(result, 'outcome').map(({ run, outcome, cause, code, signal, forced }) =>
    [run, outcome, cause, code ?? signal, ...(forced ? ['forced'] : [])].join(' '),
  );
}

/** Why each process needed SIGKILL, as the summary of the stop has it. */
export function reasonsOf({ said }: Result): (string | null)[] {
  const summary = said.find((happening) => happening.kind === 'stop-summary');
  return summary === undefined ? [] : summary.processes.map(({ reason }) => reason);
}

export function rungsOf(result: Result, run: string): string[] {
  return recordsOf(result, 'rung')
    .filter((rung) => rung.run === run)
    .map(({ index, action, mono_ns, deadline_ns }) => {
      const until = deadline_ns === null ? 'forever' : msOf(deadline_ns);
      return `${index} ${action} ${msOf(mono_ns)}-${until}`;
    });
}

export function hooksOf(result: Result): string[] {
  return recordsOf(result, 'hook').map(({ hook, state, code, signal, mono_ns }) =>
    [hook, state, ...(state === 'ended' ? [code ?? signal] : []), `@${msOf(mono_ns)}`].join(' '),
  );
}

export function forkedAt(result: Result): number[] {
  return recordsOf(result, 'run-forked').map((record) => msOf(record.mono_ns));
}

export function endState(result: Result): string {
  const last = recordsOf(result, 'task-state').at(-1);
  return last === undefined ? 'none' : `${last.state} ${last.exit_code}`;
}

/** What a user sees of it, without times. */
export function essence(result: Result): unknown {
  return {
    exitCode: result.exitCode,
    end: endState(result),
    outcomes: outcomesOf(result).sort(),
    signals: [...new Set(result.sent.map((sent) => `${sent.run} ${sent.pid % 100}`))]
      .map((who) => [
        who,
        result.sent.filter((sent) => `${sent.run} ${sent.pid % 100}` === who).map((sent) => sent.signal),
      ])
      .sort(),
    hooks: hooksOf(result).map((hook) => hook.replace(/ @.*/, '')),
    spawned: result.requests.filter((request) => request.to === 'spawn').map((request) => request.run),
  };
}
