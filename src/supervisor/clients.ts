/** Requests on their way through the loop, and who waits for their answers. */
import type { Who } from '../checkpoint/record.ts';
import type { Answer, Request } from './client-request.ts';
import type { Effect, Occurrence } from './effect.ts';

export interface Clients {
  /** `push` null: the task is not known yet, and the request waits for `takeEarly`. */
  ask(request: Request, by: Who | null, push: ((occurrence: Occurrence) => void) | null): Promise<Answer>;
  takeEarly(): Occurrence[];
  answer(effects: readonly Effect[]): void;
  /** Nobody decides any more: whoever waits, or asks from now on, is told so. */
  close(): void;
}

const ENDED: Answer = { kind: 'refused', refusal: { reason: 'ended' } };

export function createClients(): Clients {
  const waiting = new Map<number, (answer: Answer) => void>();
  let early: Occurrence[] = [];
  let last = 0;
  let closed = false;
  return {
    ask(request, by, push) {
      if (closed) return Promise.resolve(ENDED);
      const id = ++last;
      const answered = new Promise<Answer>((resolve) => waiting.set(id, resolve));
      const occurrence: Occurrence = { kind: 'request', id, request, by };
      if (push === null) early.push(occurrence);
      else push(occurrence);
      return answered;
    },
    takeEarly() {
      const taken = early;
      early = [];
      return taken;
    },
    answer(effects) {
      for (const effect of effects) {
        if (effect.kind !== 'answer') continue;
        waiting.get(effect.id)?.(effect.answer);
        waiting.delete(effect.id);
      }
    },
    close() {
      closed = true;
      early = [];
      for (const resolve of waiting.values()) resolve(ENDED);
      waiting.clear();
    },
  };
}
