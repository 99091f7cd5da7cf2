/** What stands in which row, by the height of the terminal. Pure. */
import type { Size } from './model.ts';

export interface Layout {
  readonly title: boolean;
  readonly summary: boolean;
  readonly heads: boolean;
  /** Rows for the table, or for what is there in its place. */
  readonly body: number;
  /** What there is to say of the chosen process. */
  readonly detail: boolean;
  readonly foot: boolean;
}

/** The less room there is, the more of it is for the table. */
export function layoutFor({ rows }: Size): Layout {
  const title = rows >= 2;
  const foot = rows >= 3;
  const heads = rows >= 5;
  const summary = rows >= 8;
  const detail = rows >= 8;
  const taken = [title, foot, heads, summary, detail].filter(Boolean).length;
  return { title, summary, heads, detail, foot, body: Math.max(0, rows - taken) };
}
