/** What the server answers, as data. */
import type { Writable } from 'node:stream';
import type { Refusal } from '../supervisor/client-request.ts';

/** Words for programs; each stands for one class of mistake. */
export type ProblemCode =
  | 'bad-request'
  | 'unauthorized'
  | 'foreign-name'
  | 'no-such-route'
  | 'method-not-allowed'
  | 'too-large'
  | 'too-slow'
  | 'busy'
  | 'cursor-unknown'
  | 'not-captured'
  | 'internal'
  | Refusal['reason'];

/** SPEC.md 6. */
export interface Problem {
  readonly code: ProblemCode;
  readonly message: string;
  /** What to do about it. */
  readonly hint: string;
}

export type HttpAnswer =
  | { readonly status: number; readonly json: unknown; readonly headers?: Readonly<Record<string, string>> }
  | { readonly status: number; readonly text: string; readonly type: string }
  /** Written as it comes about; `write` is over when it resolves, or when `gone` says that nobody reads any more. */
  | {
      readonly status: 200;
      readonly type: string;
      readonly headers?: Readonly<Record<string, string>>;
      readonly write: (to: Writable, gone: AbortSignal) => Promise<void>;
    };

export function problem(
  status: number,
  code: ProblemCode,
  message: string,
  hint: string,
  headers: Readonly<Record<string, string>> = {},
): HttpAnswer {
  const body: Problem = { code, message, hint };
  return { status, json: body, headers };
}
