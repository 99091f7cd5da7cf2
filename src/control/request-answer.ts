/** What the core answers to a request, as HTTP. */
import { wordRefusal } from '../report/refusal-words.ts';
import type { Answer, Refusal } from '../supervisor/client-request.ts';
import { type HttpAnswer, problem } from './answer.ts';

/** What the client has named is not there: 404. As things are it cannot be done: 409. It makes no sense: 400. */
const STATUS: Readonly<Record<Refusal['reason'], number>> = {
  'no-such-process': 404,
  stopping: 409,
  ended: 409,
  final: 409,
  'not-running': 409,
  'no-such-signal': 400,
  'not-an-installation': 400,
  'bad-config': 422,
  'no-config': 409,
  'not-restartable': 409,
  'not-scalable': 409,
  'bad-count': 400,
};

/** `what`: a verb and its object. */
export function answerRequest(what: string, answer: Answer): HttpAnswer {
  if (answer.kind === 'refused') {
    const { code, message, hint } = wordRefusal(what, answer.refusal);
    return problem(STATUS[answer.refusal.reason], code, message, hint);
  }
  const { kind: _, ...done } = answer;
  return { status: 200, json: done };
}
