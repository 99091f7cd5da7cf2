/**
 * What the state leaves unanswered, one step at a time. A round goes through everything once; only a round in which there was
 * nothing to be done ends. A step says where it has come to, so that a thousand runs are not looked at for each of a thousand steps.
 */
import { LATER, PENDING, type RunEvent, URGENT } from './run-events.ts';
import { ignore, RUN_TABLE } from './run-table.ts';
import { runStateOf } from './select.ts';
import { isUntouched, type Settled } from './settled.ts';
import { EARLY, LAST, LATE, type Step } from './task.ts';
import type { Turn } from './turn.ts';

export interface Place {
  readonly part: number;
  /** In the table of runs. */
  readonly run: number;
  /** Something was done in this part: what comes before it has to be looked at again. */
  readonly changed: boolean;
  /** When nothing was left last. null: not known, and everything is looked at. */
  readonly settled: Settled | null;
}

export const BEGIN: Place = { part: 0, run: 0, changed: false, settled: null };

/** Does one thing, if there is one to be done, and says where to go on. null: there is none, from that run on. */
type Part = (turn: Turn, place: Place) => Place | null;

/** Asks come between the urgent and the rest: nothing starts when a stop waits to be heard. */
const ROUND: readonly Part[] = [steps(EARLY), answers(URGENT), steps(LATE), answers(LATER), steps(LAST)];

/** null: nothing is left to be done. */
export function step(turn: Turn, from: Place): Place | null {
  // What a run has answered can be what a hook of it waits for to be adopted: before it is begun once more.
  if (from.changed && EARLY.some((does) => does(turn))) return again(from);
  for (let place = from; ; ) {
    const part = ROUND[place.part];
    if (part === undefined) return null;
    const next = part(turn, place);
    if (next !== null) return next;
    place = place.changed ? again(place) : { ...place, part: place.part + 1, run: 0 };
  }
}

function again({ settled }: Place): Place {
  return { ...BEGIN, settled };
}

/** What concerns the task concerns every run. */
function steps(list: readonly Step[]): Part {
  return (turn, place) => (list.some((does) => does(turn)) ? again(place) : null);
}

/** The first event that a run has and minds. */
function answers(events: readonly RunEvent[]): Part {
  return (turn, place) => {
    const { values } = turn.state.runs;
    for (let at = place.run; at < values.length; at++) {
      const run = values[at];
      if (run === undefined || isUntouched(turn.state, place.settled, run, turn.nowNs)) continue;
      const row = RUN_TABLE[runStateOf(turn.state, run)];
      for (const event of events) {
        const handler = row[event];
        if (handler === ignore || !PENDING[event](turn.state, run, turn.nowNs)) continue;
        handler(turn, run);
        return { ...place, run: at, changed: true };
      }
    }
    return null;
  };
}
