/** A request of `gsup top`, and what it has come to as a line for people. */
import type { Client, ControlError, Done } from '../control/client.ts';
import type { Act, TopEffect, TopEvent } from './model.ts';

type Asked = Extract<TopEffect, { kind: 'ask' }>;
type Answer = Extract<TopEvent, { kind: 'answer' }>;

const DOING: Readonly<Record<Exclude<Act, 'signal'>, string>> = {
  start: 'starting',
  stop: 'stopping',
  restart: 'restarting',
  drain: 'draining',
};

/** A refusal is an answer too; what is a bug here is thrown. */
export async function ask(client: Client, asked: Asked): Promise<Answer> {
  const { act, process, signal } = asked;
  try {
    if (act === 'signal') {
      const done = await client.signal(signal ?? 'SIGTERM', [process]);
      return answer(done, `sent ${signal} to ${process}`, `${process} is not running`);
    }
    const done = await client[act]([process]);
    return answer(done, `${DOING[act]} ${process}`, `${process} is as asked already`);
  } catch (error) {
    if (!(error instanceof Error) || typeof (error as Partial<ControlError>).code !== 'string') throw error;
    const { message, hint } = error as ControlError;
    return { kind: 'answer', good: false, text: hint ? `${message}; ${hint}` : message };
  }
}

function answer({ processes }: Done, done: string, otherwise: string): Answer {
  return { kind: 'answer', good: true, text: processes.length > 0 ? done : otherwise };
}
