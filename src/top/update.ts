/** What a key, a size, an answer or a new status changes, and what is to be done then. Pure. */
import { settle } from './choose.ts';
import { layoutFor } from './layout.ts';
import {
  type Model,
  noteIn,
  OUTPUT_LINES_MAX,
  SIGNALS_OFFERED,
  type Step,
  type TopEvent,
  type View,
} from './model.ts';
import { moveBy } from './move.ts';
import { pressInTable } from './table-keys.ts';

export function update(model: Model, event: TopEvent): Step {
  const { model: next, effects } = step(model, event);
  return { model: settle(next), effects };
}

function step(model: Model, event: TopEvent): Step {
  switch (event.kind) {
    case 'size':
      return { model: { ...model, size: event.size }, effects: [{ kind: 'repaint' }] };
    case 'status': {
      const { status, nowMs, silent } = event;
      const note = model.note !== null && model.note.untilMs <= nowMs ? null : model.note;
      return only({ ...model, status, nowMs, silent, note });
    }
    case 'late':
      return only({ ...model, silent: model.silent ?? 'its supervisor has not answered yet' });
    case 'answer': {
      const note = noteIn(model, event.text, event.good);
      return { model: { ...model, note }, effects: [{ kind: 'look' }] };
    }
    case 'output':
      return only(model.view.kind === 'logs' ? { ...model, view: withOutput(model.view, event) } : model);
    case 'key':
      return press(model, event.key);
  }
}

function only(model: Model): Step {
  return { model, effects: [] };
}

/** Keys that mean the same everywhere; then those of what is shown. */
function press(model: Model, key: string): Step {
  switch (key) {
    case 'ctrl-c':
      return { model, effects: [{ kind: 'quit' }] };
    case 'ctrl-z':
      return { model, effects: [{ kind: 'suspend' }] };
    case 'ctrl-l':
      return { model, effects: [{ kind: 'repaint' }] };
  }
  const { view } = model;
  switch (view.kind) {
    case 'table':
      return pressInTable(model, key);
    case 'question':
      return pressAtQuestion(model, view, key);
    case 'signals':
      return pressAtSignals(model, view, key);
    case 'logs':
      return pressInLogs(model, view, key);
    case 'filter':
      return only(pressInFilter(model, view, key));
    case 'help':
      return only(pressInHelp(model, view, key));
  }
}

const TABLE: View = { kind: 'table' };

type Of<K extends View['kind']> = Extract<View, { kind: K }>;

/** Only `y` is yes: neither Enter nor whatever else a finger hits. */
function pressAtQuestion(model: Model, { act, process }: Of<'question'>, key: string): Step {
  const back = { ...model, view: TABLE };
  if (key !== 'y' && key !== 'Y') return only({ ...back, note: noteIn(model, 'nothing is done', true) });
  return { model: { ...back, note: null }, effects: [{ kind: 'ask', act, process, signal: null }] };
}

function pressAtSignals(model: Model, view: Of<'signals'>, key: string): Step {
  const last = SIGNALS_OFFERED.length - 1;
  const { body } = layoutFor(model.size);
  const moved = moveBy(key, view.at, last, body);
  if (moved !== null) return only({ ...model, view: { ...view, at: moved } });
  const back = { ...model, view: TABLE };
  if (key === 'enter') {
    const signal = SIGNALS_OFFERED[view.at] ?? 'SIGTERM';
    const effects = [{ kind: 'ask', act: 'signal', process: view.process, signal }] as const;
    return { model: { ...back, note: null }, effects };
  }
  if (key === 'escape' || key === 'q')
    return only({ ...back, note: noteIn(model, 'no signal is sent', true) });
  return only(model);
}

/** Up is back in time. */
function pressInLogs(model: Model, view: Of<'logs'>, key: string): Step {
  const last = Math.max(0, view.lines.length - 1);
  const moved = moveBy(key, last - view.back, last, layoutFor(model.size).body);
  if (moved !== null) return only({ ...model, view: { ...view, back: last - moved } });
  if (!['q', 'escape', 'l', 'enter', 'f10'].includes(key)) return only(model);
  return { model: { ...model, view: TABLE }, effects: [{ kind: 'close-output' }] };
}

/** Who has scrolled back goes on seeing the same lines. */
function withOutput(view: Of<'logs'>, { process, lines, why }: Extract<TopEvent, { kind: 'output' }>): View {
  if (process !== view.process) return view;
  const all = [...view.lines, ...lines].slice(-OUTPUT_LINES_MAX);
  const back = view.back === 0 ? 0 : Math.min(view.back + lines.length, Math.max(0, all.length - 1));
  return { ...view, lines: all, back, why };
}

const FILTER_MAX = 64;

function pressInFilter(model: Model, { before }: Of<'filter'>, key: string): Model {
  const back = { ...model, view: TABLE };
  if (key === 'enter') return back;
  if (key === 'escape') return { ...back, filter: before };
  if (key === 'backspace') return { ...model, filter: [...model.filter].slice(0, -1).join('') };
  if ([...key].length !== 1 || model.filter.length >= FILTER_MAX) return model;
  return { ...model, filter: model.filter + key };
}

function pressInHelp(model: Model, { from }: Of<'help'>, key: string): Model {
  const moved = moveBy(key, from, HELP_LAST, layoutFor(model.size).body);
  return { ...model, view: moved === null ? TABLE : { kind: 'help', from: moved } };
}

/** More than help has lines; what shows it begins no later than makes sense. */
const HELP_LAST = 40;
