/** The keys of the table. Pure. */
import { choose, chosenOf } from './choose.ts';
import { layoutFor } from './layout.ts';
import { type Model, SIGNALS_OFFERED, type Step, type View } from './model.ts';
import { moveBy } from './move.ts';
import { SORT_KEYS, type SortKey, shownProcesses } from './sort.ts';

/** As in top and htop, where those have one. */
const SORTS: Readonly<Record<string, SortKey>> = {
  O: 'config',
  N: 'name',
  S: 'state',
  C: 'cpu',
  P: 'cpu',
  M: 'memory',
  R: 'restarts',
  T: 'uptime',
};

const TERM = SIGNALS_OFFERED.indexOf('SIGTERM');

export function pressInTable(model: Model, key: string): Step {
  const shown = shownProcesses(model);
  const chosen = chosenOf(model, shown);
  const moved = moveBy(key, chosen?.at ?? 0, Math.max(0, shown.length - 1), layoutFor(model.size).body);
  if (moved !== null) return only(choose(model, moved));
  const sort = Object.hasOwn(SORTS, key) ? SORTS[key] : undefined;
  // The same key again turns it round.
  if (sort !== undefined) return only(sortBy(model, sort));
  switch (key) {
    case 'q':
    case 'f10':
      return { model, effects: [{ kind: 'quit' }] };
    case '?':
    case 'h':
    case 'f1':
      return only({ ...model, view: { kind: 'help', from: 0 } });
    case '<':
    case '>':
      return only(sortBy({ ...model, reversed: false }, neighbour(model.sort, key === '>' ? 1 : -1)));
    case 'I':
      return only({ ...model, reversed: !model.reversed });
    case '/':
    case 'f4':
      return only({ ...model, view: { kind: 'filter', before: model.filter }, note: null });
    case 'escape':
      return only({ ...model, filter: '', note: null });
    case ' ':
      return { model, effects: [{ kind: 'look' }] };
  }
  return chosen === null ? only(model) : pressAbout(choose(model, chosen.at), chosen.process.name, key);
}

/** Keys that are about the chosen process. */
function pressAbout(model: Model, process: string, key: string): Step {
  const quiet: Model = { ...model, note: null };
  const about = (view: View): Step => only({ ...quiet, view });
  switch (key) {
    case 's':
      return about({ kind: 'question', act: 'stop', process });
    case 'r':
      return about({ kind: 'question', act: 'restart', process });
    case 'd':
      return about({ kind: 'question', act: 'drain', process });
    case 'u':
      return { model: quiet, effects: [{ kind: 'ask', act: 'start', process, signal: null }] };
    case 'k':
    case 'f9':
      return about({ kind: 'signals', process, at: TERM });
    case 'l':
    case 'enter': {
      const view: View = { kind: 'logs', process, lines: [], back: 0, why: '' };
      return { model: { ...quiet, view }, effects: [{ kind: 'open-output', process }] };
    }
    default:
      return only(model);
  }
}

function only(model: Model): Step {
  return { model, effects: [] };
}

function sortBy(model: Model, sort: SortKey): Model {
  return { ...model, sort, reversed: sort === model.sort ? !model.reversed : false };
}

function neighbour(sort: SortKey, by: 1 | -1): SortKey {
  const at = (SORT_KEYS.indexOf(sort) + by + SORT_KEYS.length) % SORT_KEYS.length;
  return SORT_KEYS[at] ?? 'config';
}
