/** What an import makes of a file, before it is text: keys, and remarks about what has no equal. Pure. */
import type { Place, Problem } from '../config/problem.ts';

export type Plain = string | number | boolean | null | readonly Plain[] | Block;

/** In the order in which it is written; undefined: not there. */
export interface Block {
  readonly [key: string]: Plain | undefined;
}

/** `lost`: has no equal. `changed`: has one that is not quite the same. `hint`: what else is to be known. */
export type RemarkKind = 'lost' | 'changed' | 'hint';

export const REMARK_WORDS = {
  lost: ' is left out',
  changed: ' is not quite the same',
  hint: '',
} as const satisfies Record<RemarkKind, string>;

/** Something that the file says and the config does not say, or says in another way. */
export interface Remark extends Place {
  readonly kind: RemarkKind;
  /** The entry that it is about; null: the task, or what is no entry. */
  readonly process: string | null;
  /** As the file calls it: `ports`, `[eventlistener:x]`. */
  readonly what: string;
  readonly why: string;
}

export interface DraftProcess extends Place {
  readonly name: string;
  readonly keys: Block;
}

export interface Draft {
  /** Every key of the task but `processes`. */
  readonly task: Block;
  readonly processes: readonly DraftProcess[];
  readonly remarks: readonly Remark[];
}

export type Imported =
  | { readonly kind: 'draft'; readonly draft: Draft }
  | { readonly kind: 'problems'; readonly problems: readonly Problem[] };

/** Collects remarks and problems while a file is converted. */
export interface Notes {
  readonly remarks: Remark[];
  readonly problems: Problem[];
  readonly note: (kind: RemarkKind, place: Place, process: string | null, what: string, why: string) => void;
  readonly refuse: (place: Place, message: string, hint?: string) => void;
}

export function newNotes(): Notes {
  const remarks: Remark[] = [];
  const problems: Problem[] = [];
  return {
    remarks,
    problems,
    note: (kind, { file, line, column }, process, what, why) =>
      void remarks.push({ file, line, column, kind, process, what, why }),
    refuse: ({ file, line, column }, message, hint = '') =>
      void problems.push({
        file,
        line,
        column,
        path: '',
        message: `cannot import "${file}": ${message}`,
        hint,
      }),
  };
}

export function imported(task: Block, processes: readonly DraftProcess[], notes: Notes): Imported {
  if (notes.problems.length > 0) return { kind: 'problems', problems: notes.problems };
  return { kind: 'draft', draft: { task, processes, remarks: notes.remarks } };
}

/** Without what is undefined; undefined when nothing is left. */
export function blockOf(keys: Block): Block | undefined {
  const entries = Object.entries(keys).filter(([, value]) => value !== undefined);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

export function isBlock(value: Plain | undefined): value is Block {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isList(value: Plain | undefined): value is readonly Plain[] {
  return Array.isArray(value);
}
