/**
 * The supervisor as a function: an event in; records, effects and the next state out. No clock, no file, no process.
 * An event first becomes what it says (a fact, a request written down); then what the state leaves unanswered is
 * answered, one step a call, until nothing is. Recovery is the same: a state from the log, and what it leaves unanswered.
 */
import type { RecordBody } from '../checkpoint/record.ts';
import { takeAnswer } from './ask.ts';
import type { Effect, Event } from './effect.ts';
import { evolve } from './evolve.ts';
import { endPost } from './hooks.ts';
import { takeConfig } from './reconfigure.ts';
import { BEGIN, type Place, step } from './round.ts';
import { isAlive, runsOf } from './select.ts';
import type { State } from './state.ts';
import { lookUp } from './table.ts';
import { takeRequest } from './take-request.ts';
import type { Turn } from './turn.ts';

export interface Decided {
  readonly records: readonly RecordBody[];
  readonly effects: readonly Effect[];
  readonly state: State;
  /** Something more may be due, and is to be decided with a clock that has been looked at again. null: nothing is. */
  readonly next: Place | null;
}

/**
 * The event, and one step of what then is unanswered: a wait must not be shorter by what was done before it began. `from`: where
 * the step before has come to; to begin anew decides the same, and looks at everything once more.
 */
export function decide(state: State, event: Event, from: Place = BEGIN): Decided {
  const turn: Turn = { state, nowNs: event.nowNs, effects: [] };
  take(turn, event);
  const { live, task } = turn.state;
  const next = !live.synced || live.partial || task.exitCode !== null ? null : step(turn, from);
  const records = turn.effects.flatMap((effect) => (effect.kind === 'record' ? [effect.record] : []));
  return { records, effects: turn.effects, state: turn.state, next };
}

/** What the event itself says. Facts of a batch change nothing but the picture, until its `sync`. */
function take(turn: Turn, event: Event): void {
  switch (event.kind) {
    case 'hello':
      turn.state = evolve(turn.state, {
        type: 'host',
        about: 'hello',
        hello: event.hello,
        supervisorPid: event.supervisorPid,
      });
      break;
    case 'run':
      turn.state = evolve(turn.state, { type: 'host', about: 'run', run: event.run });
      break;
    case 'asks':
      turn.state = evolve(turn.state, { type: 'host', about: 'asks', asks: event.asks });
      break;
    case 'sync':
      turn.state = evolve(turn.state, {
        type: 'host',
        about: 'sync',
        missing: missing(turn.state, event.awaited),
      });
      break;
    case 'http': {
      const run = lookUp(turn.state.runs, event.run);
      // The last record of a log is its task's end; an answer can come after that, while the host ends.
      if (run !== undefined && turn.state.task.exitCode === null)
        endPost(turn, run, event.hook, event.ok, event.detail);
      break;
    }
    case 'config':
      takeConfig(turn, event.read);
      break;
    case 'probe':
      takeAnswer(turn, event.run, event.role, event.ok, event.detail ?? null);
      break;
    case 'request':
      {
        const answer = takeRequest(turn, event.request, event.by, event.id);
        if (answer !== null) turn.effects.push({ kind: 'answer', id: event.id, answer });
      }
      break;
    case 'due':
      break;
  }
}

/** Only the first picture tells: later ones have what has changed. */
function missing(state: State, awaited: readonly string[]): string[] {
  if (state.live.synced) return Object.keys(state.live.missing);
  const names = runsOf(state).filter(
    (run) => isAlive(run) && lookUp(state.live.seen, run.name) === undefined,
  );
  return names.map((run) => run.name).filter((name) => !awaited.includes(name));
}
