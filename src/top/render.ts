/** From what is known to the lines of the screen. Pure. */
import { escapeText } from '../report/escape.ts';
import type { ProcessStatus } from '../report/status.ts';
import { endText, remarks } from '../report/status-text.ts';
import { cutTo, fitTo, widthOf, withoutLeadingMarks, wrapTo } from '../report/width.ts';
import { type Chosen, chosenOf } from './choose.ts';
import { tableOf } from './columns.ts';
import { layoutFor } from './layout.ts';
import { type Model, processesOf, SIGNALS_OFFERED, type View } from './model.ts';
import { outputRows } from './output-rows.ts';
import type { Frame, Look, ScreenLine } from './screen.ts';
import { shownProcesses } from './sort.ts';
import { summaryText, titleText } from './title.ts';
import { HELP, helpLine, keysLine, QUESTIONS } from './words.ts';

/** Exactly as many lines as the terminal has rows, none wider than it. */
export function render(model: Model): Frame {
  const { columns, rows } = model.size;
  const layout = layoutFor(model.size);
  const shown = shownProcesses(model);
  const chosen = chosenOf(model, shown);
  const { heads, body } = bodyOf(model, shown, chosen);
  const foot = footLines(model);
  const lines: ScreenLine[] = [
    ...(layout.title ? [one(titleText(model), silentLook(model))] : []),
    ...(layout.summary ? [one(summaryText(processesOf(model)))] : []),
    ...(layout.heads ? [[{ text: fitTo(heads, columns), look: 'head' } as const]] : []),
    ...padded(body, layout.body),
    ...(layout.detail ? [one(detailText(model, chosen), 'faint')] : []),
  ];
  // A question may need more than one line: what would be done to whom has to be seen whole.
  const room = layout.foot ? foot : model.view.kind === 'table' ? [] : foot;
  const kept = lines.slice(0, Math.max(0, rows - Math.max(room.length, layout.foot ? 1 : 0)));
  return [...kept, ...room].slice(0, rows).map((line) => within(line, columns));
}

function silentLook({ silent }: Model): Look {
  return silent === null ? 'strong' : 'warn';
}

function one(text: string, look?: Look): ScreenLine {
  return look === undefined ? [{ text }] : [{ text, look }];
}

function padded(lines: readonly ScreenLine[], count: number): ScreenLine[] {
  const empty = Array.from({ length: Math.max(0, count - lines.length) }, () => one(''));
  return [...lines, ...empty].slice(0, count);
}

function within(line: ScreenLine, columns: number): ScreenLine {
  let left = columns;
  return line.flatMap(({ text, ...look }) => {
    const cut = cutTo(left === columns ? withoutLeadingMarks(text) : text, left);
    left -= widthOf(cut);
    return cut === '' ? [] : [{ text: cut, ...look }];
  });
}

interface Body {
  readonly heads: string;
  readonly body: readonly ScreenLine[];
}

function bodyOf(model: Model, shown: readonly ProcessStatus[], chosen: Chosen | null): Body {
  const { view, size } = model;
  const { body: rows } = layoutFor(size);
  switch (view.kind) {
    case 'table':
    case 'question':
    case 'filter':
      return tableBody(model, shown, chosen);
    case 'signals':
      return { heads: `signal for ${escapeText(view.process)}`, body: signalList(view, rows, size.columns) };
    case 'logs':
      return {
        heads: `output of ${escapeText(view.process)}${view.back === 0 ? '' : `, ${view.back} lines back`}`,
        body: outputRows(view, { rows, columns: size.columns }).map((text) => one(text)),
      };
    case 'help': {
      const from = Math.max(0, Math.min(view.from, HELP.length - rows));
      return { heads: 'gsup top: keys', body: HELP.slice(from, from + rows).map((row) => helpLine(row)) };
    }
  }
}

function tableBody(model: Model, shown: readonly ProcessStatus[], chosen: Chosen | null): Body {
  const { from, size, nowMs, sort, status, filter } = model;
  const { body: rows } = layoutFor(size);
  const part = shown.slice(from, from + rows);
  const widest = Math.max(0, ...processesOf(model).map(({ name }) => name.length));
  const table = tableOf(part, { width: size.columns, widest, nowMs, sort });
  const lines = table.rows.map((text, at) => {
    const process = part[at];
    return one(text, from + at === chosen?.at ? 'chosen' : process && lookOf(process));
  });
  if (part.length > 0 || status === null) return { heads: table.heads, body: lines };
  return { heads: table.heads, body: [one(filter === '' ? 'no processes yet' : 'no name has that in it')] };
}

const LOOKS: Partial<Record<ProcessStatus['state'], Look>> = {
  running: 'good',
  ready: 'good',
  stopping: 'warn',
  killing: 'warn',
  backoff: 'warn',
  failed: 'bad',
  lost: 'bad',
};

function lookOf({ state, health }: ProcessStatus): Look | undefined {
  return health === 'unhealthy' ? 'bad' : LOOKS[state];
}

function signalList(
  { at }: Extract<View, { kind: 'signals' }>,
  rows: number,
  columns: number,
): readonly ScreenLine[] {
  const from = Math.max(0, Math.min(at - Math.floor(rows / 2), SIGNALS_OFFERED.length - rows));
  return SIGNALS_OFFERED.slice(from, from + rows).map((name, place) =>
    one(fitTo(` ${name}`, columns), from + place === at ? 'chosen' : undefined),
  );
}

function detailText({ view }: Model, chosen: Chosen | null): string {
  if (chosen === null || !['table', 'question', 'filter'].includes(view.kind)) return '';
  const { process } = chosen;
  const { run, name, pid, last } = process;
  const parts = [
    ...remarks(process),
    ...(pid === null ? [] : [`pid ${pid}`]),
    ...(last === null ? [] : [`last: ${endText(last)}`]),
  ];
  return escapeText(`${run ?? name}: ${parts.join('; ') || process.state}`);
}

/** What is asked stands there whole; all else is one line. */
function footLines(model: Model): ScreenLine[] {
  const { view, note, size, filter } = model;
  switch (view.kind) {
    case 'question': {
      const text = QUESTIONS[view.act](escapeText(view.process));
      return wrapTo(text, size.columns).map((line) => one(fitTo(line, size.columns), 'head'));
    }
    case 'filter':
      return [one(`/${escapeText(filter, 200)}_`, 'strong')];
    case 'table':
      if (note !== null) return [one(escapeText(note.text), note.good ? 'strong' : 'bad')];
      return [one(keysLine('table', size.columns), 'faint')];
    default:
      return [one(keysLine(view.kind, size.columns), 'faint')];
  }
}
