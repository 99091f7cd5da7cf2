/** Which process is chosen, and which part of the table is on the screen. Pure. */
import type { ProcessStatus } from '../report/status.ts';
import { layoutFor } from './layout.ts';
import type { Model } from './model.ts';
import { shownProcesses } from './sort.ts';

export interface Chosen {
  readonly process: ProcessStatus;
  readonly at: number;
}

/** Whoever was chosen by name; when that is gone, who took its place. null: nobody is shown. */
export function chosenOf(model: Model, shown = shownProcesses(model)): Chosen | null {
  const { chosen } = model;
  const found = chosen === null ? 0 : shown.findIndex(({ name }) => name === chosen.name);
  const at = found >= 0 ? found : Math.min(chosen?.at ?? 0, shown.length - 1);
  const process = shown[at];
  return process === undefined ? null : { process, at };
}

export function choose(model: Model, at: number): Model {
  const process = shownProcesses(model)[at];
  return process === undefined ? model : { ...model, chosen: { name: process.name, at } };
}

/** The chosen one is on the screen, and no row is left empty that could show somebody. */
export function settle(model: Model): Model {
  const shown = shownProcesses(model);
  const chosen = chosenOf(model, shown);
  const { body } = layoutFor(model.size);
  const at = chosen?.at ?? 0;
  const least = Math.max(0, Math.min(model.from, shown.length - body));
  const from = Math.max(0, Math.min(Math.max(least, at - body + 1), at));
  const kept =
    model.chosen === null || chosen === null ? model.chosen : { name: chosen.process.name, at: chosen.at };
  return { ...model, from, chosen: kept };
}
